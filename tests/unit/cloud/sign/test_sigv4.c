// SPDX-License-Identifier: Apache-2.0
// The client's part of SigV4 against the worked examples of the Amazon S3 API Reference ("Signature Calculations for
// the Authorization Header: Transferring Payload in a Single Chunk" and "... Using Query Parameters").
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/time.h"
#include "cloud/sign/sigv4.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EXAMPLE_HOST S("examplebucket.s3.amazonaws.com")
#define ACCESS_KEY S("AKIAIOSFODNN7EXAMPLE")
#define SECRET S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
#define TIME S("20130524T000000Z")

static struct sigv4_key example_key(void)
{
	struct sigv4_key key;
	assert_int_equal(sigv4_key_make(&key, SECRET, S("20130524"), S("us-east-1")), 0);
	return key;
}

static void check_example(const struct sign_request *r, const char *names, const char *signature)
{
	struct err e = {0};
	struct sigv4_key key = example_key();
	AUTO(buf) out = {0};
	AUTO(buf) expected = {0};
	buf_printf(&expected,
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
		"SignedHeaders=%s, Signature=%s",
		names, signature);
	assert_int_equal(sigv4_authorize(r, ACCESS_KEY, &key, &out, &e), 0);
	assert_string_equal(buf_cstr(&out), buf_cstr(&expected));
}

