// SPDX-License-Identifier: Apache-2.0
// Keys of a pocket Key Vault: made, rotated, used. See vault_impl.h.
#include "pocket/arm/vault_impl.h"

enum { USUAL_BITS = 2048 };

static json_t *key_web(struct front_request *r, struct str name, const json_t *version)
{
	AUTO(buf) n = {0};
	AUTO(buf) exponent = {0};
	json_t *ops = json_object_get(version, "key_ops");
	json_t *j = json_pack("{s:s, s:O}", "kty", "RSA", "key_ops", ops);
	if (material_rsa_public(json_str(version, "material"), &n, &exponent, &r->err) < 0) {
		json_decref(j);
		return NULL;
	}
	json_set_str(j, "kid",
		arena_printf(r->arena, "%.*s/keys/%.*s/%.*s", STR(vault_base(r)), STR(name), STR(json_str(version, "id"))));
	json_set_str(j, "n", buf_str(&n));
	json_set_str(j, "e", buf_str(&exponent));
	return j;
}

static int tell_key(struct front_request *r, struct str name, const json_t *version, bool value, json_t *out)
{
	if (!value) {
		json_set_str(out, "kid",
			arena_printf(r->arena, "%.*s/keys/%.*s/%.*s", STR(vault_base(r)), STR(name),
				STR(json_str(version, "id"))));
		return 0;
	}
	json_t *key = key_web(r, name, version);
	return key ? json_object_set_new(out, "key", key) : r->err.code;
}

const struct vault_kind vault_keys = {
	.word = "keys", .collection = "vault/keys", .missing = "KeyNotFound", .tell = tell_key};

// ---------------------------------------------------------------- making

static int make_version(struct front_request *r, int64_t bits, const json_t *ops, json_t **version)
{
	static const char *const usual[] = {"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"};
	AUTO(buf) material = {0};
	int rc = material_make_rsa((unsigned)bits, &material, &r->err);
	if (rc == ERR_INVALID)
		return vault_refuse(r, 400, "BadParameter", "The key size %lld is not supported: 2048, 3072, 4096.",
			(long long)bits);
	if (rc == 0)
		rc = vault_new_version(r, version);
	if (rc < 0)
		return rc;
	json_t *list = json_array_size(ops) ? json_deep_copy(ops) : json_array();
	for (size_t i = 0; !json_array_size(ops) && i < COUNT_OF(usual); i++)
		json_array_append_new(list, json_string(usual[i]));
	json_object_set_new(*version, "key_ops", list);
	json_object_set_new(*version, "bits", json_integer(bits));
	json_set_str(*version, "material", buf_str(&material));
	secret_wipe(material.p, material.n);
	return 0;
}

static void add_and_reply(struct front_request *r, json_t *version)
{
	json_incref(version);
	if (vault_add_version(r, &vault_keys, version) < 0)
		vault_fail(r);
	else
		vault_reply_version(r, &vault_keys, version);
	json_decref(version);
}

void vault_create_key(struct front_request *r)
{
	const json_t *body = vault_request(r)->body;
	json_t *version = NULL;
	int rc = vault_check_name(r, &vault_keys);
	if (rc == 0 && !str_eq(json_str(body, "kty"), S("RSA")))
		rc = vault_refuse(r, 400, "BadParameter", "A pocket cloud has keys of type RSA, not \"%.*s\".",
			STR(str_clip(json_str(body, "kty"), 20)));
	if (rc == 0)
		rc = make_version(r, json_int(body, "key_size", USUAL_BITS), json_object_get(body, "key_ops"), &version);
	if (rc < 0)
		vault_fail(r);
	else
		add_and_reply(r, version);
}

void vault_rotate_key(struct front_request *r)
{
	const json_t *doc, *last = NULL;
	json_t *version = NULL;
	int rc = vault_version(r, &vault_keys, &doc, &last);
	if (rc == 0)
		rc = make_version(r, json_int(last, "bits", USUAL_BITS), json_object_get(last, "key_ops"), &version);
	if (rc < 0) {
		vault_fail(r);
		return;
	}
	if (json_object_get(last, "tags"))
		json_object_set_new(version, "tags", json_deep_copy(json_object_get(last, "tags")));
	add_and_reply(r, version);
}

// Key Vault has a policy for every key; a pocket rotates only when it is asked.
void vault_rotation_policy(struct front_request *r)
{
	const json_t *doc;
	if (vault_find(r, &vault_keys, false, &doc) < 0)
		vault_fail(r);
	else
		vault_reply(r, json_pack("{s:s, s:[], s:{}}", "id",
				       arena_printf(r->arena, "%.*s/keys/%.*s/rotationpolicy", STR(vault_base(r)),
					       STR(vault_request(r)->names[0]))
					       .p,
				       "lifetimeActions", "attributes"));
}

