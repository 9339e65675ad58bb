// SPDX-License-Identifier: Apache-2.0
// Requests in the form of providers' services, and what their errors mean. A signature is compared with one that
// was computed apart from this code.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "gateway/invoke.h"

// ---------------------------------------------------------------- paths
static void test_paths(void **state)
{
	static const struct {
		const char *path;
		enum invoke_act act;
		const char *model, *version;
	} rows[] = {
		{"/v2/models/m/infer", INVOKE_INFER, "m", ""},
		{"/v2/models/m", INVOKE_METADATA, "m", ""},
		{"/v2/models/m/ready", INVOKE_READY, "m", ""},
		{"/v2/models/m/versions/3/infer", INVOKE_INFER, "m", "3"},
		{"/v2/models/m/versions/3", INVOKE_METADATA, "m", "3"},
		{"/v2/models/m/versions/3/ready", INVOKE_READY, "m", "3"},
		{"/v2/models/m/versions//infer", INVOKE_OTHER, "", ""},
		{"/v2/models/m/generate", INVOKE_OTHER, "m", ""},
		{"/v2/models/m/versions/3/infer/x", INVOKE_OTHER, "m", "3"},
		{"/v2/health/ready", INVOKE_OTHER, "", ""},
		{"/", INVOKE_OTHER, "", ""},
		{"", INVOKE_OTHER, "", ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct invoke_path p = invoke_path_of(str_of(rows[i].path));
		if (p.act != rows[i].act || !str_eq(p.model, str_of(rows[i].model)) ||
			!str_eq(p.version, str_of(rows[i].version)))
			fail_msg("%s: act %d, model %.*s, version %.*s", rows[i].path, p.act, STR(p.model), STR(p.version));
	}
}

// ---------------------------------------------------------------- content types
static void test_binary_bodies(void **state)
{
	static const struct {
		enum upstream_service service;
		const char *type, *length; // of the client; NULL: absent
		const char *sent_type, *sent_length;
	} rows[] = {
		{UPSTREAM_SAGEMAKER, NULL, NULL, "application/json", NULL},
		{UPSTREAM_SAGEMAKER, "text/x", NULL, "text/x", NULL},
		{UPSTREAM_SAGEMAKER, "application/octet-stream", "12",
			"application/vnd.sagemaker-triton.binary+json;json-header-size=12", NULL},
		{UPSTREAM_VERTEX, NULL, "12", "application/vnd.vertex-ai-triton.binary+json;json-header-size=12", NULL},
		{UPSTREAM_AZUREML, "application/json", "12", "application/octet-stream", "12"},
		{UPSTREAM_AZUREML, "application/vnd.sagemaker-triton.binary+json;json-header-size=7", NULL,
			"application/octet-stream", "7"},
		{UPSTREAM_SAGEMAKER, "Application/vnd.vertex-ai-triton.binary+json;json-header-size=100", NULL,
			"application/vnd.sagemaker-triton.binary+json;json-header-size=100", NULL},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena) a = {0};
		struct http_headers headers = {0};
		struct invoke_body body;
		struct err e = {0};
		if (rows[i].type)
			assert_int_equal(http_header_add(&headers, &a, S("content-type"), str_of(rows[i].type)), 0);
		if (rows[i].length)
			assert_int_equal(http_header_add(&headers, &a, S("inference-header-content-length"),
						 str_of(rows[i].length)), 0);
		const struct invoke_client client = {&headers, 100};
		assert_int_equal(invoke_body_of(rows[i].service, &client, &a, &body, &e), 0);
		if (!str_eq(body.content_type, str_of(rows[i].sent_type)))
			fail_msg("row %zu: %.*s", i, STR(body.content_type));
		assert_true(!body.header_length.p == !rows[i].sent_length);
		if (rows[i].sent_length)
			assert_true(str_eq(body.header_length, str_of(rows[i].sent_length)));
	}
}

static void test_wrong_lengths(void **state)
{
	static const char *const wrong[] = {"", "-1", "101", "1e1", "99999999999", "0x10", " 1"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		AUTO(arena) a = {0};
		struct http_headers headers = {0};
		struct invoke_body body;
		struct err e = {0};
		assert_int_equal(
			http_header_add(&headers, &a, S("inference-header-content-length"), str_of(wrong[i])), 0);
		const struct invoke_client client = {&headers, 100};
		assert_int_equal(invoke_body_of(UPSTREAM_SAGEMAKER, &client, &a, &body, &e), ERR_INVALID);
	}
	assert_null(invoke_binary_length(S("application/json")).p);
	assert_null(invoke_binary_length(S("application/vnd.sagemaker-triton.binary+json;json-header-size=")).p);
	assert_true(str_eq(
		invoke_binary_length(S("application/vnd.vertex-ai-triton.binary+json;json-header-size=31")), S("31")));
}

