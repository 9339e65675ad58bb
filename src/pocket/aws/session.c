// SPDX-License-Identifier: Apache-2.0
// Temporary credentials: see session.h.
#include "pocket/aws/session.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/s3/s3_impl.h"

#define TOKEN_PREFIX S("IQoJ")

// ---------------------------------------------------------------- names

void pocket_account(const struct pocket *p, char digits[SESSION_ACCOUNT_DIGITS + 1])
{
	struct sha256 digest = sha256_of(str_of(p->name));
	for (size_t i = 0; i < SESSION_ACCOUNT_DIGITS; i++)
		digits[i] = (char)('0' + digest.bytes[i] % 10);
	digits[SESSION_ACCOUNT_DIGITS] = 0;
}

struct str session_role_arn(const struct pocket *p, struct arena *a, struct str path, struct str role)
{
	char account[SESSION_ACCOUNT_DIGITS + 1];
	pocket_account(p, account);
	return arena_printf(a, "arn:aws:iam::%s:role%.*s%.*s", account, STR(path), STR(role));
}

static void letters_of(struct sha256 digest, size_t n, char *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	for (size_t i = 0; i < n; i++)
		out[i] = letters[digest.bytes[i] % 32];
	out[n] = 0;
}

struct str session_unique_id(const struct pocket *p, struct arena *a, const char *prefix, struct str name)
{
	char text[18];
	AUTO(buf) from = {0};
	buf_printf(&from, "%s/%s/%.*s", prefix, p->name, STR(name));
	letters_of(sha256_of(buf_str(&from)), 17, text);
	return arena_printf(a, "%s%s", prefix, text);
}

const json_t *session_role(struct pocket *p, struct str name)
{
	if (str_starts(name, S("arn:"))) {
		char account[SESSION_ACCOUNT_DIGITS + 1];
		AUTO(buf) start = {0};
		pocket_account(p, account);
		buf_printf(&start, "arn:aws:iam::%s:role/", account);
		if (!str_starts(name, buf_str(&start)))
			return NULL;
		name = str_drop(name, start.n);
		for (ptrdiff_t slash; (slash = str_find_char(name, '/')) >= 0;)
			name = str_drop(name, (size_t)slash + 1);
	}
	return name.n ? docs_get(p, "iam/roles", name, NULL) : NULL;
}

// ---------------------------------------------------------------- proofs

// Everything follows from the owner's secret, each use under a name of its own.
static struct sha256 proof_of(const struct pocket *p, const char *use, struct str text)
{
	const struct s3_keys *keys = p->keys;
	struct sha256 key = hmac_sha256(buf_str(&keys->secret), str_of(use));
	return hmac_sha256(str_bytes(key.bytes, SHA256_SIZE), text);
}

static void keys_of(const struct pocket *p, struct str token, struct session_keys *out)
{
	AUTO(buf) secret = {0};
	struct sha256 proof = proof_of(p, "session secret", token);
	char name[17];
	letters_of(proof_of(p, "session key", token), 16, name);
	snprintf(out->access_key, sizeof(out->access_key), "ASIA%s", name);
	base64_encode(str_bytes(proof.bytes, 30), &secret); // 40 characters
	snprintf(out->secret, sizeof(out->secret), "%s", buf_cstr(&secret));
	explicit_bzero(secret.p, secret.n);
}

static json_t *record_of(const struct pocket *p, const struct session *s)
{
	int64_t issued_ms = p->edges->wall_ns(p->edges->ctx) / 1000000;
	json_t *j = json_pack("{s:I, s:I}", "e", (json_int_t)s->ends_s, "i", (json_int_t)issued_ms);
	json_set_str(j, "r", s->role);
	json_set_str(j, "n", s->name);
	if (s->policy)
		json_object_set(j, "p", (json_t *)(uintptr_t)s->policy);
	return j;
}

int session_make(struct pocket *p, const struct session *s, struct arena *a, struct session_keys *out, struct err *e)
{
	AUTO(json) j = record_of(p, s);
	AUTO(buf) text = {0};
	AUTO(buf) token = {0};
	unsigned char nonce[8];
	int rc = pocket_random(p, nonce, sizeof(nonce), e);
	char hex[17];
	hex_encode(str_bytes(nonce, sizeof(nonce)), hex);
	json_object_set_new(j, "o", json_string(hex));
	if (rc == 0)
		rc = json_write(j, &text, e);
	if (rc < 0)
		return rc;
	struct sha256 proof = proof_of(p, "session token", buf_str(&text));
	AUTO(buf) whole = {0};
	buf_add_bytes(&whole, (const char *)proof.bytes, SHA256_SIZE);
	buf_add(&whole, buf_str(&text));
	buf_add(&token, TOKEN_PREFIX);
	base64url_encode(buf_str(&whole), &token);
	out->token = arena_str(a, buf_str(&token));
	if (!out->token.p || token.n > SESSION_TOKEN_MAX)
		return err_set(e, ERR_LIMIT, "the session's policy is too long");
	keys_of(p, out->token, out);
	return 0;
}

