// SPDX-License-Identifier: Apache-2.0
// The S3 driver over libcurl against a server that answers by a script: what it sends, what it makes of the answers,
// and how it takes failures.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/aws/store.h"
#include "cloud/http/download.h"
#include "cloud/sign/sigv4.h"
#include "store_test.h"

static void open_store(struct store_test *x, const struct script_step *steps, size_t count)
{
	struct cloud_config config = {.name = S("aws-eu"), .provider = S("aws"), .region = S("eu-central-1")};
	struct aws_store *store;
	store_test_start(x, steps, count);
	config.credentials = json_in_arena(
		&x->t.arena, json_pack("{s:s,s:s}", "access_key_id", "AK", "secret_access_key", "secret"));
	assert_int_equal(aws_store_open(&config, x->url, &x->transport, &store, &x->c->err), 0);
	x->store = store;
}

static void close_store(struct store_test *x, size_t served)
{
	aws_store_close(x->store);
	store_test_stop(x, served);
}

// The request as it came, checked the way a pocket cloud does.
static void check_signature(struct store_test *x, size_t i)
{
	struct sign_header headers[SIGN_MAX_HEADERS];
	struct sign_request request = store_test_signed(x, i, headers);
	AUTO(sigv4_claim) claim = {0};
	struct sigv4_key key;
	struct err e = {0};
	assert_int_equal(sigv4_claim_read(&request, &claim, &e), 0);
	assert_int_equal(sigv4_key_make(&key, S("secret"), claim.day, S("eu-central-1")), 0);
	int code = sigv4_verify(&request, &claim, &key, call_now_ns(x->c), &e);
	if (code)
		fail_msg("%s", e.message);
	struct sha256 digest = sha256_of(store_test_body(x, i));
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	assert_true(str_eq(claim.payload_hash, str_of(hex)));
}

static const char headers_of_object[] =
	"ETag: \"abc\"\r\nLast-Modified: Tue, 24 Nov 2026 10:15:31 GMT\r\n"
	"x-amz-checksum-crc32c: 4waSgw==\r\nx-amz-meta-colour: blue\r\nContent-Type: text/plain\r\n";

static void test_put(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200, .headers = "ETag: \"abc\"\r\n"}};
	struct store_test x;
	struct test_source source;
	struct object made;
	open_store(&x, steps, 1);
	test_source_init(&source, S("123456789"));
	AUTO(json) metadata = json_pack("{s:s}", "colour", "blue");
	struct store_put put = {.bucket = S("lake"),
		.key = S("a b/c+d"),
		.content_type = S("text/plain"),
		.condition = {.if_absent = true},
		.metadata = metadata};
	assert_int_equal(aws_store_ops.put(x.c, x.store, &put, &source.source, &made), 0);
	assert_true(str_eq(made.etag, S("abc")));
	assert_true(str_eq(made.key, S("a b/c+d")));
	assert_int_equal(made.size, 9);
	assert_int_equal(made.crc32c, 0xe3069283);
	store_test_request(&x, 0, "PUT", "/lake/a%20b/c%2Bd");
	store_test_header(&x, 0, "x-amz-checksum-crc32c", "4waSgw==");
	store_test_header(&x, 0, "if-none-match", "*");
	store_test_header(&x, 0, "content-type", "text/plain");
	store_test_header(&x, 0, "x-amz-meta-colour", "blue");
	check_signature(&x, 0);
	assert_true(str_eq(store_test_body(&x, 0), S("123456789")));
	close_store(&x, 1);
}

