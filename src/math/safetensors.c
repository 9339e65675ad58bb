// SPDX-License-Identifier: Apache-2.0
// Reading safetensors: the header is parsed as strict JSON, each entry is taken apart, then the whole is checked in the order in
// which the format's reference implementation does it. Writing stands in safetensors_write.c.
#include "math/safetensors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

int safetensors_header_size(const unsigned char first[SAFETENSORS_PREFIX], uint64_t file_size, uint64_t *out, struct err *e)
{
	if (file_size < SAFETENSORS_PREFIX)
		return err_set(e, ERR_CORRUPT, "safetensors: %llu bytes are too few for the length of a header",
			(unsigned long long)file_size);
	uint64_t n = 0;
	for (int i = SAFETENSORS_PREFIX - 1; i >= 0; i--)
		n = n << 8 | first[i];
	if (n > SAFETENSORS_MAX_HEADER)
		return err_set(e, ERR_LIMIT, "safetensors: a header of %llu bytes, at most %d are allowed", (unsigned long long)n,
			SAFETENSORS_MAX_HEADER);
	if (n > file_size - SAFETENSORS_PREFIX)
		return err_set(e, ERR_CORRUPT, "safetensors: the header should have %llu bytes, but the file ends after %llu: it is cut",
			(unsigned long long)n, (unsigned long long)(file_size - SAFETENSORS_PREFIX));
	*out = n;
	return 0;
}

static int read_whole(const json_t *value, uint64_t *out)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return ERR_CORRUPT;
	*out = (uint64_t)json_integer_value(value);
	return 0;
}

static int read_shape(const json_t *value, struct arena *a, struct tensor *t, struct err *e)
{
	if (!json_is_array(value))
		return err_set(e, ERR_CORRUPT, "safetensors: tensor \"%.*s\" has no list \"shape\"", STR(t->name));
	t->rank = json_array_size(value);
	uint64_t *shape = arena_new_array(a, t->rank ? t->rank : 1, uint64_t);
	if (!shape)
		return err_set(e, ERR_NO_MEMORY, "safetensors: out of memory");
	for (size_t i = 0; i < t->rank; i++)
		if (read_whole(json_array_get(value, i), &shape[i]) < 0)
			return err_set(e, ERR_CORRUPT, "safetensors: tensor \"%.*s\": \"shape\" has something that is no whole number from 0 on",
				STR(t->name));
	t->shape = shape;
	return 0;
}

static int read_tensor(const json_t *entry, struct arena *a, struct tensor *t, struct err *e)
{
	if (!json_is_object(entry) || json_object_size(entry) != 3)
		return err_set(e, ERR_CORRUPT, "safetensors: tensor \"%.*s\" must have exactly dtype, shape and data_offsets", STR(t->name));
	struct str type = json_str(entry, "dtype");
	if (tensor_type_of_name(type, &t->type) < 0)
		return err_set(e, ERR_CORRUPT, "safetensors: tensor \"%.*s\" has the unknown dtype \"%.*s\"", STR(t->name), STR(type));
	int rc = read_shape(json_object_get(entry, "shape"), a, t, e);
	if (rc < 0)
		return rc;
	const json_t *offsets = json_object_get(entry, "data_offsets");
	if (!json_is_array(offsets) || json_array_size(offsets) != 2 || read_whole(json_array_get(offsets, 0), &t->begin) < 0 ||
		read_whole(json_array_get(offsets, 1), &t->end) < 0)
		return err_set(e, ERR_CORRUPT, "safetensors: tensor \"%.*s\": \"data_offsets\" must be two whole numbers from 0 on",
			STR(t->name));
	return 0;
}

