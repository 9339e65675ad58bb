// SPDX-License-Identifier: Apache-2.0
// Key Vault of a pocket Azure: who asks, for what, and errors in its own form. See vault_impl.h.
#include "pocket/arm/vault.h"

#include <stdio.h>
#include <string.h>

#include "pocket/arm/vault_impl.h"

struct vault_request *vault_request(const struct front_request *r)
{
	return r->own;
}

struct str vault_base(struct front_request *r)
{
	return arena_printf(
		r->arena, "%s://%.*s", r->pocket->tls ? "https" : "http", STR(front_header(r, "host")));
}

// ---------------------------------------------------------------- answers

int vault_refuse(struct front_request *r, int status, const char *code, const char *format, ...)
{
	char message[sizeof(r->err.message)];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	int rc = err_set(&r->err, ERR_INVALID, "%s", message);
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", code);
	r->err.http_status = status;
	return rc;
}

void vault_fail(struct front_request *r)
{
	bool ours = !r->err.provider_code[0];
	if (ours)
		front_log_failure(r);
	json_t *j = json_pack("{s:{s:s}}", "error", "code", ours ? "InternalServerError" : r->err.provider_code);
	json_object_set_new(json_object_get(j, "error"), "message",
		json_of_str(str_of(ours ? "An internal error occurred." : r->err.message)));
	if (strcmp(r->err.provider_code, "Conflict") == 0)
		json_object_set_new(json_object_get(j, "error"), "innererror",
			json_pack("{s:s}", "code", "ObjectIsDeletedButRecoverable"));
	service_reply_json(r, ours || !r->err.http_status ? 500 : r->err.http_status, j);
}

void vault_reply(struct front_request *r, json_t *j)
{
	service_reply_json(r, 200, j);
}

static void trouble(struct front_request *r, bool throttled)
{
	if (throttled)
		vault_refuse(r, 429, "Throttled", "Request was not processed because too many requests were received.");
	else
		vault_refuse(r, 500, "InternalServerError", "An internal error occurred.");
	vault_fail(r);
}

// ---------------------------------------------------------------- for what

static const struct vault_route routes[] = {
	{HTTP_GET, "/keys", "keys/read", vault_key_list},
	{HTTP_GET, "/keys/*", "keys/read", vault_key_get},
	{HTTP_GET, "/keys/*/versions", "keys/read", vault_key_versions},
	{HTTP_GET, "/keys/*/rotationpolicy", "keys/read", vault_rotation_policy},
	{HTTP_GET, "/keys/*/*", "keys/read", vault_key_get},
	{HTTP_POST, "/keys/*/create", "keys/create/action", vault_create_key},
	{HTTP_POST, "/keys/*/rotate", "keys/rotate/action", vault_rotate_key},
	{HTTP_PATCH, "/keys/*", "keys/update/action", vault_key_update},
	{HTTP_PATCH, "/keys/*/*", "keys/update/action", vault_key_update},
	{HTTP_DELETE, "/keys/*", "keys/delete", vault_key_remove},
	{HTTP_POST, "/keys/*/*/encrypt", "keys/encrypt/action", vault_encrypt},
	{HTTP_POST, "/keys/*/*/decrypt", "keys/decrypt/action", vault_decrypt},
	{HTTP_POST, "/keys/*/*/wrapkey", "keys/wrap/action", vault_wrap},
	{HTTP_POST, "/keys/*/*/unwrapkey", "keys/unwrap/action", vault_unwrap},
	{HTTP_POST, "/keys/*/*/sign", "keys/sign/action", vault_sign},
	{HTTP_POST, "/keys/*/*/verify", "keys/verify/action", vault_verify},
	{HTTP_GET, "/deletedkeys", "keys/read", vault_key_list_deleted},
	{HTTP_GET, "/deletedkeys/*", "keys/read", vault_key_deleted},
	{HTTP_POST, "/deletedkeys/*/recover", "keys/recover/action", vault_key_recover},
	{HTTP_DELETE, "/deletedkeys/*", "keys/purge/action", vault_key_purge},
	{HTTP_GET, "/secrets", "secrets/readMetadata/action", vault_secret_list},
	{HTTP_PUT, "/secrets/*", "secrets/setSecret/action", vault_set_secret},
	{HTTP_GET, "/secrets/*", "secrets/getSecret/action", vault_secret_get},
	{HTTP_GET, "/secrets/*/versions", "secrets/readMetadata/action", vault_secret_versions},
	{HTTP_GET, "/secrets/*/*", "secrets/getSecret/action", vault_secret_get},
	{HTTP_PATCH, "/secrets/*", "secrets/update/action", vault_secret_update},
	{HTTP_PATCH, "/secrets/*/*", "secrets/update/action", vault_secret_update},
	{HTTP_DELETE, "/secrets/*", "secrets/delete", vault_secret_remove},
	{HTTP_GET, "/deletedsecrets", "secrets/readMetadata/action", vault_secret_list_deleted},
	{HTTP_GET, "/deletedsecrets/*", "secrets/readMetadata/action", vault_secret_deleted},
	{HTTP_POST, "/deletedsecrets/*/recover", "secrets/recover/action", vault_secret_recover},
	{HTTP_DELETE, "/deletedsecrets/*", "secrets/purge/action", vault_secret_purge},
};

