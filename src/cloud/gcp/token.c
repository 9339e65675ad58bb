// SPDX-License-Identifier: Apache-2.0
// Access tokens of a service account: see token.h.
#include "cloud/gcp/token.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "cloud/http/provider_error.h"
#include "base/hash.h"
#include "base/secret.h"
#include "base/time.h"
#include "cloud/sign/jwt_rs256.h"

#define SCOPE S("https://www.googleapis.com/auth/devstorage.full_control")
enum { LIFETIME_S = 3600, SHORTEST_S = 1, LONGEST_S = 86400 };

struct gcp_token {
	struct arena arena;
	struct str email, key_id, token_uri;
	struct secret private_key;
	pthread_mutex_t lock; // of what follows
	struct secret access;
	int64_t got_ns, ends_ns; // on the monotonic clock; ends 0: no token
};

int gcp_token_open(const json_t *credentials, struct gcp_token **out, struct err *e)
{
	struct str email, private_key, token_uri;
	int r = json_need_str(credentials, "client_email", &email, e);
	if (!r)
		r = json_need_str(credentials, "private_key", &private_key, e);
	if (!r)
		r = json_need_str(credentials, "token_uri", &token_uri, e);
	if (r)
		return err_context(e, "credentials of Google Cloud");
	if (!str_eq(json_str(credentials, "type"), S("service_account")))
		return err_set(e, ERR_INVALID, "credentials of Google Cloud: \"type\" is not \"service_account\"");
	struct gcp_token *t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	t->email = arena_str(&t->arena, email);
	t->token_uri = arena_str(&t->arena, token_uri);
	t->key_id = arena_str(&t->arena, json_str(credentials, "private_key_id"));
	r = secret_set(&t->private_key, private_key, e);
	if (!r && (!t->email.p || !t->token_uri.p || !t->key_id.p))
		r = err_set(e, ERR_NO_MEMORY, "out of memory");
	if (r) {
		gcp_token_close(t);
		return r;
	}
	*out = t;
	return 0;
}

void gcp_token_close(struct gcp_token *t)
{
	if (!t)
		return;
	secret_free(&t->private_key);
	secret_free(&t->access);
	pthread_mutex_destroy(&t->lock);
	arena_free(&t->arena);
	free(t);
}

// ---------------------------------------------------------------- the endpoint

static int make_form(struct call *c, const struct gcp_token *t, struct buf *form)
{
	int64_t now_s = call_now_ns(c) / NS_PER_S;
	struct jwt_claims claims = {.issuer = t->email,
		.audience = t->token_uri,
		.scope = SCOPE,
		.issued_s = now_s,
		.expires_s = now_s + LIFETIME_S};
	buf_add(form, S("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="));
	return jwt_rs256_make(secret_str(&t->private_key), t->key_id, &claims, form, &c->err);
}

// {"error": "invalid_grant", "error_description": "..."} (RFC 6749 5.2).
static int refuse(struct call *c, const struct gcp_token *t, const struct transport_response *answer)
{
	AUTO(json) body = NULL;
	if (json_parse(answer->body, &body, NULL))
		body = json_object();
	struct str error = json_str(body, "error"), description = json_str(body, "error_description");
	int code = answer->status >= 500   ? ERR_UNAVAILABLE
		   : answer->status == 429 ? ERR_THROTTLED
					   : ERR_UNAUTHENTICATED;
	call_fail(c, code, "%.*s gives no access token to %.*s: %.*s%s%.*s (HTTP %d)", STR(t->token_uri), STR(t->email),
		(int)MIN(error.n, 64), error.p, description.n ? ", " : "", (int)MIN(description.n, 200), description.p,
		answer->status);
	c->err.http_status = answer->status;
	str_copy(c->err.provider_code, sizeof(c->err.provider_code), str_take(error, sizeof(c->err.provider_code) - 1));
	return code;
}

