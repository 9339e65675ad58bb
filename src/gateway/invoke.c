// SPDX-License-Identifier: Apache-2.0
// Requests for providers' endpoints: see invoke.h. Their errors are judged in invoke_judge.c.
#include "gateway/invoke.h"

#include <string.h>

#include "base/time.h"

// ---- paths

struct invoke_path invoke_path_of(struct str path)
{
	struct invoke_path out = {0};
	struct str rest, version, act = S("");
	if (!str_starts(path, S("/v2/models/")))
		return out;
	str_cut(str_drop(path, sizeof("/v2/models/") - 1), '/', &out.model, &rest);
	if (str_starts(rest, S("versions/"))) {
		str_cut(str_drop(rest, sizeof("versions/") - 1), '/', &version, &act);
		out.version = version;
		if (version.n == 0)
			return (struct invoke_path){0};
	} else {
		act = rest;
	}
	if (act.n == 0)
		out.act = INVOKE_METADATA;
	else if (str_eq(act, S("infer")))
		out.act = INVOKE_INFER;
	else if (str_eq(act, S("ready")))
		out.act = INVOKE_READY;
	return out;
}

// ---- bodies

static const char sagemaker_binary[] = "application/vnd.sagemaker-triton.binary+json;json-header-size=";
static const char vertex_binary[] = "application/vnd.vertex-ai-triton.binary+json;json-header-size=";

struct str invoke_binary_length(struct str content_type)
{
	const struct str starts[] = {str_of(sagemaker_binary), str_of(vertex_binary)};
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		struct str digits = str_drop(content_type, starts[i].n);
		if (str_eq_nocase(str_take(content_type, starts[i].n), starts[i]) && digits.n)
			return digits;
	}
	return (struct str){0};
}

static bool is_length(struct str digits, size_t most)
{
	size_t value = 0;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9' || i >= 10)
			return false;
		value = value * 10 + (size_t)(digits.p[i] - '0');
	}
	return digits.n > 0 && value <= most;
}

int invoke_body_of(enum upstream_service service, const struct invoke_client *client, struct arena *a,
	struct invoke_body *out, struct err *e)
{
	struct str given = http_header_get(client->headers, "content-type");
	struct str length = http_header_get(client->headers, "inference-header-content-length");
	if (!length.p)
		length = invoke_binary_length(given);
	*out = (struct invoke_body){.content_type = given.n ? given : S("application/json")};
	if (!length.p)
		return 0;
	if (!is_length(length, client->body_bytes))
		return err_set(e, ERR_INVALID, "the length of the JSON is no number up to that of the body");
	if (service == UPSTREAM_AZUREML) {
		*out = (struct invoke_body){S("application/octet-stream"), length};
		return 0;
	}
	out->content_type = arena_printf(
		a, "%s%.*s", service == UPSTREAM_SAGEMAKER ? sagemaker_binary : vertex_binary, STR(length));
	return out->content_type.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory for the request");
}

// ---- signing

static int add(struct http_headers *h, struct arena *a, const char *name, struct str value)
{
	return http_header_add(h, a, str_of(name), value);
}

// The key of a day costs four digests, so it is kept with the credentials.
static int key_of_day(struct upstream *with, const char *time, struct err *e)
{
	const struct sigv4_scope scope = {str_bytes(time, SIGV4_DAY_SIZE - 1), with->region, S("sagemaker")};
	if (sigv4_key_fits(&with->key, scope.day, scope.region))
		return 0;
	if (sigv4_key_make_scope(&with->key, secret_str(&with->secret), &scope))
		return err_set(e, ERR_LIMIT, "the region of the credentials is too long");
	return 0;
}

static int authorise(const struct invoke_request *r, struct arena *a, struct http_headers *out, struct err *e)
{
	struct sign_header headers[8] = {{S("host"), r->authority}};
	AUTO(buf) authorization = {0};
	size_t count = 1;
	for (size_t i = 0; i < out->count && count < COUNT_OF(headers); i++)
		headers[count++] = (struct sign_header){out->items[i].name, out->items[i].value};
	const struct sign_request request = {
		.method = S("POST"), .path = r->path, .query = S(""), .headers = headers, .header_count = count};
	int code = sigv4_authorize(&request, r->with->access_key, &r->with->key, &authorization, e);
	struct str text = code ? S("") : arena_str(a, buf_str(&authorization));
	if (code == 0 && !text.p)
		code = ERR_NO_MEMORY;
	return code ? code : add(out, a, "authorization", text);
}

static int sign(const struct invoke_request *r, struct arena *a, struct http_headers *out, struct err *e)
{
	char time[TIME_TEXT_SIZE], hex[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(r->body);
	time_iso_basic(r->wall_ns, time);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	struct str when = arena_str(a, str_of(time)), hash = arena_str(a, str_of(hex));
	int code = when.p && hash.p ? key_of_day(r->with, time, e) : ERR_NO_MEMORY;
	if (code == 0)
		code = add(out, a, "x-amz-date", when);
	if (code == 0)
		code = add(out, a, "x-amz-content-sha256", hash);
	if (code == 0 && r->id.n)
		code = add(out, a, "x-amzn-sagemaker-inference-id", r->id);
	if (code == 0 && r->with->session.n)
		code = add(out, a, "x-amz-security-token", secret_str(&r->with->session));
	return code ? code : authorise(r, a, out, e);
}

static int bear(const struct invoke_request *r, struct arena *a, struct http_headers *out)
{
	int code = add(out, a, "authorization", secret_str(&r->with->bearer));
	if (code == 0 && r->kind.header_length.p)
		code = add(out, a, "inference-header-content-length", r->kind.header_length);
	return code || r->id.n == 0 ? code : add(out, a, "x-request-id", r->id);
}

int invoke_headers(const struct invoke_request *r, struct arena *a, struct http_headers *out, struct err *e)
{
	char text[TIME_TEXT_SIZE];
	if (r->with->expires_ns && r->with->expires_ns <= r->wall_ns) {
		time_rfc3339(r->with->expires_ns, 0, text);
		return err_set(e, ERR_UNAUTHENTICATED,
			"its credentials expired at %s: the control plane, which renews them, has not run since, or could not", text);
	}
	int code = add(out, a, "content-type", r->kind.content_type);
	if (code == 0)
		code = r->with->service == UPSTREAM_SAGEMAKER ? sign(r, a, out, e) : bear(r, a, out);
	return code == ERR_NO_MEMORY ? err_set(e, ERR_NO_MEMORY, "out of memory to sign a request") : code;
}