// ---------------------------------------------------------------- headers
#define NOW (INT64_C(1764000000) * NS_PER_S) // 2025-11-24T16:00:00Z

static struct upstreams *credentials(const char *text)
{
	AUTO(json) json = NULL;
	struct upstreams *u = NULL;
	struct err e = {0};
	assert_int_equal(json_parse(str_of(text), &json, &e), 0);
	if (upstreams_of_json(json, &u, &e))
		fail_msg("%s", e.message);
	return u;
}

static const char aws[] = "{\"credentials\":[{\"cloud\":\"aws-us\",\"endpoint\":\"m\",\"service\":\"sagemaker\","
			  "\"access_key\":\"AKIDEXAMPLE\",\"region\":\"us-east-1\","
			  "\"secret\":\"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\",\"session\":\"a-token\","
			  "\"expires\":\"2025-11-24T17:00:00Z\"}]}";

static struct str header(const struct http_headers *h, const char *name)
{
	struct str value = http_header_get(h, name);
	if (!value.p)
		fail_msg("no header %s", name);
	return value;
}

static void test_signs(void **state)
{
	AUTO(arena) a = {0};
	struct upstreams *u = credentials(aws);
	struct http_headers headers = {0};
	struct err e = {0};
	(void)state;
	struct invoke_request r = {.with = u->items,
		.authority = S("runtime.sagemaker.us-east-1.amazonaws.com"),
		.path = S("/endpoints/m/invocations"),
		.id = S("0123"),
		.body = S("{\"inputs\":[]}"),
		.kind = {.content_type = S("application/json")},
		.wall_ns = NOW};
	assert_int_equal(invoke_headers(&r, &a, &headers, &e), 0);
	assert_true(str_eq(header(&headers, "x-amz-date"), S("20251124T160000Z")));
	assert_true(str_eq(header(&headers, "x-amz-security-token"), S("a-token")));
	assert_true(str_eq(header(&headers, "x-amzn-sagemaker-inference-id"), S("0123")));
	// Computed apart from this code, by the rules of the same source.
	assert_true(str_eq(header(&headers, "x-amz-content-sha256"),
		S("62b512d8c76bbed3048fc81bd94bd2aeaab2de4d3b36edbed2f3d3dd8ff3e33e")));
	assert_true(str_eq(header(&headers, "authorization"),
		S("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20251124/us-east-1/sagemaker/aws4_request, "
		  "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;"
		  "x-amzn-sagemaker-inference-id, "
		  "Signature=5c9fdf66f714b9f92c30eea8798c1f4b8d88cac3fb10014e6983c780183fd2bc")));
	// The same once more from the key that is kept, and with another one on the next day.
	struct http_headers again = {0}, tomorrow = {0};
	assert_int_equal(invoke_headers(&r, &a, &again, &e), 0);
	assert_true(str_eq(header(&again, "authorization"), header(&headers, "authorization")));
	assert_string_equal(u->items->key.day, "20251124");
	u->items->expires_ns = 0;
	r.wall_ns += 86400 * NS_PER_S;
	assert_int_equal(invoke_headers(&r, &a, &tomorrow, &e), 0);
	assert_string_equal(u->items->key.day, "20251125");
	assert_false(str_eq(header(&tomorrow, "authorization"), header(&headers, "authorization")));
	upstreams_release(u);
}

static void test_bears(void **state)
{
	AUTO(arena) a = {0};
	struct upstreams *u = credentials("{\"credentials\":[{\"cloud\":\"az\",\"endpoint\":\"m\",\"service\":\"azureml\","
					  "\"secret\":\"the-key\"}]}");
	struct http_headers headers = {0};
	struct err e = {0};
	(void)state;
	struct invoke_request r = {.with = u->items,
		.id = S("0123"),
		.kind = {S("application/octet-stream"), S("17")},
		.wall_ns = NOW};
	assert_int_equal(invoke_headers(&r, &a, &headers, &e), 0);
	assert_int_equal(headers.count, 4);
	assert_true(str_eq(header(&headers, "authorization"), S("Bearer the-key")));
	assert_true(str_eq(header(&headers, "inference-header-content-length"), S("17")));
	assert_true(str_eq(header(&headers, "content-type"), S("application/octet-stream")));
	assert_true(str_eq(header(&headers, "x-request-id"), S("0123")));
	upstreams_release(u);
}

