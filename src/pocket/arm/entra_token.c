// SPDX-License-Identifier: Apache-2.0
// Apps of the tenant, tokens and what they allow: see entra.h.
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/time.h"
#include "pocket/arm/entra_impl.h"
#include "pocket/engine/engine.h"

#define KEY_FILE "entra.json"
#define APPS_FILE "apps.json"

const char *const entra_audience_arm[] = {"https://management.azure.com", "https://management.core.windows.net", NULL};
const char *const entra_audience_store[] = {"https://storage.azure.com", NULL};
const char *const entra_audience_vault[] = {"https://vault.azure.net", NULL};
const char *const entra_audience_ml[] = {"https://ml.azure.com", NULL};

int64_t entra_now_s(const struct pocket *p)
{
	return p->edges->wall_ns(p->edges->ctx) / NS_PER_S;
}

// ---------------------------------------------------------------- the tenant and its apps

static int read_credentials(struct pocket *p, struct arena *a, const json_t **out, struct err *e)
{
	json_t *j = NULL;
	int rc = pocket_read_json(p, "credentials.json", &j, e);
	*out = rc == 0 ? json_in_arena(a, j) : NULL;
	return rc < 0 || *out ? rc : err_set(e, ERR_NO_MEMORY, "out of memory");
}

int entra_tenant(struct pocket *p, struct arena *a, struct str *out, struct err *e)
{
	const json_t *credentials = NULL;
	int rc = read_credentials(p, a, &credentials, e);
	return rc < 0 ? rc : json_need_str(credentials, "tenant", out, e);
}

