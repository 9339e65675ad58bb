// SPDX-License-Identifier: Apache-2.0
// URLs, percent coding, path normalisation and byte ranges, by tables.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "net/range.h"
#include "net/url.h"

static void parses_urls(void **state)
{
	(void)state;
	struct url u;
	assert_int_equal(url_parse(S("https://a-b.example:8443/x/y%20z?q=1"), &u, NULL), 0);
	assert_true(u.https && u.port == 8443 && u.authority.type == URL_HOST_NAME);
	assert_true(str_eq(u.authority.host, S("a-b.example")));
	assert_true(str_eq(u.path, S("/x/y%20z")) && str_eq(u.query, S("q=1")) && str_eq(u.target, S("/x/y%20z?q=1")));
	assert_int_equal(url_parse(S("HTTP://[::1]"), &u, NULL), 0);
	assert_true(
		!u.https && u.port == 80 && u.authority.type == URL_HOST_IPV6 && str_eq(u.authority.host, S("::1")));
	assert_true(str_eq(u.target, S("/")) && u.query.p == NULL);
	assert_int_equal(url_parse(S("http://127.0.0.1:9"), &u, NULL), 0);
	assert_true(u.authority.type == URL_HOST_IPV4);
}

static void refuses_urls(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "http://", "http:///x", "ftp://a/", "//a/", "a/b", "http://u@a/",
		"http://u:p@a/", "http://a:0/", "http://a:65536/", "http://a:/x:", "http://a:+1/", "http://a b/",
		"http://a/#f", "http://a#f", "http://a?x", "http://-a/", "http://a-/", "http://a..b/", "http://a./",
		"http://1.2.3/", "http://0x7f.1/", "http://127.1/", "http://017.0.0.1/", "http://1.2.3.256/",
		"http://2130706433/", "http://[::1/", "http://[v1.a]/", "http://[::1]x/", "http://[]/", "http://a/%",
		"http://a/%1", "http://a/%gg", "http://a/\\", "http://a/ ", "http://a/\x7f", "http://\xc3\xa9/",
		"http://a/<", "javascript:x", "http://a%2eb/"};
	struct err e = {0};
	struct url u;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (url_parse(str_of(bad[i]), &u, &e) != ERR_INVALID)
			fail_msg("accepted %s", bad[i]);
	assert_int_equal(url_parse(S("http://a/\0"), &u, &e), ERR_INVALID);
}

static void normalises_paths(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out; // NULL: refused
	} cases[] = {
		{"/", "/"},
		{"/a", "/a"},
		{"/a/", "/a/"},
		{"/%61%2D%7e", "/a-~"},
		{"/a%3ab%20c", "/a%3Ab%20c"},
		{"/a/./b", "/a/b"},
		{"/a/../b", "/b"},
		{"/a/b/..", "/a/"},
		{"/a/.", "/a/"},
		{"/a/..", "/"},
		{"/.", "/"},
		{"/%2e/x", "/x"},
		{"/a/%2E%2e/b", "/b"},
		{"/...", "/..."},
		{"/a;v=1/b", "/a;v=1/b"},
		{"/a%23b%3Fc", "/a%23b%3Fc"},
		{"/..", NULL},
		{"/a/../../b", NULL},
		{"/%2e%2e", NULL},
		{"//", NULL},
		{"/a//b", NULL},
		{"/a//", NULL},
		{"//a", NULL},
		{"/a%2fb", NULL},
		{"/a%5Cb", NULL},
		{"/a%00", NULL},
		{"/a%0d", NULL},
		{"/a%7f", NULL},
		{"", NULL},
		{"a", NULL},
		{"/a%", NULL},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(buf) out = {0};
		int code = url_normalise_path(str_of(cases[i].in), &out, NULL);
		if (code != (cases[i].out ? 0 : ERR_INVALID) ||
			(cases[i].out && strcmp(buf_cstr(&out), cases[i].out) != 0))
			fail_msg("%s gave %d \"%s\"", cases[i].in, code, buf_cstr(&out));
	}
}

static void codes_percents(void **state)
{
	(void)state;
	AUTO(buf) out = {0};
	url_encode(S("a/b c\xff~%"), S("/"), &out);
	assert_string_equal(buf_cstr(&out), "a/b%20c%FF~%25");
	AUTO(buf) back = {0};
	assert_int_equal(url_decode(buf_str(&out), &back), 0);
	assert_string_equal(buf_cstr(&back), "a/b c\xff~%");
	AUTO(buf) broken = {0};
	assert_int_equal(url_decode(S("a%0"), &broken), ERR_INVALID);
	assert_int_equal(url_decode(S("%00"), &broken), ERR_INVALID);
}

static void walks_queries(void **state)
{
	(void)state;
	struct arena a = {0};
	struct str query = S("a=1&&b&c=x%3Dy&a=2&bad=%zz");
	assert_true(str_eq(url_query_get(query, "a", &a), S("1")));
	assert_true(str_eq(url_query_get(query, "c", &a), S("x=y")));
	assert_true(url_query_has(query, "b") && !url_query_has(query, "d"));
	assert_true(str_eq(url_query_get(query, "b", &a), S("")));
	assert_null(url_query_get(query, "d", &a).p);
	assert_null(url_query_get(query, "bad", &a).p);
	arena_free(&a);
}

static void parses_ranges(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		uint64_t size;
		enum range_result result;
		uint64_t first, last;
	} cases[] = {
		{"bytes=0-0", 10, RANGE_PART, 0, 0},
		{"bytes=2-5", 10, RANGE_PART, 2, 5},
		{"Bytes=5-", 10, RANGE_PART, 5, 9},
		{"bytes=5-99", 10, RANGE_PART, 5, 9},
		{"bytes=-3", 10, RANGE_PART, 7, 9},
		{"bytes=-99", 10, RANGE_PART, 0, 9},
		{"bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=-5", 0, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=5-2", 10, RANGE_WHOLE, 0, 0},
		{"bytes=0-1,3-4", 10, RANGE_WHOLE, 0, 0},
		{"bytes=a-b", 10, RANGE_WHOLE, 0, 0},
		{"bytes=", 10, RANGE_WHOLE, 0, 0},
		{"items=0-1", 10, RANGE_WHOLE, 0, 0},
		{"", 10, RANGE_WHOLE, 0, 0},
		{"bytes=99999999999999999999-", 10, RANGE_WHOLE, 0, 0},
		{"bytes= 0-1", 10, RANGE_WHOLE, 0, 0},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct range r = {0};
		assert_int_equal(range_parse(str_of(cases[i].header), cases[i].size, &r), cases[i].result);
		assert_int_equal(r.first, cases[i].first);
		assert_int_equal(r.last, cases[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_urls),
		cmocka_unit_test(refuses_urls),
		cmocka_unit_test(normalises_paths),
		cmocka_unit_test(codes_percents),
		cmocka_unit_test(walks_queries),
		cmocka_unit_test(parses_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