static void test_get_object(void **state)
{
	(void)state;
	const struct sign_header headers[] = {{S("Host"), EXAMPLE_HOST}, {S("Range"), S("bytes=0-9")},
		{S("User-Agent"), S("not signed")}, {S("x-amz-content-sha256"), S(EMPTY_HASH)},
		{S("x-amz-date"), TIME}};
	struct sign_request r = {S("GET"), S("/test.txt"), S(""), headers, COUNT_OF(headers)};
	check_example(&r, "host;range;x-amz-content-sha256;x-amz-date",
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void test_put_object(void **state)
{
	(void)state;
	// The example signs Date too, so it goes through the canonical request.
	const struct sign_header headers[] = {{S("Host"), EXAMPLE_HOST},
		{S("Date"), S("Fri, 24 May 2013 00:00:00 GMT")}, {S("x-amz-date"), TIME},
		{S("x-amz-storage-class"), S("REDUCED_REDUNDANCY")},
		{S("x-amz-content-sha256"), S("44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")}};
	struct sign_request r = {S("PUT"), S("/test$file.text"), S(""), headers, COUNT_OF(headers)};
	struct sigv4_canonical c = {.request = &r,
		.signed_headers = S("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class"),
		.payload_hash = headers[4].value};
	AUTO(buf) canonical = {0};
	AUTO(buf) to_sign = {0};
	struct sigv4_key key = example_key();
	char hex[HEX_SHA256_SIZE];
	assert_int_equal(sigv4_canonical_request(&c, &canonical, NULL), 0);
	assert_string_equal(buf_cstr(&canonical),
		"PUT\n/test%24file.text\n\n"
		"date:Fri, 24 May 2013 00:00:00 GMT\nhost:examplebucket.s3.amazonaws.com\n"
		"x-amz-content-sha256:44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n"
		"x-amz-date:20130524T000000Z\nx-amz-storage-class:REDUCED_REDUNDANCY\n\n"
		"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class\n"
		"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
	sigv4_string_to_sign(&key, TIME, buf_str(&canonical), &to_sign);
	sigv4_signature(&key, buf_str(&to_sign), hex);
	assert_string_equal(hex, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void test_queries(void **state)
{
	(void)state;
	const struct sign_header headers[] = {
		{S("Host"), EXAMPLE_HOST}, {S("x-amz-content-sha256"), S(EMPTY_HASH)}, {S("x-amz-date"), TIME}};
	struct sign_request r = {S("GET"), S("/"), S("lifecycle"), headers, COUNT_OF(headers)};
	check_example(&r, "host;x-amz-content-sha256;x-amz-date",
		"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	r.query = S("prefix=J&max-keys=2"); // sorted by the signature, not by us
	check_example(&r, "host;x-amz-content-sha256;x-amz-date",
		"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void test_presigned(void **state)
{
	(void)state;
	const struct sign_header headers[] = {{S("Host"), EXAMPLE_HOST}};
	struct sign_request r = {S("GET"), S("/test.txt"), S(""), headers, 1};
	struct sigv4_presign p = {
		.access_key = ACCESS_KEY, .wall_ns = INT64_C(1369353600) * NS_PER_S, .expires_s = 86400};
	struct sigv4_key key = example_key();
	AUTO(buf) out = {0};
	assert_int_equal(sigv4_presign(&r, &p, &key, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out),
		"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%"
		"2Faws4_request"
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
	p.expires_s = SIGV4_MAX_EXPIRES_S + 1;
	assert_int_equal(sigv4_presign(&r, &p, &key, &out, NULL), ERR_INVALID);
}

static void test_canonical_forms(void **state)
{
	(void)state;
	// "//" and dot segments stay, header values lose extra space, headers of one name join, parameters sort by
	// their encoded forms.
	const struct sign_header headers[] = {
		{S("Host"), S(" h ")}, {S("X-Amz-Meta-A"), S("  one   two  ")}, {S("x-amz-meta-a"), S("three")}};
	struct sign_request r = {
		S("PUT"), S("/b//../a%2Bb+c%7e"), S("b=2&a=%2F&a=%20&acl&a-=1"), headers, COUNT_OF(headers)};
	struct sigv4_canonical c = {.request = &r,
		.signed_headers = S("host;x-amz-meta-a"),
		.payload_hash = SIGV4_UNSIGNED,
		.skip_parameter = S("b")};
	AUTO(buf) out = {0};
	assert_int_equal(sigv4_canonical_request(&c, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), "PUT\n/b//../a%2Bb%2Bc~\na=%20&a=%2F&a-=1&acl=\nhost:h\nx-amz-meta-a:one "
					    "two,three\n\nhost;x-amz-meta-a\nUNSIGNED-PAYLOAD");
}

// Of every service but S3: no dot segments, no empty segments, and what was sent is encoded once more.
static void test_path_of_other_services(void **state)
{
	(void)state;
	static const char *const cases[][2] = {{"/", "/"}, {"", "/"}, {"/a//b/./c/../d%20e/", "/a/b/d%2520e/"},
		{"//", "/"}, {"/../..", "/"}, {"/a/..", "/"}, {"/a/../", "/"}, {"/a/b/..", "/a"}, {"/x~y", "/x~y"}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sign_request r = {S("POST"), str_of(cases[i][0]), S(""), NULL, 0};
		struct sigv4_canonical c = {
			.request = &r, .signed_headers = S("host"), .payload_hash = S("H"), .service = S("kms")};
		struct err e = {0};
		AUTO(buf) out = {0};
		AUTO(buf) expected = {0};
		buf_printf(&expected, "POST\n%s\n\nhost:\n\nhost\nH", cases[i][1]);
		assert_int_equal(sigv4_canonical_request(&c, &out, &e), 0);
		assert_string_equal(buf_cstr(&expected), buf_cstr(&out));
	}
}

static void test_incomplete_requests(void **state)
{
	(void)state;
	struct err e = {0};
	struct sigv4_key key = example_key();
	const struct sign_header headers[] = {{S("Host"), EXAMPLE_HOST}, {S("x-amz-content-sha256"), S(EMPTY_HASH)},
		{S("x-amz-date"), S("20130525T000000Z")}};
	struct sign_request r = {S("GET"), S("/"), S(""), headers, COUNT_OF(headers)};
	AUTO(buf) out = {0};
	assert_int_equal(sigv4_authorize(&r, ACCESS_KEY, &key, &out, &e), ERR_INVALID); // a key of another day
	r.header_count = 2;
	assert_int_equal(sigv4_authorize(&r, ACCESS_KEY, &key, &out, &e), ERR_INVALID);
	r.query = S("a=%");
	assert_int_equal(out.n, 0);
}

static void test_keys(void **state)
{
	(void)state;
	struct sigv4_key key = example_key();
	assert_true(sigv4_key_fits(&key, S("20130524"), S("us-east-1")));
	assert_false(sigv4_key_fits(&key, S("20130525"), S("us-east-1")));
	assert_false(sigv4_key_fits(&key, S("20130524"), S("us-east-2")));
	assert_int_equal(sigv4_key_make(&key, SECRET, S("2013052400"), S("us-east-1")), ERR_LIMIT);
	sigv4_key_wipe(&key);
	struct sigv4_key zero = {0};
	assert_memory_equal(&key, &zero, sizeof(key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_object),
		cmocka_unit_test(test_put_object),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_presigned),
		cmocka_unit_test(test_canonical_forms),
		cmocka_unit_test(test_path_of_other_services),
		cmocka_unit_test(test_incomplete_requests),
		cmocka_unit_test(test_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
