// SPDX-License-Identifier: Apache-2.0
// The metadata server of a pocket Google Cloud: see metadata.h.
#include "pocket/gcp/metadata.h"

#include <string.h>

#include "pocket/engine/engine.h"
#include "pocket/gcs/gcs_impl.h"

// "/metadata.google.internal/ENGINE-ID/SECRET/computeMetadata/v1/..."
#define PREFIX S("/metadata.google.internal/")
enum { SECRET_BYTES = 16 };

static void secret_of(const struct gcs_keys *keys, struct str id, char hex[2 * SECRET_BYTES + 1])
{
	AUTO(buf) text = {0};
	buf_printf(&text, "metadata/%.*s", STR(id));
	struct sha256 mac = hmac_sha256(str_bytes(keys->secret, GCS_SECRET_SIZE), buf_str(&text));
	hex_encode(str_bytes(mac.bytes, SECRET_BYTES), hex);
}

int metadata_add(const struct pocket *p, struct str id, json_t *environment, struct err *e)
{
	char hex[2 * SECRET_BYTES + 1];
	AUTO(buf) host = {0};
	struct str url = str_of(p->url);
	if (!str_starts(url, S("http://")))
		return 0;
	secret_of(p->keys, id, hex);
	buf_printf(&host, "%.*s%.*s%.*s/%s", STR(str_drop(url, 7)), STR(PREFIX), STR(id), hex);
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

static void say_token(struct front_request *r)
{
	AUTO(buf) token = {0};
	struct str scopes = front_query(r, "scopes"), one;
	AUTO(buf) spaced = {0};
	while (scopes.n && str_next(&scopes, ',', &one)) {
		buf_add(&spaced, one);
		buf_add_char(&spaced, ' ');
	}
	if (!spaced.n)
		buf_add(&spaced, S("https://www.googleapis.com/auth/cloud-platform"));
	if (gcs_token_for(r, buf_str(&spaced), &token) < 0) {
		fail(r);
		return;
	}
	json_t *j = json_pack("{s:i, s:s}", "expires_in", GCS_TOKEN_LIFETIME_S, "token_type", "Bearer");
	json_set_str(j, "access_token", buf_str(&token));
	say_json(r, j);
}

static void say_account(struct front_request *r)
{
	const struct gcs_keys *keys = r->keys;
	json_t *j = json_pack("{s:[s], s:[s]}", "aliases", "default", "scopes",
		"https://www.googleapis.com/auth/cloud-platform");
	json_set_str(j, "email", buf_str(&keys->email));
	say_json(r, j);
}

// projects are the middle of the account's name: NAME@PROJECT.iam.gserviceaccount.com
static struct str project_of(const struct gcs_keys *keys)
{
	struct str name, rest, project, end;
	str_cut(buf_str(&keys->email), '@', &name, &rest);
	str_cut(rest, '.', &project, &end);
	return project;
}

static void say_preempted(struct front_request *r, struct str id)
{
	struct engine_status s = {0};
	bool gone = engine_status(r->pocket->engine, id, &s) == 0 && s.state == ENGINE_INTERRUPTED;
	say(r, 200, gone ? S("TRUE") : S("FALSE"));
}

static void answer(struct front_request *r, struct str id, struct str path)
{
	const struct gcs_keys *keys = r->keys;
	struct str account = S("computeMetadata/v1/instance/service-accounts/"), who, what;
	if (!str_eq(front_header(r, "metadata-flavor"), S("Google"))) {
		say(r, 403, S("Missing Metadata-Flavor:Google header.\n"));
	} else if (!path.n || str_eq(path, S("computeMetadata/v1/"))) {
		say(r, 200, S("computeMetadata/\n"));
	} else if (str_eq(path, S("computeMetadata/v1/project/project-id"))) {
		say(r, 200, project_of(keys));
	} else if (str_eq(path, S("computeMetadata/v1/instance/preempted"))) {
		say_preempted(r, id);
	} else if (str_starts(path, account)) {
		str_cut(str_drop(path, account.n), '/', &who, &what);
		bool known = str_eq(who, S("default")) || str_eq(who, buf_str(&keys->email));
		if (known && str_eq(what, S("token")))
			say_token(r);
		else if (known && str_eq(what, S("email")))
			say(r, 200, buf_str(&keys->email));
		else if (known && !what.n)
			say_account(r);
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
	struct str id, secret, path, rest = str_drop(r->x->request.path, PREFIX.n);
	char wanted[2 * SECRET_BYTES + 1];
	struct engine_status status = {0};
	str_cut(rest, '/', &id, &rest);
	str_cut(rest, '/', &secret, &path);
	secret_of(r->keys, id, wanted);
	bool right = secret.n == 2 * SECRET_BYTES && hash_equal(secret.p, wanted, secret.n);
	if (!right || engine_status(r->pocket->engine, id, &status) < 0 || engine_state_ended(status.state))
		say(r, 404, S("there is no such process, or it has ended\n"));
	else if (r->x->request.method != HTTP_GET)
		say(r, 405, S("only GET\n"));
	else
		answer(r, id, path);
}

const struct pocket_service metadata_service = {
	.name = "metadata", .matches = matches, .handle = handle, .fail = fail, .trouble = trouble};
