// SPDX-License-Identifier: Apache-2.0
// Keys as files: keys/NAME.json (0600) holds every version of a key, the newest wraps, all unwrap. A wrapped data key
// is
//     "isobar-wrap-1" 0 | version, 4 bytes big-endian | nonce, 12 | ciphertext | tag, 16
// under AES-256-GCM (NIST SP 800-38D); head, key name and context are authenticated with it, so that a wrapped key
// works for the bucket it was made for and for no other. Nonces are random: a key wraps far fewer than 2^32 data keys.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "cloud/job_files.h"
#include "cloud/local/local_impl.h"

enum {
	KEY_BYTES = 32,
	NONCE_BYTES = 12,
	TAG_BYTES = 16,
	MAX_PLAIN = 64,
	MAX_CONTEXT = 1024,
	MAX_VERSIONS = 10000,
};
static const char wrap_magic[] = "isobar-wrap-1"; // its NUL belongs to it
enum { HEAD_BYTES = sizeof(wrap_magic) + 4 };

struct key_file {
	const char *path, *lock;
	struct str name;
	json_t *content; // {"name", "created", "rotated", "versions": [{"version", "created", "key"}]}; in the arena
};

// ---------------------------------------------------------------- the file
static int check_key_name(struct call *c, struct str name)
{
	bool good = name.n > 0 && name.n <= 63 && name.p[0] != '.';
	for (size_t i = 0; good && i < name.n; i++)
		good = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
		       (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '-' || name.p[i] == '_' ||
		       name.p[i] == '.';
	return good ? 0
		    : call_fail(c, ERR_INVALID,
			      "\"%.*s\" is no name of a key: letters, digits, '-', '_', '.', at most 63", STR(name));
}

static int key_place(struct call *c, const struct local *l, struct str name, struct key_file *out)
{
	if (check_key_name(c, name))
		return c->err.code;
	*out = (struct key_file){
		.name = name,
		.path = arena_printf(c->arena, "%s/keys/%.*s.json", l->root, STR(name)).p,
		.lock = arena_printf(c->arena, "%s/keys/.%.*s.lock", l->root, STR(name)).p,
	};
	return out->path && out->lock ? 0 : call_no_memory(c);
}

static int key_load(struct call *c, const struct local *l, struct key_file *f)
{
	if (!file_exists(f->path))
		return call_fail(c, ERR_NOT_FOUND, "%s: there is no key %.*s", l->cloud, STR(f->name));
	const json_t *j = NULL;
	if (local_read_json(c, f->path, &j))
		return c->err.code;
	f->content = json_in_arena(c->arena, json_deep_copy(j));
	size_t count = json_array_size(json_object_get(f->content, "versions"));
	if (!count || count > MAX_VERSIONS)
		return call_fail(c, ERR_CORRUPT, "%s: no versions of a key", f->path);
	return 0;
}

static int key_add_version(struct call *c, struct key_file *f)
{
	unsigned char key[KEY_BYTES];
	AUTO(buf) text = {0};
	char now[TIME_TEXT_SIZE];
	int code = c->edges->random(c->edges->ctx, key, sizeof(key));
	if (code)
		return call_fail(c, code, "key %.*s: no random bytes", STR(f->name));
	base64_encode(str_bytes(key, sizeof(key)), &text);
	OPENSSL_cleanse(key, sizeof(key));
	time_rfc3339(call_now_ns(c), 0, now);
	json_t *versions = json_object_get(f->content, "versions");
	json_t *version = json_object();
	json_object_set_new(version, "version", json_integer((json_int_t)json_array_size(versions) + 1));
	json_object_set_new(version, "created", json_string(now));
	json_set_str(version, "key", buf_str(&text));
	OPENSSL_cleanse(text.p, text.n);
	json_array_append_new(versions, version);
	json_object_set_new(f->content, "rotated", json_string(now));
	return local_write_json(c, f->path, f->content, 0600);
}

static int local_key_create(struct call *c, void *keys, struct str name)
{
	struct local *l = keys;
	struct key_file f = {0};
	AUTO(fd) lock = -1;
	if (key_place(c, l, name, &f) || local_make_folder(c, l, "keys", S("")) || local_lock_wait(c, f.lock, &lock))
		return c->err.code;
	if (file_exists(f.path))
		return key_load(c, l, &f);
	f.content = json_in_arena(c->arena, json_object());
	json_set_str(f.content, "name", name);
	json_object_set_new(f.content, "versions", json_array());
	if (key_add_version(c, &f))
		return call_context(c, "%s: make key %.*s", l->cloud, STR(name));
	return 0;
}

static int local_key_rotate(struct call *c, void *keys, struct str name)
{
	struct local *l = keys;
	struct key_file f = {0};
	AUTO(fd) lock = -1;
	if (key_place(c, l, name, &f) || key_load(c, l, &f) || local_lock_wait(c, f.lock, &lock) || key_load(c, l, &f))
		return c->err.code;
	if (json_array_size(json_object_get(f.content, "versions")) >= MAX_VERSIONS)
		return call_fail(
			c, ERR_LIMIT, "%s: key %.*s has %d versions already", l->cloud, STR(name), MAX_VERSIONS);
	if (key_add_version(c, &f))
		return call_context(c, "%s: rotate key %.*s", l->cloud, STR(name));
	return 0;
}

static int local_key_describe(struct call *c, void *keys, struct str name, json_t **out)
{
	struct key_file f = {0};
	if (key_place(c, keys, name, &f) || key_load(c, keys, &f))
		return c->err.code;
	const json_t *versions = json_object_get(f.content, "versions");
	json_t *j = json_object();
	json_object_set_new(j, "versions", json_integer((json_int_t)json_array_size(versions)));
	json_set_str(j, "created", json_str(json_array_get(versions, 0), "created"));
	json_set_str(j, "rotated", json_str(f.content, "rotated"));
	if (json_flag(f.content, "disabled", false))
		json_object_set_new(j, "disabled", json_true());
	*out = j;
	return 0;
}

static int local_key_delete(struct call *c, void *keys, struct str name)
{
	struct key_file f = {0};
	AUTO(fd) lock = -1;
	if (key_place(c, keys, name, &f))
		return c->err.code;
	if (!file_exists(f.path))
		return 0;
	if (local_lock_wait(c, f.lock, &lock) || file_remove_tree(f.path, &c->err) || file_remove_tree(f.lock, &c->err))
		return c->err.code;
	return 0;
}

// A disabled key stays as it is on disk but for this mark.
static int set_disabled(struct call *c, struct local *l, struct str name, bool disabled)
{
	struct key_file f = {0};
	AUTO(fd) lock = -1;
	if (key_place(c, l, name, &f) || key_load(c, l, &f) || local_lock_wait(c, f.lock, &lock) || key_load(c, l, &f))
		return c->err.code;
	if (json_flag(f.content, "disabled", false) == disabled)
		return 0;
	json_object_set_new(f.content, "disabled", json_boolean(disabled));
	return local_write_json(c, f.path, f.content, 0600);
}

static int local_key_disable(struct call *c, void *keys, struct str name)
{
	return set_disabled(c, keys, name, true);
}

static int local_key_enable(struct call *c, void *keys, struct str name)
{
	return set_disabled(c, keys, name, false);
}

// ---------------------------------------------------------------- wrapping
static int key_load_enabled(struct call *c, const struct local *l, struct key_file *f)
{
	int r = key_load(c, l, f);
	if (!r && json_flag(f->content, "disabled", false))
		r = call_fail(c, ERR_DENIED, "%s: key %.*s is disabled", l->cloud, STR(f->name));
	return r;
}

static int version_key(struct call *c, const struct key_file *f, uint32_t version, unsigned char key[KEY_BYTES])
{
	const json_t *entry = json_array_get(json_object_get(f->content, "versions"), version - 1);
	AUTO(buf) raw = {0};
	if (!entry)
		return call_fail(c, ERR_NOT_FOUND, "key %.*s has no version %u", STR(f->name), version);
	bool good = !base64_decode(json_str(entry, "key"), &raw) && raw.n == KEY_BYTES;
	if (good)
		memcpy(key, raw.p, KEY_BYTES);
	OPENSSL_cleanse(raw.p, raw.n);
	return good ? 0 : call_fail(c, ERR_CORRUPT, "%s: version %u is no key", f->path, version);
}

struct box { // one AES-256-GCM message and what is authenticated with it
	const unsigned char *key, *nonce;
	struct str head, name, context;
};

// Lengths are fixed by separators: neither a name nor the magic has a NUL in it but at its end.
static bool add_authenticated(EVP_CIPHER_CTX *x, const struct box *b)
{
	int n;
	return EVP_CipherUpdate(x, NULL, &n, (const unsigned char *)b->head.p, (int)b->head.n) == 1 &&
	       EVP_CipherUpdate(x, NULL, &n, (const unsigned char *)b->name.p, (int)b->name.n) == 1 &&
	       EVP_CipherUpdate(x, NULL, &n, (const unsigned char *)"", 1) == 1 &&
	       (!b->context.n ||
		       EVP_CipherUpdate(x, NULL, &n, (const unsigned char *)b->context.p, (int)b->context.n) == 1);
}

static bool box_run(const struct box *b, bool seal, struct str in, unsigned char *out, unsigned char tag[TAG_BYTES])
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int n = 0;
	bool good = x && EVP_CipherInit_ex(x, EVP_aes_256_gcm(), NULL, b->key, b->nonce, seal) == 1 &&
		    add_authenticated(x, b) &&
		    EVP_CipherUpdate(x, out, &n, (const unsigned char *)in.p, (int)in.n) == 1;
	if (good && !seal)
		good = EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1;
	good = good && EVP_CipherFinal_ex(x, out + n, &n) == 1;
	if (good && seal)
		good = EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1;
	EVP_CIPHER_CTX_free(x);
	return good;
}

