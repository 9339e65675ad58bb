// SPDX-License-Identifier: Apache-2.0
// Hashing the files of a source and counting their records: each is streamed once; of a Parquet file the footer says
// the number. What is known already is taken from the record, which is written as the scan goes on, so that a scan that
// is cut short goes on where it stopped.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "data/files_source.h"
#include "data/parquet.h"

// ---------------------------------------------------------------- one stream
struct scan {                  // the ctx of a sink
	struct digest *digest; // owned
	uint32_t crc;
	uint64_t size;
	int64_t lines;
	bool in_line, quoted; // the line has something on it; inside a quoted value
	bool csv;
};

static void count_lines(struct scan *s, struct str data)
{
	for (size_t i = 0; i < data.n; i++) {
		char ch = data.p[i];
		if (s->csv && ch == '"')
			s->quoted = !s->quoted;
		if (ch == '\n' && !s->quoted) {
			s->lines += s->in_line;
			s->in_line = false;
		} else if (ch != ' ' && ch != '\t' && ch != '\r') {
			s->in_line = true;
		}
	}
}

static int scan_write(void *ctx, struct str data)
{
	struct scan *s = ctx;
	digest_update(s->digest, data);
	s->crc = crc32c(s->crc, data);
	s->size += data.n;
	count_lines(s, data);
	return 0;
}

static int scan_restart(void *ctx)
{
	struct scan *s = ctx;
	unsigned char forgotten[SHA256_SIZE];
	(void)digest_final(s->digest, forgotten);
	*s = (struct scan){.digest = s->digest, .csv = s->csv};
	return 0;
}

static int64_t lines_of(const struct scan *s)
{
	int64_t lines = s->lines + s->in_line;
	return s->csv && lines ? lines - 1 : lines; // the first names the columns
}

// ---------------------------------------------------------------- reading pieces
static int piece_write(void *ctx, struct str data)
{
	struct buf *b = ctx;
	buf_add(b, data);
	return b->failed ? ERR_NO_MEMORY : 0;
}

static int piece_restart(void *ctx)
{
	buf_clear(ctx);
	return 0;
}

static const char *path_of(struct call *c, const struct files_source *s, const struct source_file *f)
{
	return arena_printf(c->arena, "%s/%.*s", s->folder, STR(f->name)).p;
}

static struct str key_of(struct call *c, const struct files_source *s, const struct source_file *f)
{
	return arena_printf(c->arena, "%.*s%.*s", STR(s->prefix), STR(f->name));
}

static int read_piece(
	struct call *c, const struct files_source *s, const struct source_file *f, uint64_t offset, struct buf *out)
{
	uint64_t length = out->limit;
	if (s->cloud) {
		struct sink sink = {.ctx = out, .write = piece_write, .restart = piece_restart};
		struct store_get get = {.bucket = s->bucket,
			.key = key_of(c, s, f),
			.offset = offset,
			.length = length,
			.if_match = f->etag};
		struct object ignored = {0};
		return get.key.p ? CLOUD_CALL(c, s->cloud, store, get, &get, &sink, &ignored) : call_no_memory(c);
	}
	const char *path = path_of(c, s, f);
	AUTO(fd) fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd < 0)
		return path ? call_errno(c, "open %s", path) : call_no_memory(c);
	if (!buf_reserve(out, (size_t)length))
		return call_no_memory(c);
	ssize_t n = pread(fd, out->p, (size_t)length, (off_t)offset);
	if (n < 0)
		return call_errno(c, "read %s", path);
	out->n = (size_t)n;
	return 0;
}

static int parquet_records(struct call *c, const struct files_source *s, const struct source_file *f, int64_t *records)
{
	AUTO(buf) tail = {.limit = PARQUET_TAIL};
	uint32_t size = 0;
	if (f->size < PARQUET_TAIL + 4)
		return call_fail(c, ERR_CORRUPT, "%.*s is no Parquet file: %llu bytes", STR(f->name),
			(unsigned long long)f->size);
	if (read_piece(c, s, f, f->size - PARQUET_TAIL, &tail) || parquet_footer_size(buf_str(&tail), &size, &c->err))
		return call_context(c, "%.*s", STR(f->name));
	if (size == 0 || size + (uint64_t)PARQUET_TAIL > f->size)
		return call_fail(c, ERR_CORRUPT, "%.*s: its footer is longer than the file", STR(f->name));
	AUTO(buf) footer = {.limit = size};
	if (read_piece(c, s, f, f->size - PARQUET_TAIL - size, &footer) ||
		parquet_rows(buf_str(&footer), records, &c->err))
		return call_context(c, "%.*s", STR(f->name));
	return 0;
}

// ---------------------------------------------------------------- one file
static int stream_local(struct call *c, const struct files_source *s, const struct source_file *f, struct scan *scan)
{
	enum { PIECE = 1 << 20 };
	for (uint64_t at = 0; at < f->size;) {
		AUTO(buf) piece = {.limit = PIECE};
		if (call_check(c) || read_piece(c, s, f, at, &piece))
			return c->err.code;
		if (!piece.n)
			break;
		(void)scan_write(scan, buf_str(&piece));
		at += piece.n;
	}
	return 0;
}

