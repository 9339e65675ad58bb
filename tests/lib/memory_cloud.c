// SPDX-License-Identifier: Apache-2.0
#include "memory_cloud.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry { // an object; a bucket is an entry with an empty key
	char *bucket, *key;
	struct buf data;
	char etag[32];
	json_t *metadata;
	char *content_type;
	int64_t modified_ns;
};
struct memory_store {
	struct memory_cloud *owner;
	pthread_mutex_t lock;
	struct entry *entries; // sorted by bucket, then key
	size_t count;
	uint64_t next_etag;
};

static int entry_compare(const struct entry *e, struct str bucket, struct str key)
{
	int order = str_cmp(str_of(e->bucket), bucket);
	return order ? order : str_cmp(str_of(e->key), key);
}

static size_t position(const struct memory_store *s, struct str bucket, struct str key)
{
	size_t i = 0;
	while (i < s->count && entry_compare(&s->entries[i], bucket, key) < 0)
		i++;
	return i;
}

static struct entry *find(struct memory_store *s, struct str bucket, struct str key)
{
	size_t i = position(s, bucket, key);
	return i < s->count && entry_compare(&s->entries[i], bucket, key) == 0 ? &s->entries[i] : NULL;
}

static struct entry *find_or_add(struct memory_store *s, struct str bucket, struct str key)
{
	size_t i = position(s, bucket, key);
	if (i < s->count && entry_compare(&s->entries[i], bucket, key) == 0)
		return &s->entries[i];
	s->entries = realloc(s->entries, (s->count + 1) * sizeof(*s->entries));
	memmove(&s->entries[i + 1], &s->entries[i], (s->count - i) * sizeof(*s->entries));
	s->entries[i] = (struct entry){
		.bucket = strndup(bucket.n ? bucket.p : "", bucket.n), .key = strndup(key.n ? key.p : "", key.n)};
	s->count++;
	return &s->entries[i];
}

static void entry_free(struct entry *e)
{
	free(e->bucket);
	free(e->key);
	free(e->content_type);
	buf_free(&e->data);
	json_decref(e->metadata);
}

static void remove_at(struct memory_store *s, size_t i)
{
	entry_free(&s->entries[i]);
	memmove(&s->entries[i], &s->entries[i + 1], (s->count - i - 1) * sizeof(*s->entries));
	s->count--;
}

static void set_data(struct memory_store *s, struct entry *e, struct buf *data)
{
	buf_free(&e->data);
	e->data = *data;
	*data = (struct buf){0};
	snprintf(e->etag, sizeof(e->etag), "v%llu", (unsigned long long)++s->next_etag);
}

// Locks on success.
static int enter(struct call *c, struct memory_store *s, struct str bucket)
{
	atomic_fetch_add(&s->owner->calls, 1);
	if (atomic_load(&s->owner->down))
		return call_fail(c, ERR_UNAVAILABLE, "%.*s: connection refused", STR(s->owner->cloud.name));
	pthread_mutex_lock(&s->lock);
	if (find(s, bucket, S("")))
		return 0;
	pthread_mutex_unlock(&s->lock);
	return call_fail(c, ERR_NOT_FOUND, "%.*s: bucket %.*s does not exist", STR(s->owner->cloud.name), STR(bucket));
}

static int leave(struct memory_store *s, int code)
{
	pthread_mutex_unlock(&s->lock);
	return code;
}

static void describe(struct call *c, const struct memory_store *s, const struct entry *e, struct object *out)
{
	*out = (struct object){
		.key = arena_str(c->arena, str_of(e->key)),
		.size = e->data.n,
		.etag = arena_str(c->arena, str_of(e->etag)),
		.modified_ns = e->modified_ns,
		.content_type = arena_str(c->arena, str_of(e->content_type)),
		.has_crc32c = !atomic_load(&s->owner->no_checksums),
		.metadata = e->metadata ? json_in_arena(c->arena, json_deep_copy(e->metadata)) : NULL,
	};
	if (out->has_crc32c)
		out->crc32c = crc32c(0, buf_str(&e->data));
}

