// SPDX-License-Identifier: Apache-2.0
// See cloud_test.h.
#include "cloud_test.h"

#include <assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------- calls and streams

// The real clocks, ahead by what was slept: nobody waits, and deadlines and tokens still age.
static int64_t ahead_wall(void *ctx)
{
	const struct cloud_test *t = ctx;
	return edges_real()->wall_ns(edges_real()->ctx) + t->slept_ns;
}

static int64_t ahead_mono(void *ctx)
{
	const struct cloud_test *t = ctx;
	return edges_real()->mono_ns(edges_real()->ctx) + t->slept_ns;
}

static void no_sleep(void *ctx, int64_t ns)
{
	struct cloud_test *t = ctx;
	t->slept_ns += ns;
}

static int real_random(void *ctx, void *out, size_t n)
{
	(void)ctx;
	return edges_real()->random(edges_real()->ctx, out, n);
}

void cloud_test_init(struct cloud_test *t)
{
	*t = (struct cloud_test){.edges = {.ctx = t,
					 .wall_ns = ahead_wall,
					 .mono_ns = ahead_mono,
					 .sleep_ns = no_sleep,
					 .random = real_random}};
	call_init(&t->call, &t->arena, &t->edges, S("test"));
}

void cloud_test_free(struct cloud_test *t)
{
	arena_free(&t->arena);
}

static ssize_t source_read(void *ctx, void *out, size_t n)
{
	struct test_source *s = ctx;
	if (s->fail && s->given >= s->fail_at)
		return s->fail;
	if (s->step)
		n = MIN(n, s->step);
	struct str piece = str_take(str_drop(s->bytes, s->given), n);
	if (piece.n)
		memcpy(out, piece.p, piece.n);
	s->given += piece.n;
	return (ssize_t)piece.n;
}

static int source_rewind(void *ctx)
{
	struct test_source *s = ctx;
	s->given = 0;
	s->rewinds++;
	return 0;
}

void test_source_init(struct test_source *s, struct str bytes)
{
	*s = (struct test_source){.bytes = bytes};
	s->source = (struct source){.ctx = s, .read = source_read, .rewind = source_rewind, .size = bytes.n};
}

static int sink_write(void *ctx, struct str data)
{
	struct test_sink *s = ctx;
	if (s->fail && s->bytes.n + data.n > s->fail_at)
		return s->fail;
	buf_add(&s->bytes, data);
	return 0;
}

static int sink_restart(void *ctx)
{
	struct test_sink *s = ctx;
	buf_clear(&s->bytes);
	s->restarts++;
	return 0;
}

void test_sink_init(struct test_sink *s)
{
	*s = (struct test_sink){.fail = 0};
	s->sink = (struct sink){.ctx = s, .write = sink_write, .restart = sink_restart};
}

struct str test_bytes(struct arena *a, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	uint32_t state = 12345;
	for (size_t i = 0; p && i < n; i++) {
		state = state * 1664525u + 1013904223u;
		p[i] = (char)(state >> 24);
	}
	return (struct str){p, p ? n : 0};
}

// ---------------------------------------------------------------- a store

enum { MOST_OBJECTS = 64, MOST_BUCKETS = 4, PAGE = 2 };

struct stored {
	char bucket[64], key[128], etag[16];
	struct buf bytes;
};
struct memory_store {
	char buckets[MOST_BUCKETS][64];
	size_t bucket_count;
	struct stored objects[MOST_OBJECTS]; // sorted by key
	size_t count;
	unsigned versions;
};

struct memory_store *memory_store_new(void)
{
	return calloc(1, sizeof(struct memory_store));
}

void memory_store_free(struct memory_store *s)
{
	for (size_t i = 0; s && i < s->count; i++)
		buf_free(&s->objects[i].bytes);
	free(s);
}

static struct stored *find(struct memory_store *s, struct str bucket, struct str key)
{
	for (size_t i = 0; i < s->count; i++) {
		if (str_eq(str_of(s->objects[i].bucket), bucket) && str_eq(str_of(s->objects[i].key), key))
			return &s->objects[i];
	}
	return NULL;
}

static size_t bucket_at(const struct memory_store *s, struct str bucket)
{
	size_t i = 0;
	while (i < s->bucket_count && !str_eq(str_of(s->buckets[i]), bucket))
		i++;
	return i;
}

