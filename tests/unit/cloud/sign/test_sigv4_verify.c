// SPDX-License-Identifier: Apache-2.0
// The server's part of SigV4: what a client signs is accepted, and each single change to it is refused with S3's code.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/time.h"
#include "cloud/sign/sigv4.h"

#define SECRET S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
#define ACCESS_KEY S("AKIAIOSFODNN7EXAMPLE")
static const int64_t now_ns = INT64_C(1369353600) * NS_PER_S;

enum { HOST, DATE, HASH, META, AUTHORIZATION, HEADERS };

struct signed_request {
	struct sign_header headers[HEADERS];
	struct sign_request request;
	struct buf authorization, query;
};

static struct sigv4_key key_of(struct str region)
{
	struct sigv4_key key;
	assert_int_equal(sigv4_key_make(&key, SECRET, S("20130524"), region), 0);
	return key;
}

static void sign(struct signed_request *s)
{
	struct sigv4_key key = key_of(S("eu-central-1"));
	*s = (struct signed_request){
		.headers = {{S("Host"), S("127.0.0.1:4000")}, {S("x-amz-date"), S("20130524T000000Z")},
			{S("x-amz-content-sha256"), SIGV4_UNSIGNED}, {S("x-amz-meta-a"), S("1")}}};
	s->request = (struct sign_request){
		S("PUT"), S("/lake/a%20b"), S("partNumber=1&uploadId=x"), s->headers, AUTHORIZATION};
	assert_int_equal(sigv4_authorize(&s->request, ACCESS_KEY, &key, &s->authorization, NULL), 0);
	s->headers[AUTHORIZATION] = (struct sign_header){S("authorization"), buf_str(&s->authorization)};
	s->request.header_count = HEADERS;
}

static void presign(struct signed_request *s)
{
	struct sigv4_key key = key_of(S("eu-central-1"));
	struct sigv4_presign p = {ACCESS_KEY, S("session/token+"), now_ns, 60};
	*s = (struct signed_request){.headers = {{S("Host"), S("127.0.0.1:4000")}}};
	s->request = (struct sign_request){S("GET"), S("/lake/a"), S("response-content-type=x"), s->headers, 1};
	assert_int_equal(sigv4_presign(&s->request, &p, &key, &s->query, NULL), 0);
	s->request.query = buf_str(&s->query);
}

static int verify_at(const struct signed_request *s, int64_t wall_ns, struct err *e)
{
	AUTO(sigv4_claim) claim = {0};
	err_clear(e);
	int r = sigv4_claim_read(&s->request, &claim, e);
	if (r)
		return r;
	struct sigv4_key key = key_of(claim.region);
	return sigv4_verify(&s->request, &claim, &key, wall_ns, e);
}

static void check_refused(const struct signed_request *s, int code, const char *provider_code, int status)
{
	struct err e = {0};
	assert_int_equal(verify_at(s, now_ns, &e), code);
	assert_string_equal(e.provider_code, provider_code);
	assert_int_equal(e.http_status, status);
}

static void finish(struct signed_request *s)
{
	buf_free(&s->authorization);
	buf_free(&s->query);
}

static void test_accepted(void **state)
{
	(void)state;
	struct signed_request s;
	struct err e = {0};
	sign(&s);
	assert_int_equal(verify_at(&s, now_ns, &e), 0);
	assert_int_equal(verify_at(&s, now_ns + SIGV4_SKEW_S * NS_PER_S, &e), 0);
	AUTO(sigv4_claim) claim = {0};
	assert_int_equal(sigv4_claim_read(&s.request, &claim, NULL), 0);
	assert_true(str_eq(claim.access_key, ACCESS_KEY));
	assert_true(str_eq(claim.region, S("eu-central-1")));
	assert_true(str_eq(claim.payload_hash, SIGV4_UNSIGNED));
	assert_true(str_eq(claim.signed_headers, S("host;x-amz-content-sha256;x-amz-date;x-amz-meta-a")));
	assert_false(claim.presigned);
	finish(&s);
}