static void test_expired(void **state)
{
	AUTO(arena) a = {0};
	struct upstreams *u = credentials(aws);
	struct http_headers headers = {0};
	struct err e = {0};
	(void)state;
	struct invoke_request r = {.with = u->items, .wall_ns = NOW + 3600 * NS_PER_S};
	assert_int_equal(invoke_headers(&r, &a, &headers, &e), ERR_UNAUTHENTICATED);
	assert_non_null(strstr(e.message, "expired at 2025-11-24T17:00:00Z"));
	assert_int_equal(headers.count, 0);
	upstreams_release(u);
}

// ---------------------------------------------------------------- errors
struct row {
	enum upstream_service service;
	int status;
	const char *type, *original, *body;
	enum invoke_verdict verdict;
	int client;
	bool elsewhere, carried_out;
	const char *words; // that the client reads
};
#define SM UPSTREAM_SAGEMAKER
#define VX UPSTREAM_VERTEX
#define AZ UPSTREAM_AZUREML
#define MODEL(status, message)                                                                                         \
	"{\"ErrorCode\":\"CLIENT_ERROR_FROM_MODEL\",\"Message\":\"Received client error from primary\","                  \
	"\"OriginalMessage\":" message ",\"OriginalStatusCode\":" #status "}"
static const struct row rows[] = {
	{SM, 424, "ModelError", "", MODEL(400, "\"{\\\"error\\\":\\\"input image is missing\\\"}\""), INVOKE_REFUSED, 400,
		false, true, "input image is missing"},
	{SM, 424, "ModelError", "", MODEL(500, "\"<html>\""), INVOKE_FAILED, 500, false, true, "the endpoint failed"},
	{SM, 424, "ModelError", "", MODEL(503, "\"\""), INVOKE_FAILED, 503, true, true, "the endpoint failed"},
	{SM, 424, "ModelError", "", MODEL(429, "\"\""), INVOKE_BUSY, 429, true, false, "more requests than it can take"},
	{SM, 424, "ModelError", "", MODEL(99999999999, "\"\""), INVOKE_FAILED, 502, true, true, "the endpoint failed"},
	{SM, 424, "ModelError", "", "not json", INVOKE_FAILED, 502, true, true, "the endpoint failed"},
	{SM, 424, "", "", MODEL(504, "7"), INVOKE_SLOW, 504, true, true, "in time"},
	{SM, 400, "ValidationError", "", "{\"message\":\"Endpoint m of account 123456789012 not found.\"}",
		INVOKE_UNUSABLE, 502, true, false, "cannot be used"},
	{SM, 400, "ValidationError", "", "{\"Message\":\"1 validation error detected in account 123456789012\"}",
		INVOKE_REFUSED, 400, false, true, "does not take this request"},
	{SM, 400, "ThrottlingException", "", "{\"message\":\"Rate exceeded\"}", INVOKE_BUSY, 429, true, false, "moment"},
	{SM, 400, "ExpiredTokenException", "", "{\"message\":\"expired\"}", INVOKE_UNUSABLE, 502, true, false, "gateway"},
	{SM, 403, "", "", "{\"__type\":\"AccessDeniedException\",\"Message\":\"User: arn:aws:iam::123456789012:x\"}",
		INVOKE_UNUSABLE, 502, true, false, "cannot be used"},
	{SM, 429, "ModelNotReadyException", "", "{}", INVOKE_BUSY, 429, true, false, "moment"},
	{SM, 500, "InternalFailure", "", "{}", INVOKE_FAILED, 502, true, true, "the endpoint failed"},
	{SM, 503, "ServiceUnavailable", "", "{}", INVOKE_FAILED, 503, true, true, "the endpoint failed"},
	{SM, 413, "", "", "", INVOKE_TOO_LARGE, 413, true, false, "larger"},
	{SM, 530, "InternalDependencyException", "", "[]", INVOKE_FAILED, 502, true, true, "the endpoint failed"},
	{VX, 400, "", "", "{\"error\":\"no such input\"}", INVOKE_REFUSED, 400, false, true, "no such input"},
	{VX, 400, "", "", "{\"error\":{\"code\":400,\"status\":\"INVALID_ARGUMENT\",\"message\":\"shape is wrong\"}}",
		INVOKE_REFUSED, 400, false, true, "shape is wrong"},
	{VX, 400, "", "", "{\"error\":{\"code\":400,\"status\":\"FAILED_PRECONDITION\",\"message\":\"no model\"}}",
		INVOKE_UNUSABLE, 502, true, false, "cannot be used"},
	{VX, 401, "", "", "{\"error\":{\"status\":\"UNAUTHENTICATED\"}}", INVOKE_UNUSABLE, 502, true, false, "gateway"},
	{VX, 404, "", "", "{\"error\":{\"status\":\"NOT_FOUND\"}}", INVOKE_UNUSABLE, 502, true, false, "gateway"},
	{VX, 422, "", "", "plain words", INVOKE_REFUSED, 422, false, true, "plain words"},
	{VX, 429, "", "", "{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\"}}", INVOKE_BUSY, 429, true, false, "moment"},
	{VX, 500, "", "", "{\"error\":\"overflow\"}", INVOKE_FAILED, 500, false, true, "overflow"},
	{VX, 500, "", "", "{\"error\":{\"status\":\"INTERNAL\"}}", INVOKE_FAILED, 502, true, true, "the endpoint failed"},
	{VX, 502, "", "", "<html>Bad Gateway</html>", INVOKE_FAILED, 502, true, true, "the endpoint failed"},
	{VX, 302, "", "", "", INVOKE_FAILED, 502, true, true, "the endpoint failed"},
	{AZ, 424, "", "400", "{\"error\":\"too short\"}", INVOKE_REFUSED, 400, false, true, "too short"},
	{AZ, 424, "", "503", "", INVOKE_FAILED, 503, true, true, "the endpoint failed"},
	{AZ, 424, "", "xyz", "", INVOKE_FAILED, 502, true, true, "the endpoint failed"},
	{AZ, 401, "", "", "", INVOKE_UNUSABLE, 502, true, false, "gateway"},
	{AZ, 404, "", "", "", INVOKE_UNUSABLE, 502, true, false, "gateway"},
	{AZ, 408, "", "", "", INVOKE_SLOW, 504, true, true, "in time"},
	{AZ, 429, "", "", "{\"error\":{\"code\":\"TooManyRequests\"}}", INVOKE_BUSY, 429, true, false, "moment"},
};

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena) a = {0};
		AUTO(json) json = NULL;
		struct invoke_judgement j;
		struct err e = {0};
		const struct invoke_error error = {.service = rows[i].service,
			.status = rows[i].status,
			.type = str_of(rows[i].type),
			.original = str_of(rows[i].original),
			.body = str_of(rows[i].body)};
		invoke_judge(&error, &a, &j);
		if (j.verdict != rows[i].verdict || j.status != rows[i].client || j.elsewhere != rows[i].elsewhere ||
			(j.verdict != INVOKE_REFUSED && j.carried_out != rows[i].carried_out))
			fail_msg("row %zu (%d %s): verdict %d status %d elsewhere %d carried out %d", i, rows[i].status,
				rows[i].type, j.verdict, j.status, j.elsewhere, j.carried_out);
		bool ours = rows[i].status == 401 || rows[i].status == 403 || strstr(rows[i].type, "Expired");
		assert_int_equal(j.credentials, ours);
		assert_int_equal(json_parse(j.body, &json, &e), 0);
		if (str_find(json_str(json, "error"), str_of(rows[i].words)) < 0)
			fail_msg("row %zu: the client reads %.*s", i, STR(j.body));
		assert_true(str_find(j.body, S("123456789012")) < 0 && str_find(j.body, S("arn:")) < 0);
		assert_true(j.reason.n > 0 && j.reason.n < 400);
	}
}

