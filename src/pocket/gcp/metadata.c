// SPDX-License-Identifier: Apache-2.0
// The metadata server of a pocket Google Cloud: see metadata.h.
#include "pocket/gcp/metadata.h"

#include <string.h>

#include "pocket/engine/engine.h"
#include "pocket/gcp/tokens.h"

// "/metadata.google.internal/ENGINE-ID/ACCOUNT/SECRET/computeMetadata/v1/..."
#define PREFIX S("/metadata.google.internal/")
enum { SECRET_BYTES = 16 };

static void secret_of(
	const struct gcs_keys *keys, struct str id, struct str account, char hex[2 * SECRET_BYTES + 1])
{
	AUTO(buf) text = {0};
	buf_printf(&text, "metadata/%.*s/%.*s", STR(id), STR(account));
	struct sha256 mac = hmac_sha256(str_bytes(keys->secret, GCS_SECRET_SIZE), buf_str(&text));
	hex_encode(str_bytes(mac.bytes, SECRET_BYTES), hex);
}

int metadata_add(struct pocket *p, const struct metadata_of *of, json_t *environment, struct err *e)
{
	AUTO(arena) a = {0};
	char hex[2 * SECRET_BYTES + 1];
	AUTO(buf) host = {0};
	struct str url = str_of(p->url);
	if (!str_starts(url, S("http://")))
		return 0;
	struct str account = of->account.n ? of->account : gcp_account_address(p, &a, S(GCP_JOB_ACCOUNT));
	if (!account.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (!gcp_account_known(p, account))
		return 0;
	secret_of(p->keys, of->id, account, hex);
	buf_printf(&host, "%.*s%.*s%.*s/%.*s/%s", STR(str_drop(url, 7)), STR(PREFIX), STR(of->id), STR(account), hex);
	int rc = buf_check(&host, e);
	if (rc < 0)
		return rc;
	json_set_str(environment, "GCE_METADATA_HOST", buf_str(&host));
	json_set_str(environment, "GCE_METADATA_IP", buf_str(&host)); // where Google's library looks whether there is one
	return 0;
}

// ---------------------------------------------------------------- answers

static void say(struct front_request *r, int status, struct str text)
{
	front_add(r, "metadata-flavor", S("Google"));
	front_add(r, "content-type", S("application/text"));
	front_reply(r, status, text);
}

static void fail(struct front_request *r)
{
	say(r, r->err.code == ERR_INVALID ? 400 : 503, S("the metadata server cannot answer\n"));
}

static void trouble(struct front_request *r, bool throttled)
{
	say(r, throttled ? 429 : 503, S("try again later\n"));
}

static void say_json(struct front_request *r, json_t *j)
{
	front_add(r, "metadata-flavor", S("Google"));
	front_add(r, "content-type", S("application/json"));
	service_reply_json(r, 200, j);
}

static void say_token(struct front_request *r, struct str account)
{
	struct str token, scopes = front_query(r, "scopes"), one;
	AUTO(buf) spaced = {0};
	while (scopes.n && str_next(&scopes, ',', &one)) {
		buf_add(&spaced, one);
		buf_add_char(&spaced, ' ');
	}
	if (!spaced.n)
		buf_add(&spaced, S("https://www.googleapis.com/auth/cloud-platform"));
	struct gcp_grant grant = {
		.account = account, .scope = gcp_scope_of(buf_str(&spaced)), .lifetime_s = GCS_TOKEN_LIFETIME_S};
	int rc = grant.scope == GCS_NONE ? err_set(&r->err, ERR_INVALID, "no scope of this cloud is asked for")
					 : gcp_token_make(r->pocket, &grant, r->arena, &token, &r->err);
	if (rc < 0) {
		fail(r);
		return;
	}
	json_t *j = json_pack("{s:i, s:s}", "expires_in", GCS_TOKEN_LIFETIME_S, "token_type", "Bearer");
	json_set_str(j, "access_token", token);
	say_json(r, j);
}

static void say_account(struct front_request *r, struct str account)
{
	json_t *j = json_pack("{s:[s], s:[s]}", "aliases", "default", "scopes",
		"https://www.googleapis.com/auth/cloud-platform");
	json_set_str(j, "email", account);
	say_json(r, j);
}

static void say_preempted(struct front_request *r, struct str id)
{
	struct engine_status s = {0};
	bool gone = engine_status(r->pocket->engine, id, &s) == 0 && s.state == ENGINE_INTERRUPTED;
	say(r, 200, gone ? S("TRUE") : S("FALSE"));
}

static void answer(struct front_request *r, const struct metadata_of *of, struct str path)
{
	struct str accounts = S("computeMetadata/v1/instance/service-accounts/"), who, what;
	if (!str_eq(front_header(r, "metadata-flavor"), S("Google"))) {
		say(r, 403, S("Missing Metadata-Flavor:Google header.\n"));
	} else if (!path.n || str_eq(path, S("computeMetadata/v1/"))) {
		say(r, 200, S("computeMetadata/\n"));
	} else if (str_eq(path, S("computeMetadata/v1/project/project-id"))) {
		say(r, 200, gcp_project(r->pocket, r->arena));
	} else if (str_eq(path, S("computeMetadata/v1/instance/preempted"))) {
		say_preempted(r, of->id);
	} else if (str_starts(path, accounts)) {
		str_cut(str_drop(path, accounts.n), '/', &who, &what);
		bool known = str_eq(who, S("default")) || str_eq(who, of->account);
		if (known && str_eq(what, S("token")))
			say_token(r, of->account);
		else if (known && str_eq(what, S("email")))
			say(r, 200, of->account);
		else if (known && !what.n)
			say_account(r, of->account);
		else
			say(r, 404, S("there is no such service account\n"));
	} else {
		say(r, 404, S("not found\n"));
	}
}

// ---------------------------------------------------------------- requests

static bool matches(const struct front_request *r)
{
	return str_starts(r->x->request.path, PREFIX);
}

static void handle(struct front_request *r)
{
	struct metadata_of of;
	struct str secret, path, rest = str_drop(r->x->request.path, PREFIX.n);
	char wanted[2 * SECRET_BYTES + 1];
	struct engine_status status = {0};
	str_cut(rest, '/', &of.id, &rest);
	str_cut(rest, '/', &of.account, &rest);
	str_cut(rest, '/', &secret, &path);
	secret_of(r->keys, of.id, of.account, wanted);
	bool right = secret.n == 2 * SECRET_BYTES && hash_equal(secret.p, wanted, secret.n);
	bool known = right && gcp_account_known(r->pocket, of.account);
	if (!known || engine_status(r->pocket->engine, of.id, &status) < 0 || engine_state_ended(status.state))
		say(r, 404, S("there is no such process, or it has ended\n"));
	else if (r->x->request.method != HTTP_GET)
		say(r, 405, S("only GET\n"));
	else
		answer(r, &of, path);
}

const struct pocket_service metadata_service = {
	.name = "metadata", .matches = matches, .handle = handle, .fail = fail, .trouble = trouble};