static int read_metadata(json_t *entries, struct arena *a, struct safetensors *s, struct err *e)
{
	if (!json_is_object(entries))
		return err_set(e, ERR_CORRUPT, "safetensors: \"__metadata__\" is no object");
	size_t n = json_object_size(entries);
	s->metadata = arena_new_array(a, n ? n : 1, struct safetensors_pair);
	if (!s->metadata)
		return err_set(e, ERR_NO_MEMORY, "safetensors: out of memory");
	const char *key;
	json_t *value;
	json_object_foreach(entries, key, value) {
		if (!json_is_string(value))
			return err_set(e, ERR_CORRUPT, "safetensors: \"__metadata__\" may only hold texts, \"%s\" is none", key);
		struct safetensors_pair *pair = &s->metadata[s->metadata_count++];
		pair->key = arena_str(a, str_of(key));
		pair->value = arena_str(a, str_bytes(json_string_value(value), json_string_length(value)));
		if (!pair->key.p || !pair->value.p)
			return err_set(e, ERR_NO_MEMORY, "safetensors: out of memory");
	}
	return 0;
}

static int read_entries(json_t *root, struct arena *a, struct safetensors *s, struct err *e)
{
	size_t n = json_object_size(root);
	s->tensors = arena_new_array(a, n ? n : 1, struct tensor);
	if (!s->tensors)
		return err_set(e, ERR_NO_MEMORY, "safetensors: out of memory");
	const char *key;
	json_t *value;
	json_object_foreach(root, key, value) {
		int rc;
		if (strcmp(key, "__metadata__") == 0) {
			rc = read_metadata(value, a, s, e);
		} else {
			struct tensor *t = &s->tensors[s->count++];
			t->name = arena_str(a, str_of(key));
			rc = t->name.p ? read_tensor(value, a, t, e) : err_set(e, ERR_NO_MEMORY, "safetensors: out of memory");
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int by_offsets(const void *x, const void *y)
{
	const struct tensor *a = x, *b = y;
	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	return str_cmp(a->name, b->name);
}

// Each tensor begins where the one before it ended, and is as long as its type and shape say.
static int check_places(const struct safetensors *s, struct err *e)
{
	uint64_t at = 0, bytes;
	for (size_t i = 0; i < s->count; i++) {
		const struct tensor *t = &s->tensors[i];
		if (t->begin != at || t->end < t->begin)
			return err_set(e, ERR_CORRUPT, "safetensors: tensor \"%.*s\" lies at %llu to %llu, but must begin at %llu: a hole or an overlap",
				STR(t->name), (unsigned long long)t->begin, (unsigned long long)t->end, (unsigned long long)at);
		at = t->end;
		int rc = tensor_bytes(t->type, t->shape, t->rank, &bytes);
		if (rc < 0)
			return err_set(e, ERR_CORRUPT, "safetensors: tensor \"%.*s\": its shape %s", STR(t->name),
				rc == ERR_LIMIT ? "is too large to count" : "does not end on a whole byte");
		if (bytes != t->end - t->begin)
			return err_set(e, ERR_CORRUPT, "safetensors: tensor \"%.*s\" has %llu bytes of data, type %s and its shape need %llu",
				STR(t->name), (unsigned long long)(t->end - t->begin), tensor_type_name(t->type), (unsigned long long)bytes);
	}
	if (at != s->data_size)
		return err_set(e, ERR_CORRUPT, "safetensors: the tensors need %llu bytes of data, the file has %llu: it is %s",
			(unsigned long long)at, (unsigned long long)s->data_size, at > s->data_size ? "cut" : "followed by other bytes");
	return 0;
}

static int check_text(struct str json, struct err *e)
{
	if (!str_utf8_valid(json))
		return err_set(e, ERR_CORRUPT, "safetensors: the header is no UTF-8");
	if (!json.n || json.p[0] != '{')
		return err_set(e, ERR_CORRUPT, "safetensors: the header does not begin with {");
	return 0;
}

int safetensors_parse_header(struct str head, uint64_t file_size, struct arena *a, struct safetensors *out, struct err *e)
{
	uint64_t n;
	unsigned char first[SAFETENSORS_PREFIX] = {0};
	memcpy(first, head.p, MIN(head.n, sizeof(first)));
	int rc = safetensors_header_size(first, MIN(file_size, head.n), &n, e);
	if (rc < 0)
		return rc;
	struct str text = str_take(str_drop(head, SAFETENSORS_PREFIX), n);
	rc = check_text(text, e);
	if (rc < 0)
		return rc;
	AUTO(json) root = NULL;
	rc = json_parse(text, &root, e);
	if (rc < 0) {
		if (rc == ERR_INVALID && e)
			e->code = rc = ERR_CORRUPT;
		err_context(e, "safetensors header");
		return rc;
	}
	struct safetensors s = {.data_offset = SAFETENSORS_PREFIX + n, .data_size = file_size - SAFETENSORS_PREFIX - n};
	rc = read_entries(root, a, &s, e);
	if (rc < 0)
		return rc;
	qsort(s.tensors, s.count, sizeof(*s.tensors), by_offsets);
	rc = check_places(&s, e);
	if (rc == 0)
		*out = s;
	return rc;
}

int safetensors_parse(struct str file, struct arena *a, struct safetensors *out, struct err *e)
{
	int rc = safetensors_parse_header(file, file.n, a, out, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < out->count; i++)
		out->tensors[i].data = (const unsigned char *)file.p + out->data_offset + out->tensors[i].begin;
	return 0;
}

const struct tensor *safetensors_find(const struct safetensors *s, struct str name)
{
	for (size_t i = 0; i < s->count; i++)
		if (str_eq(s->tensors[i].name, name))
			return &s->tensors[i];
	return NULL;
}

static bool shape_fits(const struct tensor *want, const struct tensor *t)
{
	bool fits = want->type == t->type && want->rank == t->rank;
	for (size_t i = 0; fits && i < t->rank; i++)
		fits = want->shape[i] == UINT64_MAX || want->shape[i] == t->shape[i];
	return fits;
}

// "F32 [200, 784]", with "any" for what may be anything.
static void write_form(const struct tensor *t, struct buf *out)
{
	buf_printf(out, "%s [", tensor_type_name(t->type));
	for (size_t i = 0; i < t->rank && i < 8; i++)
		if (t->shape[i] == UINT64_MAX)
			buf_printf(out, "%sany", i ? ", " : "");
		else
			buf_printf(out, "%s%llu", i ? ", " : "", (unsigned long long)t->shape[i]);
	buf_printf(out, "%s]", t->rank > 8 ? ", ..." : "");
}

int safetensors_need(const struct safetensors *s, const struct tensor *want, const struct tensor **out, struct err *e)
{
	AUTO(buf) form = {0};
	AUTO(buf) got = {0};
	const struct tensor *t = safetensors_find(s, want->name);
	write_form(want, &form);
	if (!t)
		return err_set(e, ERR_INVALID, "tensor \"%.*s\" is missing; expected %s", STR(want->name), buf_cstr(&form));
	write_form(t, &got);
	if (!shape_fits(want, t))
		return err_set(e, ERR_INVALID, "tensor \"%.*s\" is %s; expected %s", STR(t->name), buf_cstr(&got), buf_cstr(&form));
	*out = t;
	return 0;
}

static int map_file(const char *path, struct str *out, struct err *e)
{
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;
	if (fd < 0 || fstat(fd, &about) < 0)
		return err_errno(e, "open %s", path);
	if (!S_ISREG(about.st_mode))
		return err_set(e, ERR_INVALID, "open %s: it is no regular file", path);
	*out = S("");
	if (about.st_size == 0)
		return 0;
	void *map = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return err_errno(e, "map %s", path);
	*out = str_bytes(map, (size_t)about.st_size);
	return 0;
}

int safetensors_open(const char *path, struct arena *a, struct safetensors_file *out, struct err *e)
{
	struct safetensors_file f = {0};
	int rc = map_file(path, &f.bytes, e);
	if (rc < 0)
		return rc;
	rc = safetensors_parse(f.bytes, a, &f.content, e);
	if (rc < 0) {
		safetensors_close(&f);
		err_context(e, "%s", path);
		return rc;
	}
	*out = f;
	return 0;
}

void safetensors_close(struct safetensors_file *f)
{
	if (f && f->bytes.n)
		munmap((void *)(uintptr_t)f->bytes.p, f->bytes.n);
	if (f)
		*f = (struct safetensors_file){0};
}
