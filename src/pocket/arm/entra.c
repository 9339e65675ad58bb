// SPDX-License-Identifier: Apache-2.0
// The endpoints of Entra: tokens for apps, the documents that clients look for first, and the managed identity of
// processes that the pocket runs. See entra.h.
#include "pocket/arm/entra.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/arm/entra_impl.h"
#include "pocket/engine/engine.h"

#define IDENTITY_PATH "/.identity/token"
enum { MAX_FORM = 64 << 10 };

// ---------------------------------------------------------------- errors

static void refuse(struct front_request *r, int status, const char *error, int code, const char *message)
{
	char now[TIME_TEXT_SIZE];
	time_rfc3339(front_now_ns(r), 0, now);
	json_t *j = json_pack("{s:s, s:[i], s:s, s:s, s:s}", "error", error, "error_codes", code, "timestamp", now,
		"trace_id", r->id, "correlation_id", r->id);
	json_set_str(j, "error_description",
		arena_printf(r->arena, "AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code, message, r->id,
			r->id, now));
	front_add(r, "cache-control", S("no-store, no-cache"));
	front_add(r, "content-type", S("application/json; charset=utf-8"));
	service_reply_json(r, status, j);
}

static void fail(struct front_request *r)
{
	bool theirs = r->err.code == ERR_INVALID || r->err.code == ERR_LIMIT;
	if (!theirs)
		front_log_failure(r);
	refuse(r, theirs ? 400 : 500, theirs ? "invalid_request" : "server_error", theirs ? 900144 : 50000,
		theirs ? r->err.message : "There was an error issuing a token.");
}

static void trouble(struct front_request *r, bool throttled)
{
	if (throttled)
		front_add(r, "retry-after", S("1"));
	refuse(r, throttled ? 429 : 500, throttled ? "temporarily_unavailable" : "server_error", throttled ? 90055 : 50000,
		throttled ? "Too many requests." : "There was an error issuing a token.");
}

// ---------------------------------------------------------------- the token endpoint

static struct str form_value(struct front_request *r, struct str form, const char *wanted)
{
	struct str item, name, value;
	while (str_next(&form, '&', &item)) {
		AUTO(buf) plain = {0};
		str_cut(item, '=', &name, &value);
		if (str_eq(name, str_of(wanted)) && sign_uri_decode(value, true, &plain) == 0)
			return arena_str(r->arena, buf_str(&plain));
	}
	return S("");
}

static bool same(struct str a, struct str b)
{
	return a.n && a.n == b.n && hash_equal(a.p, b.p, a.n);
}

// Two segments of the path: the tenant, and what follows it.
static struct str tenant_of(const struct front_request *r, struct str *rest)
{
	struct str tenant;
	str_cut(str_drop(r->x->request.path, 1), '/', &tenant, rest);
	return tenant;
}

static bool check_tenant(struct front_request *r)
{
	struct str tenant = S(""), rest;
	struct str asked = tenant_of(r, &rest);
	if (entra_tenant(r->pocket, r->arena, &tenant, &r->err) < 0) {
		fail(r);
		return false;
	}
	if (str_eq_nocase(asked, tenant))
		return true;
	refuse(r, 400, "invalid_request", 90002,
		arena_printf(r->arena,
			"Tenant '%.*s' not found. Check to make sure you have the correct tenant ID and are signing into "
			"the correct cloud.",
			STR(str_clip(asked, 80)))
			.p);
	return false;
}

static void grant(struct front_request *r, const struct entra_app *app, struct str scope)
{
	struct str token;
	if (entra_make_token(r->pocket, r->arena, app, entra_audience_of(scope), &token, &r->err) < 0) {
		fail(r);
		return;
	}
	json_t *j = json_pack("{s:s, s:i, s:i}", "token_type", "Bearer", "expires_in", ENTRA_TOKEN_LIFE_S,
		"ext_expires_in", ENTRA_TOKEN_LIFE_S);
	json_set_str(j, "access_token", token);
	front_add(r, "cache-control", S("no-store, no-cache"));
	service_reply_json(r, 200, j);
}

static void with_form(struct front_request *r, struct str form)
{
	struct entra_app app;
	struct str type = form_value(r, form, "grant_type"), id = form_value(r, form, "client_id");
	struct str secret = form_value(r, form, "client_secret"), scope = form_value(r, form, "scope");
	if (!type.n)
		refuse(r, 400, "invalid_request", 900144,
			"The request body must contain the following parameter: 'grant_type'.");
	else if (!str_eq(type, S("client_credentials")))
		refuse(r, 400, "unsupported_grant_type", 70003,
			"The app requested an unsupported grant type: a pocket cloud has client_credentials.");
	else if (entra_find_app(r->pocket, r->arena, id, &app, &r->err) < 0 || !app.client_secret.n)
		refuse(r, 400, "unauthorized_client", 700016,
			arena_printf(r->arena, "Application with identifier '%.*s' was not found in the directory.",
				STR(str_clip(id, 80)))
				.p);
	else if (!same(secret, app.client_secret))
		refuse(r, 401, "invalid_client", 7000215,
			arena_printf(r->arena,
				"Invalid client secret provided. Ensure the secret being sent in the request is the client "
				"secret value, not the client secret ID, for a secret added to app '%.*s'.",
				STR(str_clip(id, 80)))
				.p);
	else if (!str_ends(scope, S("/.default")))
		refuse(r, 400, "invalid_scope", 1002012,
			"The provided value for scope is not valid. Client credential flows must have a scope value with "
			"/.default suffixed to the resource identifier (application ID URI).");
	else
		grant(r, &app, scope);
}