static int missing(struct call *c, struct str bucket, struct str key)
{
	return call_fail(c, ERR_NOT_FOUND, "object %.*s/%.*s does not exist", STR(bucket), STR(key));
}

static int memory_store_head(struct call *c, void *store, struct str bucket, struct str key, struct object *out)
{
	struct memory_store *s = store;
	if (enter(c, s, bucket))
		return c->err.code;
	struct entry *e = find(s, bucket, key);
	if (!e)
		return leave(s, missing(c, bucket, key));
	describe(c, s, e, out);
	return leave(s, 0);
}

static int memory_store_get(
	struct call *c, void *store, const struct store_get *get, struct sink *to, struct object *out)
{
	struct memory_store *s = store;
	if (enter(c, s, get->bucket))
		return c->err.code;
	struct entry *e = find(s, get->bucket, get->key);
	if (!e)
		return leave(s, missing(c, get->bucket, get->key));
	if (get->if_match.n && !str_eq(get->if_match, str_of(e->etag)))
		return leave(s, call_fail(c, ERR_CONFLICT, "object %.*s changed", STR(get->key)));
	describe(c, s, e, out);
	bool all = !get->offset && !get->length;
	struct str data =
		arena_str(c->arena, str_take(str_drop(buf_str(&e->data), get->offset), all ? SIZE_MAX : get->length));
	leave(s, 0);
	for (size_t at = 0; at < data.n; at += 1000) { // in small pieces, as a network gives them
		int code = to->write(to->ctx, str_take(str_drop(data, at), 1000));
		if (code)
			return c->err.code == code ? code : call_fail(c, code, "the receiver refused it");
	}
	return 0;
}

static int read_all(struct call *c, struct source *from, struct buf *data)
{
	char piece[777];
	ssize_t n;
	while ((n = from->read(from->ctx, piece, sizeof(piece))) > 0)
		buf_add_bytes(data, piece, (size_t)n);
	if (n < 0)
		return c->err.code == (int)n ? (int)n : call_fail(c, (int)n, "the source failed");
	if (from->size != UINT64_MAX && from->size != data->n)
		return call_fail(c, ERR_INVALID, "the source said %llu bytes and gave %zu",
			(unsigned long long)from->size, data->n);
	return 0;
}

static bool put_is_to_fail(struct memory_store *s)
{
	int left = atomic_load(&s->owner->fail_put_at);
	return left > 0 && atomic_fetch_sub(&s->owner->fail_put_at, 1) == 1;
}

static int check_condition(struct call *c, const struct store_put *put, const struct entry *e)
{
	if (put->condition.if_absent && e)
		return call_fail(c, ERR_CONFLICT, "object %.*s exists", STR(put->key));
	if (put->condition.if_match.n && (!e || !str_eq(put->condition.if_match, str_of(e->etag))))
		return call_fail(c, ERR_CONFLICT, "object %.*s changed", STR(put->key));
	return 0;
}

static int memory_store_put(
	struct call *c, void *store, const struct store_put *put, struct source *from, struct object *out)
{
	struct memory_store *s = store;
	AUTO(buf) data = {0};
	if (put_is_to_fail(s))
		return call_fail(c, ERR_UNAVAILABLE, "%.*s: connection reset", STR(s->owner->cloud.name));
	if (read_all(c, from, &data) || enter(c, s, put->bucket))
		return c->err.code;
	if (check_condition(c, put, find(s, put->bucket, put->key)))
		return leave(s, c->err.code);
	struct entry *e = find_or_add(s, put->bucket, put->key);
	set_data(s, e, &data);
	e->modified_ns = call_now_ns(c);
	json_decref(e->metadata);
	e->metadata = put->metadata ? json_deep_copy(put->metadata) : NULL;
	free(e->content_type);
	e->content_type = strndup(put->content_type.n ? put->content_type.p : "", put->content_type.n);
	describe(c, s, e, out);
	return leave(s, 0);
}