// NULL for what is no token of this pocket.
static json_t *open_token(const struct pocket *p, struct str token)
{
	AUTO(buf) whole = {.limit = SESSION_TOKEN_MAX};
	json_t *j = NULL;
	if (!str_starts(token, TOKEN_PREFIX) || base64url_decode(str_drop(token, TOKEN_PREFIX.n), &whole) < 0 ||
		whole.n <= SHA256_SIZE)
		return NULL;
	struct str text = str_drop(buf_str(&whole), SHA256_SIZE);
	struct sha256 proof = proof_of(p, "session token", text);
	if (!hash_equal(proof.bytes, whole.p, SHA256_SIZE) || json_parse(text, &j, NULL) < 0)
		return NULL;
	return j;
}

// ---------------------------------------------------------------- who

static bool has_ended(const struct front_request *r, const json_t *session)
{
	int64_t issued_ns = json_int(session, "i", 0) * 1000000;
	return json_int(session, "e", 0) <= front_now_ns(r) / NS_PER_S || issued_ns <= r->pocket->tokens_ended_ns;
}

static struct pocket_principal *new_principal(struct front_request *r)
{
	char account[SESSION_ACCOUNT_DIGITS + 1];
	struct pocket_principal *who = arena_new(r->arena, struct pocket_principal);
	pocket_account(r->pocket, account);
	if (who) {
		who->account = arena_str(r->arena, str_of(account));
		who->role = S("");
	}
	return who;
}

static int be_owner(struct front_request *r)
{
	const struct s3_keys *keys = r->keys;
	struct pocket_principal *who = new_principal(r);
	if (!who)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	who->owner = true;
	who->name = arena_printf(r->arena, "arn:aws:iam::%.*s:user/pocket", STR(who->account));
	who->id = arena_printf(r->arena, "AIDA%.*s", STR(str_drop(buf_str(&keys->access_key), 4)));
	r->who = who;
	return 0;
}

// A document is kept as text, as IAM gives it back.
static json_t *documents_of(const json_t *role)
{
	json_t *all = json_array();
	const json_t *text;
	const char *name;
	json_object_foreach(json_object_get(role, "policies"), name, text)
	{
		json_t *document = NULL;
		if (json_parse(json_value_str(text), &document, NULL) == 0)
			json_array_append_new(all, document);
	}
	json_object_foreach(json_object_get(role, "attached"), name, text)
	{
		bool all_of_it = str_ends(str_of(name), S(":policy/AdministratorAccess"));
		bool reads = str_ends(str_of(name), S(":policy/ReadOnlyAccess"));
		if (all_of_it || reads)
			json_array_append_new(all, json_pack("{s:[{s:s, s:s, s:s}]}", "Statement", "Effect", "Allow",
							   "Action", all_of_it ? "*" : "*:Get*", "Resource", "*"));
	}
	return all;
}