int entra_origin(struct pocket *p, struct arena *a, struct str *out, struct err *e)
{
	struct str scheme, rest, authority, path;
	str_cut(str_of(p->url), ':', &scheme, &rest);
	str_cut(str_drop(rest, 2), '/', &authority, &path);
	*out = arena_printf(a, "%.*s://%.*s", STR(scheme), STR(authority));
	return out->p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

// What a job may do: read and write blobs, and use keys for them.
static json_t *actions_of_jobs(void)
{
	return json_pack("[s, s, s, s]", "Microsoft.Storage/storageAccounts/blobServices/*",
		"Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/wrap/action",
		"Microsoft.KeyVault/vaults/keys/unwrap/action");
}

static int find_listed(struct pocket *p, struct arena *a, struct str client_id, struct entra_app *out, struct err *e)
{
	json_t *parsed = NULL, *one;
	size_t i;
	int rc = pocket_read_json(p, APPS_FILE, &parsed, e);
	const json_t *apps = rc == 0 ? json_in_arena(a, parsed) : NULL;
	if (rc < 0)
		return rc;
	json_array_foreach(apps, i, one)
	{
		if (!str_eq_nocase(json_str(one, "client_id"), client_id))
			continue;
		*out = (struct entra_app){.client_id = json_str(one, "client_id"),
			.client_secret = json_str(one, "client_secret"),
			.name = json_str(one, "name"),
			.actions = json_object_get(one, "actions"),
			.not_actions = json_object_get(one, "not_actions")};
		if (!json_is_array(out->actions))
			out->actions = json_in_arena(a, json_array());
		return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "there is no app %.*s", STR(str_clip(client_id, 80)));
}

int entra_find_app(struct pocket *p, struct arena *a, struct str client_id, struct entra_app *out, struct err *e)
{
	const json_t *owner = NULL;
	int rc = read_credentials(p, a, &owner, e);
	if (rc < 0)
		return rc;
	if (client_id.n && str_eq_nocase(client_id, json_str(owner, "client_id"))) {
		*out = (struct entra_app){.client_id = json_str(owner, "client_id"),
			.client_secret = json_str(owner, "client_secret"),
			.name = S("owner")};
		return 0;
	}
	if (str_eq_nocase(client_id, S(ENTRA_JOB_CLIENT))) {
		*out = (struct entra_app){.client_id = S(ENTRA_JOB_CLIENT),
			.name = S("jobs"),
			.actions = json_in_arena(a, actions_of_jobs())};
		return out->actions ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	return find_listed(p, a, client_id, out, e);
}

struct str entra_object_id(struct arena *a, struct str client_id)
{
	char hex[2 * SHA256_SIZE + 1];
	struct sha256 digest = sha256_of(client_id);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	struct str id = arena_printf(a, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15, hex + 18);
	return id.p ? id : S("");
}

// ---------------------------------------------------------------- the text of tokens

// Made when it is first needed; whoever has it can be anybody.
static int read_key(struct pocket *p, struct arena *a, struct str *out, struct err *e)
{
	json_t *j = NULL;
	unsigned char bytes[32];
	char hex[65];
	int rc = pocket_read_json(p, KEY_FILE, &j, e);
	if (rc == ERR_NOT_FOUND) {
		err_clear(e);
		rc = pocket_random(p, bytes, sizeof(bytes), e);
		hex_encode(str_bytes(bytes, sizeof(bytes)), hex);
		j = json_pack("{s:s}", "signing", hex);
		if (rc == 0)
			rc = j ? pocket_write_json(p, KEY_FILE, j, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	const json_t *kept = json_in_arena(a, j);
	return rc < 0 ? rc : json_need_str(kept, "signing", out, e);
}

struct str entra_mac(struct pocket *p, struct arena *a, struct str text, struct err *e)
{
	struct str key;
	char hex[2 * SHA256_SIZE + 1];
	if (read_key(p, a, &key, e) < 0)
		return (struct str){0};
	struct sha256 mac = hmac_sha256(key, text);
	hex_encode(str_bytes(mac.bytes, SHA256_SIZE), hex);
	return arena_str(a, str_of(hex));
}

struct str entra_audience_of(struct str scope)
{
	if (str_ends(scope, S("/.default")))
		scope.n -= sizeof("/.default") - 1;
	while (str_ends(scope, S("/")))
		scope.n--;
	return scope;
}

static json_t *claims_of(struct pocket *p, struct arena *a, const struct entra_app *app, struct str audience)
{
	int64_t now = entra_now_s(p);
	struct err e = {0};
	struct str tenant = S("");
	json_t *j = json_pack("{s:I, s:I, s:I, s:s, s:s, s:s}", "iat", (json_int_t)now, "nbf", (json_int_t)now, "exp",
		(json_int_t)(now + ENTRA_TOKEN_LIFE_S), "idtyp", "app", "ver", "1.0", "appidacr", "1");
	if (entra_tenant(p, a, &tenant, &e) < 0)
		tenant = S("");
	json_object_set_new(j, "xms_ns", json_integer(p->edges->wall_ns(p->edges->ctx))); // ours: `iat` is too coarse for `expire`
	json_set_str(j, "aud", audience);
	json_set_str(j, "iss", arena_printf(a, "https://sts.windows.net/%.*s/", STR(tenant)));
	json_set_str(j, "tid", tenant);
	json_set_str(j, "appid", app->client_id);
	json_set_str(j, "oid", entra_object_id(a, app->client_id));
	json_set_str(j, "sub", entra_object_id(a, app->client_id));
	return j;
}

int entra_make_token(struct pocket *p, struct arena *a, const struct entra_app *app, struct str audience,
	struct str *out, struct err *e)
{
	AUTO(json) claims = claims_of(p, a, app, audience);
	AUTO(buf) text = {0};
	AUTO(buf) token = {0};
	struct str key;
	int rc = claims ? json_write(claims, &text, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = read_key(p, a, &key, e);
	if (rc < 0)
		return rc;
	base64url_encode(S("{\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"pocket\"}"), &token);
	buf_add_char(&token, '.');
	base64url_encode(buf_str(&text), &token);
	struct sha256 mac = hmac_sha256(key, buf_str(&token));
	buf_add_char(&token, '.');
	base64url_encode(str_bytes(mac.bytes, SHA256_SIZE), &token);
	*out = token.failed ? (struct str){0} : arena_str(a, buf_str(&token));
	return out->p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static bool is_signed(struct pocket *p, struct arena *a, struct str said, struct str signature)
{
	struct str key;
	struct err e = {0};
	AUTO(buf) mac = {.limit = 256};
	if (read_key(p, a, &key, &e) < 0 || base64url_decode(signature, &mac) < 0 || mac.n != SHA256_SIZE)
		return false;
	struct sha256 wanted = hmac_sha256(key, said);
	return hash_equal(mac.p, wanted.bytes, SHA256_SIZE);
}

enum entra_token_state entra_read_token(struct pocket *p, struct arena *a, struct str token, const json_t **claims)
{
	struct str head, body, signature, rest;
	AUTO(buf) text = {.limit = 16 << 10};
	json_t *j = NULL;
	if (token.n > 16 << 10 || !str_cut(token, '.', &head, &rest) || !str_cut(rest, '.', &body, &signature))
		return ENTRA_TOKEN_INVALID;
	struct str said = str_take(token, head.n + 1 + body.n);
	if (!is_signed(p, a, said, signature) || base64url_decode(body, &text) < 0 ||
		json_parse(buf_str(&text), &j, NULL) < 0 || !(*claims = json_in_arena(a, j)))
		return ENTRA_TOKEN_INVALID;
	bool ended = p->tokens_ended_ns && json_int(*claims, "xms_ns", 0) <= p->tokens_ended_ns;
	return ended || json_int(*claims, "exp", 0) <= entra_now_s(p) ? ENTRA_TOKEN_EXPIRED : ENTRA_TOKEN_GOOD;
}

// ---------------------------------------------------------------- who, and may it

static int refuse(struct front_request *r, const char *code, const char *message)
{
	int rc = err_set(&r->err, ERR_UNAUTHENTICATED, "%s", message);
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", code);
	r->err.http_status = 401;
	return rc;
}

static bool is_for(struct str audience, const char *const *audiences)
{
	audience = entra_audience_of(audience);
	for (size_t i = 0; audiences[i]; i++)
		if (str_eq_nocase(audience, str_of(audiences[i])))
			return true;
	return false;
}

int entra_authenticate(struct front_request *r, const char *const *audiences, struct entra_caller *out)
{
	struct str header = front_header(r, "authorization");
	const json_t *claims = NULL;
	struct entra_app app;
	struct err e = {0};
	if (!str_starts(header, S("Bearer ")))
		return refuse(r, "AuthenticationFailed",
			"Authentication failed. The 'Authorization' header is missing or is no bearer token.");
	switch (entra_read_token(r->pocket, r->arena, str_trim(str_drop(header, 7)), &claims)) {
	case ENTRA_TOKEN_GOOD:
		break;
	case ENTRA_TOKEN_EXPIRED:
		return refuse(r, "ExpiredAuthenticationToken",
			"The access token expiry UTC time is earlier than the current UTC time: the token has expired.");
	case ENTRA_TOKEN_INVALID:
		return refuse(r, "InvalidAuthenticationToken", "The access token is invalid.");
	}
	if (!is_for(json_str(claims, "aud"), audiences))
		return refuse(r, "InvalidAuthenticationTokenAudience",
			"The access token has been obtained for wrong audience or resource.");
	if (entra_find_app(r->pocket, r->arena, json_str(claims, "appid"), &app, &e) < 0)
		return refuse(r, "InvalidAuthenticationToken", "The access token is of an app that is not there any more.");
	*out = (struct entra_caller){.name = app.name,
		.client_id = app.client_id,
		.object_id = entra_object_id(r->arena, app.client_id),
		.actions = app.actions,
		.not_actions = app.not_actions};
	return 0;
}

bool entra_action_fits(struct str pattern, struct str action)
{
	struct str fixed, rest;
	if (!str_cut(pattern, '*', &fixed, &rest))
		return str_eq_nocase(pattern, action);
	if (action.n < fixed.n || !str_eq_nocase(str_take(action, fixed.n), fixed))
		return false;
	for (size_t i = fixed.n; i <= action.n; i++)
		if (entra_action_fits(rest, str_drop(action, i)))
			return true;
	return false;
}

static bool any_fits(const json_t *patterns, struct str action)
{
	size_t i;
	json_t *one;
	json_array_foreach(patterns, i, one)
	{
		if (json_value_str(one).n <= 256 && entra_action_fits(json_value_str(one), action))
			return true;
	}
	return false;
}

bool entra_may(const struct entra_caller *who, const char *action)
{
	bool allowed = !who->actions || any_fits(who->actions, str_of(action));
	return allowed && !any_fits(who->not_actions, str_of(action));
}