static int memory_store_delete(struct call *c, void *store, struct str bucket, struct str key)
{
	struct memory_store *s = store;
	if (enter(c, s, bucket))
		return c->err.code;
	size_t i = position(s, bucket, key);
	if (i < s->count && key.n && entry_compare(&s->entries[i], bucket, key) == 0)
		remove_at(s, i);
	return leave(s, 0);
}

static void add_prefix(struct store_page *out, struct str prefix)
{
	if (!out->prefix_count || !str_eq(out->prefixes[out->prefix_count - 1], prefix))
		out->prefixes[out->prefix_count++] = prefix;
}

static int memory_store_list(struct call *c, void *store, const struct store_list *list, struct store_page *out)
{
	struct memory_store *s = store;
	if (enter(c, s, list->bucket))
		return c->err.code;
	size_t limit = list->limit ? list->limit : 3; // small pages, so that paging is always met
	*out = (struct store_page){.objects = arena_new_array(c->arena, s->count + 1, struct object),
		.prefixes = arena_new_array(c->arena, s->count + 1, struct str)};
	for (size_t i = 0; i < s->count; i++) {
		struct str key = str_of(s->entries[i].key);
		if (!str_eq(str_of(s->entries[i].bucket), list->bucket) || !key.n || !str_starts(key, list->prefix))
			continue;
		if (list->token.n && str_cmp(key, list->token) <= 0)
			continue;
		if (out->count + out->prefix_count == limit) {
			out->next = arena_str(c->arena, str_of(s->entries[i - 1].key));
			break;
		}
		ptrdiff_t cut = list->delimiter.n ? str_find(str_drop(key, list->prefix.n), list->delimiter) : -1;
		if (cut >= 0)
			add_prefix(out,
				arena_str(c->arena, str_take(key, list->prefix.n + (size_t)cut + list->delimiter.n)));
		else
			describe(c, s, &s->entries[i], &out->objects[out->count++]);
	}
	return leave(s, 0);
}

static int memory_store_bucket_create(struct call *c, void *store, struct str bucket)
{
	struct memory_store *s = store;
	if (atomic_load(&s->owner->down))
		return call_fail(c, ERR_UNAVAILABLE, "connection refused");
	pthread_mutex_lock(&s->lock);
	(void)find_or_add(s, bucket, S(""));
	return leave(s, 0);
}

static int memory_store_bucket_head(struct call *c, void *store, struct str bucket)
{
	return enter(c, store, bucket) ? c->err.code : leave(store, 0);
}