static void test_put_retries(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 500, .body = S("<Error><Code>InternalError</Code></Error>")},
		{.status = 503,
			.headers = "Retry-After: 1\r\n",
			.body = S("<Error><Code>SlowDown</Code><Message>later</Message></Error>")},
		{.fault = SCRIPT_CLOSE}, {.status = 200, .headers = "ETag: \"abc\"\r\n"}};
	struct store_test x;
	struct test_source source;
	struct object made;
	open_store(&x, steps, COUNT_OF(steps));
	test_source_init(&source, S("123456789"));
	struct store_put put = {.bucket = S("lake"), .key = S("a")};
	assert_int_equal(aws_store_ops.put(x.c, x.store, &put, &source.source, &made), 0);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		check_signature(&x, i);
		assert_true(str_eq(store_test_body(&x, i), S("123456789")));
	}
	assert_int_equal(source.rewinds, 0);
	close_store(&x, COUNT_OF(steps));
}

static void test_gives_up(void **state)
{
	(void)state;
	const struct script_step step = {
		.status = 503, .body = S("<Error><Code>SlowDown</Code><Message>later</Message></Error>")};
	const struct script_step steps[] = {step, step, step, step, step};
	struct store_test x;
	struct object found;
	open_store(&x, steps, COUNT_OF(steps));
	struct test_sink sink;
	test_sink_init(&sink);
	struct store_get get = {.bucket = S("lake"), .key = S("a")};
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), ERR_THROTTLED);
	assert_string_equal(x.c->err.message, "get lake/a: SlowDown: later (HTTP 503)");
	assert_string_equal(x.c->err.provider_code, "SlowDown");
	assert_int_equal(x.c->err.http_status, 503);
	close_store(&x, 5);
}

static void check_head_error(int status, struct str body, int code, const char *provider_code)
{
	const struct script_step steps[] = {{.status = status, .body = body}};
	struct store_test x;
	struct test_sink sink;
	struct object found = {.size = 7};
	open_store(&x, steps, 1);
	test_sink_init(&sink);
	struct store_get get = {.bucket = S("lake"), .key = S("a")};
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), code);
	assert_string_equal(x.c->err.provider_code, provider_code);
	assert_int_equal(x.c->err.http_status, status);
	assert_false(x.c->err.retryable);
	assert_int_equal(found.size, 7);
	assert_int_equal(sink.bytes.n, 0);
	close_store(&x, 1);
}

static void test_errors(void **state)
{
	(void)state;
	check_head_error(
		404, S("<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>"), ERR_NOT_FOUND, "NoSuchKey");
	check_head_error(403, S("<Error><Code>AccessDenied</Code></Error>"), ERR_DENIED, "AccessDenied");
	check_head_error(403, S("<Error><Code>SignatureDoesNotMatch</Code></Error>"), ERR_UNAUTHENTICATED,
		"SignatureDoesNotMatch");
	check_head_error(412, S("<Error><Code>PreconditionFailed</Code></Error>"), ERR_CONFLICT, "PreconditionFailed");
	check_head_error(416, S("<Error><Code>InvalidRange</Code></Error>"), ERR_INVALID, "InvalidRange");
	check_head_error(400, S("<html>a proxy's page"), ERR_INVALID, "");
}

static void test_get(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200, .headers = headers_of_object, .body = S("123456789")}};
	struct store_test x;
	struct test_sink sink;
	struct object found;
	open_store(&x, steps, 1);
	test_sink_init(&sink);
	struct store_get get = {.bucket = S("lake"), .key = S("a"), .if_match = S("abc")};
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), 0);
	assert_true(str_eq(buf_str(&sink.bytes), S("123456789")));
	assert_true(str_eq(found.etag, S("abc")));
	assert_true(str_eq(found.content_type, S("text/plain")));
	assert_int_equal(found.size, 9);
	assert_true(found.has_crc32c && found.crc32c == 0xe3069283);
	assert_string_equal(json_text(found.metadata, "colour"), "blue");
	assert_int_equal(found.modified_ns / 1000000000, 1795515331);
	store_test_request(&x, 0, "GET", "/lake/a");
	store_test_header(&x, 0, "if-match", "\"abc\"");
	store_test_header(&x, 0, "range", "");
	check_signature(&x, 0);
	buf_free(&sink.bytes);
	close_store(&x, 1);
}

