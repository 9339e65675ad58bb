// SPDX-License-Identifier: Apache-2.0
// What callers of clouds share: finding one, whole objects in memory and in files, complete lists. See cloud.h.
#include "cloud/cloud.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cloud *clouds_find(const struct clouds *all, struct str name)
{
	for (size_t i = 0; i < all->count; i++) {
		if (str_eq(all->items[i].name, name))
			return &all->items[i];
	}
	return NULL;
}

int cloud_unsupported(struct call *c, const struct cloud *cloud, const char *part, const char *slot)
{
	return call_fail(c, ERR_UNSUPPORTED,
		"cloud/%.*s (%.*s) does not offer \"%s\" of its part \"%s\": give the cloud another engine for that "
		"part",
		STR(cloud->name), STR(cloud->provider), slot, part);
}

// ---------------------------------------------------------------- memory

static int memory_write(void *ctx, struct str data)
{
	struct buf *out = ctx;
	buf_add(out, data);
	return out->failed ? (out->limit && out->n + data.n > out->limit ? ERR_LIMIT : ERR_NO_MEMORY) : 0;
}

static int memory_restart(void *ctx)
{
	buf_clear(ctx);
	return 0;
}

int cloud_get_bytes(
	struct call *c, const struct cloud *cloud, struct str bucket, struct str key, size_t limit, struct str *out)
{
	AUTO(buf) data = {.limit = limit};
	struct sink sink = {.ctx = &data, .write = memory_write, .restart = memory_restart};
	struct store_get get = {.bucket = bucket, .key = key};
	struct object object;
	int r = CLOUD_CALL(c, cloud, store, get, &get, &sink, &object);
	if (r)
		return r;
	struct str copy = arena_str(c->arena, buf_str(&data));
	if (!copy.p)
		return call_no_memory(c);
	*out = copy;
	return 0;
}

struct memory_source {
	struct str all, left;
};

static ssize_t memory_read(void *ctx, void *out, size_t n)
{
	struct memory_source *m = ctx;
	struct str piece = str_take(m->left, n);
	if (piece.n)
		memcpy(out, piece.p, piece.n);
	m->left = str_drop(m->left, piece.n);
	return (ssize_t)piece.n;
}

static int memory_rewind(void *ctx)
{
	struct memory_source *m = ctx;
	m->left = m->all;
	return 0;
}

int cloud_put_bytes(
	struct call *c, const struct cloud *cloud, const struct store_put *put, struct str data, struct object *out)
{
	struct memory_source memory = {.all = data, .left = data};
	struct source source = {.ctx = &memory, .read = memory_read, .rewind = memory_rewind, .size = data.n};
	return CLOUD_CALL(c, cloud, store, put, put, &source, out);
}

// ---------------------------------------------------------------- files

struct file_end {
	int fd;
	off_t start;
};

static ssize_t file_source_read(void *ctx, void *out, size_t n)
{
	const struct file_end *file = ctx;
	ssize_t got;
	do
		got = read(file->fd, out, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? err_code_of_errno(errno) : got;
}

static int file_source_rewind(void *ctx)
{
	const struct file_end *file = ctx;
	return lseek(file->fd, file->start, SEEK_SET) < 0 ? err_code_of_errno(errno) : 0;
}

int cloud_put_fd(struct call *c, const struct cloud *cloud, const struct store_put *put, int fd, struct object *out)
{
	struct stat status;
	struct file_end file = {.fd = fd, .start = lseek(fd, 0, SEEK_CUR)};
	struct source source = {
		.ctx = &file, .read = file_source_read, .rewind = file_source_rewind, .size = UINT64_MAX};
	if (fstat(fd, &status) < 0)
		return call_errno(c, "put %.*s/%.*s: the file to send", STR(put->bucket), STR(put->key));
	if (S_ISREG(status.st_mode) && file.start >= 0)
		source.size = (uint64_t)(status.st_size > file.start ? status.st_size - file.start : 0);
	if (file.start < 0)
		source.rewind = NULL; // a pipe
	return CLOUD_CALL(c, cloud, store, put, put, &source, out);
}

static int file_sink_write(void *ctx, struct str data)
{
	const struct file_end *file = ctx;
	while (data.n) {
		ssize_t put = write(file->fd, data.p, data.n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_code_of_errno(errno);
		data = str_drop(data, (size_t)put);
	}
	return 0;
}

static int file_sink_restart(void *ctx)
{
	const struct file_end *file = ctx;
	if (ftruncate(file->fd, file->start) < 0 || lseek(file->fd, file->start, SEEK_SET) < 0)
		return err_code_of_errno(errno);
	return 0;
}

int cloud_get_fd(struct call *c, const struct cloud *cloud, const struct store_get *get, int fd, struct object *out)
{
	struct file_end file = {.fd = fd, .start = lseek(fd, 0, SEEK_CUR)};
	struct sink sink = {
		.ctx = &file, .write = file_sink_write, .restart = file.start < 0 ? NULL : file_sink_restart};
	return CLOUD_CALL(c, cloud, store, get, get, &sink, out);
}

// ---------------------------------------------------------------- lists

// A growing array in the call's arena: copied into one twice as large when it is full.
static bool add_objects(struct call *c, struct store_page *all, size_t *room, const struct store_page *page)
{
	size_t want = all->count + page->count;
	if (want > *room) {
		size_t larger = MAX(want, *room * 2);
		struct object *objects = arena_new_array(c->arena, larger, struct object);
		if (!objects)
			return false;
		if (all->count)
			memcpy(objects, all->objects, all->count * sizeof(*objects));
		all->objects = objects;
		*room = larger;
	}
	if (page->count)
		memcpy(all->objects + all->count, page->objects, page->count * sizeof(*page->objects));
	all->count = want;
	return true;
}

int cloud_list_all(
	struct call *c, const struct cloud *cloud, struct str bucket, struct str prefix, struct store_page *out)
{
	struct store_page all = {0};
	struct store_list list = {.bucket = bucket, .prefix = prefix, .delimiter = S(""), .token = S("")};
	size_t room = 0;
	do {
		struct store_page page = {0};
		int r = call_check(c);
		if (!r)
			r = CLOUD_CALL(c, cloud, store, list, &list, &page);
		if (r)
			return r;
		if (!add_objects(c, &all, &room, &page))
			return call_no_memory(c);
		if (page.next.n && str_eq(page.next, list.token))
			return call_fail(c, ERR_PROTOCOL, "list %.*s/%.*s: the store gave the same page token twice",
				STR(bucket), STR(prefix));
		list.token = page.next;
	} while (list.token.n);
	all.next = S("");
	*out = all;
	return 0;
}