struct buf *memory_store_bytes(struct memory_store *s, const char *bucket, const char *key)
{
	struct stored *o = find(s, str_of(bucket), str_of(key));
	return o ? &o->bytes : NULL;
}

static void describe(const struct stored *o, struct object *out)
{
	*out = (struct object){.key = str_of(o->key),
		.size = o->bytes.n,
		.etag = str_of(o->etag),
		.modified_ns = 1,
		.content_type = S(""),
		.crc32c = crc32c(0, buf_str(&o->bytes)),
		.has_crc32c = true};
}

static int memory_head(struct call *c, void *store, struct str bucket, struct str key, struct object *out)
{
	const struct stored *o = find(store, bucket, key);
	if (!o)
		return call_fail(c, ERR_NOT_FOUND, "no object %.*s", STR(key));
	describe(o, out);
	return 0;
}

static int memory_get(struct call *c, void *store, const struct store_get *get, struct sink *to, struct object *out)
{
	const struct stored *o = find(store, get->bucket, get->key);
	if (!o)
		return call_fail(c, ERR_NOT_FOUND, "no object %.*s", STR(get->key));
	if (get->if_match.n && !str_eq(get->if_match, str_of(o->etag)))
		return call_fail(c, ERR_CONFLICT, "another version of %.*s", STR(get->key));
	if (get->offset && get->offset >= o->bytes.n)
		return call_fail(c, ERR_INVALID, "behind the end of %.*s", STR(get->key));
	struct str wanted = str_drop(buf_str(&o->bytes), (size_t)get->offset);
	if (get->length && get->length < wanted.n)
		wanted = str_take(wanted, (size_t)get->length);
	while (wanted.n) { // in pieces of an odd size, as networks do
		struct str piece = str_take(wanted, 1021);
		int r = to->write(to->ctx, piece);
		if (r)
			return c->err.code == r ? r : call_fail(c, r, "the sink failed");
		wanted = str_drop(wanted, piece.n);
	}
	describe(o, out);
	return 0;
}

static struct stored *make_room(struct memory_store *s, struct str bucket, struct str key)
{
	size_t i = s->count++;
	assert(s->count <= MOST_OBJECTS);
	for (; i > 0 && str_cmp(str_of(s->objects[i - 1].key), key) > 0; i--)
		s->objects[i] = s->objects[i - 1];
	s->objects[i] = (struct stored){.etag = ""};
	str_copy(s->objects[i].bucket, sizeof(s->objects[i].bucket), bucket);
	str_copy(s->objects[i].key, sizeof(s->objects[i].key), key);
	return &s->objects[i];
}

static int memory_put(struct call *c, void *store, const struct store_put *put, struct source *from, struct object *out)
{
	struct memory_store *s = store;
	struct stored *o = find(s, put->bucket, put->key);
	char bytes[4096];
	ssize_t n;
	AUTO(buf) all = {0};
	if (bucket_at(s, put->bucket) == s->bucket_count)
		return call_fail(c, ERR_NOT_FOUND, "no bucket %.*s", STR(put->bucket));
	if ((o && put->condition.if_absent) ||
		(put->condition.if_match.n && (!o || !str_eq(str_of(o->etag), put->condition.if_match))))
		return call_fail(c, ERR_CONFLICT, "the condition on %.*s does not hold", STR(put->key));
	while ((n = from->read(from->ctx, bytes, sizeof(bytes))) > 0)
		buf_add_bytes(&all, bytes, (size_t)n);
	if (n < 0)
		return call_fail(c, (int)n, "the source failed");
	if (from->size != UINT64_MAX && from->size != all.n)
		return call_fail(c, ERR_IO, "the source gave %zu bytes", all.n);
	if (!o)
		o = make_room(s, put->bucket, put->key);
	buf_free(&o->bytes);
	o->bytes = all;
	all = (struct buf){0};
	snprintf(o->etag, sizeof(o->etag), "v%u", ++s->versions);
	describe(o, out);
	return 0;
}

