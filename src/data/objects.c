// SPDX-License-Identifier: Apache-2.0
// Places and what can be done with them.
#include "data/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "data/bucket_kind.h"
#include "data/digest_file.h"
#include "data/objects_impl.h"
#include "data/passage.h"

// ---------------------------------------------------------------- places
bool object_place_is_named(struct str text)
{
	struct str head, tail;
	return str_cut(text, ':', &head, &tail) && head.n && str_find_char(head, '/') < 0 && head.p[0] != '.' &&
	       !str_starts(tail, S("//"));
}

// "s3://bucket/key" -> "s3" and "bucket/key"; false for what has no scheme of an object store.
static bool has_scheme(struct str text, struct str *scheme, struct str *rest)
{
	static const char *const schemes[] = {"s3", "gs", "az"};
	if (!str_cut(text, ':', scheme, rest) || !str_starts(*rest, S("//")))
		return false;
	*rest = str_drop(*rest, 2);
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (str_eq(*scheme, str_of(schemes[i])))
			return true;
	}
	return false;
}

// A bucket by its name in the workspace, else as the provider calls it.
static int resolve_bucket(struct call *c, const struct object_env *env, struct str name, struct object_place *out)
{
	bool ours = env->state && clouds_find(env->clouds, out->cloud->name) == out->cloud;
	int code = ours ? bucket_find(c, env->state, name, out->cloud->name, &out->bucket) : ERR_NOT_FOUND;
	if (code != ERR_NOT_FOUND)
		return code;
	err_clear(&c->err);
	out->bucket = arena_str(c->arena, name);
	return out->bucket.p ? 0 : call_no_memory(c);
}

static int find_cloud(struct call *c, const struct object_env *env, struct str name, struct object_place *out)
{
	out->cloud = env->clouds ? clouds_find(env->clouds, name) : NULL;
	if (out->cloud)
		return 0;
	if (env->open)
		return env->open(c, env->open_ctx, name, &out->cloud);
	return call_fail(c, ERR_NOT_FOUND, "%.*s: the workspace has no cloud \"%.*s\"", STR(out->text), STR(name));
}

static int parse_object(
	struct call *c, const struct object_env *env, struct str cloud, struct str rest, struct object_place *out)
{
	struct str bucket;
	str_cut(rest, '/', &bucket, &out->key);
	if (!bucket.n)
		return call_fail(c, ERR_INVALID, "%.*s: no bucket is named; write CLOUD:bucket/key or s3://bucket/key",
			STR(out->text));
	int code = find_cloud(c, env, cloud, out);
	return code ? code : resolve_bucket(c, env, bucket, out);
}

int object_place_parse(struct call *c, const struct object_env *env, struct str text, struct object_place *out)
{
	struct str cloud, rest;
	struct object_place p = {.text = arena_str(c->arena, text)};
	if (!text.n || memchr(text.p, '\0', text.n))
		return call_fail(c, ERR_INVALID,
			"an empty place: write CLOUD:bucket/key, s3://bucket/key or the path of a file");
	if (!p.text.p)
		return call_no_memory(c);
	int code = 0;
	if (has_scheme(p.text, &cloud, &rest)) {
		code = parse_object(c, env, cloud, rest, &p);
	} else if (object_place_is_named(p.text)) {
		str_cut(p.text, ':', &cloud, &rest);
		code = parse_object(c, env, cloud, rest, &p);
	} else {
		p.key = str_starts(text, S("file://")) ? str_drop(p.text, 7) : p.text;
		if (!p.key.n ||
			(str_find(p.key, S("://")) > 0 && str_find_char(p.key, '/') > str_find_char(p.key, ':')))
			code = call_fail(c, ERR_INVALID,
				"%.*s names no file: schemes are s3://, gs://, az:// and file://", STR(text));
	}
	if (code)
		return code;
	*out = p;
	return 0;
}

static int need_cloud(struct call *c, const struct object_place *at)
{
	return at->cloud ? 0
			 : call_fail(c, ERR_UNSUPPORTED, "%.*s is a file: name a place as CLOUD:bucket/key",
				   STR(at->text));
}

// ---------------------------------------------------------------- ls
int object_rows_add(struct call *c, struct object_rows *rows, struct object_row row)
{
	if (rows->count == rows->room) {
		size_t room = rows->room ? rows->room * 2 : 64;
		struct object_row *more = arena_new_array(c->arena, room, struct object_row);
		if (!more)
			return call_no_memory(c);
		if (rows->count)
			memcpy(more, rows->items, rows->count * sizeof(*more));
		rows->items = more;
		rows->room = room;
	}
	rows->items[rows->count++] = row;
	return 0;
}

