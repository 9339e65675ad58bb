// SPDX-License-Identifier: Apache-2.0
// Keys of a Key Vault: see vault.h.
#include <openssl/crypto.h>
#include <string.h>

#include "base/hash.h"
#include "cloud/azure/vault_impl.h"
#include "cloud/http/looks.h"
#include "cloud/key_wrap.h"

enum { KEY_MOST = 127, KEY_BITS = 3072, BOUND = 1 + SHA256_SIZE, BOUND_FORM = 1 };
#define ENGINE "azure-vault"
#define ALGORITHM "RSA-OAEP-256"

static struct str name_of(struct call *c, const struct azure_services *s, struct str name)
{
	const struct key_name n = {
		.workspace = s->config.workspace, .cloud = s->config.name, .name = name, .most = KEY_MOST};
	return key_name_write(&n, c->arena);
}

struct key { // of the vault
	struct azure_services *s;
	struct str name;    // the vault's
	struct str version; // the newest; "": there is none
	struct str before;  // the newest before an act of ours
	bool enabled;
};

static int find_key(struct call *c, struct key *k)
{
	const json_t *answer = NULL;
	int r = vault_call(
		c, k->s, &(struct vault_request){.call = AZURE_KEY_GET, .path = vault_path(c, "keys", k->name, "")}, &answer);
	if (r)
		return r;
	k->version = vault_version_of(json_str(json_object_get(answer, "key"), "kid"));
	k->enabled = vault_is_enabled(answer);
	return k->version.n ? 0 : call_fail(c, ERR_PROTOCOL, "Get Key: the answer names no version");
}

static int open_key(struct call *c, struct azure_services *s, struct str name, struct key *out)
{
	*out = (struct key){.s = s, .name = name_of(c, s, name), .version = S(""), .before = S("")};
	return out->name.p ? find_key(c, out) : call_no_memory(c);
}

// ---------------------------------------------------------------- making

static int make(struct call *c, void *ctx)
{
	struct key *k = ctx;
	AUTO(json) in = json_pack("{s:s, s:i, s:[s, s], s:{}}", "kty", "RSA", "key_size", KEY_BITS, "key_ops", "wrapKey",
		"unwrapKey", "tags");
	json_set_str(json_object_get(in, "tags"), "isobar-workspace", k->s->config.workspace);
	json_set_str(json_object_get(in, "tags"), "isobar-address", k->before);
	return vault_call(c, k->s,
		&(struct vault_request){
			.call = AZURE_KEY_CREATE, .path = vault_path(c, "keys", k->name, "/create"), .in = in},
		NULL);
}

static int was_made(struct call *c, void *ctx, bool *done)
{
	int r = find_key(c, ctx);
	*done = !r;
	if (r == ERR_NOT_FOUND)
		err_clear(&c->err), r = 0;
	return r;
}

static int azure_key_create(struct call *c, void *keys, struct str name)
{
	struct azure_services *s = keys;
	const struct key_name full = {.cloud = s->config.name, .name = name};
	struct key k;
	int r = open_key(c, s, name, &k);
	if (r != ERR_NOT_FOUND)
		return r ? call_context(c, "make key %.*s", STR(name)) : 0;
	err_clear(&c->err);
	k.before = key_name_address(&full, c->arena); // for its tags
	r = act_looking(c, &(struct looked_act){.ctx = &k, .act = make, .look = was_made});
	if (vault_is_deleted(&c->err)) {
		err_clear(&c->err);
		r = vault_recover(c, s,
			&(struct vault_recovery){.recover = AZURE_KEY_RECOVER,
				.get = AZURE_KEY_GET,
				.recover_path = vault_path(c, "deletedkeys", k.name, "/recover"),
				.get_path = vault_path(c, "keys", k.name, "")});
	}
	return r ? call_context(c, "make key %.*s", STR(name)) : 0;
}

// ---------------------------------------------------------------- using it

static void digest_of(struct str context, unsigned char out[BOUND])
{
	struct sha256 digest = sha256_of(context);
	out[0] = BOUND_FORM;
	memcpy(out + 1, digest.bytes, SHA256_SIZE);
}