static int memory_delete(struct call *c, void *store, struct str bucket, struct str key)
{
	struct memory_store *s = store;
	struct stored *o = find(s, bucket, key);
	(void)c;
	if (!o)
		return 0;
	buf_free(&o->bytes);
	size_t i = (size_t)(o - s->objects);
	memmove(o, o + 1, (s->count - i - 1) * sizeof(*o));
	s->count--;
	return 0;
}

static int memory_list(struct call *c, void *store, const struct store_list *list, struct store_page *out)
{
	struct memory_store *s = store;
	struct store_page page = {.objects = arena_new_array(c->arena, PAGE, struct object), .next = S("")};
	if (bucket_at(s, list->bucket) == s->bucket_count)
		return call_fail(c, ERR_NOT_FOUND, "no bucket %.*s", STR(list->bucket));
	for (size_t i = 0; i < s->count; i++) {
		struct str key = str_of(s->objects[i].key);
		if (!str_eq(str_of(s->objects[i].bucket), list->bucket) || !str_starts(key, list->prefix) ||
			str_cmp(key, list->token) <= 0)
			continue;
		if (page.count == PAGE) {
			page.next = page.objects[PAGE - 1].key;
			break;
		}
		describe(&s->objects[i], &page.objects[page.count]);
		page.objects[page.count++].key = arena_str(c->arena, key);
	}
	*out = page;
	return 0;
}

static int memory_bucket_create(struct call *c, void *store, struct str bucket)
{
	struct memory_store *s = store;
	(void)c;
	if (bucket_at(s, bucket) == s->bucket_count && s->bucket_count < MOST_BUCKETS)
		str_copy(s->buckets[s->bucket_count++], sizeof(s->buckets[0]), bucket);
	return 0;
}

static int memory_bucket_head(struct call *c, void *store, struct str bucket)
{
	const struct memory_store *s = store;
	return bucket_at(s, bucket) < s->bucket_count ? 0 : call_fail(c, ERR_NOT_FOUND, "no bucket %.*s", STR(bucket));
}

static int memory_bucket_delete(struct call *c, void *store, struct str bucket)
{
	struct memory_store *s = store;
	size_t at = bucket_at(s, bucket);
	for (size_t i = 0; i < s->count; i++) {
		if (str_eq(str_of(s->objects[i].bucket), bucket))
			return call_fail(c, ERR_CONFLICT, "bucket %.*s is not empty", STR(bucket));
	}
	if (at < s->bucket_count)
		memcpy(s->buckets[at], s->buckets[--s->bucket_count], sizeof(s->buckets[0]));
	return 0;
}

const struct store_ops memory_store_ops = {
	.name = "memory",
	.head = memory_head,
	.get = memory_get,
	.put = memory_put,
	.delete = memory_delete,
	.list = memory_list,
	.bucket_create = memory_bucket_create,
	.bucket_head = memory_bucket_head,
	.bucket_delete = memory_bucket_delete,
};

// ---------------------------------------------------------------- keys

static struct str mix(struct call *c, const struct memory_keys *k, struct str context, struct str in)
{
	char *out = arena_cstr(c->arena, in);
	for (size_t i = 0; i < in.n; i++)
		out[i] = (char)(out[i] ^ k->secret ^ context.p[i % context.n]);
	return (struct str){out, in.n};
}

static int memory_wrap(
	struct call *c, void *keys, struct str name, struct str context, struct str plain, struct str *wrapped)
{
	struct memory_keys *k = keys;
	(void)name;
	k->wraps++;
	*wrapped = mix(c, k, context, plain);
	return 0;
}

static int memory_unwrap(
	struct call *c, void *keys, struct str name, struct str context, struct str wrapped, struct str *plain)
{
	struct memory_keys *k = keys;
	(void)name;
	k->unwraps++;
	*plain = mix(c, k, context, wrapped);
	return 0;
}

static int memory_create(struct call *c, void *keys, struct str name)
{
	(void)c, (void)keys, (void)name;
	return 0;
}

static int memory_describe(struct call *c, void *keys, struct str name, json_t **out)
{
	(void)keys, (void)name;
	(void)c;
	*out = json_pack("{s:i}", "versions", 1);
	return 0;
}

const struct key_ops memory_key_ops = {
	.name = "memory",
	.create = memory_create,
	.wrap = memory_wrap,
	.unwrap = memory_unwrap,
	.describe = memory_describe,
};