// ---------------------------------------------------------------- using

static bool allows(const json_t *version, const char *op)
{
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(version, "key_ops"), i, one)
	{
		if (str_is(json_value_str(one), op))
			return true;
	}
	return false;
}

static int check_use(struct front_request *r, const json_t *version, const char *op)
{
	int64_t now = front_now_ns(r) / NS_PER_S, exp = json_int(version, "exp", 0), nbf = json_int(version, "nbf", 0);
	if (!json_flag(version, "enabled", true))
		return vault_refuse(r, 403, "Forbidden", "Operation %s is not allowed on a disabled key.", op);
	if ((exp && exp <= now) || (nbf && nbf > now))
		return vault_refuse(r, 403, "Forbidden", "Operation %s is not allowed on a key outside of its validity.", op);
	if (!allows(version, op))
		return vault_refuse(r, 403, "Forbidden", "Operation %s is not permitted on this key.", op);
	return 0;
}

static int read_bytes(struct front_request *r, const char *member, struct buf *out)
{
	struct str text = json_str(vault_request(r)->body, member);
	if (text.n && base64url_decode(text, out) == 0)
		return 0;
	return vault_refuse(r, 400, "BadParameter", "Property %s has an invalid value: base64url is expected.", member);
}

struct use {
	const char *op;     // in key_ops
	const char *member; // of the request, that is worked on
	enum material_rsa_act act;
};

static int run_use(struct front_request *r, const struct use *use, struct buf *out, const json_t **version)
{
	const json_t *doc;
	AUTO(buf) in = {.limit = 1024};
	AUTO(buf) signature = {.limit = 1024};
	struct err cause = {0};
	int rc = vault_version(r, &vault_keys, &doc, version);
	if (rc == 0)
		rc = check_use(r, *version, use->op);
	if (rc == 0)
		rc = read_bytes(r, use->member, &in);
	if (rc == 0 && use->act == MATERIAL_VERIFY)
		rc = read_bytes(r, "value", &signature);
	if (rc < 0)
		return rc;
	const struct material_rsa m = {.key = json_str(*version, "material"),
		.act = use->act,
		.algorithm = json_str(vault_request(r)->body, "alg"),
		.in = buf_str(&in),
		.signature = buf_str(&signature)};
	rc = material_rsa_run(&m, out, &cause);
	if (rc == ERR_INVALID && use->act == MATERIAL_VERIFY)
		return ERR_INVALID; // an answer, not an error
	if (rc == ERR_INVALID || rc == ERR_UNSUPPORTED)
		return vault_refuse(r, 400, "BadParameter", "The parameter is incorrect: %s", cause.message);
	return rc < 0 ? err_set(&r->err, rc, "%s", cause.message) : 0;
}

static void act(struct front_request *r, const struct use *use)
{
	AUTO(buf) out = {0};
	AUTO(buf) text = {0};
	const json_t *version = NULL;
	if (run_use(r, use, &out, &version) < 0) {
		vault_fail(r);
		return;
	}
	base64url_encode(buf_str(&out), &text);
	json_t *j = json_object();
	json_set_str(j, "kid",
		arena_printf(r->arena, "%.*s/keys/%.*s/%.*s", STR(vault_base(r)), STR(vault_request(r)->names[0]),
			STR(json_str(version, "id"))));
	json_set_str(j, "value", buf_str(&text));
	if (out.p)
		secret_wipe(out.p, out.n);
	if (text.p)
		secret_wipe(text.p, text.n);
	vault_reply(r, j);
}

void vault_encrypt(struct front_request *r)
{
	act(r, &(struct use){"encrypt", "value", MATERIAL_ENCRYPT});
}

void vault_decrypt(struct front_request *r)
{
	act(r, &(struct use){"decrypt", "value", MATERIAL_DECRYPT});
}

void vault_wrap(struct front_request *r)
{
	act(r, &(struct use){"wrapKey", "value", MATERIAL_ENCRYPT});
}

void vault_unwrap(struct front_request *r)
{
	act(r, &(struct use){"unwrapKey", "value", MATERIAL_DECRYPT});
}

void vault_sign(struct front_request *r)
{
	act(r, &(struct use){"sign", "value", MATERIAL_SIGN});
}

void vault_verify(struct front_request *r)
{
	AUTO(buf) out = {0};
	const json_t *version = NULL;
	int rc = run_use(r, &(struct use){"verify", "digest", MATERIAL_VERIFY}, &out, &version);
	if (rc < 0 && r->err.code)
		vault_fail(r);
	else
		vault_reply(r, json_pack("{s:b}", "value", (int)(rc == 0)));
}
