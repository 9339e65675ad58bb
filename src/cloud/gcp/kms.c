// SPDX-License-Identifier: Apache-2.0
// Keys of Google Cloud: see kms.h. Versions and policies are kms_versions.c and kms_grants.c.
#include <stdio.h>

#include "base/hash.h"
#include "cloud/gcp/kms_impl.h"
#include "cloud/http/object_fields.h"

enum { KEY_MOST = 63 };
#define ENGINE "gcp-kms"
#define RING "isobar"

// ---------------------------------------------------------------- paths and checksums

static struct str location(const struct gcp_services *s)
{
	return s->config.region.n ? s->config.region : S("global");
}

static struct str rings_path(struct call *c, const struct gcp_services *s)
{
	return arena_printf(
		c->arena, "/v1/projects/%.*s/locations/%.*s/keyRings", STR(s->config.project), STR(location(s)));
}

static struct str key_id(struct call *c, const struct gcp_services *s, struct str name)
{
	const struct key_name n = {.workspace = s->config.workspace,
		.cloud = s->config.name,
		.name = name,
		.underscore = true,
		.most = KEY_MOST};
	return key_name_write(&n, c->arena);
}

struct str gcp_key_path(struct call *c, const struct gcp_services *s, struct str name, const char *tail)
{
	struct str rings = rings_path(c, s), id = key_id(c, s, name);
	return rings.p && id.p ? arena_printf(c->arena, "%.*s/" RING "/cryptoKeys/%.*s%s", STR(rings), STR(id), tail)
			       : (struct str){0};
}

int gcp_key_call(struct call *c, struct gcp_services *s, const struct gcp_request *request, const json_t **out)
{
	if (!request->path.p)
		return call_no_memory(c);
	return gcp_json_call(c, s, request, out);
}

void gcp_set_crc32c(json_t *j, const char *name, struct str bytes)
{
	char text[24];
	snprintf(text, sizeof(text), "%lu", (unsigned long)crc32c(0, bytes));
	json_object_set_new(j, name, json_string(text));
}

int gcp_checked_bytes(struct call *c, const json_t *answer, const char *name, const char *crc_name, struct secret *out)
{
	const json_t *member = json_object_get(answer, crc_name);
	int64_t crc = json_is_integer(member) ? json_integer_value(member) : -1;
	int r = secret_of_base64(c, json_str(answer, name), out);
	if (r || !member)
		return r;
	if (json_is_string(member) && str_to_i64(json_value_str(member), &crc))
		crc = -1;
	if (crc == (int64_t)crc32c(0, secret_str(out)))
		return 0;
	secret_free(out);
	call_fail(c, ERR_CORRUPT, "the answer's \"%s\" is not what its checksum says: it was damaged on its way", name);
	c->err.retryable = true;
	return ERR_CORRUPT;
}

// ---------------------------------------------------------------- making

static int make_ring(struct call *c, struct gcp_services *s)
{
	AUTO(json) in = json_object();
	const struct gcp_request request = {.call = GCP_KMS_RING_CREATE,
		.path = rings_path(c, s),
		.query = S("keyRingId=" RING),
		.in = in};
	int r = gcp_key_call(c, s, &request, NULL);
	if (r == ERR_EXISTS)
		err_clear(&c->err), r = 0;
	return r;
}

static json_t *new_key(struct call *c, const struct gcp_services *s)
{
	AUTO(buf) label = {0};
	json_t *in = json_pack("{s:s, s:{}}", "purpose", "ENCRYPT_DECRYPT", "labels");
	(void)c;
	for (size_t i = 0; i < s->config.workspace.n && i < 63; i++) { // of what labels may have
		char ch = s->config.workspace.p[i];
		bool plain = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_';
		buf_add_char(&label, plain ? ch : '-');
	}
	json_set_str(json_object_get(in, "labels"), "isobar-workspace", buf_str(&label));
	return in;
}

// A key that was there already may have lost all of its versions: then it is made anew.
static int revive(struct call *c, struct gcp_services *s, struct str name)
{
	struct gcp_versions v = {.s = s, .name = name};
	int r = gcp_versions_list(c, &v);
	return r || v.count ? r : gcp_versions_add(c, &v);
}

static int gcp_key_create(struct call *c, void *keys, struct str name)
{
	struct gcp_services *s = keys;
	AUTO(json) in = new_key(c, s);
	struct str rings = rings_path(c, s), id = key_id(c, s, name);
	if (!rings.p || !id.p)
		return call_no_memory(c);
	const struct gcp_request request = {.call = GCP_KMS_KEY_CREATE,
		.path = arena_printf(c->arena, "%.*s/" RING "/cryptoKeys", STR(rings)),
		.query = arena_printf(c->arena, "cryptoKeyId=%.*s", STR(id)),
		.in = in};
	int r = gcp_key_call(c, s, &request, NULL);
	if (r == ERR_NOT_FOUND) { // no ring yet
		err_clear(&c->err);
		r = make_ring(c, s);
		if (!r)
			r = gcp_key_call(c, s, &request, NULL);
	}
	if (r == ERR_EXISTS) {
		err_clear(&c->err);
		r = revive(c, s, name);
	}
	return r ? call_context(c, "make key %.*s", STR(name)) : 0;
}

// ---------------------------------------------------------------- using it

