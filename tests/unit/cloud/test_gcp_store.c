// SPDX-License-Identifier: Apache-2.0
// The Cloud Storage driver over libcurl against a server that answers by a script. Step 0 of each script is the
// token's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cloud/gcp/store.h"
#include "cloud/http/object_fields.h"
#include "cloud/sign/jwt_rs256.h"
#include "store_test.h"

enum { MIB = 1 << 20, SIZE = 8 * MIB + 5, HOUR_S = 3600 };
#define TOKEN                                                                                                          \
	{                                                                                                              \
		.status = 200, .body = S("{\"access_token\":\"T1\",\"expires_in\":3600,\"token_type\":\"Bearer\"}")    \
	}
#define OBJECT                                                                                                         \
	"{\"name\":\"a "                                                                                               \
	"b/c\",\"size\":\"9\",\"generation\":\"17\",\"crc32c\":\"4waSgw==\",\"contentType\":\"text/plain\","           \
	"\"updated\":\"2026-11-24T10:15:31.000Z\",\"metadata\":{\"colour\":\"blue\"}}"

static struct buf private_key, public_key;

static void open_store(struct store_test *x, const struct script_step *steps, size_t count)
{
	struct cloud_config config = {.name = S("gcp-eu"), .provider = S("gcp"), .region = S("europe-west4")};
	struct gcp_store *store;
	store_test_start(x, steps, count);
	struct str token_uri = arena_printf(&x->t.arena, "%.*s/token", STR(x->url));
	config.credentials = json_in_arena(
		&x->t.arena, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "type", "service_account", "client_email",
				     "isobar@pocket.test", "private_key", buf_cstr(&private_key), "private_key_id",
				     "k1", "token_uri", token_uri.p, "project_id", "proj"));
	assert_int_equal(gcp_store_open(&config, x->url, &x->transport, &store, &x->c->err), 0);
	x->store = store;
}

static void close_store(struct store_test *x, size_t served)
{
	gcp_store_close(x->store);
	store_test_stop(x, served);
}

static void test_token(void **state)
{
	(void)state;
	const struct script_step steps[] = {TOKEN, {.status = 200, .body = S("{}")}, {.status = 200, .body = S("{}")},
		{.status = 200, .body = S("{\"access_token\":\"T2\",\"expires_in\":3600,\"token_type\":\"Bearer\"}")},
		{.status = 200, .body = S("{}")},
		{.status = 401, .body = S("{\"error\":{\"code\":401,\"message\":\"Invalid Credentials\"}}")},
		{.status = 200, .body = S("{\"access_token\":\"T3\",\"expires_in\":3600,\"token_type\":\"Bearer\"}")},
		{.status = 200, .body = S("{}")}};
	struct store_test x;
	open_store(&x, steps, COUNT_OF(steps));
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")), 0);
	store_test_request(&x, 0, "POST", "/token");
	store_test_header(&x, 0, "content-type", "application/x-www-form-urlencoded");
	struct str form = store_test_body(&x, 0),
		   start = S("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
	assert_true(str_starts(form, start));
	struct jwt_expect expect = {.audience = arena_printf(&x.t.arena, "%.*s/token", STR(x.url)),
		.now_s = call_now_ns(x.c) / 1000000000,
		.leeway_s = 5};
	struct jwt_claims claims;
	assert_int_equal(jwt_rs256_verify(str_drop(form, start.n), buf_str(&public_key), &expect, &x.t.arena, &claims,
				 &x.c->err),
		0);
	assert_true(str_eq(claims.issuer, S("isobar@pocket.test")));
	store_test_header(&x, 1, "authorization", "Bearer T1");
	x.t.slept_ns += (HOUR_S - 301) * INT64_C(1000000000); // one second before it is replaced
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")), 0);
	store_test_header(&x, 2, "authorization", "Bearer T1");
	x.t.slept_ns += 2 * INT64_C(1000000000);
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")), 0);
	store_test_header(&x, 4, "authorization", "Bearer T2");
	x.t.slept_ns += 100 * INT64_C(1000000000); // not fresh any more: a refusal is answered by another one
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")), 0);
	store_test_header(&x, 7, "authorization", "Bearer T3");
	close_store(&x, COUNT_OF(steps));
}

#define REFUSED                                                                                                        \
	{                                                                                                              \
		.status = 401, .body = S("{\"error\":{\"errors\":[{\"reason\":\"authError\"}],\"message\":\"Invalid "  \
					 "Credentials\"}}")                                                            \
	}

static void test_token_refused(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 503},
		{.status = 400,
			.body = S("{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}")},
		{.status = 200, .body = S("{\"access_token\":\"\"}")}, TOKEN,
		REFUSED, TOKEN, REFUSED, REFUSED};
	struct store_test x;
	open_store(&x, steps, COUNT_OF(steps));
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")), ERR_UNAUTHENTICATED);
	assert_string_equal(x.c->err.provider_code, "invalid_grant");
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")), ERR_PROTOCOL);
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")),
		ERR_UNAUTHENTICATED); // a fresh token: a second one, and no third
	assert_string_equal(x.c->err.provider_code, "authError");
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")), ERR_UNAUTHENTICATED);
	close_store(&x, COUNT_OF(steps));
}

