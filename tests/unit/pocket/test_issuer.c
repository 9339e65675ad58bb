// SPDX-License-Identifier: Apache-2.0
// Tokens of trusted issuers: whose are taken, and why others are not.
#include "bare_fixture.h"

#include "cloud/sign/jwt_rs256.h"
#include "pocket/issuer.h"

#define ISSUER "https://issuer.test"

static struct buf private_key, public_key, other_key, other_public; // made once: it is slow

static int make_keys(UNUSED void **state)
{
	struct err e = {0};
	return jwt_rs256_make_key(2048, &private_key, &public_key, &e) ||
	       jwt_rs256_make_key(2048, &other_key, &other_public, &e);
}

static int drop_keys(UNUSED void **state)
{
	buf_free(&private_key);
	buf_free(&public_key);
	buf_free(&other_key);
	buf_free(&other_public);
	return 0;
}

static int setup(UNUSED void **state)
{
	return bare_setup(&s3_front);
}

static int teardown(UNUSED void **state)
{
	return bare_teardown();
}

static void trust(json_t *audiences)
{
	struct err e = {0};
	AUTO(json) all = json_pack("{s:{s:s, s:o}}", ISSUER, "public_key", buf_cstr(&public_key), "audiences", audiences);
	assert_non_null(all);
	assert_int_equal(pocket_write_json(&bare.pocket, "issuers.json", all, &e), 0);
}

static struct str sign(const struct buf *key, const char *issuer, const char *audience)
{
	struct err e = {0};
	AUTO(buf) out = {0};
	const struct jwt_claims claims = {.issuer = str_of(issuer),
		.subject = S("repo:team/model"),
		.audience = str_of(audience),
		.issued_s = BARE_START_S,
		.expires_s = BARE_START_S + 300};
	assert_int_equal(jwt_rs256_make(buf_str(key), S(""), &claims, &out, &e), 0);
	return arena_str(&bare.arena, buf_str(&out));
}

static void assert_refused(struct str token, const char *why)
{
	struct issued out = {.subject = S("")};
	assert_int_equal(issuer_verify(bare_request(), token, &out), ERR_UNAUTHENTICATED);
	assert_int_equal(bare.request.err.code, ERR_UNAUTHENTICATED);
	if (!strstr(bare.request.err.message, why))
		fail_msg("\"%s\" is not in: %s", why, bare.request.err.message);
	assert_str(out.subject, S(""));
}

static void test_good(UNUSED void **state)
{
	struct issued out;
	trust(json_pack("[s, s]", "first", "sts.amazonaws.com"));
	struct str token = sign(&private_key, ISSUER, "sts.amazonaws.com"); // the second of two
	assert_int_equal(issuer_verify(bare_request(), token, &out), 0);
	assert_int_equal(bare.request.err.code, 0);
	assert_str(out.issuer, S(ISSUER));
	assert_str(out.subject, S("repo:team/model"));
	assert_str(out.audience, S("sts.amazonaws.com"));
	assert_int_equal(issuer_verify(bare_request(), sign(&private_key, ISSUER, "first"), &out), 0);
	assert_str(out.audience, S("first"));
}

static void test_no_token(UNUSED void **state)
{
	trust(json_pack("[s]", "a"));
	assert_refused(S(""), "the token is no JWT");
	assert_refused(S("a"), "the token is no JWT");
	assert_refused(S("a.b"), "the token is no JWT");
	assert_refused(S("a.!!.c"), "the token is no JWT");
	assert_refused(S("e30.bm90anNvbg.c"), "the token is no JWT");
	assert_refused(S("e30.e30.c"), "no provider is known for the issuer "); // claims nobody
}

static void test_unknown(UNUSED void **state)
{
	struct str token = sign(&private_key, ISSUER, "a");
	assert_refused(token, "no provider is known for the issuer " ISSUER); // no file at all
	trust(json_pack("[s]", "a"));
	assert_refused(sign(&private_key, "https://other.test", "a"), "the issuer https://other.test");
	trust(json_array());
	assert_refused(token, "issuers.json lists no audience for it");
	trust(json_pack("[s]", "b"));
	assert_refused(token, "the token is for \"a\", not for \"b\"");
}

static void test_forged(UNUSED void **state)
{
	trust(json_pack("[s]", "a"));
	assert_refused(sign(&other_key, ISSUER, "a"), "the token's signature is wrong");
	struct str token = sign(&private_key, ISSUER, "a");
	assert_refused(str_take(token, token.n - 4), "the token's signature is ");
	assert_refused(bare_tampered(token, token.n - 40), "the token's signature is wrong");
}

static void test_times(UNUSED void **state)
{
	struct issued out;
	trust(json_pack("[s]", "a"));
	struct str token = sign(&private_key, ISSUER, "a");
	bare.edges.now_ns += 299 * NS_PER_S;
	assert_int_equal(issuer_verify(bare_request(), token, &out), 0);
	bare.edges.now_ns += 1000 * NS_PER_S;
	assert_refused(token, "the token has expired");
	bare.edges.now_ns = (BARE_START_S - 60) * NS_PER_S; // a clock that is slow by the leeway
	assert_int_equal(issuer_verify(bare_request(), token, &out), 0);
	bare.edges.now_ns -= NS_PER_S;
	assert_refused(token, "the token is from the future: check both clocks");
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(test_good), ONE(test_no_token), ONE(test_unknown), ONE(test_forged), ONE(test_times)};
	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