// ---------------------------------------------------------------- documents

static void configuration(struct front_request *r)
{
	struct str origin, tenant, rest;
	if (entra_origin(r->pocket, r->arena, &origin, &r->err) < 0) {
		fail(r);
		return;
	}
	tenant = tenant_of(r, &rest);
	json_t *j = json_pack("{s:[s], s:[s], s:[s]}", "token_endpoint_auth_methods_supported", "client_secret_post",
		"response_types_supported", "code", "id_token_signing_alg_values_supported", "RS256");
	json_set_str(j, "token_endpoint",
		arena_printf(r->arena, "%.*s/%.*s/oauth2/v2.0/token", STR(origin), STR(tenant)));
	json_set_str(j, "authorization_endpoint",
		arena_printf(r->arena, "%.*s/%.*s/oauth2/v2.0/authorize", STR(origin), STR(tenant)));
	json_set_str(j, "issuer", arena_printf(r->arena, "%.*s/%.*s/v2.0", STR(origin), STR(tenant)));
	json_set_str(j, "jwks_uri",
		arena_printf(r->arena, "%.*s/%.*s/discovery/v2.0/keys", STR(origin), STR(tenant)));
	service_reply_json(r, 200, j);
}

// ---------------------------------------------------------------- the managed identity of a process

static struct str identity_header(struct pocket *p, struct arena *a, struct str id, struct err *e)
{
	struct str mac = entra_mac(p, a, arena_printf(a, "identity/%.*s", STR(id)), e);
	return mac.p ? arena_printf(a, "%.*s.%.*s", STR(mac), STR(id)) : mac;
}

// A header tells which process asks; it is worth nothing once that has ended.
static bool identity_holds(struct front_request *r)
{
	struct str given = front_header(r, "x-identity-header"), mac, id;
	struct engine_status status;
	struct err e = {0};
	if (!given.n)
		given = front_header(r, "secret");
	str_cut(given, '.', &mac, &id);
	struct str wanted = identity_header(r->pocket, r->arena, id, &e);
	return wanted.p && same(given, wanted) && engine_status(r->pocket->engine, id, &status) == 0 &&
	       !engine_state_ended(status.state);
}

static void identity_token(struct front_request *r)
{
	struct entra_app app;
	struct str token, resource = front_query(r, "resource");
	if (!identity_holds(r)) {
		service_reply_json(r, 401,
			json_pack("{s:i, s:s}", "statusCode", 401, "message",
				"The identity header is wrong, or its process has ended."));
		return;
	}
	if (entra_find_app(r->pocket, r->arena, S(ENTRA_JOB_CLIENT), &app, &r->err) < 0 ||
		entra_make_token(r->pocket, r->arena, &app, entra_audience_of(resource), &token, &r->err) < 0) {
		fail(r);
		return;
	}
	json_t *j = json_pack("{s:s, s:s}", "token_type", "Bearer", "client_id", ENTRA_JOB_CLIENT);
	json_set_str(j, "access_token", token);
	json_set_str(j, "resource", resource);
	json_set_str(j, "expires_on",
		arena_printf(r->arena, "%lld", (long long)(entra_now_s(r->pocket) + ENTRA_TOKEN_LIFE_S)));
	service_reply_json(r, 200, j);
}

// By both names under which clients look: App Service's, and Azure ML's own.
int entra_add_identity(struct pocket *p, struct str id, json_t *environment, struct err *e)
{
	AUTO(arena) a = {0};
	struct str origin, header = identity_header(p, &a, id, e);
	int rc = header.p ? entra_origin(p, &a, &origin, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc < 0)
		return rc;
	struct str url = arena_printf(&a, "%.*s" IDENTITY_PATH, STR(origin));
	json_set_str(environment, "IDENTITY_ENDPOINT", url);
	json_set_str(environment, "IDENTITY_HEADER", header);
	json_set_str(environment, "MSI_ENDPOINT", url);
	json_set_str(environment, "MSI_SECRET", header);
	json_set_str(environment, "DEFAULT_IDENTITY_CLIENT_ID", S(ENTRA_JOB_CLIENT));
	return url.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- the life of a request

static const struct {
	enum http_method method;
	const char *path; // behind the tenant
} places[] = {
	{HTTP_POST, "oauth2/v2.0/token"},
	{HTTP_GET, "v2.0/.well-known/openid-configuration"},
	{HTTP_GET, "discovery/v2.0/keys"},
};

static int place_of(const struct front_request *r)
{
	struct str rest;
	tenant_of(r, &rest);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (r->x->request.method == places[i].method && str_eq(rest, str_of(places[i].path)))
			return (int)i;
	return -1;
}

// A tenant is a GUID or a domain: no storage account has such a name.
static bool matches(const struct front_request *r)
{
	struct str rest, tenant = tenant_of(r, &rest);
	bool is_tenant = str_find_char(tenant, '-') > 0 || str_find_char(tenant, '.') > 0;
	return str_eq(r->x->request.path, S(IDENTITY_PATH)) || (is_tenant && place_of(r) >= 0);
}

static void handle(struct front_request *r)
{
	if (str_eq(r->x->request.path, S(IDENTITY_PATH)))
		identity_token(r);
	else if (!check_tenant(r))
		return;
	else if (place_of(r) == 0)
		front_collect(r, MAX_FORM, with_form);
	else if (place_of(r) == 1)
		configuration(r);
	else
		service_reply_json(r, 200, json_pack("{s:[]}", "keys"));
}

const struct pocket_service entra_service = {
	.name = "entra", .matches = matches, .handle = handle, .fail = fail, .trouble = trouble};