static void test_get_goes_on(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200, .headers = headers_of_object, .body = S("123456789"), .fault = SCRIPT_CUT},
		{.fault = SCRIPT_CLOSE},
		{.status = 206, .headers = "ETag: \"abc\"\r\nContent-Range: bytes 4-8/9\r\n", .body = S("56789")}};
	struct store_test x;
	struct test_sink sink;
	struct object found;
	open_store(&x, steps, COUNT_OF(steps));
	test_sink_init(&sink);
	struct store_get get = {.bucket = S("lake"), .key = S("a")};
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), 0);
	assert_true(str_eq(buf_str(&sink.bytes), S("123456789")));
	assert_true(found.has_crc32c); // and it was checked over both answers
	store_test_header(&x, 2, "range", "bytes=4-8");
	store_test_header(&x, 2, "if-match", "\"abc\"");
	assert_int_equal(sink.restarts, 0);
	buf_free(&sink.bytes);
	close_store(&x, 3);
}

static void test_get_changed_meanwhile(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200, .headers = "ETag: \"abc\"\r\n", .body = S("123456789"), .fault = SCRIPT_CUT},
		{.status = 412, .body = S("<Error><Code>PreconditionFailed</Code></Error>")},
		{.status = 200, .headers = "ETag: \"def\"\r\n", .body = S("new")}};
	struct store_test x;
	struct test_sink sink;
	struct object found;
	open_store(&x, steps, COUNT_OF(steps));
	test_sink_init(&sink);
	struct store_get get = {.bucket = S("lake"), .key = S("a")};
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), 0);
	assert_true(str_eq(buf_str(&sink.bytes), S("new")));
	assert_int_equal(sink.restarts, 1);
	buf_free(&sink.bytes);
	close_store(&x, 3);
}

static void test_get_wrong_checksum(void **state)
{
	(void)state;
	const struct script_step step = {.status = 200, .headers = headers_of_object, .body = S("123456780")};
	const struct script_step steps[] = {step, step, step};
	struct store_test x;
	struct test_sink sink;
	struct object found;
	open_store(&x, steps, COUNT_OF(steps));
	test_sink_init(&sink);
	struct store_get get = {.bucket = S("lake"), .key = S("a")};
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), ERR_CORRUPT);
	assert_int_equal(sink.restarts, 2);
	buf_free(&sink.bytes);
	close_store(&x, 3);
}

// A checksum of parts' checksums proves nothing about the bytes, and must not be taken for one that is wrong.
static void test_checksums_of_parts(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200,
						    .headers = "ETag: \"e-2\"\r\nx-amz-checksum-crc32c: AAAAAA==\r\n",
						    .body = S("123456789")},
		{.status = 200,
			.headers =
				"ETag: \"e\"\r\nx-amz-checksum-type: COMPOSITE\r\nx-amz-checksum-crc32c: AAAAAA==\r\n",
			.body = S("123456789")},
		{.status = 200,
			.headers = "ETag: \"e-2\"\r\nx-amz-checksum-type: FULL_OBJECT\r\nx-amz-checksum-crc32c: "
				   "4waSgw==\r\n",
			.body = S("123456789")}};
	struct store_test x;
	struct object found;
	open_store(&x, steps, COUNT_OF(steps));
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct test_sink sink;
		test_sink_init(&sink);
		struct store_get get = {.bucket = S("lake"), .key = S("a")};
		assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), 0);
		assert_int_equal(found.has_crc32c, i == 2);
		buf_free(&sink.bytes);
	}
	close_store(&x, COUNT_OF(steps));
}