static void test_token_endpoint_down(void **state)
{
	(void)state;
	const struct script_step down = {.status = 503};
	const struct script_step steps[] = {TOKEN, {.status = 200, .body = S("{}")}, down, down, down, down, down,
		{.status = 200, .body = S("{}")}};
	struct store_test x;
	open_store(&x, steps, COUNT_OF(steps));
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")), 0);
	x.t.slept_ns += (HOUR_S - 200) * INT64_C(1000000000); // due, but it still holds
	assert_int_equal(gcp_store_ops.bucket_head(x.c, x.store, S("lake")), 0);
	store_test_header(&x, 7, "authorization", "Bearer T1");
	close_store(&x, COUNT_OF(steps));
}

static void test_put(void **state)
{
	(void)state;
	const struct script_step steps[] = {TOKEN, {.status = 200, .body = S(OBJECT)}};
	struct store_test x;
	struct test_source source;
	struct object made;
	open_store(&x, steps, COUNT_OF(steps));
	test_source_init(&source, S("123456789"));
	AUTO(json) metadata = json_pack("{s:s}", "colour", "blue");
	struct store_put put = {.bucket = S("lake"),
		.key = S("a b/c"),
		.content_type = S("text/plain"),
		.condition = {.if_absent = true},
		.metadata = metadata};
	assert_int_equal(gcp_store_ops.put(x.c, x.store, &put, &source.source, &made), 0);
	assert_true(str_eq(made.etag, S("17")));
	assert_true(str_eq(made.key, S("a b/c")));
	store_test_request(&x, 1, "POST", "/upload/storage/v1/b/lake/o?uploadType=multipart&ifGenerationMatch=0");
	struct str type = script_server_header(x.server, 1, "content-type"), body = store_test_body(&x, 1);
	struct str boundary = str_drop(type, S("multipart/related; boundary=").n);
	AUTO(buf) expected = {0};
	buf_printf(&expected,
		"--%.*s\r\ncontent-type: application/json; charset=utf-8\r\n\r\n"
		"{\"contentType\":\"text/"
		"plain\",\"crc32c\":\"4waSgw==\",\"metadata\":{\"colour\":\"blue\"},\"name\":\"a b/c\"}\r\n"
		"--%.*s\r\ncontent-type: text/plain\r\n\r\n123456789\r\n--%.*s--\r\n",
		STR(boundary), STR(boundary), STR(boundary));
	assert_true(str_eq(body, buf_str(&expected)));
	close_store(&x, COUNT_OF(steps));
}

