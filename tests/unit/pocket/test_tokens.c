// SPDX-License-Identifier: Apache-2.0
// Callers of a pocket Google Cloud: tokens that are made, opened, ended, forged; scopes; what bindings allow.
#include "bare_fixture.h"

#include "pocket/gcp/tokens.h"

#define OWNER "pocket@unit-test.iam.gserviceaccount.com"
#define OTHER "trainer@unit-test.iam.gserviceaccount.com"
#define POOL "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p"

static struct gcs_keys keys;

static int setup(UNUSED void **state)
{
	if (bare_setup(&gcs_front))
		return -1;
	keys = (struct gcs_keys){.secret = {1, 2, 3}};
	buf_add(&keys.email, S(OWNER));
	bare.pocket.keys = bare.request.keys = &keys;
	bare_put(GCP_ACCOUNTS, OTHER, "{}");
	return 0;
}

static int teardown(UNUSED void **state)
{
	buf_free(&keys.email);
	return bare_teardown();
}

static struct str make(const char *account, enum gcs_scope scope)
{
	struct err e = {0};
	struct str out = S("");
	const struct gcp_grant grant = {.account = str_of(account), .scope = scope, .lifetime_s = 600};
	assert_int_equal(gcp_token_make(&bare.pocket, &grant, &bare.arena, &out, &e), 0);
	return out;
}

static enum gcs_scope open_it(struct str token, struct gcp_opened *out)
{
	assert_int_equal(gcp_token_open(bare_request(), token, out), 0);
	if (out->scope == GCS_NONE) {
		assert_null(bare.request.who);
		assert_str(out->account, S(""));
	}
	return out->scope;
}

static void test_names(UNUSED void **state)
{
	assert_str(gcp_project(&bare.pocket, &bare.arena), S("unit-test"));
	assert_str(gcp_account_address(&bare.pocket, &bare.arena, S("trainer")), S(OTHER));
	assert_true(gcp_account_known(&bare.pocket, S(OWNER)));
	assert_true(gcp_account_known(&bare.pocket, S(OTHER)));
	assert_false(gcp_account_known(&bare.pocket, S("nobody@unit-test.iam.gserviceaccount.com")));
	assert_false(gcp_account_known(&bare.pocket, S("")));
}

static void test_scopes(UNUSED void **state)
{
#define AUTH "https://www.googleapis.com/auth/"
	assert_int_equal(gcp_scope_of(S("")), GCS_NONE);
	assert_int_equal(gcp_scope_of(S("openid email")), GCS_NONE);
	assert_int_equal(gcp_scope_of(S(AUTH "cloud-platform")), GCS_WRITE);
	assert_int_equal(gcp_scope_of(S(AUTH "devstorage.read_only " AUTH "devstorage.read_write")), GCS_WRITE);
	assert_int_equal(gcp_scope_of(S(AUTH "cloud-platform.read-only")), GCS_READ);
	assert_int_equal(gcp_scope_of(S(AUTH "iam")), GCS_IAM);
	assert_int_equal(gcp_scope_of(S(AUTH "iam " AUTH "devstorage.read_only")), GCS_READ);
	assert_int_equal(gcp_scope_of(S(AUTH "devstorage.read_only " AUTH "iam")), GCS_READ);
	assert_int_equal(gcp_scope_of(S(AUTH "cloud-platform2")), GCS_NONE);
}

static void test_open(UNUSED void **state)
{
	struct gcp_opened out;
	assert_int_equal(open_it(make(OWNER, GCS_WRITE), &out), GCS_WRITE);
	assert_str(out.account, S(OWNER));
	assert_int_equal(out.ends_s, BARE_START_S + 600);
	assert_true(bare.request.who->owner);
	assert_str(bare.request.who->account, S("unit-test"));
	assert_int_equal(open_it(make(OTHER, GCS_READ), &out), GCS_READ);
	assert_false(bare.request.who->owner);
	assert_str(bare.request.who->name, S(OTHER));
	assert_int_equal(open_it(make("principal:" POOL "/subject/a", GCS_WRITE), &out), GCS_WRITE);
	assert_false(bare.request.who->owner);
	assert_int_equal(open_it(make("nobody@unit-test.iam.gserviceaccount.com", GCS_WRITE), &out), GCS_NONE);
	assert_false(str_eq(make(OWNER, GCS_WRITE), make(OWNER, GCS_WRITE))); // each has a nonce
}

static void test_tampered(UNUSED void **state)
{
	struct gcp_opened out;
	struct str token = make(OTHER, GCS_READ);
	for (size_t at = 0; at + 1 < token.n; at++)
		assert_int_equal(open_it(bare_tampered(token, at), &out), GCS_NONE);
	assert_int_equal(open_it(str_take(token, token.n - 4), &out), GCS_NONE);
	assert_int_equal(open_it(S(""), &out), GCS_NONE);
	assert_int_equal(open_it(S("ya29."), &out), GCS_NONE);
	assert_int_equal(open_it(S("ya29.!!!"), &out), GCS_NONE);
	keys.secret[0]++; // of another pocket
	assert_int_equal(open_it(token, &out), GCS_NONE);
}