static int be_session(struct front_request *r, json_t *session)
{
	struct pocket_principal *who = new_principal(r);
	struct str role = json_str(session, "r"), name = json_str(session, "n");
	const json_t *record = role.n ? session_role(r->pocket, role) : NULL;
	if (!who)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (!role.n) {
		int rc = be_owner(r);
		return rc;
	}
	if (!record)
		return s3_refuse(r, "InvalidAccessKeyId"); // the role was deleted
	who->role = role;
	who->name = arena_printf(
		r->arena, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", STR(who->account), STR(role), STR(name));
	struct str id = session_unique_id(r->pocket, r->arena, "AROA", role);
	who->id = arena_printf(r->arena, "%.*s:%.*s", STR(id), STR(name));
	who->policies = json_in_arena(r->arena, documents_of(record));
	who->limit = json_object_get(session, "p");
	who->ends_s = json_int(session, "e", 0);
	r->who = who;
	return who->policies && who->name.p && who->id.p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static int find_session(struct front_request *r, const struct sigv4_claim *claim, struct session_keys *keys)
{
	json_t *session = json_in_arena(r->arena, open_token(r->pocket, claim->session_token));
	if (!session)
		return s3_refuse(r, claim->session_token.n ? "InvalidToken" : "InvalidAccessKeyId");
	keys_of(r->pocket, claim->session_token, keys);
	if (!str_eq(claim->access_key, str_of(keys->access_key)))
		return s3_refuse(r, "InvalidAccessKeyId");
	if (has_ended(r, session))
		return s3_refuse(r, "ExpiredToken");
	return be_session(r, session);
}

int session_identify(struct front_request *r, const struct sigv4_claim *claim, struct sigv4_key *signing)
{
	const struct s3_keys *owner = r->keys;
	struct sigv4_scope scope = {.day = claim->day, .region = claim->region, .service = claim->service};
	struct session_keys keys = {0};
	struct str secret = buf_str(&owner->secret);
	int rc;
	if (str_eq(claim->access_key, buf_str(&owner->access_key))) {
		rc = claim->session_token.n ? s3_refuse(r, "InvalidToken") : be_owner(r);
	} else {
		rc = find_session(r, claim, &keys);
		secret = str_of(keys.secret);
	}
	if (rc == 0 && sigv4_key_make_scope(signing, secret, &scope) < 0)
		rc = s3_refuse(r, "InvalidArgument");
	explicit_bzero(&keys, sizeof(keys));
	return rc;
}

// ---------------------------------------------------------------- containers

// The right to a role's credentials: for one process, by the words that stand in its environment.
static void right_of(const struct pocket *p, struct str role, struct str id, char hex[HEX_SHA256_SIZE])
{
	AUTO(buf) text = {0};
	buf_printf(&text, "%.*s/%.*s", STR(role), STR(id));
	struct sha256 proof = proof_of(p, "container", buf_str(&text));
	hex_encode(str_bytes(proof.bytes, SHA256_SIZE), hex);
}

int session_add_role(struct pocket *p, struct str role_arn, struct str id, json_t *environment, struct err *e)
{
	const json_t *role = session_role(p, role_arn);
	char hex[HEX_SHA256_SIZE];
	AUTO(buf) url = {0};
	if (!role)
		return err_set(e, ERR_NOT_FOUND, "the role %.*s is not known here", STR(str_clip(role_arn, 200)));
	struct str name = json_str(role, "name");
	right_of(p, name, id, hex);
	buf_printf(&url, "%s/v2/credentials/%.*s/%.*s", p->url, STR(name), STR(id));
	json_set_str(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI", buf_str(&url));
	json_object_set_new(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN", json_string(hex));
	if (!json_object_get(environment, "AWS_ENDPOINT_URL"))
		json_object_set_new(environment, "AWS_ENDPOINT_URL", json_string(p->url));
	return 0;
}

static bool container_matches(const struct front_request *r)
{
	return !r->signed_for.n && r->x->request.method == HTTP_GET &&
	       str_starts(r->x->request.path, S("/v2/credentials/")) && !front_query_has(r, "X-Amz-Signature");
}

static void container_answer(struct front_request *r, int status, const char *code, const char *message)
{
	front_add(r, "content-type", S("application/json"));
	service_reply_json(r, status, json_pack("{s:s, s:s}", "code", code, "message", message));
}

static void container_reply(struct front_request *r, struct str role)
{
	struct session_keys keys = {0};
	char ends[TIME_TEXT_SIZE];
	struct session s = {.role = role, .name = S("container"), .ends_s = front_now_ns(r) / NS_PER_S + 3600};
	if (session_make(r->pocket, &s, r->arena, &keys, &r->err) < 0) {
		container_answer(r, 500, "InternalServerError", "no credentials could be made");
		return;
	}
	time_rfc3339(s.ends_s * NS_PER_S, 0, ends);
	json_t *j = json_pack(
		"{s:s, s:s, s:s}", "AccessKeyId", keys.access_key, "SecretAccessKey", keys.secret, "Expiration", ends);
	json_set_str(j, "Token", keys.token);
	json_set_str(j, "RoleArn", session_role_arn(r->pocket, r->arena, S("/"), role));
	front_add(r, "cache-control", S("no-store"));
	front_add(r, "content-type", S("application/json"));
	service_reply_json(r, 200, j);
}

static void container_handle(struct front_request *r)
{
	struct str role, id, path = str_drop(r->x->request.path, sizeof("/v2/credentials/") - 1);
	struct str right = str_trim(front_header(r, "authorization"));
	char hex[HEX_SHA256_SIZE];
	str_cut(path, '/', &role, &id);
	right_of(r->pocket, role, id, hex);
	if (right.n != HEX_SHA256_SIZE - 1 || !hash_equal(right.p, hex, HEX_SHA256_SIZE - 1))
		container_answer(r, 401, "AccessDenied", "The authorization token is not right.");
	else if (!session_role(r->pocket, role))
		container_answer(r, 404, "NoSuchEntity", "The role was deleted.");
	else
		container_reply(r, role);
}

static void container_fail(struct front_request *r)
{
	container_answer(r, 400, "InvalidRequest", r->err.message);
}

static void container_trouble(struct front_request *r, bool throttled)
{
	container_answer(r, throttled ? 429 : 500, throttled ? "Throttling" : "InternalServerError",
		throttled ? "Rate exceeded" : "Internal error");
}

const struct pocket_service aws_container_service = {.name = "container-credentials",
	.matches = container_matches,
	.handle = container_handle,
	.fail = container_fail,
	.trouble = container_trouble};
