// SPDX-License-Identifier: Apache-2.0
// What lies below a place, whether a prefix in a bucket or a folder: see bulk.h.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "data/bulk_impl.h"
#include "data/digest_file.h"

enum { MAX_DEPTH = 100, MAX_PATH = 4096 };

struct lister {
	struct call *c;
	const struct select *select;
	struct bulk_list list;
	size_t room;
};

static int add(struct lister *l, struct bulk_item item)
{
	if (l->select && !select_takes(l->select, item.name))
		return 0;
	if (l->list.count == l->room) {
		size_t room = l->room ? l->room * 2 : 256;
		struct bulk_item *more = arena_new_array(l->c->arena, room, struct bulk_item);
		if (!more)
			return call_no_memory(l->c);
		if (l->list.count)
			memcpy(more, l->list.items, l->list.count * sizeof(*more));
		l->list.items = more;
		l->room = room;
	}
	l->list.items[l->list.count++] = item;
	return 0;
}

// ---------------------------------------------------------------- folders
static int list_folder(struct lister *l, struct str path, struct str below, int depth);

static int add_entry(struct lister *l, struct str path, struct str below, const char *entry, int depth)
{
	struct str whole = arena_printf(l->c->arena, "%.*s/%s", STR(path), entry),
		   name = arena_printf(l->c->arena, "%.*s%s", STR(below), entry);
	struct stat st;
	if (!whole.p || !name.p)
		return call_no_memory(l->c);
	if (lstat(whole.p, &st) < 0)
		return errno == ENOENT ? 0 : call_errno(l->c, "look at %s", whole.p);
	if (S_ISDIR(st.st_mode)) {
		struct str deeper = arena_printf(l->c->arena, "%.*s/", STR(name));
		return deeper.p ? list_folder(l, whole, deeper, depth + 1) : call_no_memory(l->c);
	}
	if (!S_ISREG(st.st_mode))
		return 0;
	return add(l, (struct bulk_item){.name = name,
			      .size = (uint64_t)st.st_size,
			      .modified_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec});
}

static int list_folder(struct lister *l, struct str path, struct str below, int depth)
{
	int rc = call_check(l->c);
	if (rc < 0)
		return rc;
	if (depth > MAX_DEPTH || path.n > MAX_PATH)
		return call_fail(
			l->c, ERR_LIMIT, "%.*s: folders nest deeper than %d", STR(str_clip(path, 200)), MAX_DEPTH);
	DIR *folder = opendir(path.p);
	if (!folder)
		return errno == ENOENT && depth == 0 ? 0 : call_errno(l->c, "read the folder %.*s", STR(path));
	const struct dirent *entry;
	while (rc == 0 && (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = add_entry(l, path, below, entry->d_name, depth);
	}
	closedir(folder);
	return rc;
}

// ---------------------------------------------------------------- prefixes
// "images" means what is below "images/", never "images-old/".
static struct str prefix_of(struct call *c, const struct object_place *at)
{
	if (!at->key.n || str_ends(at->key, S("/")))
		return at->key;
	return arena_printf(c->arena, "%.*s/", STR(at->key));
}

static int list_prefix(struct lister *l, const struct object_place *at)
{
	struct store_page page = {0};
	struct str prefix = prefix_of(l->c, at);
	int rc = prefix.p || !prefix.n ? cloud_list_all(l->c, at->cloud, at->bucket, prefix, &page)
				       : call_no_memory(l->c);
	for (size_t i = 0; rc == 0 && i < page.count; i++) {
		struct str name = str_drop(page.objects[i].key, prefix.n);
		if (name.n && !str_ends(name, S("/"))) // a marker that consoles make for folders
			rc = add(l, (struct bulk_item){.name = name,
					    .size = page.objects[i].size,
					    .modified_ns = page.objects[i].modified_ns});
	}
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct bulk_item *)a)->name, ((const struct bulk_item *)b)->name);
}

