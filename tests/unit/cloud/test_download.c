// SPDX-License-Identifier: Apache-2.0
// Header values that all providers write alike; the stream itself is tested through the drivers (test_aws_store.c and
// the others).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/http/download.h"
#include "cloud_test.h"

static int size_of(const char *range, const char *length, uint64_t *size)
{
	struct cloud_test t;
	struct sign_header headers[] = {{S("content-range"), str_of(range)}, {S("content-length"), str_of(length)}};
	struct transport_response r = {.headers = headers, .header_count = 2};
	cloud_test_init(&t);
	int code = download_size(&t.call, &r, size);
	cloud_test_free(&t);
	return code;
}

static void test_sizes(void **state)
{
	(void)state;
	uint64_t size = 7;
	assert_int_equal(size_of("", "123", &size), 0);
	assert_true(size == 123);
	assert_int_equal(size_of("bytes 2-4/9", "3", &size), 0);
	assert_true(size == 9);
	static const char *const bad[] = {"bytes 2-4/*", "bytes 4-2/9", "bytes 2-9/9", "bytes 2-4", "octets 2-4/9",
		"bytes -1-4/9", "bytes 2-4/9x"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(size_of(bad[i], "3", &size), ERR_PROTOCOL);
	assert_int_equal(size_of("", "", &size), ERR_PROTOCOL);
	assert_int_equal(size_of("", "-3", &size), ERR_PROTOCOL);
	assert_true(size == 9);
}

static void test_etags(void **state)
{
	(void)state;
	assert_true(str_eq(download_etag(S("\"abc\"")), S("abc")));
	assert_true(str_eq(download_etag(S("W/\"abc\"")), S("abc")));
	assert_true(str_eq(download_etag(S("0x1")), S("0x1")));
	assert_true(str_eq(download_etag(S("\"")), S("\"")));
	assert_int_equal(download_etag(S("\"\"")).n, 0);
	assert_int_equal(download_etag(S("")).n, 0);
}

static void test_times(void **state)
{
	(void)state;
	struct sign_header header = {S("Last-Modified"), S("Tue, 24 Nov 2026 10:15:31 GMT")};
	struct transport_response r = {.headers = &header, .header_count = 1};
	assert_true(download_modified_ns(&r) == INT64_C(1795515331000000000));
	header.value = S("yesterday");
	assert_true(download_modified_ns(&r) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_etags),
		cmocka_unit_test(test_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