static bool take_name(struct front_request *r, struct str segment)
{
	struct vault_request *v = vault_request(r);
	AUTO(buf) decoded = {0};
	if (v->count == VAULT_NAMES || sign_uri_decode(segment, false, &decoded) < 0)
		return false;
	v->names[v->count] = arena_str(r->arena, buf_str(&decoded));
	return v->names[v->count++].p != NULL;
}

// Clients write "/keys/NAME/" for the newest version: an empty last segment is none.
static bool path_fits(struct front_request *r, const char *pattern)
{
	struct str want = str_of(pattern), have = r->x->request.path, wanted, segment;
	vault_request(r)->count = 0;
	if (have.n > 1 && str_ends(have, S("/")))
		have.n--;
	for (;;) {
		bool more = str_next(&want, '/', &wanted);
		if (str_next(&have, '/', &segment) != more)
			return false;
		if (!more)
			return true;
		if (str_eq(wanted, S("*")) ? !take_name(r, segment) : !str_eq(wanted, segment))
			return false;
	}
}

static const struct vault_route *find_route(struct front_request *r)
{
	for (size_t i = 0; i < COUNT_OF(routes); i++)
		if (routes[i].method == r->x->request.method && path_fits(r, routes[i].path))
			return &routes[i];
	return NULL;
}

static bool matches(const struct front_request *r)
{
	static const char *const firsts[] = {"keys", "deletedkeys", "secrets", "deletedsecrets"};
	struct str first, rest;
	str_cut(str_drop(r->x->request.path, 1), '/', &first, &rest);
	for (size_t i = 0; i < COUNT_OF(firsts); i++)
		if (str_is(first, firsts[i]))
			return front_query_has(r, "api-version");
	return false;
}

// ---------------------------------------------------------------- requests

static void run(struct front_request *r, struct str text)
{
	struct vault_request *v = vault_request(r);
	json_t *body = NULL;
	if (json_parse(str_trim(text).n ? text : S("{}"), &body, NULL) < 0 || !json_is_object(body)) {
		json_decref(body);
		vault_refuse(r, 400, "BadParameter", "The request body is not a JSON object.");
		vault_fail(r);
		return;
	}
	v->body = json_in_arena(r->arena, body);
	if (v->body) {
		v->route->run(r);
		return;
	}
	err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	vault_fail(r);
}

static void handle(struct front_request *r)
{
	struct vault_request *v = arena_new(r->arena, struct vault_request);
	struct str client = front_header(r, "x-ms-client-request-id");
	r->own = v;
	if (!v) {
		http_reply_error(r->x, 503, "out of memory");
		return;
	}
	front_add(r, "x-ms-request-id", str_of(r->id));
	front_add(r, "x-ms-keyvault-region", S("pocket"));
	if (client.n <= 1024)
		front_add(r, "x-ms-client-request-id", client);
	v->route = find_route(r);
	int rc = vault_authenticate(r);
	if (rc == 0 && !v->route)
		rc = vault_refuse(r, 404, "NotFound", "A pocket cloud has no such operation of Key Vault.");
	if (rc == 0)
		rc = vault_authorise(r);
	if (rc < 0)
		vault_fail(r);
	else
		front_collect(r, VAULT_MAX_BODY, run);
}

static void fail(struct front_request *r)
{
	vault_fail(r);
}

const struct pocket_service azure_vault_service = {
	.name = "vault", .matches = matches, .handle = handle, .fail = fail, .trouble = trouble};
