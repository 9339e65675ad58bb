// SPDX-License-Identifier: Apache-2.0
// Callers of a pocket AWS: names that follow from the pocket's, sessions that are made, known again, ended, forged.
#include "bare_fixture.h"

#include "pocket/aws/session.h"
#include "pocket/s3/s3_impl.h"

static struct s3_keys keys;

static int setup(UNUSED void **state)
{
	if (bare_setup(&s3_front))
		return -1;
	keys = (struct s3_keys){.access_key = {0}};
	buf_add(&keys.access_key, S("AKIAEXAMPLE234567ABC"));
	buf_add(&keys.secret, S("a-secret-of-the-owner"));
	bare.pocket.keys = bare.request.keys = &keys;
	bare_put("iam/roles", "trainer",
		"{\"name\":\"trainer\",\"policies\":{\"own\":\"{\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\","
		"\\\"Action\\\":\\\"s3:GetObject\\\",\\\"Resource\\\":\\\"*\\\"}]}\"},\"attached\":{}}");
	return 0;
}

static int teardown(UNUSED void **state)
{
	buf_free(&keys.access_key);
	buf_free(&keys.secret);
	return bare_teardown();
}

static struct session_keys make(const char *role, int64_t lifetime_s)
{
	struct session_keys out = {.token = S("")};
	struct err e = {0};
	const struct session s = {.role = str_of(role), .name = S("step-1"), .ends_s = BARE_START_S + lifetime_s};
	assert_int_equal(session_make(&bare.pocket, &s, &bare.arena, &out, &e), 0);
	return out;
}

static int identify(struct str access_key, struct str token, struct sigv4_key *signing)
{
	const struct sigv4_claim claim = {.access_key = access_key,
		.session_token = token,
		.day = S("20261124"),
		.region = S("us-east-1"),
		.service = S("sts")};
	return session_identify(bare_request(), &claim, signing);
}

static void assert_refused(struct str access_key, struct str token, const char *code)
{
	struct sigv4_key signing = {0};
	assert_true(identify(access_key, token, &signing) < 0);
	assert_string_equal(bare.request.err.provider_code, code);
	assert_null(bare.request.who);
}

static void test_names(UNUSED void **state)
{
	char account[SESSION_ACCOUNT_DIGITS + 1];
	pocket_account(&bare.pocket, account);
	assert_int_equal(strlen(account), 12);
	assert_int_equal(strspn(account, "0123456789"), 12);
	struct str arn = session_role_arn(&bare.pocket, &bare.arena, S("/team/"), S("trainer"));
	assert_str(arn, arena_printf(&bare.arena, "arn:aws:iam::%s:role/team/trainer", account));
	const json_t *role = session_role(&bare.pocket, S("trainer"));
	assert_non_null(role);
	assert_ptr_equal(session_role(&bare.pocket, arn), role);
	assert_null(session_role(&bare.pocket, S("other")));
	assert_null(session_role(&bare.pocket, S("")));
	assert_null(session_role(&bare.pocket, S("arn:aws:iam::000:role/trainer"))); // of another account
	struct str id = session_unique_id(&bare.pocket, &bare.arena, "AROA", S("trainer"));
	assert_int_equal(id.n, 21);
	assert_true(str_starts(id, S("AROA")));
	assert_str(session_unique_id(&bare.pocket, &bare.arena, "AROA", S("trainer")), id);
	assert_false(str_eq(session_unique_id(&bare.pocket, &bare.arena, "AROA", S("trainer2")), id));
}

static void test_owner(UNUSED void **state)
{
	struct sigv4_key got = {0}, wanted;
	const struct sigv4_scope scope = {.day = S("20261124"), .region = S("us-east-1"), .service = S("sts")};
	assert_int_equal(identify(buf_str(&keys.access_key), S(""), &got), 0);
	assert_true(bare.request.who->owner);
	assert_str(bare.request.who->id, S("AIDAEXAMPLE234567ABC"));
	assert_true(str_ends(bare.request.who->name, S(":user/pocket")));
	assert_int_equal(sigv4_key_make_scope(&wanted, buf_str(&keys.secret), &scope), 0);
	assert_memory_equal(&got.bytes, &wanted.bytes, sizeof(got.bytes));
	assert_refused(buf_str(&keys.access_key), make("trainer", 900).token, "InvalidToken");
	assert_refused(S("AKIAUNKNOWN"), S(""), "InvalidAccessKeyId");
}

static void test_session(UNUSED void **state)
{
	struct sigv4_key got = {0}, wanted;
	const struct sigv4_scope scope = {.day = S("20261124"), .region = S("us-east-1"), .service = S("sts")};
	struct session_keys s = make("trainer", 900), again = make("trainer", 900);
	assert_int_equal(strlen(s.access_key), 20);
	assert_int_equal(strncmp(s.access_key, "ASIA", 4), 0);
	assert_int_equal(strlen(s.secret), 40);
	assert_string_not_equal(s.access_key, again.access_key); // each has a nonce
	assert_int_equal(identify(str_of(s.access_key), s.token, &got), 0);
	assert_int_equal(sigv4_key_make_scope(&wanted, str_of(s.secret), &scope), 0);
	assert_memory_equal(&got.bytes, &wanted.bytes, sizeof(got.bytes));
	const struct pocket_principal *who = bare.request.who;
	assert_false(who->owner);
	assert_str(who->role, S("trainer"));
	assert_true(str_ends(who->name, S(":assumed-role/trainer/step-1")));
	assert_true(str_ends(who->id, S(":step-1")));
	assert_int_equal(who->ends_s, BARE_START_S + 900);
	assert_int_equal(json_array_size(who->policies), 1);
	assert_null(who->limit);
	assert_refused(str_of(again.access_key), s.token, "InvalidAccessKeyId"); // the key of another session
}