static int add_page(struct call *c, struct object_rows *rows, const struct store_page *page)
{
	for (size_t i = 0; i < page->prefix_count; i++)
		if (object_rows_add(c, rows, (struct object_row){.name = page->prefixes[i]}))
			return c->err.code;
	for (size_t i = 0; i < page->count; i++) {
		const struct object *o = &page->objects[i];
		if (object_rows_add(c, rows,
			    (struct object_row){.name = o->key, .size = o->size, .modified_ns = o->modified_ns}))
			return c->err.code;
	}
	return 0;
}

static int list_pages(struct call *c, const struct object_place *at, bool recursive, struct object_rows *all)
{
	struct store_list list = {.bucket = at->bucket, .prefix = at->key, .delimiter = recursive ? S("") : S("/")};
	do {
		struct store_page page = {0};
		int code = call_check(c);
		if (!code)
			code = CLOUD_CALL(c, at->cloud, store, list, &list, &page);
		if (!code)
			code = add_page(c, all, &page);
		if (code)
			return code;
		list.token = page.next;
	} while (list.token.n);
	return 0;
}

int objects_list(struct call *c, const struct object_place *at, bool recursive, struct object_row **rows, size_t *count)
{
	struct object_rows all = {0};
	if (at->cloud ? list_pages(c, at, recursive, &all) : objects_list_folder(c, at, recursive, &all))
		return call_context(c, "list %.*s", STR(at->text));
	*rows = all.items;
	*count = all.count;
	return 0;
}

// ---------------------------------------------------------------- cp
static struct str last_part(struct str path)
{
	while (str_find_char(path, '/') >= 0)
		path = str_drop(path, (size_t)str_find_char(path, '/') + 1);
	return path;
}

static bool is_folder(const struct object_place *at)
{
	struct stat st;
	return !at->cloud && stat(at->key.p, &st) == 0 && S_ISDIR(st.st_mode);
}

// A target that ends in '/' (or is only a bucket, or a folder) keeps the source's name.
static int final_key(struct call *c, const struct object_place *from, const struct object_place *to, struct str *out)
{
	bool slash = !to->key.n || str_ends(to->key, S("/")), folder = is_folder(to);
	*out = to->key;
	if (is_folder(from))
		return call_fail(c, ERR_INVALID, "%.*s is a folder: say --recursive", STR(from->text));
	if (slash || folder)
		*out = arena_printf(c->arena, "%.*s%s%.*s", STR(to->key), slash ? "" : "/", STR(last_part(from->key)));
	if (!out->p)
		return call_no_memory(c);
	return out->n && !str_ends(*out, S("/")) ? 0
						 : call_fail(c, ERR_INVALID, "%.*s names no object", STR(from->text));
}

static int upload(struct call *c, const struct object_place *from, const struct object_place *to, struct str key,
	struct copy_result *out)
{
	AUTO(fd) fd = open(from->key.p, O_RDONLY | O_CLOEXEC);
	struct file_digest d = {0};
	struct object stored = {0};
	if (fd < 0)
		return call_errno(c, "open %.*s", STR(from->key));
	if (digest_fd(fd, from->key.p, &d, &c->err))
		return c->err.code;
	const struct store_put put = {.bucket = to->bucket, .key = key, .content_type = S("application/octet-stream")};
	const struct copy_end end = {.cloud = to->cloud, .bucket = to->bucket, .key = key};
	struct copy_proof proof = {.size = d.size, .crc32c = d.crc32c};
	memcpy(proof.sha256, d.sha256, SHA256_SIZE);
	if (cloud_put_fd(c, to->cloud, &put, fd, &stored) || copy_prove(c, &end, &proof))
		return c->err.code;
	*out = (struct copy_result){.objects = 1, .bytes = d.size};
	memcpy(out->sha256, d.hex, sizeof(d.hex));
	return 0;
}

struct str object_partial(struct arena *a, struct str path, const struct object *whole)
{
	return arena_printf(a, "%.*s.part-%08x", STR(path), crc32c(crc32c(0, whole->key), whole->etag));
}

struct partial { // a file that is not whole yet
	const char *path;
	int fd;
	uint64_t have;
};

