// SPDX-License-Identifier: Apache-2.0
// Shared Key against the strings of "Authorize with Shared Key" (Azure Storage REST API) and the public key of the
// storage emulator.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/time.h"
#include "cloud/sign/sharedkey.h"

#define DATE S("Fri, 26 Jun 2015 23:39:12 GMT")
#define EMULATOR_KEY S("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==")
#define EMULATOR S("devstoreaccount1")

static void check_string(const struct sign_request *r, const char *account, const char *expected)
{
	AUTO(buf) out = {0};
	assert_int_equal(sharedkey_string_to_sign(r, str_of(account), &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), expected);
}

static void test_documented_strings(void **state)
{
	(void)state;
	const struct sign_header headers[] = {{S("x-ms-version"), S("2015-02-21")}, {S("x-ms-date"), DATE}};
	struct sign_request r = {
		S("GET"), S("/mycontainer"), S("restype=container&comp=metadata&timeout=20"), headers, 2};
	check_string(&r, "myaccount",
		"GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
		"/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20");
	r.query = S("restype=container&comp=list&include=snapshots&include=metadata&include=uncommittedblobs");
	check_string(&r, "myaccount",
		"GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
		"/myaccount/mycontainer\ncomp:list\ninclude:metadata,snapshots,uncommittedblobs\nrestype:container");
}

static void test_headers(void **state)
{
	(void)state;
	const struct sign_header headers[] = {{S("Content-Length"), S("0")}, {S("Date"), DATE},
		{S("If-None-Match"), S("*")}, {S("Range"), S("bytes=0-9")}, {S("Content-MD5"), S("abc=")},
		{S("Content-Type"), S(" text/plain ")}, {S("Other"), S("x")}};
	struct sign_request r = {S("PUT"), S("/c/b"), S("Prefix=a+b%2F%20&marker"), headers, COUNT_OF(headers)};
	// No x-ms-date, so Date counts; '+' in a URI is itself; a length of 0 is empty.
	check_string(&r, "acct",
		"PUT\n\n\n\nabc=\ntext/plain\nFri, 26 Jun 2015 23:39:12 GMT\n\n\n*\n\nbytes=0-9\n"
		"/acct/c/b\nmarker:\nprefix:a+b/ ");
}

enum { TYPE, LENGTH, ABSENT, BLOB_TYPE, META, MS_DATE, VERSION, AUTHORIZATION, HEADERS };

struct signed_request {
	struct sign_header headers[HEADERS];
	struct sign_request request;
	struct buf authorization, key;
};

static void sign(struct signed_request *s)
{
	*s = (struct signed_request){.headers = {{S("content-type"), S("text/plain")}, {S("content-length"), S("11")},
					     {S("if-none-match"), S("*")}, {S("x-ms-blob-type"), S("BlockBlob")},
					     {S("X-MS-Meta-B"), S("two  words")}, {S("x-ms-date"), DATE},
					     {S("x-ms-version"), S("2021-12-02")}}};
	s->request =
		(struct sign_request){S("PUT"), S("/devstoreaccount1/lake/a%20b"), S(""), s->headers, AUTHORIZATION};
	assert_int_equal(base64_decode(EMULATOR_KEY, &s->key), 0);
	assert_int_equal(sharedkey_authorize(&s->request, EMULATOR, buf_str(&s->key), &s->authorization, NULL), 0);
	s->headers[AUTHORIZATION] = (struct sign_header){S("Authorization"), buf_str(&s->authorization)};
	s->request.header_count = HEADERS;
}

static int64_t date_ns(void)
{
	int64_t ns;
	assert_int_equal(time_parse_http_date(DATE, &ns), 0);
	return ns;
}

static int verify(const struct signed_request *s, int64_t late_s, struct err *e)
{
	err_clear(e);
	return sharedkey_verify(&s->request, EMULATOR, buf_str(&s->key), date_ns() + late_s * NS_PER_S, e);
}

static void test_authorize(void **state)
{
	(void)state;
	struct signed_request s;
	struct err e = {0};
	sign(&s);
	assert_string_equal(
		buf_cstr(&s.authorization), "SharedKey devstoreaccount1:HHNXvrQ3UviR7PnV0KMxKSQxfirdRMTyxidJ0OlgD7E=");
	assert_int_equal(verify(&s, 0, &e), 0);
	struct str account;
	assert_int_equal(sharedkey_account(&s.request, &account, &e), 0);
	assert_true(str_eq(account, EMULATOR));
	s.headers[VERSION].name = S("other");
	assert_int_equal(sharedkey_authorize(&s.request, EMULATOR, buf_str(&s.key), &s.key, &e), ERR_INVALID);
	buf_free(&s.authorization);
	buf_free(&s.key);
}

static void test_changes_are_refused(void **state)
{
	(void)state;
	struct signed_request s;
	struct err e = {0};
	sign(&s);
	struct {
		struct str *at;
		struct str value;
	} const changes[] = {{&s.request.method, S("GET")}, {&s.request.path, S("/devstoreaccount1/lake/a")},
		{&s.request.query, S("comp=block")}, {&s.headers[TYPE].value, S("text/html")},
		{&s.headers[LENGTH].value, S("12")}, {&s.headers[META].value, S("x")},
		{&s.headers[ABSENT].value, S("")}, {&s.headers[AUTHORIZATION].value, S("SharedKey other:AAAA")}};
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct str before = *changes[i].at;
		*changes[i].at = changes[i].value;
		assert_int_equal(verify(&s, 0, &e), ERR_UNAUTHENTICATED);
		assert_string_equal(e.provider_code, "AuthenticationFailed");
		assert_int_equal(e.http_status, 403);
		*changes[i].at = before;
	}
	assert_int_equal(verify(&s, SHAREDKEY_SKEW_S, &e), 0);
	assert_int_equal(verify(&s, SHAREDKEY_SKEW_S + 1, &e), ERR_UNAUTHENTICATED);
	assert_int_equal(verify(&s, -SHAREDKEY_SKEW_S - 1, &e), ERR_UNAUTHENTICATED);
	s.headers[MS_DATE].value = S("yesterday");
	assert_int_equal(verify(&s, 0, &e), ERR_UNAUTHENTICATED);
	buf_free(&s.authorization);
	buf_free(&s.key);
}

static void test_malformed_authorization(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"SharedKeyLite a:b", "SharedKey ab", "SharedKey :b", "SharedKey a:", "Bearer x"};
	struct err e = {0};
	struct str account = S("unchanged");
	struct sign_header header = {S("authorization"), S("")};
	struct sign_request r = {S("GET"), S("/"), S(""), &header, 1};
	assert_int_equal(sharedkey_account(&r, &account, &e), ERR_UNAUTHENTICATED);
	assert_string_equal(e.provider_code, "NoAuthenticationInformation");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		header.value = str_of(bad[i]);
		assert_int_equal(sharedkey_account(&r, &account, &e), ERR_INVALID);
		assert_string_equal(e.provider_code, "InvalidAuthenticationInfo");
	}
	assert_true(str_eq(account, S("unchanged")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documented_strings),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_authorize),
		cmocka_unit_test(test_changes_are_refused),
		cmocka_unit_test(test_malformed_authorization),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