static void test_owners_own_session(UNUSED void **state)
{
	struct sigv4_key signing = {0};
	struct session_keys s = make("", 900);
	assert_int_equal(identify(str_of(s.access_key), s.token, &signing), 0);
	assert_true(bare.request.who->owner);
}

static void test_tampered(UNUSED void **state)
{
	struct session_keys s = make("trainer", 900);
	for (size_t at = 0; at + 1 < s.token.n; at++)
		assert_refused(str_of(s.access_key), bare_tampered(s.token, at), "InvalidToken");
	assert_refused(str_of(s.access_key), str_take(s.token, s.token.n - 4), "InvalidToken");
	assert_refused(str_of(s.access_key), S("IQoJ"), "InvalidToken");
	assert_refused(str_of(s.access_key), S("IQoJ!!!"), "InvalidToken");
	buf_add(&keys.secret, S("-changed")); // of another pocket
	assert_refused(str_of(s.access_key), s.token, "InvalidToken");
}

static void test_ended(UNUSED void **state)
{
	struct sigv4_key signing = {0};
	struct session_keys s = make("trainer", 900);
	bare.edges.now_ns += 900 * NS_PER_S - 1;
	assert_int_equal(identify(str_of(s.access_key), s.token, &signing), 0);
	bare.edges.now_ns += 1;
	assert_refused(str_of(s.access_key), s.token, "ExpiredToken");

	struct session_keys later = make("trainer", 7200);
	assert_int_equal(identify(str_of(later.access_key), later.token, &signing), 0);
	bare.pocket.tokens_ended_ns = bare.edges.now_ns; // the fault "expire"
	assert_refused(str_of(later.access_key), later.token, "ExpiredToken");
	bare.edges.now_ns += NS_PER_S;
	later = make("trainer", 7200);
	assert_int_equal(identify(str_of(later.access_key), later.token, &signing), 0);
	assert_int_equal(docs_delete(&bare.pocket, "iam/roles", S("trainer"), &bare.request.err), 0);
	assert_refused(str_of(later.access_key), later.token, "InvalidAccessKeyId");
}

static void test_limits(UNUSED void **state)
{
	struct sigv4_key signing = {0};
	struct session_keys out;
	struct err e = {0};
	AUTO(buf) text = {0};
	for (int i = 0; i < SESSION_TOKEN_MAX; i++)
		buf_add_char(&text, 'x');
	AUTO(json) policy = json_pack("{s:s}", "Version", "2012-10-17");
	struct session s = {.role = S("trainer"), .name = S("n"), .ends_s = BARE_START_S + 60, .policy = policy};
	assert_int_equal(session_make(&bare.pocket, &s, &bare.arena, &out, &e), 0);
	assert_int_equal(identify(str_of(out.access_key), out.token, &signing), 0);
	assert_string_equal(json_string_value(json_object_get(bare.request.who->limit, "Version")), "2012-10-17");
	json_object_set_new(policy, "Id", json_string(buf_cstr(&text)));
	assert_int_equal(session_make(&bare.pocket, &s, &bare.arena, &out, &e), ERR_LIMIT);
	assert_string_equal(e.message, "the session's policy is too long");
}

static void test_container(UNUSED void **state)
{
	static char url[] = "http://127.0.0.1:9";
	struct err e = {0};
	AUTO(json) environment = json_object();
	bare.pocket.url = url;
	assert_int_equal(session_add_role(&bare.pocket, S("trainer"), S("job-1"), environment, &e), 0);
	assert_str(json_str(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
		S("http://127.0.0.1:9/v2/credentials/trainer/job-1"));
	assert_int_equal(json_str(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN").n, 64);
	assert_str(json_str(environment, "AWS_ENDPOINT_URL"), S("http://127.0.0.1:9"));
	AUTO(json) other = json_pack("{s:s}", "AWS_ENDPOINT_URL", "http://set.test");
	assert_int_equal(session_add_role(&bare.pocket, S("trainer"), S("job-2"), other, &e), 0);
	assert_str(json_str(other, "AWS_ENDPOINT_URL"), S("http://set.test"));
	assert_false(str_eq(json_str(other, "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
		json_str(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN")));
	AUTO(json) none = json_object();
	assert_int_equal(session_add_role(&bare.pocket, S("other"), S("job-1"), none, &e), ERR_NOT_FOUND);
	assert_string_equal(e.message, "the role other is not known here");
	assert_int_equal(json_object_size(none), 0);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {ONE(test_names), ONE(test_owner), ONE(test_session),
		ONE(test_owners_own_session), ONE(test_tampered), ONE(test_ended), ONE(test_limits),
		ONE(test_container)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