int bulk_list(struct call *c, const struct object_place *at, const struct select *select, struct bulk_list *out)
{
	struct lister l = {.c = c, .select = select};
	struct str path = at->key;
	while (!at->cloud && path.n > 1 && str_ends(path, S("/")))
		path.n--;
	path = arena_str(c->arena, path);
	int rc = !path.p ? call_no_memory(c) : at->cloud ? list_prefix(&l, at) : list_folder(&l, path, S(""), 0);
	if (rc < 0)
		return call_context(c, "list %.*s", STR(at->text));
	if (l.list.count)
		qsort(l.list.items, l.list.count, sizeof(*l.list.items), by_name);
	*out = l.list;
	return 0;
}

// ---------------------------------------------------------------- one of them
int bulk_place(struct call *c, const struct object_place *below, struct str name, struct object_place *out)
{
	struct object_place at = *below;
	bool slash = !below->key.n || str_ends(below->key, S("/"));
	if (!below->cloud && file_check_relative(name, &c->err) < 0)
		return call_context(c, "\"%.*s\" cannot be the name of a file", STR(str_clip(name, 200)));
	at.key = arena_printf(c->arena, "%.*s%s%.*s", STR(below->key), slash ? "" : "/", STR(name));
	slash = str_ends(below->text, S("/"));
	at.text = arena_printf(c->arena, "%.*s%s%.*s", STR(below->text), slash ? "" : "/", STR(name));
	if (!at.key.p || !at.text.p)
		return call_no_memory(c);
	*out = at;
	return 0;
}

int bulk_remove(struct call *c, const struct object_place *at)
{
	int rc = 0;
	if (at->cloud)
		rc = CLOUD_CALL(c, at->cloud, store, delete, at->bucket, at->key);
	else if (unlink(arena_cstr(c->arena, at->key)) < 0 && errno != ENOENT)
		rc = call_errno(c, "remove the file");
	return rc < 0 ? call_context(c, "remove %.*s", STR(at->text)) : 0;
}

// ---------------------------------------------------------------- checksums
static int count_bytes(void *ctx, struct str data)
{
	struct file_digest *d = ctx;
	d->size += data.n;
	d->crc32c = crc32c(d->crc32c, data);
	return 0;
}

static int count_again(void *ctx)
{
	*(struct file_digest *)ctx = (struct file_digest){0};
	return 0;
}

static int read_object(struct call *c, const struct object_place *at, struct file_digest *out)
{
	struct sink sink = {.ctx = out, .write = count_bytes, .restart = count_again};
	const struct store_get get = {.bucket = at->bucket, .key = at->key};
	struct object ignored = {0};
	return CLOUD_CALL(c, at->cloud, store, get, &get, &sink, &ignored);
}

static int read_file(struct call *c, const struct object_place *at, struct file_digest *out)
{
	AUTO(fd) fd = open(arena_cstr(c->arena, at->key), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? call_errno(c, "open %.*s", STR(at->key)) : checksum_fd(fd, at->text.p, out, &c->err);
}

int bulk_checksum(struct call *c, const struct object_place *at, uint64_t *size, uint32_t *crc)
{
	struct file_digest d = {0};
	struct object there = {0};
	int rc = at->cloud ? CLOUD_CALL(c, at->cloud, store, head, at->bucket, at->key, &there) : read_file(c, at, &d);
	if (rc == 0 && at->cloud && there.has_crc32c)
		d = (struct file_digest){.size = there.size, .crc32c = there.crc32c};
	else if (rc == 0 && at->cloud)
		rc = read_object(c, at, &d);
	if (rc < 0)
		return call_context(c, "checksum of %.*s", STR(at->text));
	*size = d.size;
	*crc = d.crc32c;
	return 0;
}

int bulk_list_source(struct call *c, const struct object_place *at, const struct select *select, struct bulk_list *out)
{
	const char *path = at->cloud ? NULL : arena_cstr(c->arena, at->key);
	if (!at->cloud && !path)
		return call_no_memory(c);
	if (path && access(path, F_OK) < 0)
		return call_errno(c, "look at %s", path);
	return bulk_list(c, at, select, out);
}