static int read_answer(struct call *c, struct gcp_token *t, const struct transport_response *answer)
{
	AUTO(json) body = NULL;
	if (answer->status != 200)
		return refuse(c, t, answer);
	int r = json_parse(answer->body, &body, &c->err);
	struct str token = json_str(body, "access_token");
	int64_t seconds = json_int(body, "expires_in", LIFETIME_S);
	if (r)
		return call_context(c, "the answer of %.*s", STR(t->token_uri));
	if (!token.n || !str_eq_nocase(json_str(body, "token_type"), S("Bearer")) || seconds < SHORTEST_S ||
		seconds > LONGEST_S)
		return call_fail(c, ERR_PROTOCOL, "the answer of %.*s has no bearer token with a sensible lifetime",
			STR(t->token_uri));
	r = secret_set(&t->access, token, &c->err);
	if (r)
		return r;
	t->got_ns = call_mono_ns(c);
	t->ends_ns = t->got_ns + seconds * NS_PER_S;
	return 0;
}

static int fetch_once(struct call *c, struct gcp_token *t, const struct http_transport *transport, int64_t *retry_after)
{
	AUTO(buf) form = {0};
	struct transport_response answer = {0};
	const struct sign_header type = {S("content-type"), S("application/x-www-form-urlencoded")};
	*retry_after = 0;
	int r = make_form(c, t, &form);
	struct transport_request request = {
		.method = "POST", .url = t->token_uri, .headers = &type, .header_count = 1, .body = buf_str(&form)};
	if (!r)
		r = transport->perform(c, transport->ctx, &request, &answer);
	if (!r)
		r = read_answer(c, t, &answer);
	if (r && answer.status)
		provider_add_clock(c, answer.status, transport_header(&answer, S("date")));
	if (r)
		*retry_after = retry_after_ns(transport_header(&answer, S("retry-after")), call_now_ns(c));
	if (answer.body.n) // holds the token
		OPENSSL_cleanse((char *)(uintptr_t)answer.body.p, answer.body.n);
	return r;
}

static int fetch(struct call *c, struct gcp_token *t, const struct http_transport *transport)
{
	for (int attempt = 1;; attempt++) {
		int64_t retry_after;
		int r = fetch_once(c, t, transport, &retry_after);
		if (!r || (r = retry_pause(c, &retry_standard, attempt, retry_after)))
			return r;
	}
}

static bool is_due(const struct gcp_token *t, int64_t now_ns)
{
	int64_t ahead = MIN(GCP_TOKEN_AHEAD_S * NS_PER_S, (t->ends_ns - t->got_ns) / 4);
	return !t->ends_ns || now_ns >= t->ends_ns - ahead;
}

int gcp_token_get(
	struct call *c, struct gcp_token *t, const struct http_transport *transport, struct str *authorization)
{
	int r = 0;
	pthread_mutex_lock(&t->lock);
	int64_t now_ns = call_mono_ns(c);
	if (is_due(t, now_ns))
		r = fetch(c, t, transport);
	// While the old one still holds, a token endpoint that is down hurts nobody.
	if (r && t->ends_ns && call_mono_ns(c) < t->ends_ns && call_left_ns(c) > 0) {
		err_clear(&c->err);
		r = 0;
	}
	struct str text = r ? S("") : arena_printf(c->arena, "Bearer %.*s", STR(secret_str(&t->access)));
	pthread_mutex_unlock(&t->lock);
	if (!r && !text.p)
		r = call_no_memory(c);
	if (!r)
		*authorization = text;
	return r;
}

bool gcp_token_refused(struct call *c, struct gcp_token *t)
{
	pthread_mutex_lock(&t->lock);
	bool old = t->ends_ns && call_mono_ns(c) - t->got_ns >= GCP_TOKEN_FRESH_S * NS_PER_S;
	if (old)
		t->ends_ns = 0;
	pthread_mutex_unlock(&t->lock);
	return old;
}