// Bytes that changed on the way, or the answer to another request that came twice: sent again, a few times.
static void test_put_other_bytes_stored(void **state)
{
	(void)state;
	const struct script_step other = {.status = 200, .body = S(OBJECT)};
	const struct script_step steps[] = {TOKEN, other, other, other, other, other,
		{.status = 412,
			.body = S("{\"error\":{\"errors\":[{\"reason\":\"conditionNotMet\"}],\"message\":\"pre-"
				  "conditions\"}}")}};
	struct store_test x;
	struct test_source source;
	struct object made;
	open_store(&x, steps, COUNT_OF(steps));
	test_source_init(&source, S("123456780"));
	struct store_put put = {.bucket = S("lake"), .key = S("a b/c"), .condition = {.if_match = S("16")}};
	assert_int_equal(gcp_store_ops.put(x.c, x.store, &put, &source.source, &made), ERR_CORRUPT);
	store_test_request(&x, 1, "POST", "/upload/storage/v1/b/lake/o?uploadType=multipart&ifGenerationMatch=16");
	test_source_init(&source, S("123456780"));
	assert_int_equal(gcp_store_ops.put(x.c, x.store, &put, &source.source, &made), ERR_CONFLICT);
	assert_string_equal(x.c->err.provider_code, "conditionNotMet");
	test_source_init(&source, S("123456780"));
	put.condition.if_match = S("no generation");
	assert_int_equal(gcp_store_ops.put(x.c, x.store, &put, &source.source, &made), ERR_INVALID);
	close_store(&x, COUNT_OF(steps));
}

// The session's address has to name the server's port, so its step is made when that is known.
struct session_script {
	struct script_step steps[8];
	char location[160], object[200];
};

static void run_session(struct store_test *x, struct session_script *s, size_t count, int expected)
{
	struct test_source source;
	struct object made;
	s->steps[0] = (struct script_step)TOKEN;
	open_store(x, s->steps, count);
	snprintf(s->location, sizeof(s->location), "Location: %.*s/upload/storage/v1/b/lake/o?upload_id=u1\r\n",
		STR(x->url));
	s->steps[1] = (struct script_step){.status = 200, .headers = s->location};
	test_source_init(&source, test_bytes(&x->t.arena, SIZE));
	snprintf(s->object, sizeof(s->object),
		"{\"name\":\"big\",\"size\":\"%d\",\"generation\":\"18\",\"crc32c\":\"%s\"}", SIZE,
		object_crc32c_text(&x->t.arena, crc32c(0, source.bytes)).p);
	struct store_put put = {.bucket = S("lake"), .key = S("big"), .condition = {.if_absent = true}};
	int r = gcp_store_ops.put(x->c, x->store, &put, &source.source, &made);
	if (r != expected)
		fail_msg("%d, expected %d: %s", r, expected, x->c->err.message);
	if (!r)
		assert_int_equal(made.size, SIZE);
}

static void test_session(void **state)
{
	(void)state;
	struct store_test x;
	struct session_script s = {.steps = {{0}, {0}, {.status = 308, .headers = "Range: bytes=0-8388607\r\n"}}};
	s.steps[3] = (struct script_step){.status = 200, .body = {s.object, 0}};
	// The object's text is only known later, its size is.
	s.steps[3].body.n = (size_t)snprintf(s.object, sizeof(s.object),
		"{\"name\":\"big\",\"size\":\"%d\",\"generation\":\"18\",\"crc32c\":\"AAAAAA==\"}", SIZE);
	run_session(&x, &s, 4, 0);
	store_test_request(
		&x, 1, "POST", "/upload/storage/v1/b/lake/o?uploadType=resumable&ifGenerationMatch=0&name=big");
	store_test_request(&x, 2, "PUT", "/upload/storage/v1/b/lake/o?upload_id=u1");
	store_test_header(&x, 2, "content-range", "bytes 0-8388607/*");
	store_test_header(&x, 3, "content-range", "bytes 8388608-8388612/8388613");
	assert_true(str_starts(script_server_header(x.server, 3, "x-goog-hash"), S("crc32c=")));
	close_store(&x, 4);
}

static void test_session_goes_on(void **state)
{
	(void)state;
	struct store_test x;
	// The first chunk's answer is lost; the session says that it has half of it; the rest is sent, then the last
	// chunk.
	struct session_script s = {
		.steps = {{0}, {0}, {.fault = SCRIPT_CLOSE}, {.status = 308, .headers = "Range: bytes=0-4194303\r\n"},
			{.status = 308, .headers = "Range: bytes=0-8388607\r\n"}}};
	s.steps[5] = (struct script_step){.status = 200, .body = {s.object, 0}};
	s.steps[5].body.n = (size_t)snprintf(s.object, sizeof(s.object),
		"{\"name\":\"big\",\"size\":\"%d\",\"generation\":\"18\",\"crc32c\":\"AAAAAA==\"}", SIZE);
	run_session(&x, &s, 6, 0);
	store_test_header(&x, 3, "content-range", "bytes */*");
	store_test_header(&x, 3, "content-length", "0");
	store_test_header(&x, 4, "content-range", "bytes 4194304-8388607/*");
	assert_int_equal(store_test_body(&x, 4).n, 4194304);
	close_store(&x, 6);
}

