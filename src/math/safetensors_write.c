// SPDX-License-Identifier: Apache-2.0
// Writing safetensors: layout, header, and files as a stream that get their name only when they are whole.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "math/safetensors.h"

// Larger alignment first, so that every tensor is aligned without padding; then by name.
static int writer_order(const void *x, const void *y)
{
	const struct tensor *a = x, *b = y;
	if (a->type != b->type)
		return a->type > b->type ? -1 : 1;
	return str_cmp(a->name, b->name);
}

static int pair_order(const void *x, const void *y)
{
	const struct safetensors_pair *a = x, *b = y;
	return str_cmp(a->key, b->key);
}

static int name_order(const void *x, const void *y)
{
	const struct str *a = x, *b = y;
	return str_cmp(*a, *b);
}

static int check_names(const struct safetensors *s, struct err *e)
{
	struct str *names = calloc(s->count + 1, sizeof(*names));
	if (!names)
		return err_set(e, ERR_NO_MEMORY, "safetensors: out of memory");
	int rc = 0;
	for (size_t i = 0; i < s->count && rc == 0; i++) {
		names[i] = s->tensors[i].name;
		if (!str_utf8_valid(names[i]) || str_eq(names[i], S("__metadata__")))
			rc = err_set(e, ERR_INVALID, "safetensors: \"%.*s\" cannot be the name of a tensor", STR(names[i]));
	}
	qsort(names, s->count, sizeof(*names), name_order);
	for (size_t i = 1; i < s->count && rc == 0; i++)
		if (str_eq(names[i - 1], names[i]))
			rc = err_set(e, ERR_INVALID, "safetensors: two tensors are named \"%.*s\"", STR(names[i]));
	free(names);
	return rc;
}

static int check_metadata(const struct safetensors *s, struct err *e)
{
	for (size_t i = 0; i < s->metadata_count; i++) {
		const struct safetensors_pair *pair = &s->metadata[i];
		if (!str_utf8_valid(pair->key) || !str_utf8_valid(pair->value))
			return err_set(e, ERR_INVALID, "safetensors: metadata that is no UTF-8");
		if (i && str_eq(s->metadata[i - 1].key, pair->key))
			return err_set(e, ERR_INVALID, "safetensors: two metadata entries are named \"%.*s\"", STR(pair->key));
	}
	return 0;
}

int safetensors_lay_out(struct safetensors *s, struct err *e)
{
	int rc = check_names(s, e);
	if (rc < 0)
		return rc;
	if (s->count)
		qsort(s->tensors, s->count, sizeof(*s->tensors), writer_order);
	if (s->metadata_count)
		qsort(s->metadata, s->metadata_count, sizeof(*s->metadata), pair_order);
	rc = check_metadata(s, e);
	uint64_t at = 0, bytes;
	for (size_t i = 0; i < s->count && rc == 0; i++) {
		struct tensor *t = &s->tensors[i];
		t->begin = at;
		if (tensor_bytes(t->type, t->shape, t->rank, &bytes) < 0 || __builtin_add_overflow(at, bytes, &at))
			return err_set(e, ERR_INVALID, "safetensors: the shape of tensor \"%.*s\" cannot be stored", STR(t->name));
		t->end = at;
	}
	s->data_size = at;
	return rc;
}

// As the reference's JSON writer escapes: the short forms, \u00xx in lower case for other control characters, the rest as it is.
static void write_text(struct str s, struct buf *out)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	buf_add_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		const char *special = s.p[i] ? strchr(from, s.p[i]) : NULL;
		if (special)
			buf_printf(out, "\\%c", to[special - from]);
		else if ((unsigned char)s.p[i] < 0x20)
			buf_printf(out, "\\u%04x", (unsigned)(unsigned char)s.p[i]);
		else
			buf_add_char(out, s.p[i]);
	}
	buf_add_char(out, '"');
}

static void write_tensor(const struct tensor *t, struct buf *out)
{
	write_text(t->name, out);
	buf_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", tensor_type_name(t->type));
	for (size_t i = 0; i < t->rank; i++)
		buf_printf(out, "%s%llu", i ? "," : "", (unsigned long long)t->shape[i]);
	buf_printf(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)t->begin, (unsigned long long)t->end);
}

static void write_json(const struct safetensors *s, struct buf *out)
{
	buf_add_char(out, '{');
	if (s->metadata_count)
		buf_add(out, S("\"__metadata__\":{"));
	for (size_t i = 0; i < s->metadata_count; i++) {
		if (i)
			buf_add_char(out, ',');
		write_text(s->metadata[i].key, out);
		buf_add_char(out, ':');
		write_text(s->metadata[i].value, out);
	}
	if (s->metadata_count)
		buf_add_char(out, '}');
	for (size_t i = 0; i < s->count; i++) {
		if (i || s->metadata_count)
			buf_add_char(out, ',');
		write_tensor(&s->tensors[i], out);
	}
	buf_add_char(out, '}');
}