// A disabled version is "not now" to Google, and "no" to whoever wants to wrap with it.
static int refused_use(struct call *c, struct str name, bool opens)
{
	if (str_eq(str_of(c->err.provider_code), S("FAILED_PRECONDITION")))
		c->err.code = ERR_DENIED;
	else if (opens && str_eq(str_of(c->err.provider_code), S("INVALID_ARGUMENT")))
		c->err.code = ERR_CORRUPT;
	return call_context(c, "key %.*s", STR(name));
}

static int check_verified(struct call *c, const json_t *answer)
{
	if (json_flag(answer, "verifiedPlaintextCrc32c", false) &&
		json_flag(answer, "verifiedAdditionalAuthenticatedDataCrc32c", false))
		return 0;
	call_fail(c, ERR_CORRUPT, "the service did not see the checksums that were sent: the request was damaged on its way");
	c->err.retryable = true;
	return ERR_CORRUPT;
}

static int set_bytes(struct call *c, json_t *in, const char *name, struct str bytes)
{
	struct str text;
	int r = secret_to_base64(c, bytes, &text);
	if (!r)
		json_set_str(in, name, text);
	return r;
}

static int gcp_key_wrap(
	struct call *c, void *keys, struct str name, struct str context, struct str plain, struct str *wrapped)
{
	struct gcp_services *s = keys;
	AUTO(json) in = json_object();
	AUTO(secret) ciphertext = {0};
	const json_t *answer = NULL;
	const struct gcp_request request = {
		.call = GCP_KMS_ENCRYPT, .path = gcp_key_path(c, s, name, ":encrypt"), .in = in};
	int r = key_wrap_check(name, context, plain, &c->err);
	if (!r)
		r = set_bytes(c, in, "plaintext", plain);
	if (!r)
		r = set_bytes(c, in, "additionalAuthenticatedData", context);
	gcp_set_crc32c(in, "plaintextCrc32c", plain);
	gcp_set_crc32c(in, "additionalAuthenticatedDataCrc32c", context);
	if (!r && (r = gcp_key_call(c, s, &request, &answer)))
		return refused_use(c, name, false);
	if (!r)
		r = check_verified(c, answer);
	if (!r)
		r = gcp_checked_bytes(c, answer, "ciphertext", "ciphertextCrc32c", &ciphertext);
	if (r)
		return call_context(c, "key %.*s", STR(name));
	const struct key_wrap w = {
		.engine = S(ENGINE), .version = json_str(answer, "name"), .ciphertext = secret_str(&ciphertext)};
	return key_wrap_write(&w, c->arena, wrapped, &c->err);
}

static int gcp_key_unwrap(
	struct call *c, void *keys, struct str name, struct str context, struct str wrapped, struct str *plain)
{
	struct gcp_services *s = keys;
	struct key_wrap w = {0};
	AUTO(json) in = json_object();
	AUTO(secret) bytes = {0};
	const json_t *answer = NULL;
	const struct gcp_request request = {
		.call = GCP_KMS_DECRYPT, .path = gcp_key_path(c, s, name, ":decrypt"), .in = in};
	int r = key_wrap_read(wrapped, ENGINE, &w, &c->err);
	if (!r)
		r = set_bytes(c, in, "ciphertext", w.ciphertext);
	if (!r)
		r = set_bytes(c, in, "additionalAuthenticatedData", context);
	gcp_set_crc32c(in, "ciphertextCrc32c", w.ciphertext);
	gcp_set_crc32c(in, "additionalAuthenticatedDataCrc32c", context);
	if (!r && (r = gcp_key_call(c, s, &request, &answer)))
		return refused_use(c, name, true);
	if (!r)
		r = gcp_checked_bytes(c, answer, "plaintext", "plaintextCrc32c", &bytes);
	if (!r && (!bytes.n || bytes.n > KEY_WRAP_MAX_PLAIN))
		r = call_fail(c, ERR_PROTOCOL, "decrypt answered %zu bytes", bytes.n);
	if (r)
		return call_context(c, "key %.*s", STR(name));
	struct str copy = arena_str(c->arena, secret_str(&bytes));
	if (!copy.p)
		return call_no_memory(c);
	*plain = copy;
	return 0;
}

static int gcp_key_describe(struct call *c, void *keys, struct str name, json_t **out)
{
	struct gcp_services *s = keys;
	struct gcp_versions v = {.s = s, .name = name};
	const json_t *answer = NULL;
	const struct gcp_request request = {.call = GCP_KMS_KEY_GET, .path = gcp_key_path(c, s, name, "")};
	int r = gcp_key_call(c, s, &request, &answer);
	if (!r)
		r = gcp_versions_list(c, &v);
	if (!r && !v.count)
		r = call_fail(c, ERR_NOT_FOUND, "all of its versions are destroyed");
	if (r)
		return call_context(c, "key %.*s", STR(name));
	json_t *j = json_object();
	json_object_set_new(j, "versions", json_integer(v.count));
	json_set_str(j, "created", json_str(answer, "createTime"));
	json_set_str(j, "rotated", v.rotated);
	json_set_str(j, "id", json_str(answer, "name"));
	if (!v.enabled)
		json_object_set_new(j, "disabled", json_true());
	*out = j;
	return 0;
}

const struct key_ops gcp_key_ops = {
	.name = "gcp",
	.create = gcp_key_create,
	.wrap = gcp_key_wrap,
	.unwrap = gcp_key_unwrap,
	.rotate = gcp_key_rotate,
	.describe = gcp_key_describe,
	.delete = gcp_key_delete,
	.disable = gcp_key_disable,
	.enable = gcp_key_enable,
	.grants = gcp_key_grants,
	.set_grants = gcp_key_set_grants,
};