static void test_session_nothing_stored(void **state)
{
	(void)state;
	struct store_test x;
	const struct script_step nothing = {.status = 308};
	struct session_script s = {.steps = {{0}, {0}, nothing, nothing, nothing, nothing, nothing, {.status = 499}}};
	run_session(&x, &s, 8, ERR_UNAVAILABLE);
	store_test_request(&x, 7, "DELETE", "/upload/storage/v1/b/lake/o?upload_id=u1");
	close_store(&x, 8);
}

static void test_session_elsewhere(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		TOKEN, {.status = 200, .headers = "Location: http://169.254.169.254/x\r\n"}};
	struct store_test x;
	struct test_source source;
	struct object made;
	open_store(&x, steps, COUNT_OF(steps));
	test_source_init(&source, test_bytes(&x.t.arena, SIZE));
	struct store_put put = {.bucket = S("lake"), .key = S("big")};
	assert_int_equal(gcp_store_ops.put(x.c, x.store, &put, &source.source, &made), ERR_PROTOCOL);
	close_store(&x, COUNT_OF(steps));
}

static void test_get(void **state)
{
	(void)state;
	const struct script_step steps[] = {TOKEN,
		{.status = 200,
			.headers = "x-goog-generation: 17\r\nx-goog-hash: md5=JfnnlDI7RTiF9RgfG2JNCw==\r\nx-goog-hash: "
				   "crc32c=4waSgw==\r\n",
			.body = S("123456789"),
			.fault = SCRIPT_CUT},
		{.status = 206,
			.headers = "x-goog-generation: 17\r\nContent-Range: bytes 4-8/9\r\n",
			.body = S("56789")},
		{.status = 404, .body = S("No such object: lake/a b/c")}};
	struct store_test x;
	struct test_sink sink;
	struct object found;
	open_store(&x, steps, COUNT_OF(steps));
	test_sink_init(&sink);
	struct store_get get = {.bucket = S("lake"), .key = S("a b/c")};
	assert_int_equal(gcp_store_ops.get(x.c, x.store, &get, &sink.sink, &found), 0);
	assert_true(str_eq(buf_str(&sink.bytes), S("123456789")));
	assert_true(found.has_crc32c && found.crc32c == 0xe3069283);
	store_test_request(&x, 1, "GET", "/storage/v1/b/lake/o/a%20b%2Fc?alt=media");
	store_test_request(&x, 2, "GET", "/storage/v1/b/lake/o/a%20b%2Fc?alt=media&ifGenerationMatch=17");
	store_test_header(&x, 2, "range", "bytes=4-8");
	assert_int_equal(gcp_store_ops.get(x.c, x.store, &get, &sink.sink, &found), ERR_NOT_FOUND);
	assert_string_equal(x.c->err.message, "get lake/a b/c: not found: No such object: lake/a b/c (HTTP 404)");
	buf_free(&sink.bytes);
	close_store(&x, COUNT_OF(steps));
}

