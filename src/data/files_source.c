// SPDX-License-Identifier: Apache-2.0
// Listing a source: a folder, or below a prefix of a bucket. Hashing is in files_scan.c.
#include "data/files_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "data/bucket_kind.h"
#include "data/digest_file.h"

bool files_format(struct str format)
{
	static const char *const formats[] = {"parquet", "jsonl", "csv"};
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (str_eq(format, str_of(formats[i])))
			return true;
	return false;
}

bool files_source_parse(struct str source, struct str *bucket, struct str *prefix, struct str *cloud)
{
	ptrdiff_t on = str_find(source, S(" on "));
	if (!str_starts(source, S("bucket/")))
		return false;
	*cloud = on < 0 ? S("") : str_drop(source, (size_t)on + 4);
	str_cut(str_drop(on < 0 ? source : str_take(source, (size_t)on), sizeof("bucket/") - 1), '/', bucket, prefix);
	return bucket->n > 0;
}

// ---------------------------------------------------------------- gathering
struct gathering {
	struct files_source *s;
	size_t room;
};

static int add_file(struct call *c, struct gathering *g, const struct source_file *file)
{
	struct files_source *s = g->s;
	if (s->count == FILES_MAX)
		return call_fail(c, ERR_LIMIT, "%.*s: its source holds more than %d files", STR(s->address), FILES_MAX);
	if (s->count == g->room) {
		size_t room = g->room ? 2 * g->room : 64;
		struct source_file *more = arena_new_array(c->arena, room, struct source_file);
		if (!more)
			return call_no_memory(c);
		if (s->count)
			memcpy(more, s->files, s->count * sizeof(*more));
		s->files = more;
		g->room = room;
	}
	s->files[s->count++] = *file;
	return file_check_relative(file->name, &c->err) ? call_context(c, "%.*s", STR(s->address)) : 0;
}

static int compare_files(const void *a, const void *b)
{
	const struct source_file *x = a, *y = b;
	return str_cmp(x->name, y->name);
}

// ---------------------------------------------------------------- a place in a bucket
static int find_cloud(struct call *c, const struct ingest *in, struct str bucket, struct str *cloud)
{
	struct resource *list = NULL;
	size_t count = 0;
	struct str prefix = arena_printf(c->arena, "bucket/%.*s on ", STR(bucket));
	if (!prefix.p)
		return call_no_memory(c);
	if (cloud->n)
		return 0;
	if (resource_list(c, in->state, prefix, &list, &count))
		return c->err.code;
	if (count != 1)
		return call_fail(c, ERR_INVALID,
			"its source bucket/%.*s lies on %zu clouds: write which, bucket/%.*s/... on CLOUD", STR(bucket),
			count, STR(bucket));
	*cloud = list[0].cloud;
	return 0;
}

static int list_objects(struct call *c, struct files_source *s)
{
	struct gathering g = {.s = s};
	struct store_page page = {0};
	if (cloud_list_all(c, s->cloud, s->bucket, s->prefix, &page))
		return call_context(c, "list %.*s/%.*s on %.*s", STR(s->bucket), STR(s->prefix), STR(s->cloud->name));
	for (size_t i = 0; i < page.count; i++) {
		const struct object *o = &page.objects[i];
		const struct source_file file = {
			.name = str_drop(o->key, s->prefix.n), .etag = o->etag, .size = o->size};
		if (str_ends(o->key, S("/")) || !file.name.n) // folders as some tools mark them
			continue;
		if (add_file(c, &g, &file))
			return c->err.code;
	}
	return 0;
}

static int open_bucket(struct call *c, const struct ingest *in, struct str source, struct files_source *s)
{
	struct str bucket, prefix, cloud;
	if (!files_source_parse(source, &bucket, &prefix, &cloud))
		return call_fail(c, ERR_INVALID, "source %.*s: expected bucket/NAME/PREFIX/", STR(source));
	if (find_cloud(c, in, bucket, &cloud))
		return c->err.code;
	s->cloud = clouds_find(in->clouds, cloud);
	if (!s->cloud)
		return call_fail(
			c, ERR_NOT_FOUND, "source %.*s: the workspace has no cloud \"%.*s\"", STR(source), STR(cloud));
	if (bucket_find(c, in->state, bucket, cloud, &s->bucket))
		return c->err.code;
	s->prefix = !prefix.n || str_ends(prefix, S("/")) ? prefix : arena_printf(c->arena, "%.*s/", STR(prefix));
	return s->prefix.n == 0 || s->prefix.p ? list_objects(c, s) : call_no_memory(c);
}