static int use(struct call *c, const struct key *k, enum azure_call call, struct str bytes, struct str *out)
{
	AUTO(json) in = json_pack("{s:s}", "alg", ALGORITHM);
	AUTO(buf) text = {0};
	AUTO(buf) result = {0};
	const json_t *answer = NULL;
	const char *act = call == AZURE_KEY_WRAP ? "wrapkey" : "unwrapkey";
	struct str tail = arena_printf(c->arena, "/%.*s/%s", STR(k->version), act);
	base64url_encode(bytes, &text);
	json_set_str(in, "value", buf_str(&text));
	if (text.p)
		OPENSSL_cleanse(text.p, text.n);
	if (!tail.p || text.failed)
		return call_no_memory(c);
	int r = vault_call(c, k->s,
		&(struct vault_request){.call = call, .path = vault_path(c, "keys", k->name, tail.p), .in = in}, &answer);
	if (!r && (base64url_decode(json_str(answer, "value"), &result) || !result.n))
		r = call_fail(c, ERR_PROTOCOL, "%s answered no bytes", act);
	struct str copy = r ? S("") : arena_str(c->arena, buf_str(&result));
	if (result.p)
		OPENSSL_cleanse(result.p, result.n);
	if (!r && !copy.p)
		r = call_no_memory(c);
	if (!r)
		*out = copy;
	return r;
}

static int azure_key_wrap(
	struct call *c, void *keys, struct str name, struct str context, struct str plain, struct str *wrapped)
{
	struct key k;
	unsigned char bound[BOUND + KEY_WRAP_MAX_PLAIN];
	struct key_wrap w = {.engine = S(ENGINE)};
	int r = key_wrap_check(name, context, plain, &c->err);
	if (!r)
		r = open_key(c, keys, name, &k);
	if (!r && !k.enabled)
		r = call_fail(c, ERR_DENIED, "it is disabled");
	if (!r) {
		digest_of(context, bound);
		memcpy(bound + BOUND, plain.p, plain.n);
		r = use(c, &k, AZURE_KEY_WRAP, str_bytes(bound, BOUND + plain.n), &w.ciphertext);
		OPENSSL_cleanse(bound, sizeof(bound));
	}
	if (r)
		return call_context(c, "key %.*s", STR(name));
	w.version = k.version;
	return key_wrap_write(&w, c->arena, wrapped, &c->err);
}

static bool is_version(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f')))
			return false;
	return text.n > 0 && text.n <= 64;
}

static int check_bound(struct call *c, struct str context, struct str opened)
{
	unsigned char wanted[BOUND];
	digest_of(context, wanted);
	if (opened.n > BOUND && opened.n <= BOUND + KEY_WRAP_MAX_PLAIN && hash_equal(opened.p, wanted, BOUND))
		return 0;
	return call_fail(c, ERR_CORRUPT, "it was altered, or wrapped for something else than \"%.*s\"",
		STR(str_clip(context, 200)));
}

static int azure_key_unwrap(
	struct call *c, void *keys, struct str name, struct str context, struct str wrapped, struct str *plain)
{
	struct azure_services *s = keys;
	struct key_wrap w = {0};
	struct str opened = S("");
	struct key k = {.s = s, .name = name_of(c, s, name)};
	int r = key_wrap_read(wrapped, ENGINE, &w, &c->err);
	if (!r && !is_version(w.version))
		r = call_fail(c, ERR_CORRUPT, "\"%.*s\" is no version of a key", STR(str_clip(w.version, 80)));
	k.version = w.version;
	if (!r)
		r = k.name.p ? use(c, &k, AZURE_KEY_UNWRAP, w.ciphertext, &opened) : call_no_memory(c);
	if (r == ERR_INVALID && c->err.http_status == 400)
		r = c->err.code = ERR_CORRUPT;
	if (!r)
		r = check_bound(c, context, opened);
	if (r) {
		if (opened.n)
			OPENSSL_cleanse((char *)(uintptr_t)opened.p, opened.n);
		return call_context(c, "key %.*s", STR(name));
	}
	*plain = str_drop(opened, BOUND);
	return 0;
}

// ---------------------------------------------------------------- versions

static int rotate(struct call *c, void *ctx)
{
	struct key *k = ctx;
	return vault_call(c, k->s,
		&(struct vault_request){.call = AZURE_KEY_ROTATE, .path = vault_path(c, "keys", k->name, "/rotate")}, NULL);
}

static int has_rotated(struct call *c, void *ctx, bool *done)
{
	struct key *k = ctx;
	int r = find_key(c, k);
	*done = !r && !str_eq(k->version, k->before);
	return r;
}