static void test_ended(UNUSED void **state)
{
	struct gcp_opened out;
	struct str token = make(OTHER, GCS_READ);
	bare.edges.now_ns += 600 * NS_PER_S - 1;
	assert_int_equal(open_it(token, &out), GCS_READ);
	bare.edges.now_ns += 1;
	assert_int_equal(open_it(token, &out), GCS_NONE);
	token = make(OTHER, GCS_READ);
	bare.pocket.tokens_ended_ns = bare.edges.now_ns; // the fault "expire"
	assert_int_equal(open_it(token, &out), GCS_NONE);
	bare.edges.now_ns += NS_PER_S;
	token = make(OTHER, GCS_READ);
	assert_int_equal(open_it(token, &out), GCS_READ);
	assert_int_equal(docs_delete(&bare.pocket, GCP_ACCOUNTS, S(OTHER), &bare.request.err), 0);
	assert_int_equal(open_it(token, &out), GCS_NONE);
}

static bool may(const char *account, const char *permission, const char *resource)
{
	assert_int_equal(gcp_be(bare_request(), str_of(account)), 0);
	return gcp_may(&bare.request, str_of(permission), str_of(resource));
}

static void test_bindings(UNUSED void **state)
{
	assert_false(gcp_may(bare_request(), S("storage.objects.get"), S(""))); // nobody
	assert_true(may(OWNER, "storage.objects.get", ""));
	assert_false(may(OTHER, "storage.objects.get", ""));
	bare_put(GCP_POLICIES, "project",
		"{\"bindings\":[{\"role\":\"roles/storage.objectViewer\",\"members\":[\"serviceAccount:" OTHER "\"]},"
		"{\"role\":\"roles/owner\",\"members\":[\"serviceAccount:" OTHER "\"],\"condition\":{}},"
		"{\"role\":\"projects/unit-test/roles/own\",\"members\":[\"serviceAccount:" OTHER "\"]},"
		"{\"role\":\"roles/none.such\",\"members\":[\"user:" OTHER "\"]}]}");
	bare_put(GCP_ROLES, "own", "{\"includedPermissions\":[\"cloudkms.cryptoKeys.get\"]}");
	assert_true(may(OTHER, "storage.objects.get", ""));
	assert_true(may(OTHER, "storage.objects.list", ""));
	assert_false(may(OTHER, "storage.objects.delete", "")); // the owner's role hangs on a condition
	assert_true(may(OTHER, "cloudkms.cryptoKeys.get", ""));
	assert_false(may(OTHER, "cloudkms.cryptoKeys.list", ""));
	assert_false(may("trainer2@unit-test.iam.gserviceaccount.com", "storage.objects.get", ""));
}

static void test_bindings_of_a_resource(UNUSED void **state)
{
	bare_put(GCP_POLICIES, OTHER,
		"{\"bindings\":[{\"role\":\"roles/iam.workloadIdentityUser\",\"members\":[\"principalSet:" POOL "/*\"]},"
		"{\"role\":\"roles/iam.serviceAccountUser\",\"members\":[\"principal:" POOL "/subject/a\"]}]}");
	assert_true(may("principal:" POOL "/subject/a", "iam.serviceAccounts.getAccessToken", OTHER));
	assert_true(may("principal:" POOL "/subject/b", "iam.serviceAccounts.getAccessToken", OTHER));
	assert_true(may("principal:" POOL "/subject/a", "iam.serviceAccounts.actAs", OTHER));
	assert_false(may("principal:" POOL "/subject/b", "iam.serviceAccounts.actAs", OTHER));
	assert_false(may("principal:" POOL "2/subject/a", "iam.serviceAccounts.getAccessToken", OTHER));
	assert_false(may("principal:" POOL "/subject/a", "iam.serviceAccounts.getAccessToken", ""));
	assert_false(may("principal:" POOL, "iam.serviceAccounts.getAccessToken", OTHER));
}

static void test_form(UNUSED void **state)
{
	struct front_request *r = bare_request();
	struct str form = S("a=1&b=x+y%2Fz&broken=%zz&empty=&a=2");
	assert_str(gcp_form_get(r, form, S("a")), S("1"));
	assert_str(gcp_form_get(r, form, S("b")), S("x y/z"));
	assert_str(gcp_form_get(r, form, S("broken")), S(""));
	assert_str(gcp_form_get(r, form, S("empty")), S(""));
	assert_str(gcp_form_get(r, form, S("c")), S(""));
	assert_str(gcp_form_get(r, S(""), S("a")), S(""));
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {ONE(test_names), ONE(test_scopes), ONE(test_open), ONE(test_tampered),
		ONE(test_ended), ONE(test_bindings), ONE(test_bindings_of_a_resource), ONE(test_form)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