static void test_get_range(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 206, .headers = "ETag: \"abc\"\r\nContent-Range: bytes 2-4/9\r\n", .body = S("345")},
		{.status = 206, .headers = "ETag: \"abc\"\r\nContent-Range: bytes 7-8/9\r\n", .body = S("89")},
		{.status = 206, .headers = "ETag: \"abc\"\r\nContent-Range: bytes 3-5/9\r\n", .body = S("456")}};
	struct store_test x;
	struct test_sink sink;
	struct object found;
	open_store(&x, steps, COUNT_OF(steps));
	test_sink_init(&sink);
	struct store_get get = {.bucket = S("lake"), .key = S("a"), .offset = 2, .length = 3};
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), 0);
	assert_true(str_eq(buf_str(&sink.bytes), S("345")));
	assert_int_equal(found.size, 9);
	store_test_header(&x, 0, "range", "bytes=2-4");
	get.offset = 7;
	get.length = UINT64_MAX;
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), 0);
	store_test_header(&x, 1, "range", "bytes=7-");
	get.offset = 2; // and another range comes back
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), ERR_PROTOCOL);
	buf_free(&sink.bytes);
	close_store(&x, 3);
}

static void test_sink_fails(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200, .headers = "ETag: \"abc\"\r\n", .body = S("123456789")}};
	struct store_test x;
	struct test_sink sink;
	struct object found;
	open_store(&x, steps, 1);
	test_sink_init(&sink);
	sink.fail = ERR_NO_SPACE;
	struct store_get get = {.bucket = S("lake"), .key = S("a")};
	assert_int_equal(aws_store_ops.get(x.c, x.store, &get, &sink.sink, &found), ERR_NO_SPACE);
	close_store(&x, 1);
}

static void test_conflict_of_our_own(void **state)
{
	(void)state;
	// The first answer is lost; the second says that the object is there. It is ours when size and checksum agree.
	const struct script_step ours[] = {{.fault = SCRIPT_CLOSE},
		{.status = 412, .body = S("<Error><Code>PreconditionFailed</Code></Error>")},
		{.status = 200, .headers = headers_of_object, .body = S("123456789")}};
	const struct script_step theirs[] = {{.fault = SCRIPT_CLOSE},
		{.status = 412, .body = S("<Error><Code>PreconditionFailed</Code></Error>")},
		{.status = 200, .headers = headers_of_object, .body = S("12345678")}};
	for (int i = 0; i < 2; i++) {
		struct store_test x;
		struct test_source source;
		struct object made;
		open_store(&x, i ? theirs : ours, 3);
		test_source_init(&source, S("123456789"));
		struct store_put put = {.bucket = S("lake"), .key = S("a"), .condition = {.if_absent = true}};
		assert_int_equal(aws_store_ops.put(x.c, x.store, &put, &source.source, &made), i ? ERR_CONFLICT : 0);
		store_test_request(&x, 2, "HEAD", "/lake/a");
		close_store(&x, 3);
	}
}

static void test_list(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200,
			.body = S("<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult "
				  "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
				  "<EncodingType>url</EncodingType><IsTruncated>true</"
				  "IsTruncated><NextContinuationToken>a+/=</NextContinuationToken>"
				  "<Contents><Key>p/a+b%2B%C3%A9</Key><LastModified>2026-11-24T10:15:31.000Z</"
				  "LastModified><ETag>&quot;e1&quot;</ETag>"
				  "<Size>12</Size></Contents><CommonPrefixes><Prefix>p/x%20y/</Prefix></"
				  "CommonPrefixes></ListBucketResult>")},
		{.status = 200, .body = S("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")},
		{.status = 200, .body = S("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")},
		{.status = 200, .body = S("<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>")},
		{.status = 200, .body = S("<!DOCTYPE x [<!ENTITY a 'b'>]><ListBucketResult/>")}};
	struct store_test x;
	struct store_page page;
	open_store(&x, steps, COUNT_OF(steps));
	struct store_list list = {.bucket = S("lake"), .prefix = S("p/"), .delimiter = S("/"), .limit = 5000};
	assert_int_equal(aws_store_ops.list(x.c, x.store, &list, &page), 0);
	assert_int_equal(page.count, 1);
	assert_true(str_eq(page.objects[0].key, S("p/a b+\xc3\xa9")));
	assert_true(str_eq(page.objects[0].etag, S("e1")));
	assert_int_equal(page.objects[0].size, 12);
	assert_int_equal(page.objects[0].modified_ns / 1000000000, 1795515331);
	assert_int_equal(page.prefix_count, 1);
	assert_true(str_eq(page.prefixes[0], S("p/x y/")));
	assert_true(str_eq(page.next, S("a+/=")));
	store_test_request(&x, 0, "GET", "/lake?list-type=2&encoding-type=url&prefix=p%2F&delimiter=%2F&max-keys=1000");
	check_signature(&x, 0);
	list = (struct store_list){.bucket = S("lake"), .token = page.next};
	assert_int_equal(aws_store_ops.list(x.c, x.store, &list, &page), 0);
	assert_int_equal(page.count + page.next.n, 0);
	store_test_request(&x, 1, "GET", "/lake?list-type=2&encoding-type=url&continuation-token=a%2B%2F%3D");
	for (int i = 0; i < 3; i++) // cut without a token, an object without a size, a document type
		assert_int_equal(aws_store_ops.list(x.c, x.store, &list, &page), ERR_PROTOCOL);
	close_store(&x, 5);
}

