// SPDX-License-Identifier: Apache-2.0
// Chunked bodies against the worked examples of the Amazon S3 API Reference (65 KiB of 'a' in chunks of 64 KiB, with
// and without trailers), cut at every place, and changed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <stdlib.h>

#include "cloud/sign/sigv4_chunks.h"

#define SECRET S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
enum { FIRST = 65536, SECOND = 1024, SIZE = FIRST + SECOND };

static struct sigv4_chunks *decoder(struct str hash, const char *seed, uint64_t size)
{
	struct sigv4_key key;
	struct sigv4_claim claim = {.payload_hash = hash, .signature = str_of(seed), .time = "20130524T000000Z"};
	assert_int_equal(sigv4_key_make(&key, SECRET, S("20130524"), S("us-east-1")), 0);
	struct sigv4_chunks *d = sigv4_chunks_new(&claim, &key, size);
	assert_non_null(d);
	return d;
}

static void add_run(struct buf *b, size_t n)
{
	assert_true(buf_reserve(b, n));
	for (size_t i = 0; i < n; i++)
		buf_add_char(b, 'a');
}

static const char seed[] = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
static const char seed_trailer[] = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";

static void example(struct buf *b, const char *const signatures[3], const char *end)
{
	buf_printf(b, "10000;chunk-signature=%s\r\n", signatures[0]);
	add_run(b, FIRST);
	buf_printf(b, "\r\n400;chunk-signature=%s\r\n", signatures[1]);
	add_run(b, SECOND);
	buf_printf(b, "\r\n0;chunk-signature=%s\r\n%s", signatures[2], end);
}

static void plain_example(struct buf *b)
{
	static const char *const signatures[3] = {"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
		"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
		"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"};
	example(b, signatures, "\r\n");
}

static void trailer_example(struct buf *b, const char *between)
{
	static const char *const signatures[3] = {"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
		"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
		"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"};
	AUTO(buf) end = {0};
	buf_printf(&end, "x-amz-checksum-crc32c:sOO8/Q==%sx-amz-trailer-signature:%s\r\n\r\n", between,
		"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
	example(b, signatures, buf_cstr(&end));
}

static int count(void *ctx, struct str data)
{
	for (size_t i = 0; i < data.n; i++)
		assert_int_equal(data.p[i], 'a');
	*(size_t *)ctx += data.n;
	return 0;
}

// Feeds the body in pieces of step bytes.
static int decode(struct sigv4_chunks *d, struct str body, size_t step, struct err *e)
{
	size_t got = 0;
	int r = 0;
	for (size_t at = 0; !r && at < body.n; at += step)
		r = sigv4_chunks_feed(d, str_take(str_drop(body, at), step), count, &got, e);
	if (!r)
		r = sigv4_chunks_finish(d, e);
	if (!r)
		assert_int_equal(got, SIZE);
	return r;
}

static void test_signed_chunks(void **state)
{
	(void)state;
	static const size_t steps[] = {1, 7, 65536, SIZE * 2};
	struct err e = {0};
	AUTO(buf) body = {0};
	plain_example(&body);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct sigv4_chunks *d = decoder(SIGV4_CHUNKS, seed, SIZE);
		assert_int_equal(decode(d, buf_str(&body), steps[i], &e), 0);
		sigv4_chunks_free(d);
	}
}

static void test_signed_trailers(void **state)
{
	(void)state;
	static const char *const between[] = {"\r\n", "\n\r\n"};
	struct err e = {0};
	for (size_t i = 0; i < COUNT_OF(between); i++) {
		AUTO(buf) body = {0};
		trailer_example(&body, between[i]);
		struct sigv4_chunks *d = decoder(SIGV4_CHUNKS_TRAILER, seed_trailer, SIZE);
		assert_int_equal(decode(d, buf_str(&body), 1000, &e), 0);
		assert_true(str_eq(sigv4_chunks_trailer(d, S("x-amz-checksum-crc32c")), S("sOO8/Q==")));
		assert_int_equal(sigv4_chunks_trailer(d, S("x-amz-checksum-sha256")).n, 0);
		sigv4_chunks_free(d);
	}
}

static void check_refused(struct str hash, struct str body, int code, const char *provider_code)
{
	struct err e = {0};
	struct sigv4_chunks *d = decoder(hash, str_eq(hash, SIGV4_CHUNKS) ? seed : seed_trailer, SIZE);
	assert_int_equal(decode(d, body, 4096, &e), code);
	assert_string_equal(e.provider_code, provider_code);
	sigv4_chunks_free(d);
}