int safetensors_write_header(const struct safetensors *s, struct buf *out, struct err *e)
{
	AUTO(buf) json = {0};
	write_json(s, &json);
	while (json.n % SAFETENSORS_PREFIX && !json.failed)
		buf_add_char(&json, ' ');
	int rc = buf_check(&json, e);
	if (rc < 0)
		return rc;
	if (json.n > SAFETENSORS_MAX_HEADER)
		return err_set(e, ERR_LIMIT, "safetensors: the header would have %zu bytes, at most %d are allowed", json.n,
			SAFETENSORS_MAX_HEADER);
	unsigned char first[SAFETENSORS_PREFIX];
	for (size_t i = 0; i < sizeof(first); i++)
		first[i] = (unsigned char)((uint64_t)json.n >> 8 * i);
	buf_add_bytes(out, first, sizeof(first));
	buf_add(out, buf_str(&json));
	return buf_check(out, e);
}

int safetensors_write(const struct safetensors *s, struct buf *out, struct err *e)
{
	int rc = safetensors_write_header(s, out, e);
	for (size_t i = 0; i < s->count && rc == 0; i++)
		buf_add_bytes(out, s->tensors[i].data, s->tensors[i].end - s->tensors[i].begin);
	return rc < 0 ? rc : buf_check(out, e);
}

static int write_out(struct safetensors_writer *w, struct str data, struct err *e)
{
	int rc = file_write_all(w->fd, data, w->path, e);
	if (rc < 0)
		return rc;
	digest_update(w->digest, data);
	w->size += data.n;
	return 0;
}

static int create_partial(struct safetensors_writer *w, const char *path, struct err *e)
{
	static const char suffix[] = ".partial-XXXXXX";
	size_t n = strlen(path);
	w->path = strdup(path);
	w->partial = calloc(1, n + sizeof(suffix));
	w->digest = digest_new(DIGEST_SHA256);
	if (!w->path || !w->partial || !w->digest)
		return err_set(e, ERR_NO_MEMORY, "write %s: out of memory", path);
	memcpy(w->partial, path, n);
	memcpy(w->partial + n, suffix, sizeof(suffix));
	w->fd = mkostemp(w->partial, O_CLOEXEC);
	return w->fd < 0 ? err_errno(e, "create %s", path) : 0;
}

int safetensors_writer_begin(struct safetensors_writer *w, const char *path, const struct safetensors *layout, struct err *e)
{
	*w = (struct safetensors_writer){.fd = -1, .left = layout->data_size};
	AUTO(buf) header = {0};
	int rc = safetensors_write_header(layout, &header, e);
	if (rc == 0)
		rc = create_partial(w, path, e);
	if (rc == 0)
		rc = write_out(w, buf_str(&header), e);
	if (rc < 0)
		safetensors_writer_free(w);
	return rc;
}

int safetensors_writer_put(struct safetensors_writer *w, struct str data, struct err *e)
{
	if (data.n > w->left)
		return err_set(e, ERR_INTERNAL, "write %s: %zu bytes where the layout has %llu left", w->path, data.n,
			(unsigned long long)w->left);
	w->left -= data.n;
	return write_out(w, data, e);
}

int safetensors_writer_end(struct safetensors_writer *w, struct err *e)
{
	if (w->left)
		return err_set(e, ERR_INTERNAL, "write %s: %llu bytes of the layout were never given", w->path,
			(unsigned long long)w->left);
	if (rename(w->partial, w->path) < 0)
		return err_errno(e, "write %s", w->path);
	digest_final(w->digest, w->sha256);
	free(w->partial);
	w->partial = NULL;
	return 0;
}

void safetensors_writer_free(struct safetensors_writer *w)
{
	if (!w)
		return;
	if (w->path) // else it was never begun, and fd may be a zero that is not ours
		fd_close(&w->fd);
	if (w->path && w->partial && w->partial[0])
		unlink(w->partial);
	free(w->partial);
	free(w->path);
	digest_free(w->digest);
	*w = (struct safetensors_writer){.fd = -1};
}

int safetensors_write_file(const char *path, struct safetensors *s, struct sha256 *sha256, struct err *e)
{
	AUTO(safetensors_writer) w = {.fd = -1};
	int rc = safetensors_lay_out(s, e);
	if (rc == 0)
		rc = safetensors_writer_begin(&w, path, s, e);
	for (size_t i = 0; i < s->count && rc == 0; i++)
		rc = safetensors_writer_put(&w, str_bytes(s->tensors[i].data, s->tensors[i].end - s->tensors[i].begin), e);
	if (rc == 0)
		rc = safetensors_writer_end(&w, e);
	if (rc == 0 && sha256)
		memcpy(sha256->bytes, w.sha256, sizeof(w.sha256));
	return rc;
}