// What a run that was cut left of this very version is gone on with; another run that is at it has the file locked.
static int open_partial(struct call *c, const struct object *whole, struct partial *p)
{
	struct stat st;
	p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (p->fd < 0)
		return call_errno(c, "create %s", p->path);
	if (flock(p->fd, LOCK_EX | LOCK_NB) < 0)
		return call_fail(c, ERR_IN_USE, "%s: another copy to the same file runs", p->path);
	if (fstat(p->fd, &st) < 0)
		return call_errno(c, "look at %s", p->path);
	p->have = (uint64_t)st.st_size <= whole->size ? (uint64_t)st.st_size : 0;
	if (ftruncate(p->fd, (off_t)p->have) < 0 || lseek(p->fd, (off_t)p->have, SEEK_SET) < 0)
		return call_errno(c, "prepare %s", p->path);
	return 0;
}

static int fetch_rest(
	struct call *c, const struct object_place *from, const struct object *whole, const struct partial *p)
{
	const struct store_get get = {.bucket = from->bucket,
		.key = from->key,
		.offset = p->have,
		.length = p->have ? UINT64_MAX : 0,
		.if_match = whole->etag};
	struct object ignored = {0};
	return p->have && p->have == whole->size ? 0 : cloud_get_fd(c, from->cloud, &get, p->fd, &ignored);
}

static int prove_file(struct call *c, const struct object_place *from, const struct object *whole,
	const struct partial *p, struct file_digest *d)
{
	int code = digest_fd(p->fd, p->path, d, &c->err);
	if (!code && (d->size != whole->size || (whole->has_crc32c && whole->crc32c != d->crc32c)))
		code = call_fail(c, ERR_CORRUPT, "%.*s: %llu bytes came, and not those of the store's checksum",
			STR(from->text), (unsigned long long)d->size);
	return code;
}

// Under another name until it is whole and proven. What came stays when the way was cut, and goes when it is wrong.
static int download(struct call *c, const struct object_place *from, struct str path, struct copy_result *out)
{
	struct object whole = {0};
	struct file_digest d = {0};
	const char *final = arena_cstr(c->arena, path);
	if (!final)
		return call_no_memory(c);
	if (CLOUD_CALL(c, from->cloud, store, head, from->bucket, from->key, &whole))
		return c->err.code;
	struct partial p = {.path = object_partial(c->arena, path, &whole).p, .fd = -1};
	int code = p.path ? open_partial(c, &whole, &p) : call_no_memory(c);
	AUTO(fd) fd = p.fd;
	if (code)
		return code;
	code = fetch_rest(c, from, &whole, &p);
	bool cut = code && code != ERR_CONFLICT && code != ERR_CORRUPT && lseek(fd, 0, SEEK_END) > 0;
	if (!code)
		code = prove_file(c, from, &whole, &p, &d);
	if (!code && (fsync(fd) < 0 || rename(p.path, final) < 0))
		code = call_errno(c, "write %s", final);
	if (code) {
		if (!cut)
			(void)unlink(p.path);
		return code;
	}
	*out = (struct copy_result){.objects = 1, .bytes = d.size};
	memcpy(out->sha256, d.hex, sizeof(d.hex));
	return 0;
}

static int copy_places(struct call *c, const struct object_env *env, const struct object_place *from,
	const struct object_place *to, struct copy_result *out)
{
	struct str key = {0};
	if (final_key(c, from, to, &key))
		return c->err.code;
	if (!from->cloud && !to->cloud)
		return call_fail(c, ERR_UNSUPPORTED, "%.*s and %.*s are both files: one place must be CLOUD:bucket/key",
			STR(from->text), STR(to->text));
	if (!from->cloud || !to->cloud) {
		int code = from->cloud ? download(c, from, key, out) : upload(c, from, to, key, out);
		const struct transfer moved = {
			.from = from->cloud, .to = to->cloud, .bytes = code ? 0 : out->bytes, .what = from->text};
		return code || !env->state ? code : transfer_record(c, env->state, &moved);
	}
	const struct copy copy = {.from = {.cloud = from->cloud, .bucket = from->bucket, .key = from->key},
		.to = {.cloud = to->cloud, .bucket = to->bucket, .key = key},
		.state = env->state,
		.what = from->text};
	return copy_object(c, &copy, out);
}

// An object of a dataset, a transform, a training or a model stays inside that thing's bounds. Where this machine
// stands nobody knows: what a person takes down to it is told by the record of the transfer.
static int may_go(
	struct call *c, const struct object_env *env, const struct object_place *from, const struct object_place *to)
{
	const struct passage_object object = {from->cloud, from->bucket, from->key};
	struct passage p = {.to = to->cloud, .id = to->text};
	if (!env->state || !from->cloud || !to->cloud)
		return 0;
	if (passage_owner(c, env->state, &object, &p.what))
		return c->err.code;
	return p.what.n ? passage_check(c, env->state, &p) : 0;
}

