// SPDX-License-Identifier: Apache-2.0
// RS256 assertions: a token that the openssl command signed is accepted, ours are read back, and every deviation is
// refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hash.h"
#include "cloud/sign/jwt_rs256.h"

static const char public_key[] = "-----BEGIN PUBLIC KEY-----\n"
				 "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAphEE+DTS2eJnslGUtk5g\n"
				 "qhY8w/RGbmaEuv/OcTiymPm9Vs7B5rzEVd29gHFkTNDLkr0Jhi7TuONjHgRjC1fJ\n"
				 "vqjDPl82fHaEVr0QEJdzA1AvFd4SfDwgqO5ihVTSo0Xf9CC/jcurkDLK+qzgStp1\n"
				 "z7sJrIVXdslBqp9CTqqSrT1IS3GFoqvfSfSpCjsV8YvkxMJ012CNrvvud8mEBK1v\n"
				 "LYXzi++ft9jV3n4H9BoRgwokNpiuCXlUQ4zu6bIM9Kp/+7hPRu7qxeuFmcC9rR9u\n"
				 "f9hVKhGtA3newB5oaf9DJycNWqfIBzhHRYz4T4lxqBk9G3N4hhleLsAFMaYzKfe4\n"
				 "HQIDAQAB\n"
				 "-----END PUBLIC KEY-----\n";
static const char token[] =
	"eyJhbGciOiJSUzI1NiIsImtpZCI6ImtleS0xIiwidHlwIjoiSldUIn0.eyJhdWQiOiJodHRwOi8vMTI3LjAuMC4xOjQwMDAvdG9rZW4iLCJleH"
	"AiOjE3OTU1MTg5MzEsImlhdCI6MTc5NTUxNTMzMSwiaXNzIjoiaXNvYmFyQHBvY2tldC50ZXN0Iiwic2NvcGUiOiJodHRwczovL3d3dy5nb29n"
	"bGVhcGlzLmNvbS9hdXRoL2RldnN0b3JhZ2UucmVhZF93cml0ZSJ9.mF5eNu1Vy5bf1RSnM4v5nMo3mP8EOS8J-UbOui_R7mGTg77t3-qyx0TYz"
	"cP_8K4otdCryKKtkCjJxQn0ErtTHZnJI2HbljuSDzcv1NsgOXrfawDX9ysBs9J6wTUcDfnQbgA-3abc7WwfbF2YBjUvF8gFzuXE3LiNEofoo_J"
	"ZIKwOwGeuPvvX2SblnbS-pABBw49JfncwOZcR7iIR7betXTnk4JT0U8VugsDWFEElcvEf4oMp2-gW_x5bnFStsIfpfAFimD-bSNecGZv_aP-u2"
	"Zzg-8W9a8vUC7jSrMXrH7yrRgGLVC1pXAianiGKYLQ8u0eTRCzegmEZxqltAMsKxw";
#define AUDIENCE S("http://127.0.0.1:4000/token")
enum { ISSUED_S = 1795515331 };

static int verify(struct str text, struct str key, int64_t now_s, struct err *e)
{
	AUTO(arena) a = {0};
	struct jwt_claims claims;
	struct jwt_expect expect = {.audience = AUDIENCE, .now_s = now_s, .leeway_s = 10};
	err_clear(e);
	return jwt_rs256_verify(text, key, &expect, &a, &claims, e);
}

static void test_token_of_another_maker(void **state)
{
	(void)state;
	struct err e = {0};
	AUTO(arena) a = {0};
	struct jwt_claims claims;
	struct str key_id;
	struct jwt_expect expect = {.audience = AUDIENCE, .now_s = ISSUED_S, .leeway_s = 10};
	assert_int_equal(jwt_rs256_verify(S(token), S(public_key), &expect, &a, &claims, &e), 0);
	assert_true(str_eq(claims.issuer, S("isobar@pocket.test")));
	assert_true(str_eq(claims.audience, AUDIENCE));
	assert_true(str_eq(claims.scope, S("https://www.googleapis.com/auth/devstorage.read_write")));
	assert_int_equal(claims.subject.n, 0);
	assert_int_equal(claims.issued_s, ISSUED_S);
	assert_int_equal(claims.expires_s, ISSUED_S + 3600);
	assert_int_equal(jwt_rs256_key_id(S(token), &a, &key_id, &e), 0);
	assert_true(str_eq(key_id, S("key-1")));
}