static int azure_key_rotate(struct call *c, void *keys, struct str name)
{
	struct key k;
	int r = open_key(c, keys, name, &k);
	k.before = k.version;
	if (!r)
		r = act_looking(c, &(struct looked_act){.ctx = &k, .act = rotate, .look = has_rotated});
	return r ? call_context(c, "rotate key %.*s", STR(name)) : 0;
}

struct versions {
	int64_t count, enabled, oldest, newest;
	const json_t *oldest_item, *newest_item;
	struct secret_names off, on;
};

static int count_version(struct call *c, void *ctx, const json_t *item)
{
	struct versions *v = ctx;
	int64_t created = json_int(json_object_get(item, "attributes"), "created", 0);
	v->count++;
	if (!v->oldest_item || created < v->oldest)
		v->oldest = created, v->oldest_item = item;
	if (!v->newest_item || created >= v->newest)
		v->newest = created, v->newest_item = item;
	bool enabled = vault_is_enabled(item);
	v->enabled += enabled;
	return secret_names_add(c, enabled ? &v->on : &v->off, vault_version_of(json_str(item, "kid")));
}

static int list_versions(struct call *c, struct azure_services *s, struct str vault_name, struct versions *v)
{
	const struct vault_list list = {.s = s,
		.call = AZURE_KEY_VERSIONS,
		.path = vault_path(c, "keys", vault_name, "/versions"),
		.one = count_version,
		.ctx = v};
	return vault_list_all(c, &list);
}

static int azure_key_describe(struct call *c, void *keys, struct str name, json_t **out)
{
	struct azure_services *s = keys;
	struct versions v = {0};
	struct key k;
	int r = open_key(c, s, name, &k);
	if (!r)
		r = list_versions(c, s, k.name, &v);
	if (r)
		return call_context(c, "key %.*s", STR(name));
	json_t *j = json_object();
	json_object_set_new(j, "versions", json_integer(v.count));
	json_set_str(j, "created", vault_time(c, json_object_get(v.oldest_item, "attributes"), "created"));
	json_set_str(j, "rotated", vault_time(c, json_object_get(v.newest_item, "attributes"), "created"));
	json_set_str(j, "id",
		arena_printf(c->arena, "%.*s/keys/%.*s", STR(s->apis[AZURE_API_VAULT].provider.base), STR(k.name)));
	if (!k.enabled)
		json_object_set_new(j, "disabled", json_true());
	*out = j;
	return 0;
}

// Older versions too: what they closed stays closed.
static int set_enabled(struct call *c, struct azure_services *s, struct str name, bool enabled)
{
	AUTO(json) in = json_pack("{s:{s:b}}", "attributes", "enabled", (int)enabled);
	struct versions v = {0};
	struct key k;
	int r = open_key(c, s, name, &k);
	if (!r)
		r = list_versions(c, s, k.name, &v);
	const struct secret_names *change = enabled ? &v.off : &v.on;
	for (size_t i = 0; !r && i < change->count; i++) {
		struct str tail = arena_printf(c->arena, "/%.*s", STR(change->items[i]));
		r = tail.p ? vault_call(c, s,
				     &(struct vault_request){.call = AZURE_KEY_UPDATE,
					     .path = vault_path(c, "keys", k.name, tail.p),
					     .in = in},
				     NULL)
			   : call_no_memory(c);
	}
	return r ? call_context(c, "key %.*s", STR(name)) : 0;
}

static int azure_key_disable(struct call *c, void *keys, struct str name)
{
	return set_enabled(c, keys, name, false);
}

static int azure_key_enable(struct call *c, void *keys, struct str name)
{
	return set_enabled(c, keys, name, true);
}

static int azure_key_delete(struct call *c, void *keys, struct str name)
{
	struct str vault_name = name_of(c, keys, name);
	if (!vault_name.p)
		return call_no_memory(c);
	int r = vault_call(c, keys,
		&(struct vault_request){.call = AZURE_KEY_DELETE, .path = vault_path(c, "keys", vault_name, "")}, NULL);
	if (r == ERR_NOT_FOUND || vault_is_deleted(&c->err))
		err_clear(&c->err), r = 0;
	return r ? call_context(c, "delete key %.*s", STR(name)) : 0;
}

const struct key_ops azure_key_ops = {
	.name = "azure",
	.create = azure_key_create,
	.wrap = azure_key_wrap,
	.unwrap = azure_key_unwrap,
	.rotate = azure_key_rotate,
	.describe = azure_key_describe,
	.delete = azure_key_delete,
	.disable = azure_key_disable,
	.enable = azure_key_enable,
};