// ---------------------------------------------------------------- a folder
static int add_entry(struct call *c, struct gathering *g, const char *name)
{
	struct stat st;
	const char *path = arena_printf(c->arena, "%s/%s", g->s->folder, name).p;
	if (!path)
		return call_no_memory(c);
	if (lstat(path, &st) < 0)
		return call_errno(c, "look at %s", path);
	if (!S_ISREG(st.st_mode))
		return 0;
	const struct source_file file = {.name = arena_str(c->arena, str_of(name)),
		.size = (uint64_t)st.st_size,
		.etag = arena_printf(c->arena, "%lld-%lld.%09ld", (long long)st.st_size, (long long)st.st_mtim.tv_sec,
			st.st_mtim.tv_nsec)};
	return file.name.p && file.etag.p ? add_file(c, g, &file) : call_no_memory(c);
}

static int open_folder(struct call *c, const struct ingest *in, struct str source, struct files_source *s)
{
	struct gathering g = {.s = s};
	struct str path;
	struct dirent **list;
	if (dataset_source_folder(c, source, in->folder, &path))
		return c->err.code;
	s->folder = path.p;
	int n = scandir(s->folder, &list, NULL, alphasort), code = 0;
	if (n < 0)
		return call_errno(c, "source %.*s: list %s", STR(source), s->folder);
	for (int i = 0; i < n; i++) {
		if (!code && list[i]->d_name[0] != '.')
			code = add_entry(c, &g, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return code;
}

// ---------------------------------------------------------------- the whole
static int fingerprint(struct call *c, struct files_source *s)
{
	AUTO(buf) text = {0};
	char *hex = arena_alloc(c->arena, HEX_SHA256_SIZE);
	for (size_t i = 0; i < s->count; i++)
		buf_printf(&text, "%.*s\n%llu\n%.*s\n", STR(s->files[i].name), (unsigned long long)s->files[i].size,
			STR(s->files[i].etag));
	if (!hex || buf_check(&text, &c->err))
		return hex ? c->err.code : call_no_memory(c);
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	s->fingerprint = str_of(hex);
	return 0;
}

int files_source_open(struct call *c, const struct ingest *in, const struct dataset *d, struct files_source *out)
{
	struct files_source s = {.address = in->resource->address, .format = d->format, .listed_ns = call_now_ns(c)};
	int code = str_starts(d->source, S("bucket/")) ? open_bucket(c, in, d->source, &s)
						       : open_folder(c, in, d->source, &s);
	if (code)
		return code;
	if (!s.count)
		return call_fail(c, ERR_NOT_FOUND, "source %.*s: nothing lies there", STR(d->source));
	qsort(s.files, s.count, sizeof(*s.files), compare_files);
	if (fingerprint(c, &s))
		return c->err.code;
	*out = s;
	return 0;
}

// ---------------------------------------------------------------- sending
static int send_local(struct call *c, const struct files_source *s, const struct source_file *file,
	const struct copy *copy, char hex[HEX_SHA256_SIZE])
{
	const char *path = arena_printf(c->arena, "%s/%.*s", s->folder, STR(file->name)).p;
	struct file_digest d = {0};
	struct object stored = {0};
	if (!path)
		return call_no_memory(c);
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return call_errno(c, "open %s", path);
	if (digest_fd(fd, path, &d, &c->err))
		return c->err.code;
	struct copy_proof proof = {.size = d.size, .crc32c = d.crc32c};
	memcpy(proof.sha256, d.sha256, SHA256_SIZE);
	memcpy(hex, d.hex, HEX_SHA256_SIZE);
	const struct store_put put = {
		.bucket = copy->to.bucket, .key = copy->to.key, .content_type = S("application/octet-stream")};
	if (cloud_put_fd(c, copy->to.cloud, &put, fd, &stored) || copy_prove(c, &copy->to, &proof))
		return call_context(c, "send %s", path);
	const struct transfer moved = {.to = copy->to.cloud, .bytes = d.size, .what = copy->what, .id = copy->id};
	return transfer_record(c, copy->state, &moved);
}

int files_source_send(
	struct call *c, const struct files_source *s, const struct source_file *file, const struct copy *to)
{
	struct copy copy = *to;
	struct copy_result result = {0};
	int code = 0;
	if (s->cloud) {
		copy.from = (struct copy_end){
			s->cloud, s->bucket, arena_printf(c->arena, "%.*s%.*s", STR(s->prefix), STR(file->name))};
		code = copy.from.key.p ? copy_object(c, &copy, &result) : call_no_memory(c);
	} else {
		code = send_local(c, s, file, &copy, result.sha256);
	}
	if (code || str_eq(str_of(result.sha256), file->sha256))
		return code;
	return call_fail(c, ERR_CONFLICT, "%.*s of %.*s changed while it was copied", STR(file->name), STR(s->address));
}