static void test_changes_are_refused(void **state)
{
	(void)state;
	AUTO(buf) body = {0};
	AUTO(buf) trailers = {0};
	plain_example(&body);
	trailer_example(&trailers, "\r\n");
	check_refused(SIGV4_CHUNKS, str_take(buf_str(&body), body.n - 2), ERR_INVALID, "IncompleteBody");
	check_refused(SIGV4_CHUNKS, str_take(buf_str(&body), 60000), ERR_INVALID, "IncompleteBody");
	body.p[30] = body.p[30] == '1' ? '2' : '1'; // a digit of the first signature
	check_refused(SIGV4_CHUNKS, buf_str(&body), ERR_UNAUTHENTICATED, "SignatureDoesNotMatch");
	trailers.p[trailers.n - 10] = trailers.p[trailers.n - 10] == '1' ? '2' : '1';
	check_refused(SIGV4_CHUNKS_TRAILER, buf_str(&trailers), ERR_UNAUTHENTICATED, "SignatureDoesNotMatch");
	check_refused(SIGV4_CHUNKS, buf_str(&trailers), ERR_UNAUTHENTICATED, "SignatureDoesNotMatch"); // another seed
}

static void check_unsigned(const char *body, uint64_t size, int code, const char *provider_code)
{
	struct err e = {0};
	size_t got = 0;
	struct sigv4_chunks *d = decoder(SIGV4_UNSIGNED_TRAILER, "", size);
	int r = sigv4_chunks_feed(d, str_of(body), count, &got, &e);
	if (!r)
		r = sigv4_chunks_finish(d, &e);
	assert_int_equal(r, code);
	assert_string_equal(e.provider_code, provider_code);
	if (!r)
		assert_int_equal(got, size);
	sigv4_chunks_free(d);
}

static void test_unsigned_chunks(void **state)
{
	(void)state;
	check_unsigned("3\r\naaa\r\n1\r\na\r\n0\r\nX-Amz-Checksum-Crc32: AAAAAA==\r\n\r\n", 4, 0, "");
	check_unsigned("0\r\n\r\n", 0, 0, "");
	check_unsigned("3\r\naaa\r\n0\r\n\r\n", 4, ERR_INVALID, "IncompleteBody");
	check_unsigned("5\r\naaaaa\r\n0\r\n\r\n", 4, ERR_INVALID, "IncompleteBody");
	check_unsigned("3\r\naaaa\r\n0\r\n\r\n", 4, ERR_INVALID, "InvalidChunkSizeError");
	check_unsigned("3\naaa\r\n", 3, ERR_INVALID, "InvalidChunkSizeError");
	check_unsigned("-3\r\n", 3, ERR_INVALID, "InvalidChunkSizeError");
	check_unsigned("ffffffffffffffff\r\n", 3, ERR_INVALID, "InvalidChunkSizeError");
	check_unsigned("0\r\nnonsense\r\n\r\n", 0, ERR_INVALID, "MalformedTrailerError");
	check_unsigned("0\r\n\r\nmore", 0, ERR_INVALID, "IncompleteBody");
	char line[SIGV4_MAX_LINE + 8];
	memset(line, '0', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	check_unsigned(line, 0, ERR_INVALID, "InvalidChunkSizeError");
}

static int refuse(void *ctx, struct str data)
{
	(void)ctx, (void)data;
	return ERR_NO_SPACE;
}

static void test_sink_fails(void **state)
{
	(void)state;
	struct sigv4_chunks *d = decoder(SIGV4_UNSIGNED_TRAILER, "", 3);
	assert_int_equal(sigv4_chunks_feed(d, S("3\r\naaa\r\n"), refuse, NULL, NULL), ERR_NO_SPACE);
	sigv4_chunks_free(d);
	assert_true(sigv4_chunks_wanted(SIGV4_CHUNKS));
	assert_true(sigv4_chunks_wanted(SIGV4_CHUNKS_TRAILER));
	assert_true(sigv4_chunks_wanted(SIGV4_UNSIGNED_TRAILER));
	assert_false(sigv4_chunks_wanted(SIGV4_UNSIGNED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed_chunks),
		cmocka_unit_test(test_signed_trailers),
		cmocka_unit_test(test_changes_are_refused),
		cmocka_unit_test(test_unsigned_chunks),
		cmocka_unit_test(test_sink_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
