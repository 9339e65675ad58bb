// SPDX-License-Identifier: Apache-2.0
// Headers of data files by range requests.
#include "train/shape.h"

#include <string.h>

#include "math/safetensors.h"

enum { LABELS_AT_ONCE = 64 << 10, CLASSES_MOST = 1 << 20 };

static int sink_to_buf(void *ctx, struct str data)
{
	struct buf *b = ctx;
	buf_add(b, data);
	return b->failed ? ERR_NO_MEMORY : 0;
}

static int restart_buf(void *ctx)
{
	buf_clear(ctx);
	return 0;
}

static int get_range(struct call *c, const struct part *p, struct str key, uint64_t offset, uint64_t n, struct buf *out)
{
	struct store_get get = {.bucket = p->bucket, .key = key, .offset = offset, .length = n};
	struct sink to = {.ctx = out, .write = sink_to_buf, .restart = restart_buf};
	struct object object;
	buf_clear(out);
	int rc = n ? CLOUD_CALL(c, p->cloud, store, get, &get, &to, &object) : 0;
	if (rc < 0)
		return rc;
	if (out->n != n)
		return call_fail(c, ERR_PROTOCOL, "%.*s gave %zu of %llu bytes of %.*s", STR(p->cloud->name), out->n, (unsigned long long)n,
			STR(key));
	return 0;
}

static int read_header(struct call *c, const struct part *p, const struct object *o, struct safetensors *out)
{
	AUTO(buf) head = {0};
	uint64_t n = 0;
	if (o->size < SAFETENSORS_PREFIX)
		return call_fail(c, ERR_CORRUPT, "%.*s is too short for a safetensors file", STR(o->key));
	int rc = get_range(c, p, o->key, 0, SAFETENSORS_PREFIX, &head);
	if (rc == 0)
		rc = safetensors_header_size((const unsigned char *)head.p, o->size, &n, &c->err);
	if (rc == 0)
		rc = get_range(c, p, o->key, 0, SAFETENSORS_PREFIX + n, &head);
	if (rc < 0)
		return rc;
	struct str kept = arena_str(c->arena, buf_str(&head));
	return kept.p ? safetensors_parse_header(kept, o->size, c->arena, out, &c->err) : call_no_memory(c);
}

static bool classes_from_metadata(const struct safetensors *s, uint64_t *classes)
{
	for (size_t i = 0; i < s->metadata_count; i++)
		if (str_eq(s->metadata[i].key, S("classes")))
			return str_to_u64(s->metadata[i].value, classes) == 0 && *classes > 0 && *classes <= CLASSES_MOST;
	return false;
}

static int classes_from_labels(struct call *c, const struct part *p, const struct object *o, const struct safetensors *s,
	const struct tensor *label, uint64_t *classes)
{
	AUTO(buf) bytes = {0};
	uint64_t left = label->end - label->begin, at = s->data_offset + label->begin;
	int64_t most = -1, one;
	while (left) {
		uint64_t n = MIN(left, (uint64_t)LABELS_AT_ONCE * sizeof(one));
		int rc = get_range(c, p, o->key, at, n, &bytes);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i + sizeof(one) <= bytes.n; i += sizeof(one)) {
			memcpy(&one, bytes.p + i, sizeof(one));
			most = MAX(most, one);
		}
		at += n;
		left -= n;
	}
	if (most < 0 || most >= CLASSES_MOST)
		return call_fail(c, ERR_INVALID, "%.*s: its largest class is %lld", STR(o->key), (long long)most);
	*classes = (uint64_t)most + 1;
	return 0;
}

static int read_file(struct call *c, const struct part *p, const struct object *o, struct data_shape *out)
{
	struct safetensors s;
	uint64_t classes = 0;
	int rc = read_header(c, p, o, &s);
	if (rc < 0)
		return rc;
	const struct tensor *image = safetensors_find(&s, S("image")), *label = safetensors_find(&s, S("class"));
	if (!image || !label || image->type != TENSOR_F32 || label->type != TENSOR_I64 || image->rank < 2 || label->rank != 1 ||
		!image->shape[0] || image->shape[0] != label->shape[0])
		return call_fail(c, ERR_INVALID, "%.*s: expected tensors \"image\" F32 [samples, ...] and \"class\" I64 [samples]", STR(o->key));
	uint64_t width = tensor_count(image) / image->shape[0];
	if (out->width && out->width != width)
		return call_fail(c, ERR_INVALID, "%.*s has samples of %llu numbers, the files before it of %llu", STR(o->key),
			(unsigned long long)width, (unsigned long long)out->width);
	if (!classes_from_metadata(&s, &classes))
		rc = classes_from_labels(c, p, o, &s, label, &classes);
	if (rc < 0)
		return rc;
	out->width = width;
	out->samples += image->shape[0];
	out->classes = MAX(out->classes, classes);
	return 0;
}

int shape_read(struct call *c, const struct part *part, struct data_shape *out)
{
	struct store_page page;
	struct data_shape shape = {0};
	int rc = cloud_list_all(c, part->cloud, part->bucket, part->prefix, &page);
	for (size_t i = 0; rc == 0 && i < page.count; i++)
		if (str_ends(page.objects[i].key, S(".safetensors")))
			rc = read_file(c, part, &page.objects[i], &shape);
	if (rc < 0)
		return call_context(c, "the data in %.*s on %.*s", STR(part->prefix), STR(part->cloud->name));
	if (!shape.samples)
		return call_fail(c, ERR_INVALID, "there is no *.safetensors in %.*s on %.*s", STR(part->prefix), STR(part->cloud->name));
	*out = shape;
	return 0;
}
