// SPDX-License-Identifier: Apache-2.0
// The sealed store: see sealed.h. Reading a range that does not start in the first frame takes two requests: the
// header, then the frames, both of one version.
#include "cloud/sealed.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/sealed_impl.h"

static struct sealed_bucket *find(struct sealed *s, struct str bucket)
{
	for (size_t i = 0; i < s->count; i++) {
		if (str_eq(s->buckets[i].name, bucket))
			return &s->buckets[i];
	}
	return NULL;
}

#define BELOW(c, s, slot, ...)                                                                                         \
	((s)->below.store->slot ? (s)->below.store->slot((c), (s)->below.store_ctx, __VA_ARGS__)                       \
				: no_slot((c), (s), #slot))

static int no_slot(struct call *c, const struct sealed *s, const char *slot)
{
	struct cloud cloud = {.name = s->below.cloud, .provider = str_of(s->below.store->name)};
	return cloud_unsupported(c, &cloud, "store", slot);
}

// Who keeps the packages of jobs sees these; nobody sees the data key.
static bool is_hidden(const struct sealed *s, bool sealed, struct str key)
{
	if (str_starts(key, SEALED_JOBS))
		return s->inside != NULL;
	return sealed && str_starts(key, SEALED_HIDDEN);
}

static int check_visible(struct call *c, struct sealed *s, struct str bucket, struct str key, int code)
{
	if (!is_hidden(s, find(s, bucket) != NULL, key))
		return 0;
	return call_fail(c, code, "%.*s/%.*s: what lies below %.*s is Isobar's own", STR(bucket), STR(key),
		STR(SEALED_HIDDEN));
}

// The object as callers see it.
static int show(struct call *c, struct object *o)
{
	uint64_t plain;
	if (!frames_plain_size(o->size, &plain))
		return call_fail(c, ERR_CORRUPT, "an object of %llu bytes is not encrypted by Isobar, or was cut",
			(unsigned long long)o->size);
	o->size = plain;
	o->has_crc32c = false; // the store's checksum is that of the encrypted bytes
	o->crc32c = 0;
	return 0;
}

static int sealed_store_head(struct call *c, void *store, struct str bucket, struct str key, struct object *out)
{
	struct sealed *s = store;
	struct object found = {0};
	int r = check_visible(c, s, bucket, key, ERR_NOT_FOUND);
	if (!r && !find(s, bucket))
		return BELOW(c, s, head, bucket, key, out);
	if (!r)
		r = BELOW(c, s, head, bucket, key, &found);
	if (r)
		return r;
	r = show(c, &found);
	if (r)
		return call_context(c, "head %.*s/%.*s", STR(bucket), STR(key));
	*out = found;
	return 0;
}

// ---------------------------------------------------------------- get

struct header_sink {
	unsigned char bytes[FRAMES_HEADER_SIZE];
	size_t n;
};

static int header_write(void *ctx, struct str data)
{
	struct header_sink *h = ctx;
	if (data.n > sizeof(h->bytes) - h->n)
		return ERR_PROTOCOL;
	memcpy(h->bytes + h->n, data.p, data.n);
	h->n += data.n;
	return 0;
}

static int header_restart(void *ctx)
{
	((struct header_sink *)ctx)->n = 0;
	return 0;
}

static int read_header(
	struct call *c, struct sealed *s, const struct store_get *get, struct opening *o, struct object *object)
{
	struct header_sink header = {.n = 0};
	struct sink sink = {.ctx = &header, .write = header_write, .restart = header_restart};
	struct store_get first = *get;
	first.offset = 0;
	first.length = FRAMES_HEADER_SIZE;
	int r = BELOW(c, s, get, &first, &sink, object);
	if (r)
		return r;
	if (header.n != FRAMES_HEADER_SIZE)
		return call_fail(
			c, ERR_CORRUPT, "an object of %zu bytes is not encrypted by Isobar, or was cut", header.n);
	return opening_header(o, header.bytes);
}

static void plan(const struct store_get *get, struct opening *o)
{
	uint64_t length = get->length ? get->length : UINT64_MAX;
	o->offset = get->offset;
	if (__builtin_add_overflow(get->offset, length, &o->end))
		o->end = UINT64_MAX;
	o->first = get->offset / FRAME_PLAIN_SIZE;
}

// The range of encrypted bytes that holds the frames of the wanted range.
static void frames_range(const struct opening *o, struct store_get *get)
{
	uint64_t first = o->first ? FRAMES_HEADER_SIZE + o->first * FRAME_SEALED_SIZE : 0, end = UINT64_MAX;
	if (o->end < UINT64_MAX / 2)
		end = FRAMES_HEADER_SIZE + frames_count(o->end) * FRAME_SEALED_SIZE;
	get->offset = first;
	get->length = end == UINT64_MAX ? UINT64_MAX : end - first;
}

static int outside(struct call *c, const struct opening *o, uint64_t size)
{
	return call_fail(c, ERR_INVALID, "the bytes from %llu on lie behind the end of the object (%llu bytes)",
		(unsigned long long)o->offset, (unsigned long long)size);
}

static int run_get(struct call *c, struct sealed *s, const struct store_get *get, struct opening *o, struct object *out)
{
	struct sink sink;
	struct store_get below = *get;
	struct object head = {0}, object = {0};
	int r = opening_start(o, &sink);
	if (!r && o->first)
		r = read_header(c, s, get, o, &head);
	if (r)
		return r;
	uint64_t size = 0;
	if (o->first) { // both requests are about one version
		below.if_match = head.etag;
		if (!frames_plain_size(head.size, &size) || o->offset >= size)
			return outside(c, o, size);
	}
	frames_range(o, &below);
	r = BELOW(c, s, get, &below, &sink, &object);
	if (!r)
		r = opening_end(o, object.size);
	if (!r)
		r = show(c, &object);
	if (!r && o->offset && o->offset >= object.size)
		r = outside(c, o, object.size);
	if (!r && o->given != MIN(o->end, object.size) - MIN(o->offset, object.size))
		r = call_fail(
			c, ERR_CORRUPT, "%llu bytes came instead of the range asked for", (unsigned long long)o->given);
	if (!r)
		*out = object;
	return r;
}

static int sealed_store_get(
	struct call *c, void *store, const struct store_get *get, struct sink *to, struct object *out)
{
	struct sealed *s = store;
	struct sealed_bucket *b = find(s, get->bucket);
	unsigned char key[FRAMES_KEY_SIZE];
	int r = check_visible(c, s, get->bucket, get->key, ERR_NOT_FOUND);
	if (!r && !b)
		return BELOW(c, s, get, get, to, out);
	struct opening o = {.c = c, .to = to, .object = {.data_key = key, .bucket = get->bucket, .key = get->key}};
	plan(get, &o);
	if (!r)
		r = sealed_data_key(c, s, b, false, key);
	if (!r)
		r = run_get(c, s, get, &o, out);
	opening_finish(&o);
	OPENSSL_cleanse(key, sizeof(key));
	return r ? call_context(c, "get encrypted %.*s/%.*s", STR(get->bucket), STR(get->key)) : 0;
}

// ---------------------------------------------------------------- put, delete, list

static int run_put(
	struct call *c, struct sealed *s, const struct store_put *put, struct sealing *sealing, struct object *out)
{
	struct source source;
	struct object made = {0};
	int r = sealing_start(sealing, &source);
	if (!r)
		r = BELOW(c, s, put, put, &source, &made);
	if (r)
		return r;
	made.size = sealing->total;
	made.crc32c = sealing->crc;
	made.has_crc32c = true;
	*out = made;
	return 0;
}

static int sealed_store_put(
	struct call *c, void *store, const struct store_put *put, struct source *from, struct object *out)
{
	struct sealed *s = store;
	struct sealed_bucket *b = find(s, put->bucket);
	unsigned char key[FRAMES_KEY_SIZE];
	int r = check_visible(c, s, put->bucket, put->key, ERR_DENIED);
	if (!r && !b)
		return BELOW(c, s, put, put, from, out);
	struct sealing sealing = {
		.c = c, .from = from, .object = {.data_key = key, .bucket = put->bucket, .key = put->key}};
	if (!r)
		r = sealed_data_key(c, s, b, true, key);
	if (!r)
		r = run_put(c, s, put, &sealing, out);
	sealing_finish(&sealing);
	OPENSSL_cleanse(key, sizeof(key));
	return r ? call_context(c, "put encrypted %.*s/%.*s", STR(put->bucket), STR(put->key)) : 0;
}

static int sealed_store_delete(struct call *c, void *store, struct str bucket, struct str key)
{
	struct sealed *s = store;
	int r = check_visible(c, s, bucket, key, ERR_DENIED);
	return r ? r : BELOW(c, s, delete, bucket, key);
}

// What is hidden goes, sizes become those of the plaintext. An object that somebody else put there unencrypted keeps
// its size: reading it is what fails.
static void show_page(const struct sealed *s, bool sealed, struct store_page *page)
{
	size_t count = 0, prefixes = 0;
	for (size_t i = 0; i < page->count; i++) {
		struct object o = page->objects[i];
		if (is_hidden(s, sealed, o.key))
			continue;
		if (sealed)
			(void)frames_plain_size(o.size, &o.size);
		o.has_crc32c = o.has_crc32c && !sealed;
		page->objects[count++] = o;
	}
	for (size_t i = 0; i < page->prefix_count; i++) {
		bool ours = str_eq(page->prefixes[i], SEALED_HIDDEN) ? s->inside != NULL
								      : is_hidden(s, sealed, page->prefixes[i]);
		if (!ours)
			page->prefixes[prefixes++] = page->prefixes[i];
	}
	page->count = count;
	page->prefix_count = prefixes;
}

static int sealed_store_list(struct call *c, void *store, const struct store_list *list, struct store_page *out)
{
	struct sealed *s = store;
	struct store_page page = {0};
	int r = BELOW(c, s, list, list, &page);
	if (r)
		return r;
	show_page(s, find(s, list->bucket) != NULL, &page);
	*out = page;
	return 0;
}

// ---------------------------------------------------------------- buckets

static int sealed_store_bucket_create(struct call *c, void *store, struct str bucket)
{
	struct sealed *s = store;
	struct sealed_bucket *b = find(s, bucket);
	unsigned char key[FRAMES_KEY_SIZE];
	int r = BELOW(c, s, bucket_create, bucket);
	if (r || !b)
		return r;
	r = sealed_data_key(c, s, b, true, key);
	OPENSSL_cleanse(key, sizeof(key));
	return r;
}

static int sealed_store_bucket_head(struct call *c, void *store, struct str bucket)
{
	struct sealed *s = store;
	return BELOW(c, s, bucket_head, bucket);
}

// 0 when nothing but the data key is in the bucket.
static int check_empty(struct call *c, struct sealed *s, struct str bucket)
{
	struct store_list list = {.bucket = bucket, .prefix = S(""), .delimiter = S(""), .token = S(""), .limit = 2};
	do {
		struct store_page page = {0};
		int r = sealed_store_list(c, s, &list, &page);
		if (r)
			return r;
		if (page.count)
			return call_fail(c, ERR_CONFLICT, "delete bucket %.*s: it is not empty", STR(bucket));
		list.token = page.next;
	} while (list.token.n);
	return 0;
}

static int delete_with_key(struct call *c, struct sealed *s, struct sealed_bucket *b)
{
	unsigned char key[FRAMES_KEY_SIZE];
	int r = sealed_data_key(c, s, b, false, key); // known from here on: it may have to be written back
	OPENSSL_cleanse(key, sizeof(key));
	if (r && r != ERR_NOT_FOUND)
		return r;
	err_clear(&c->err);
	r = BELOW(c, s, delete, b->name, SEALED_KEY_OBJECT);
	if (!r)
		r = BELOW(c, s, bucket_delete, b->name);
	if (!r) {
		sealed_forget_key(b);
		return 0;
	}
	// Somebody wrote meanwhile: without its data key that would be lost.
	struct err failed = c->err;
	if (sealed_restore_key(c, s, b) && c->err.code != ERR_CONFLICT)
		return call_context(
			c, "writing the data key of bucket %.*s back after \"%s\"", STR(b->name), failed.message);
	c->err = failed;
	return failed.code;
}

static int sealed_store_bucket_delete(struct call *c, void *store, struct str bucket)
{
	struct sealed *s = store;
	struct sealed_bucket *b = find(s, bucket);
	if (!b)
		return BELOW(c, s, bucket_delete, bucket);
	int r = check_empty(c, s, bucket);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		sealed_forget_key(b);
		return 0;
	}
	return r ? r : delete_with_key(c, s, b);
}

static int sealed_store_bucket_tags(struct call *c, void *store, struct str bucket, json_t **tags)
{
	struct sealed *s = store;
	return BELOW(c, s, bucket_tags, bucket, tags);
}

static int sealed_store_bucket_set_tags(struct call *c, void *store, struct str bucket, const json_t *tags)
{
	struct sealed *s = store;
	return BELOW(c, s, bucket_set_tags, bucket, tags);
}

const struct store_ops sealed_store_ops = {
	.name = "sealed",
	.head = sealed_store_head,
	.get = sealed_store_get,
	.put = sealed_store_put,
	.delete = sealed_store_delete,
	.list = sealed_store_list,
	.bucket_create = sealed_store_bucket_create,
	.bucket_head = sealed_store_bucket_head,
	.bucket_delete = sealed_store_bucket_delete,
	.bucket_tags = sealed_store_bucket_tags,
	.bucket_set_tags = sealed_store_bucket_set_tags,
};

// ---------------------------------------------------------------- life

int sealed_open(struct call *c, const struct sealed_below *below, const struct cloud_sealed *buckets, size_t count,
	struct sealed **out)
{
	if (count && !below->keys)
		return call_fail(c, ERR_INVALID,
			"cloud/%.*s has encrypted buckets and no keys: give it an engine for keys", STR(below->cloud));
	struct sealed *s = calloc(1, sizeof(*s));
	if (!s)
		return call_no_memory(c);
	s->below = *below;
	s->below.cloud = arena_str(&s->arena, below->cloud);
	s->buckets = arena_new_array(&s->arena, count + 1, struct sealed_bucket);
	s->inside = arena_new(&s->arena, struct sealed);
	bool done = s->below.cloud.p && s->buckets && s->inside;
	for (size_t i = 0; done && i < count; i++) {
		struct sealed_bucket *b = &s->buckets[s->count++];
		pthread_mutex_init(&b->lock, NULL);
		b->name = arena_str(&s->arena, buckets[i].bucket);
		b->key = arena_str(&s->arena, buckets[i].key);
		done = b->name.p && b->key.p;
	}
	if (!done) {
		sealed_close(s);
		return call_no_memory(c);
	}
	*s->inside = *s;
	s->inside->inside = NULL;
	*out = s;
	return 0;
}

struct cloud sealed_inside(const struct cloud *cloud)
{
	struct cloud inside = *cloud;
	const struct sealed *s = cloud->store == &sealed_store_ops ? cloud->store_ctx : NULL;
	if (s && s->inside)
		inside.store_ctx = s->inside;
	return inside;
}

struct str sealed_key_of(const struct cloud *cloud, struct str bucket)
{
	struct sealed *s = cloud->store == &sealed_store_ops ? cloud->store_ctx : NULL;
	const struct sealed_bucket *b = s ? find(s, bucket) : NULL;
	return b ? b->key : S("");
}

void sealed_close(struct sealed *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		sealed_forget_key(&s->buckets[i]);
		pthread_mutex_destroy(&s->buckets[i].lock);
	}
	arena_free(&s->arena);
	free(s);
}