int objects_copy(struct call *c, const struct object_env *env, const struct object_place *from,
	const struct object_place *to, struct copy_result *out)
{
	if (may_go(c, env, from, to) || copy_places(c, env, from, to, out))
		return call_context(c, "copy %.*s to %.*s", STR(from->text), STR(to->text));
	return 0;
}

// ---------------------------------------------------------------- cat, rm
struct output {
	struct call *c;
	int fd;
	struct str name;
};

static int output_write(void *ctx, struct str data)
{
	const struct output *o = ctx;
	return file_write_all(o->fd, data, "standard output", &o->c->err);
}

static int cat_file(struct call *c, const struct object_place *at, const struct store_get *range, const struct sink *to)
{
	AUTO(fd) fd = open(at->key.p, O_RDONLY | O_CLOEXEC);
	char bytes[64 << 10];
	uint64_t left = range->length || range->offset ? range->length : UINT64_MAX;
	if (fd < 0 || lseek(fd, (off_t)range->offset, SEEK_SET) < 0)
		return call_errno(c, "open %.*s", STR(at->key));
	while (left) {
		ssize_t n = read(fd, bytes, (size_t)MIN(left, sizeof(bytes)));
		if (n < 0)
			return call_errno(c, "read %.*s", STR(at->key));
		if (n == 0)
			return 0;
		int code = to->write(to->ctx, str_bytes(bytes, (size_t)n));
		if (code)
			return code;
		left -= (uint64_t)n;
	}
	return 0;
}

int objects_head(struct call *c, const struct object_place *at, struct object_row *out)
{
	struct object there = {0};
	struct stat st = {0};
	int code = 0;
	if (at->cloud)
		code = CLOUD_CALL(c, at->cloud, store, head, at->bucket, at->key, &there);
	else if (stat(at->key.p, &st) < 0)
		code = call_errno(c, "look at the file");
	else if (!S_ISREG(st.st_mode))
		code = call_fail(c, ERR_NOT_FOUND, "it is no plain file");
	if (code)
		return call_context(c, "%.*s", STR(at->text));
	*out = (struct object_row){.name = at->key,
		.size = at->cloud ? there.size : (uint64_t)st.st_size,
		.modified_ns = at->cloud ? there.modified_ns : st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec};
	return 0;
}

int objects_cat(struct call *c, const struct object_place *at, uint64_t offset, uint64_t length, int fd)
{
	struct output output = {.c = c, .fd = fd, .name = at->text};
	struct sink sink = {.ctx = &output, .write = output_write}; // what went out cannot be taken back: no restart
	const struct store_get get = {.bucket = at->bucket, .key = at->key, .offset = offset, .length = length};
	struct object ignored = {0};
	if (!at->cloud)
		return cat_file(c, at, &get, &sink);
	if (CLOUD_CALL(c, at->cloud, store, get, &get, &sink, &ignored))
		return call_context(c, "read %.*s", STR(at->text));
	return 0;
}

static int remove_one(struct call *c, const struct object_place *at, struct str key, uint64_t *removed)
{
	if (call_check(c) || CLOUD_CALL(c, at->cloud, store, delete, at->bucket, key))
		return call_context(c, "remove %.*s from %.*s", STR(key), STR(at->cloud->name));
	++*removed;
	return 0;
}

int objects_remove(struct call *c, const struct object_place *at, bool recursive, uint64_t *removed)
{
	uint64_t n = 0;
	struct store_page page = {0};
	struct object there = {0};
	if (need_cloud(c, at))
		return c->err.code;
	if (!recursive) {
		if (!at->key.n)
			return call_fail(c, ERR_INVALID,
				"%.*s is a whole bucket: say --recursive to remove all its objects", STR(at->text));
		if (CLOUD_CALL(c, at->cloud, store, head, at->bucket, at->key, &there) ||
			remove_one(c, at, at->key, &n))
			return call_context(c, "remove %.*s", STR(at->text));
		*removed = n;
		return 0;
	}
	// "images" means what is below "images/", never "images-old/".
	struct str prefix =
		!at->key.n || str_ends(at->key, S("/")) ? at->key : arena_printf(c->arena, "%.*s/", STR(at->key));
	if (cloud_list_all(c, at->cloud, at->bucket, prefix, &page))
		return call_context(c, "list %.*s", STR(at->text));
	for (size_t i = 0; i < page.count; i++)
		if (remove_one(c, at, page.objects[i].key, &n))
			return c->err.code;
	*removed = n;
	return 0;
}