static int stream(struct call *c, const struct files_source *s, const struct source_file *f, struct scan *scan)
{
	struct sink sink = {.ctx = scan, .write = scan_write, .restart = scan_restart};
	const struct store_get get = {.bucket = s->bucket, .key = key_of(c, s, f), .if_match = f->etag};
	struct object ignored = {0};
	if (!s->cloud)
		return stream_local(c, s, f, scan);
	return get.key.p ? CLOUD_CALL(c, s->cloud, store, get, &get, &sink, &ignored) : call_no_memory(c);
}

static int hash_file(struct call *c, const struct files_source *s, struct source_file *f, struct arena *keep)
{
	AUTO(digest) digest = digest_new(DIGEST_SHA256);
	struct scan scan = {.digest = digest, .csv = str_eq(s->format, S("csv"))};
	unsigned char sum[SHA256_SIZE];
	char *hex = arena_alloc(keep, HEX_SHA256_SIZE);
	int64_t records = 0;
	if (!digest || !hex)
		return call_no_memory(c);
	if (stream(c, s, f, &scan))
		return call_context(c, "read %.*s", STR(f->name));
	if (scan.size != f->size)
		return call_fail(c, ERR_CONFLICT, "%.*s changed while it was read", STR(f->name));
	records = lines_of(&scan);
	if (str_eq(s->format, S("parquet")) && parquet_records(c, s, f, &records))
		return c->err.code;
	(void)digest_final(digest, sum);
	hex_encode(str_bytes(sum, SHA256_SIZE), hex);
	f->sha256 = str_of(hex);
	f->crc32c = scan.crc;
	f->records = records;
	return 0;
}

// ---------------------------------------------------------------- what is known
static json_t *file_json(const struct source_file *f)
{
	json_t *j = json_object();
	json_set_str(j, "etag", f->etag);
	json_set_str(j, "sha256", f->sha256);
	json_object_set_new(j, "size", json_integer((json_int_t)f->size));
	json_object_set_new(j, "crc32c", json_integer(f->crc32c));
	json_object_set_new(j, "records", json_integer(f->records));
	return j;
}

static bool take_known(const json_t *known, struct source_file *f)
{
	const json_t *j = json_object_getn(known, f->name.p, f->name.n);
	struct str sha256 = json_str(j, "sha256");
	if (sha256.n != HEX_SHA256_SIZE - 1 || !str_eq(json_str(j, "etag"), f->etag) ||
		json_int(j, "size", -1) != (int64_t)f->size)
		return false;
	f->sha256 = sha256;
	f->crc32c = (uint32_t)json_int(j, "crc32c", 0);
	f->records = json_int(j, "records", 0);
	return true;
}

static int keep_known(struct call *c, const struct ingest *in, const struct files_source *s)
{
	AUTO(json) value = json_object();
	json_t *files = json_object();
	struct str key = arena_printf(c->arena, "files/%.*s", STR(s->address));
	json_object_set_new(value, "files", files);
	for (size_t i = 0; i < s->count; i++)
		if (s->files[i].sha256.n)
			json_object_setn_new(files, s->files[i].name.p, s->files[i].name.n, file_json(&s->files[i]));
	return key.p ? state_put(c, in->state, key, value, UINT64_MAX, NULL) : call_no_memory(c);
}

static void report(const struct ingest *in, const struct files_source *s, size_t done)
{
	const struct progress_event e = {.step = s->address,
		.what = s->cloud ? s->cloud->name : S("here"),
		.done = (double)done,
		.total = (double)s->count,
		.unit = "files"};
	progress_report(in->progress, &e);
}

int files_source_scan(struct call *c, const struct ingest *in, struct files_source *s)
{
	enum { KEEP_EVERY = 64 }; // files hashed between two records
	struct record known = {0};
	struct str key = arena_printf(c->arena, "files/%.*s", STR(s->address));
	size_t fresh = 0;
	if (!key.p || state_get(c, in->state, key, &known))
		return key.p ? c->err.code : call_no_memory(c);
	const json_t *files = json_object_get(known.value, "files");
	for (size_t i = 0; i < s->count; i++) {
		if (take_known(files, &s->files[i]))
			continue;
		AUTO(arena) arena = {0}; // of one file
		struct call child;
		call_child(&child, c, &arena, 0);
		if (call_check(c))
			return c->err.code;
		if (hash_file(&child, s, &s->files[i], c->arena)) {
			c->err = child.err;
			return call_context(c, "%.*s", STR(s->address));
		}
		if (++fresh % KEEP_EVERY == 0 && keep_known(c, in, s))
			return c->err.code;
		report(in, s, i + 1);
	}
	return fresh || json_object_size(files) != s->count ? keep_known(c, in, s) : 0;
}