static void test_head_and_list(void **state)
{
	(void)state;
	const struct script_step steps[] = {TOKEN, {.status = 200, .body = S(OBJECT)},
		{.status = 200,
			.body = S("{\"items\":[" OBJECT "],\"prefixes\":[\"p/x/\"],\"nextPageToken\":\"t/1\"}")},
		{.status = 200, .body = S("{}")}, {.status = 200, .body = S("{\"items\":[{\"name\":\"a\"}]}")},
		{.status = 200, .body = S("{\"items\":[], \"items\":[]}")}};
	struct store_test x;
	struct object found;
	struct store_page page;
	open_store(&x, steps, COUNT_OF(steps));
	assert_int_equal(gcp_store_ops.head(x.c, x.store, S("lake"), S("a b/c"), &found), 0);
	assert_int_equal(found.size, 9);
	assert_true(str_eq(found.etag, S("17")));
	assert_int_equal(found.modified_ns / 1000000000, 1795515331);
	assert_string_equal(json_text(found.metadata, "colour"), "blue");
	struct store_list list = {.bucket = S("lake"), .prefix = S("p/"), .delimiter = S("/"), .limit = 5};
	assert_int_equal(gcp_store_ops.list(x.c, x.store, &list, &page), 0);
	assert_int_equal(page.count, 1);
	assert_int_equal(page.prefix_count, 1);
	assert_true(str_eq(page.next, S("t/1")));
	store_test_request(&x, 2, "GET", "/storage/v1/b/lake/o?maxResults=5&prefix=p%2F&delimiter=%2F");
	list = (struct store_list){.bucket = S("lake"), .token = page.next};
	assert_int_equal(gcp_store_ops.list(x.c, x.store, &list, &page), 0);
	assert_int_equal(page.count + page.prefix_count + page.next.n, 0);
	store_test_request(&x, 3, "GET", "/storage/v1/b/lake/o?maxResults=1000&pageToken=t%2F1");
	assert_int_equal(gcp_store_ops.list(x.c, x.store, &list, &page), ERR_PROTOCOL);
	assert_int_equal(gcp_store_ops.list(x.c, x.store, &list, &page), ERR_PROTOCOL);
	close_store(&x, COUNT_OF(steps));
}

static void test_delete_and_buckets(void **state)
{
	(void)state;
	const struct script_step conflict = {
		.status = 409, .body = S("{\"error\":{\"errors\":[{\"reason\":\"conflict\"}]}}")};
	const struct script_step gone = {
		.status = 404, .body = S("{\"error\":{\"errors\":[{\"reason\":\"notFound\"}]}}")};
	const struct script_step steps[] = {TOKEN, {.status = 204}, gone, {.status = 200, .body = S("{}")}, conflict,
		{.status = 200, .body = S("{}")}, conflict,
		{.status = 403, .body = S("{\"error\":{\"errors\":[{\"reason\":\"forbidden\"}]}}")}, conflict,
		{.status = 204}, gone};
	struct store_test x;
	open_store(&x, steps, COUNT_OF(steps));
	assert_int_equal(gcp_store_ops.delete(x.c, x.store, S("lake"), S("a/b")), 0);
	store_test_request(&x, 1, "DELETE", "/storage/v1/b/lake/o/a%2Fb");
	assert_int_equal(gcp_store_ops.delete(x.c, x.store, S("lake"), S("a/b")), 0);
	assert_int_equal(gcp_store_ops.bucket_create(x.c, x.store, S("lake")), 0);
	store_test_request(&x, 3, "POST", "/storage/v1/b?project=proj");
	assert_true(str_eq(store_test_body(&x, 3), S("{\"iamConfiguration\":{\"publicAccessPrevention\":\"enforced\","
						     "\"uniformBucketLevelAccess\":{\"enabled\":true}},"
						     "\"location\":\"europe-west4\",\"name\":\"lake\"}")));
	assert_int_equal(gcp_store_ops.bucket_create(x.c, x.store, S("lake")), 0);
	assert_int_equal(gcp_store_ops.bucket_create(x.c, x.store, S("lake")), ERR_EXISTS);
	assert_int_equal(gcp_store_ops.bucket_delete(x.c, x.store, S("lake")), ERR_CONFLICT);
	assert_int_equal(gcp_store_ops.bucket_delete(x.c, x.store, S("lake")), 0);
	assert_int_equal(gcp_store_ops.bucket_delete(x.c, x.store, S("lake")), 0);
	close_store(&x, COUNT_OF(steps));
}

static int make_keys(void **state)
{
	(void)state;
	return jwt_rs256_make_key(JWT_MIN_RSA_BITS, &private_key, &public_key, NULL);
}

static int free_keys(void **state)
{
	(void)state;
	buf_free(&private_key);
	buf_free(&public_key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_token_refused),
		cmocka_unit_test(test_token_endpoint_down),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_other_bytes_stored),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_session_goes_on),
		cmocka_unit_test(test_session_nothing_stored),
		cmocka_unit_test(test_session_elsewhere),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_head_and_list),
		cmocka_unit_test(test_delete_and_buckets),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