static int memory_store_bucket_delete(struct call *c, void *store, struct str bucket)
{
	struct memory_store *s = store;
	int code = enter(c, s, bucket);
	if (code == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (code)
		return code;
	size_t i = position(s, bucket, S(""));
	if (i + 1 < s->count && str_eq(str_of(s->entries[i + 1].bucket), bucket))
		return leave(s, call_fail(c, ERR_CONFLICT, "bucket %.*s is not empty", STR(bucket)));
	remove_at(s, i);
	return leave(s, 0);
}

static int memory_store_bucket_tags(struct call *c, void *store, struct str bucket, json_t **tags)
{
	struct memory_store *s = store;
	int code = enter(c, s, bucket);
	if (code)
		return code;
	const struct entry *e = find(s, bucket, S(""));
	*tags = e->metadata ? json_deep_copy(e->metadata) : json_object();
	return leave(s, 0);
}

static int memory_store_bucket_set_tags(struct call *c, void *store, struct str bucket, const json_t *tags)
{
	struct memory_store *s = store;
	int code = enter(c, s, bucket);
	if (code)
		return code;
	struct entry *e = find(s, bucket, S(""));
	json_decref(e->metadata);
	e->metadata = json_deep_copy(tags);
	return leave(s, 0);
}

static const struct store_ops memory_store_ops = {
	.name = "memory",
	.head = memory_store_head,
	.get = memory_store_get,
	.put = memory_store_put,
	.delete = memory_store_delete,
	.list = memory_store_list,
	.bucket_create = memory_store_bucket_create,
	.bucket_head = memory_store_bucket_head,
	.bucket_delete = memory_store_bucket_delete,
	.bucket_tags = memory_store_bucket_tags,
	.bucket_set_tags = memory_store_bucket_set_tags,
};

// ---------------------------------------------------------------- prices and resources
static int memory_price_egress(struct call *c, void *prices, struct str to, struct price *out)
{
	const struct memory_cloud *m = prices;
	(void)c;
	*out = (struct price){.amount = str_eq(to, S("same-cloud")) ? m->egress_usd / 4 : m->egress_usd,
		.currency = S("USD"),
		.unit = S("GB"),
		.source = S("a test"),
		.date = S("2026-01-02"),
		.confidence = S("high")};
	return 0;
}

static const struct price_ops memory_price_ops = {.name = "memory", .egress = memory_price_egress};

static int memory_resource_create(
	struct call *c, void *resources, struct str type, struct str id, const json_t *inputs, json_t **outputs)
{
	struct memory_cloud *m = resources;
	(void)inputs;
	if (!str_eq(type, S("bucket")))
		return call_fail(c, ERR_UNSUPPORTED, "no such type");
	int code = memory_store_bucket_create(c, m->store, id);
	if (!code)
		*outputs = json_pack("{s:s#}", "bucket", id.p, (int)id.n);
	return code;
}

static int memory_resource_read(struct call *c, void *resources, struct str type, struct str id, json_t **outputs)
{
	struct memory_cloud *m = resources;
	(void)type;
	int code = memory_store_bucket_head(c, m->store, id);
	if (!code)
		*outputs = json_pack("{s:s#}", "bucket", id.p, (int)id.n);
	return code;
}

static int memory_resource_delete(struct call *c, void *resources, struct str type, struct str id)
{
	struct memory_cloud *m = resources;
	(void)type;
	return memory_store_bucket_delete(c, m->store, id);
}

static const struct resource_ops memory_resource_ops = {
	.name = "memory",
	.create = memory_resource_create,
	.read = memory_resource_read,
	.update = memory_resource_create,
	.delete = memory_resource_delete,
};

// ---------------------------------------------------------------- for tests
void memory_cloud_init(struct memory_cloud *m, const char *name, const char *provider)
{
	memset(m, 0, sizeof(*m));
	m->store = calloc(1, sizeof(*m->store));
	m->store->owner = m;
	m->egress_usd = 0.10;
	pthread_mutex_init(&m->store->lock, NULL);
	m->cloud = (struct cloud){
		.name = str_of(name),
		.provider = str_of(provider),
		.region = S("region-1"),
		.location = S("DE"),
		.store = &memory_store_ops,
		.store_ctx = m->store,
		.prices = &memory_price_ops,
		.prices_ctx = m,
		.resources = &memory_resource_ops,
		.resources_ctx = m,
	};
}

void memory_cloud_free(struct memory_cloud *m)
{
	for (size_t i = 0; i < m->store->count; i++)
		entry_free(&m->store->entries[i]);
	free(m->store->entries);
	pthread_mutex_destroy(&m->store->lock);
	free(m->store);
}

void memory_cloud_bucket(struct memory_cloud *m, const char *bucket)
{
	(void)find_or_add(m->store, str_of(bucket), S(""));
}

struct str memory_cloud_peek(struct memory_cloud *m, const char *bucket, const char *key)
{
	struct entry *e = find(m->store, str_of(bucket), str_of(key));
	return e ? buf_str(&e->data) : (struct str){0};
}

void memory_cloud_poke(struct memory_cloud *m, const char *bucket, const char *key, struct str data)
{
	struct buf copy = {0};
	buf_add(&copy, data);
	set_data(m->store, find_or_add(m->store, str_of(bucket), str_of(key)), &copy);
}

size_t memory_cloud_count(struct memory_cloud *m, const char *bucket, const char *prefix)
{
	size_t n = 0;
	for (size_t i = 0; i < m->store->count; i++)
		n += str_eq(str_of(m->store->entries[i].bucket), str_of(bucket)) && m->store->entries[i].key[0] &&
		     str_starts(str_of(m->store->entries[i].key), str_of(prefix));
	return n;
}