static void test_delete_and_buckets(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 204},
		{.status = 404, .body = S("<Error><Code>NoSuchBucket</Code></Error>")},
		{.status = 409, .body = S("<Error><Code>BucketAlreadyOwnedByYou</Code></Error>")},
		{.status = 409, .body = S("<Error><Code>BucketAlreadyExists</Code></Error>")}, {.status = 404},
		{.status = 200}, {.status = 409, .body = S("<Error><Code>BucketNotEmpty</Code></Error>")},
		{.status = 204}};
	struct store_test x;
	open_store(&x, steps, COUNT_OF(steps));
	struct call *c = x.c;
	assert_int_equal(aws_store_ops.delete(c, x.store, S("lake"), S("a")), 0);
	assert_int_equal(aws_store_ops.delete(c, x.store, S("lake"), S("a")), 0);
	assert_int_equal(c->err.code, 0);
	assert_int_equal(aws_store_ops.bucket_create(c, x.store, S("lake")), 0);
	assert_int_equal(aws_store_ops.bucket_create(c, x.store, S("lake")), ERR_EXISTS);
	assert_int_equal(aws_store_ops.bucket_head(c, x.store, S("lake")), ERR_NOT_FOUND);
	assert_int_equal(aws_store_ops.bucket_head(c, x.store, S("lake")), 0);
	assert_int_equal(aws_store_ops.bucket_delete(c, x.store, S("lake")), ERR_CONFLICT);
	assert_int_equal(aws_store_ops.bucket_delete(c, x.store, S("lake")), 0);
	store_test_request(&x, 2, "PUT", "/lake");
	assert_true(str_find(store_test_body(&x, 2), S("<LocationConstraint>eu-central-1</LocationConstraint>")) > 0);
	assert_int_equal(aws_store_ops.bucket_head(c, x.store, S("Not/A/Bucket")), ERR_INVALID);
	assert_int_equal(aws_store_ops.delete(c, x.store, S("lake"), S("")), ERR_INVALID);
	close_store(&x, COUNT_OF(steps));
}

static void test_redirects_are_not_followed(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 307, .headers = "Location: http://127.0.0.1:1/\r\n"}};
	struct store_test x;
	open_store(&x, steps, 1);
	assert_int_equal(aws_store_ops.bucket_head(x.c, x.store, S("lake")), ERR_PROTOCOL);
	close_store(&x, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_retries),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_get_goes_on),
		cmocka_unit_test(test_get_changed_meanwhile),
		cmocka_unit_test(test_get_wrong_checksum),
		cmocka_unit_test(test_checksums_of_parts),
		cmocka_unit_test(test_get_range),
		cmocka_unit_test(test_sink_fails),
		cmocka_unit_test(test_conflict_of_our_own),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_delete_and_buckets),
		cmocka_unit_test(test_redirects_are_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
