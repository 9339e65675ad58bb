// SPDX-License-Identifier: Apache-2.0
// What the providers' chains share: see credential_chain.h.
#include "cloud/credential_chain.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/http/provider_error.h"
#include "cloud/http/retry.h"

static const char *own_variable(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

void credential_place_init(struct credential_place *p, const struct credential_options *o)
{
	*p = (struct credential_place){.transport = o->transport,
		.variable = o->variable ? o->variable : own_variable,
		.variable_ctx = o->variable_ctx};
}

struct str credential_variable(const struct credential_place *p, const char *name)
{
	const char *value = p->variable(p->variable_ctx, name);
	return str_of(value ? value : "");
}

struct str credential_home(struct call *c, const struct credential_place *p, const char *below)
{
	struct str home = credential_variable(p, "HOME");
	return home.n ? arena_printf(c->arena, "%.*s/%s", STR(home), below) : S("");
}

int credential_file(struct call *c, struct str path, size_t limit, struct str *out)
{
	AUTO(buf) text = {0};
	const char *name = arena_cstr(c->arena, path);
	if (!name)
		return call_no_memory(c);
	int r = file_read(name, limit, &text, &c->err);
	struct str copy = r ? S("") : arena_str(c->arena, str_trim(buf_str(&text)));
	if (text.p)
		secret_wipe(text.p, text.n);
	if (r)
		return r;
	*out = copy;
	return copy.p ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- requests

static const struct retry_policy metadata_policy = {
	.attempts = 3, .first_ns = 100 * NS_PER_MS, .most_ns = 500 * NS_PER_MS};

// A metadata service is at a fixed address on the machine: no proxy, no other host, and no patience.
static int open_metadata(struct call *c, struct str url, struct http_transport *out)
{
	struct str host;
	int r = transport_host(url, c->arena, &host, &c->err);
	struct proxy_settings none = {.https = S(""), .http = S(""), .no = S("*")};
	struct transport_options o = {
		.proxy = &none, .hosts = &host, .host_count = 1, .head_ns = 2 * NS_PER_S, .kept_ns = 2 * NS_PER_S};
	return r ? r : curl_transport_open(&o, out, &c->err);
}

static int ask_once(struct call *c, const struct http_transport *t, const struct credential_request *r,
	struct transport_response *out)
{
	struct transport_request request = {.method = r->method,
		.url = r->url,
		.headers = r->headers,
		.header_count = r->header_count,
		.body = r->body};
	int code = t->perform(c, t->ctx, &request, out);
	if (code)
		return call_context(c, "%s at %.*s", r->what, STR(str_clip(r->url, 200)));
	if (out->status != 429 && out->status < 500)
		return 0;
	return call_fail(c, out->status == 429 ? ERR_THROTTLED : ERR_UNAVAILABLE, "%s at %.*s answers HTTP %d", r->what,
		STR(str_clip(r->url, 200)), out->status);
}

int credential_ask(
	struct call *c, const struct credential_place *p, const struct credential_request *r, struct transport_response *out)
{
	struct http_transport own = {0};
	const struct http_transport *t = &p->transport;
	int code = r->metadata ? open_metadata(c, r->url, &own) : 0;
	if (code)
		return code;
	if (r->metadata)
		t = &own;
	for (int attempt = 1;; attempt++) {
		struct transport_response answer = {0};
		code = ask_once(c, t, r, &answer);
		if (!code) {
			*out = answer;
			break;
		}
		int64_t after = retry_after_ns(transport_header(&answer, S("retry-after")), call_now_ns(c));
		code = retry_pause(c, r->metadata ? &metadata_policy : &retry_standard, attempt, after);
		if (code)
			break;
	}
	if (own.close)
		own.close(own.ctx);
	return code;
}

// ---------------------------------------------------------------- answers

int64_t credential_answer_now_ns(const struct call *c, const struct transport_response *answer)
{
	int64_t theirs_ns;
	struct str date = transport_header(answer, S("date"));
	return time_parse_http_date(date, &theirs_ns) ? call_now_ns(c) : theirs_ns;
}

int credential_lifetime(
	struct call *c, const struct transport_response *answer, struct str ends, int64_t *lifetime_ns)
{
	int64_t ends_ns;
	if (time_parse_rfc3339(ends, &ends_ns))
		return call_fail(c, ERR_PROTOCOL, "credentials that end at no time (\"%.*s\")", STR(str_clip(ends, 40)));
	*lifetime_ns = MAX(ends_ns - credential_answer_now_ns(c, answer), 1);
	return 0;
}

int credential_refuse(struct call *c, const struct credential_request *r, const struct transport_response *answer,
	struct str code, struct str message)
{
	struct provider_refusal refusal = {.status = answer->status, .code = code, .message = message};
	int ours = provider_fail(c, NULL, 0, &refusal);
	if (answer->status >= 400 && answer->status < 500 && answer->status != 429)
		c->err.code = ours = ERR_UNAUTHENTICATED;
	provider_add_clock(c, answer->status, transport_header(answer, S("date")));
	call_context(c, "%s at %.*s gives no credentials", r->what, STR(str_clip(r->url, 200)));
	return ours;
}

static int64_t number_of(const json_t *j, const char *name)
{
	uint64_t n = 0;
	const json_t *value = json_object_get(j, name);
	if (json_is_integer(value))
		return json_integer_value(value);
	return json_is_string(value) && str_to_u64(json_str(j, name), &n) == 0 && n < INT64_MAX ? (int64_t)n : 0;
}

int credential_token_read(struct call *c, const struct credential_request *r,
	const struct transport_response *answer, struct credential_made *out)
{
	enum { LONGEST_S = 14 * 86400 };
	AUTO(json) body = NULL;
	bool parsed = json_parse(answer->body, &body, NULL) == 0;
	const json_t *error = json_object_get(body, "error");
	if (answer->status != 200 && json_is_object(error)) // of Google's other APIs
		return credential_refuse(c, r, answer, json_str(error, "status"), json_str(error, "message"));
	if (answer->status != 200)
		return credential_refuse(
			c, r, answer, json_str(body, "error"), json_str(body, "error_description"));
	struct str token = json_str(body, "access_token");
	int64_t seconds = number_of(body, "expires_in");
	if (!seconds)
		seconds = number_of(body, "expires_on") - credential_answer_now_ns(c, answer) / NS_PER_S;
	if (!parsed || !token.n || seconds < 1 || seconds > LONGEST_S)
		return call_fail(c, ERR_PROTOCOL, "the answer of %s at %.*s has no token with a sensible lifetime",
			r->what, STR(str_clip(r->url, 200)));
	out->lifetime_ns = seconds * NS_PER_S;
	int code = secret_set(&out->token, token, &c->err);
	OPENSSL_cleanse((char *)(uintptr_t)answer->body.p, answer->body.n); // it holds the token
	return code;
}

void credential_form_add(struct buf *form, const char *name, struct str value)
{
	if (form->n)
		buf_add_char(form, '&');
	buf_printf(form, "%s=", name);
	sign_uri_encode(value, "", form);
}