static void test_changes_are_refused(void **state)
{
	(void)state;
	struct signed_request s;
	sign(&s);
	struct signed_request good = s, t = s;
	t.request.headers = t.headers;
	struct {
		struct str *at;
		struct str value;
	} const changes[] = {{&t.request.method, S("GET")}, {&t.request.path, S("/lake/a%20c")},
		{&t.request.query, S("partNumber=2&uploadId=x")}, {&t.headers[HOST].value, S("127.0.0.1:4001")},
		{&t.headers[META].value, S("2")}, {&t.headers[HASH].value, SIGV4_CHUNKS},
		{&t.headers[DATE].value, S("20130524T000001Z")}};
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct str before = *changes[i].at;
		*changes[i].at = changes[i].value;
		check_refused(&t, ERR_UNAUTHENTICATED, "SignatureDoesNotMatch", 403);
		*changes[i].at = before;
	}
	struct err e = {0};
	assert_int_equal(verify_at(&good, now_ns, &e), 0);
	s.authorization.p[s.authorization.n - 1] ^= 1;
	check_refused(&good, ERR_UNAUTHENTICATED, "SignatureDoesNotMatch", 403);
	finish(&s);
}

static void test_unsigned_headers_and_time(void **state)
{
	(void)state;
	struct signed_request s;
	struct err e = {0};
	sign(&s);
	struct signed_request t = s;
	t.request.headers = t.headers;
	t.headers[META].name = S("x-amz-acl"); // was not signed under this name
	check_refused(&t, ERR_UNAUTHENTICATED, "AccessDenied", 403);
	assert_int_equal(verify_at(&s, now_ns + (SIGV4_SKEW_S + 1) * NS_PER_S, &e), ERR_UNAUTHENTICATED);
	assert_string_equal(e.provider_code, "RequestTimeTooSkewed");
	assert_int_equal(verify_at(&s, now_ns - (SIGV4_SKEW_S + 1) * NS_PER_S, &e), ERR_UNAUTHENTICATED);
	assert_string_equal(e.provider_code, "RequestTimeTooSkewed");
	t.headers[AUTHORIZATION].value = S("");
	check_refused(&t, ERR_UNAUTHENTICATED, "AccessDenied", 403);
	t.headers[HASH].name = S("x-other");
	t.headers[AUTHORIZATION].value = s.headers[AUTHORIZATION].value;
	check_refused(&t, ERR_INVALID, "InvalidRequest", 400);
	finish(&s);
}

static void test_malformed_authorization(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"Credential=A/20130524/r/s3/aws4_request, SignedHeaders=host",
		"Credential=A/20130524/r x/s3/aws4_request, SignedHeaders=host, Signature=0",
		"Credential=A/20130524/r/s3, SignedHeaders=host, Signature=0",
		"Credential=A/20130524/r/EC2/aws4_request, SignedHeaders=host, Signature=0",
		"Credential=A/20130524/r/s3/aws4_request/, SignedHeaders=host, Signature=0",
		"Credential=A/20130525/r/s3/aws4_request, SignedHeaders=host, Signature=0",
		"Credential=A/20130524/r/s3/aws4_request, SignedHeaders=host, Signature=0, Signature=1",
		"Credential=A/20130524/r/s3/aws4_request, Other=host, Signature=0",
	};
	struct signed_request s;
	sign(&s);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(buf) header = {0};
		buf_printf(&header, "AWS4-HMAC-SHA256 %s", bad[i]);
		s.headers[AUTHORIZATION].value = buf_str(&header);
		check_refused(&s, ERR_INVALID, "AuthorizationHeaderMalformed", 400);
	}
	finish(&s);
}

static void test_presigned(void **state)
{
	(void)state;
	struct signed_request s;
	struct err e = {0};
	presign(&s);
	assert_int_equal(verify_at(&s, now_ns + 60 * NS_PER_S, &e), 0);
	AUTO(sigv4_claim) claim = {0};
	assert_int_equal(sigv4_claim_read(&s.request, &claim, NULL), 0);
	assert_true(claim.presigned);
	assert_true(str_eq(claim.session_token, S("session/token+")));
	assert_true(str_eq(claim.payload_hash, SIGV4_UNSIGNED));
	assert_int_equal(verify_at(&s, now_ns + 61 * NS_PER_S, &e), ERR_UNAUTHENTICATED);
	assert_string_equal(e.message, "Request has expired");
	struct signed_request t = s;
	t.request.method = S("PUT");
	check_refused(&t, ERR_UNAUTHENTICATED, "SignatureDoesNotMatch", 403);
	t = s;
	t.request.query.n--;
	check_refused(&t, ERR_UNAUTHENTICATED, "SignatureDoesNotMatch", 403);
	t.request.query = S("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=604801");
	check_refused(&t, ERR_INVALID, "AuthorizationQueryParametersError", 400);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_changes_are_refused),
		cmocka_unit_test(test_unsigned_headers_and_time),
		cmocka_unit_test(test_malformed_authorization),
		cmocka_unit_test(test_presigned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
