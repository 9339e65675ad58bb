// SPDX-License-Identifier: Apache-2.0
// Data keys of sealed buckets: made once, wrapped by the cloud's key service, kept in the bucket itself. Whoever writes
// first wins; the others read what the winner wrote. See sealed_impl.h.
#include <openssl/crypto.h>
#include <string.h>

#include "cloud/sealed_impl.h"

enum { DOCUMENT_VERSION = 1, DOCUMENT_MAX = 64 << 10, MAKE_ATTEMPTS = 3 };

static struct cloud below_as_cloud(const struct sealed *s)
{
	return (struct cloud){.name = s->below.cloud, .store = s->below.store, .store_ctx = s->below.store_ctx};
}

static struct str context_of(struct call *c, const struct sealed *s, const struct sealed_bucket *b)
{
	return arena_printf(c->arena, "bucket/%.*s on %.*s", STR(b->name), STR(s->below.cloud));
}

static void keep(struct sealed_bucket *b, const unsigned char *key)
{
	memcpy(b->data_key, key, FRAMES_KEY_SIZE);
	b->known = true;
}

static int unwrap(struct call *c, struct sealed *s, struct sealed_bucket *b, const json_t *document)
{
	AUTO(buf) wrapped = {0};
	struct str context = context_of(c, s, b), plain;
	if (json_int(document, "version", 0) != DOCUMENT_VERSION)
		return call_fail(c, ERR_UNSUPPORTED, "the data key is of a form that this release does not know");
	if (!str_eq(json_str(document, "key"), b->key))
		return call_fail(c, ERR_INVALID,
			"the data key is wrapped by encryption-key/%.*s, the bucket declares encryption-key/%.*s: "
			"copy the objects into a new bucket to change it",
			(int)MIN(json_str(document, "key").n, 64), json_str(document, "key").p, STR(b->key));
	if (base64_decode(json_str(document, "wrapped"), &wrapped) || !wrapped.n)
		return call_fail(c, ERR_CORRUPT, "the data key's wrapped form is not base64");
	if (!context.p)
		return call_no_memory(c);
	if (!s->below.keys->unwrap)
		return call_fail(c, ERR_UNSUPPORTED, "the key service cannot unwrap");
	int r = s->below.keys->unwrap(c, s->below.keys_ctx, b->key, context, buf_str(&wrapped), &plain);
	if (r)
		return r;
	if (plain.n != FRAMES_KEY_SIZE)
		return call_fail(c, ERR_CORRUPT, "the data key has %zu bytes instead of %d", plain.n, FRAMES_KEY_SIZE);
	keep(b, (const unsigned char *)plain.p);
	OPENSSL_cleanse((char *)(uintptr_t)plain.p, plain.n);
	return 0;
}

static int fetch(struct call *c, struct sealed *s, struct sealed_bucket *b)
{
	struct cloud cloud = below_as_cloud(s);
	struct str text;
	AUTO(json) document = NULL;
	int r = cloud_get_bytes(c, &cloud, b->name, SEALED_KEY_OBJECT, DOCUMENT_MAX, &text);
	if (r)
		return r;
	if (json_parse(text, &document, &c->err))
		return call_fail(c, ERR_CORRUPT, "the data key's document is not valid JSON");
	return unwrap(c, s, b, document);
}

static int write_document(struct call *c, struct sealed *s, struct sealed_bucket *b, const unsigned char *key)
{
	AUTO(json) document = json_object();
	AUTO(buf) base64 = {0};
	AUTO(buf) text = {0};
	struct cloud cloud = below_as_cloud(s);
	struct str context = context_of(c, s, b), wrapped;
	struct object made = {0};
	if (!context.p)
		return call_no_memory(c);
	if (!s->below.keys->wrap)
		return call_fail(c, ERR_UNSUPPORTED, "the key service cannot wrap");
	int r = s->below.keys->wrap(c, s->below.keys_ctx, b->key, context, str_bytes(key, FRAMES_KEY_SIZE), &wrapped);
	if (r)
		return r;
	base64_encode(wrapped, &base64);
	json_object_set_new(document, "version", json_integer(DOCUMENT_VERSION));
	json_set_str(document, "cipher", S("AES-256-GCM in frames of 64 KiB"));
	json_set_str(document, "key", b->key);
	json_set_str(document, "context", context);
	json_set_str(document, "wrapped", buf_str(&base64));
	if ((r = json_write(document, &text, &c->err)))
		return r;
	struct store_put put = {.bucket = b->name,
		.key = SEALED_KEY_OBJECT,
		.content_type = S("application/json"),
		.condition = {.if_absent = true}};
	return cloud_put_bytes(c, &cloud, &put, buf_str(&text), &made);
}

static int make(struct call *c, struct sealed *s, struct sealed_bucket *b)
{
	unsigned char key[FRAMES_KEY_SIZE];
	int r = c->edges->random(c->edges->ctx, key, sizeof(key));
	if (r)
		return call_fail(c, r, "no random numbers");
	r = write_document(c, s, b, key);
	if (!r)
		keep(b, key);
	OPENSSL_cleanse(key, sizeof(key));
	return r;
}

// With the bucket's lock held.
static int find(struct call *c, struct sealed *s, struct sealed_bucket *b, bool may_make)
{
	for (int attempt = 0; attempt < MAKE_ATTEMPTS; attempt++) {
		int r = fetch(c, s, b);
		if (r != ERR_NOT_FOUND || !may_make)
			return r;
		err_clear(&c->err);
		r = make(c, s, b);
		if (r != ERR_CONFLICT) // somebody else was first: theirs it is
			return r;
		err_clear(&c->err);
	}
	return call_fail(
		c, ERR_CONFLICT, "the data key appears and disappears: somebody deletes %.*s", STR(SEALED_KEY_OBJECT));
}

int sealed_data_key(
	struct call *c, struct sealed *s, struct sealed_bucket *b, bool may_make, unsigned char out[FRAMES_KEY_SIZE])
{
	pthread_mutex_lock(&b->lock);
	int r = b->known ? 0 : find(c, s, b, may_make);
	if (!r)
		memcpy(out, b->data_key, FRAMES_KEY_SIZE);
	pthread_mutex_unlock(&b->lock);
	return r ? call_context(c, "the data key of bucket %.*s", STR(b->name)) : 0;
}

void sealed_forget_key(struct sealed_bucket *b)
{
	pthread_mutex_lock(&b->lock);
	OPENSSL_cleanse(b->data_key, FRAMES_KEY_SIZE);
	b->known = false;
	pthread_mutex_unlock(&b->lock);
}

int sealed_restore_key(struct call *c, struct sealed *s, struct sealed_bucket *b)
{
	pthread_mutex_lock(&b->lock);
	int r = b->known ? write_document(c, s, b, b->data_key) : 0;
	pthread_mutex_unlock(&b->lock);
	return r;
}