static void test_error_heads(void **state)
{
	AUTO(arena) a = {0};
	struct http_response answer = {.status = 429};
	struct invoke_error error;
	(void)state;
	assert_int_equal(http_header_add(&answer.headers, &a, S("x-amzn-errortype"),
				 S("ThrottlingException:http://internal.amazon.com/coral/")), 0);
	assert_int_equal(http_header_add(&answer.headers, &a, S("retry-after"), S("3")), 0);
	invoke_error_head(UPSTREAM_SAGEMAKER, &answer, &a, &error);
	assert_true(str_eq(error.type, S("ThrottlingException")));
	assert_int_equal(error.retry_after_ns, 3 * NS_PER_S);
	answer.headers.items[1].value = S("86400"); // nobody keeps a target away for a day
	invoke_error_head(UPSTREAM_SAGEMAKER, &answer, &a, &error);
	assert_int_equal(error.retry_after_ns, 10 * NS_PER_S);
	answer.headers.items[1].value = S("Tue, 24 Nov 2026 10:15:31 GMT");
	invoke_error_head(UPSTREAM_SAGEMAKER, &answer, &a, &error);
	assert_int_equal(error.retry_after_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_binary_bodies),
		cmocka_unit_test(test_wrong_lengths),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_bears),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_error_heads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