static void put_head(unsigned char head[HEAD_BYTES], uint32_t version)
{
	memcpy(head, wrap_magic, sizeof(wrap_magic));
	for (int i = 0; i < 4; i++)
		head[sizeof(wrap_magic) + (size_t)i] = (unsigned char)(version >> (24 - 8 * i));
}

static uint32_t head_version(const unsigned char *head)
{
	const unsigned char *p = head + sizeof(wrap_magic);
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int local_key_wrap(
	struct call *c, void *keys, struct str name, struct str context, struct str plain, struct str *wrapped)
{
	struct key_file f = {0};
	unsigned char key[KEY_BYTES];
	if (!plain.n || plain.n > MAX_PLAIN || context.n > MAX_CONTEXT)
		return call_fail(c, ERR_INVALID,
			"key %.*s wraps data keys of 1 to %d bytes under a context of at most %d", STR(name), MAX_PLAIN,
			MAX_CONTEXT);
	if (key_place(c, keys, name, &f) || key_load_enabled(c, keys, &f))
		return c->err.code;
	uint32_t version = (uint32_t)json_array_size(json_object_get(f.content, "versions"));
	size_t size = HEAD_BYTES + NONCE_BYTES + plain.n + TAG_BYTES;
	unsigned char *out = arena_alloc(c->arena, size);
	if (!out)
		return call_no_memory(c);
	put_head(out, version);
	int code = c->edges->random(c->edges->ctx, out + HEAD_BYTES, NONCE_BYTES);
	if (code)
		return call_fail(c, code, "key %.*s: no random bytes", STR(name));
	if (version_key(c, &f, version, key))
		return c->err.code;
	const struct box box = {.key = key,
		.nonce = out + HEAD_BYTES,
		.head = str_bytes(out, HEAD_BYTES),
		.name = name,
		.context = context};
	bool good = box_run(&box, true, plain, out + HEAD_BYTES + NONCE_BYTES, out + size - TAG_BYTES);
	OPENSSL_cleanse(key, sizeof(key));
	if (!good)
		return call_fail(c, ERR_INTERNAL, "key %.*s: AES-256-GCM failed", STR(name));
	*wrapped = str_bytes(out, size);
	return 0;
}

static int local_key_unwrap(
	struct call *c, void *keys, struct str name, struct str context, struct str wrapped, struct str *plain)
{
	struct key_file f = {0};
	unsigned char key[KEY_BYTES], tag[TAG_BYTES];
	const size_t around = HEAD_BYTES + NONCE_BYTES + TAG_BYTES;
	if (wrapped.n <= around || wrapped.n > around + MAX_PLAIN || context.n > MAX_CONTEXT ||
		memcmp(wrapped.p, wrap_magic, sizeof(wrap_magic)) != 0)
		return call_fail(
			c, ERR_CORRUPT, "key %.*s: these %zu bytes are no wrapped data key", STR(name), wrapped.n);
	if (key_place(c, keys, name, &f) || key_load_enabled(c, keys, &f))
		return c->err.code;
	const unsigned char *in = (const unsigned char *)wrapped.p;
	size_t n = wrapped.n - around;
	unsigned char *out = arena_alloc(c->arena, n);
	if (!out)
		return call_no_memory(c);
	if (head_version(in) == 0 || version_key(c, &f, head_version(in), key))
		return c->err.code ? c->err.code
				   : call_fail(c, ERR_CORRUPT, "key %.*s: version 0 does not exist", STR(name));
	memcpy(tag, in + wrapped.n - TAG_BYTES, TAG_BYTES);
	const struct box box = {.key = key,
		.nonce = in + HEAD_BYTES,
		.head = str_take(wrapped, HEAD_BYTES),
		.name = name,
		.context = context};
	bool good = box_run(&box, false, str_bytes(in + HEAD_BYTES + NONCE_BYTES, n), out, tag);
	OPENSSL_cleanse(key, sizeof(key));
	if (!good) {
		OPENSSL_cleanse(out, n);
		return call_fail(c, ERR_CORRUPT,
			"key %.*s does not unwrap this for \"%.*s\": it was altered, or wrapped for something else",
			STR(name), STR(context));
	}
	*plain = str_bytes(out, n);
	return 0;
}

const struct key_ops local_key_ops = {
	.name = "local",
	.create = local_key_create,
	.wrap = local_key_wrap,
	.unwrap = local_key_unwrap,
	.rotate = local_key_rotate,
	.describe = local_key_describe,
	.delete = local_key_delete,
	.disable = local_key_disable,
	.enable = local_key_enable,
};