static void test_times_and_audience(void **state)
{
	(void)state;
	struct err e = {0};
	assert_int_equal(verify(S(token), S(public_key), ISSUED_S - 10, &e), 0);
	assert_int_equal(verify(S(token), S(public_key), ISSUED_S - 11, &e), ERR_UNAUTHENTICATED);
	assert_int_equal(verify(S(token), S(public_key), ISSUED_S + 3609, &e), 0);
	assert_int_equal(verify(S(token), S(public_key), ISSUED_S + 3610, &e), ERR_UNAUTHENTICATED);
	assert_string_equal(e.message, "the token has expired");
	AUTO(arena) a = {0};
	struct jwt_claims claims = {0};
	struct jwt_expect expect = {.audience = S("http://127.0.0.1:4001/token"), .now_s = ISSUED_S};
	assert_int_equal(jwt_rs256_verify(S(token), S(public_key), &expect, &a, &claims, &e), ERR_UNAUTHENTICATED);
	assert_int_equal(claims.issuer.n, 0);
}

static void test_altered_tokens(void **state)
{
	(void)state;
	struct err e = {0};
	char text[sizeof(token)];
	for (size_t i = 0; i < sizeof(token) - 1; i += 13) {
		memcpy(text, token, sizeof(token));
		text[i] = text[i] == 'A' ? 'B' : 'A';
		assert_int_equal(verify(S(text), S(public_key), ISSUED_S, &e), ERR_UNAUTHENTICATED);
	}
	assert_int_equal(
		verify(str_take(S(token), sizeof(token) - 2), S(public_key), ISSUED_S, &e), ERR_UNAUTHENTICATED);
	assert_int_equal(verify(S("a.b"), S(public_key), ISSUED_S, &e), ERR_UNAUTHENTICATED);
	assert_int_equal(verify(S("a.b.c.d"), S(public_key), ISSUED_S, &e), ERR_UNAUTHENTICATED);
	assert_int_equal(verify(S(""), S(public_key), ISSUED_S, &e), ERR_UNAUTHENTICATED);
	assert_int_equal(verify(S(token), S("no key"), ISSUED_S, &e), ERR_INVALID);
}

static struct buf own_private, own_public;

// The token with another header; its signature is wrong too, but the header is what must be refused first.
static int verify_header(const char *header)
{
	struct err e = {0};
	AUTO(buf) text = {0};
	base64url_encode(str_of(header), &text);
	buf_add(&text, str_drop(S(token), (size_t)str_find_char(S(token), '.')));
	return verify(buf_str(&text), S(public_key), ISSUED_S, &e);
}

static void test_headers_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"{\"alg\":\"none\"}", "{\"alg\":\"HS256\"}",
		"{\"alg\":\"RS256\",\"alg\":\"RS256\"}", "{\"alg\":\"RS256\",\"crit\":[\"x\"]}",
		"{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", "[]", "{\"typ\":\"JWT\"}", "{"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(verify_header(bad[i]), ERR_UNAUTHENTICATED);
}

static int make(const struct jwt_claims *claims, struct buf *out)
{
	struct err e = {0};
	return jwt_rs256_make(buf_str(&own_private), S("k"), claims, out, &e);
}

static void test_own_tokens(void **state)
{
	(void)state;
	struct err e = {0};
	AUTO(buf) out = {0};
	struct jwt_claims claims = {.issuer = S("a@b"),
		.audience = AUDIENCE,
		.subject = S("s"),
		.scope = S("x y"),
		.issued_s = ISSUED_S,
		.expires_s = ISSUED_S + 3600};
	assert_int_equal(make(&claims, &out), 0);
	assert_int_equal(verify(buf_str(&out), buf_str(&own_public), ISSUED_S, &e), 0);
	assert_int_equal(
		verify(buf_str(&out), S(public_key), ISSUED_S, &e), ERR_UNAUTHENTICATED); // signed by another key
	buf_clear(&out);
	claims.expires_s = ISSUED_S + 3601; // longer than a verifier accepts
	assert_int_equal(make(&claims, &out), 0);
	assert_int_equal(verify(buf_str(&out), buf_str(&own_public), ISSUED_S, &e), ERR_UNAUTHENTICATED);
	buf_clear(&out);
	claims.expires_s = ISSUED_S;
	assert_int_equal(make(&claims, &out), 0);
	assert_int_equal(verify(buf_str(&out), buf_str(&own_public), ISSUED_S, &e), ERR_UNAUTHENTICATED);
	buf_clear(&out);
	assert_int_equal(jwt_rs256_make(S("no key"), S(""), &claims, &out, &e), ERR_INVALID);
	assert_int_equal(out.n, 0);
	assert_int_equal(jwt_rs256_make_key(1024, &out, &out, &e), ERR_FAILED);
}

static int make_keys(void **state)
{
	(void)state;
	return jwt_rs256_make_key(JWT_MIN_RSA_BITS, &own_private, &own_public, NULL);
}

static int free_keys(void **state)
{
	(void)state;
	buf_free(&own_private);
	buf_free(&own_public);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_of_another_maker),
		cmocka_unit_test(test_times_and_audience),
		cmocka_unit_test(test_altered_tokens),
		cmocka_unit_test(test_headers_refused),
		cmocka_unit_test(test_own_tokens),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
