// SPDX-License-Identifier: Apache-2.0
// Cloud KMS and Secret Manager of a pocket Google Cloud over loopback, with tokens that the service account signs itself.
#include "pocket_fixture.h"

#include "cloud/sign/jwt_rs256.h"
#include "pocket/gcp/kms.h"
#include "pocket/gcp/self_signed.h"

#define KMS "https://cloudkms.googleapis.com/"
#define SECRETS "https://secretmanager.googleapis.com/"
#define SCOPE "https://www.googleapis.com/auth/cloud-platform"
#define RING "/v1/projects/p/locations/europe-west4/keyRings"

static json_t *parsed; // body of the last answer

static struct str token(const char *audience, const char *scope, int64_t issued_s)
{
	AUTO(buf) jwt = {0};
	struct err e = {0};
	const struct jwt_claims claims = {.issuer = json_str(cloud.credentials, "client_email"),
		.audience = str_of(audience),
		.scope = str_of(scope),
		.issued_s = issued_s,
		.expires_s = issued_s + 3600};
	assert_int_equal(jwt_rs256_make(json_str(cloud.credentials, "private_key"),
				 json_str(cloud.credentials, "private_key_id"), &claims, &jwt, &e),
		0);
	return arena_str(&cloud.arena, buf_str(&jwt));
}

static int ask_as(struct str bearer, const char *method, const char *target, const char *body)
{
	struct exchange x = {.method = str_of(method), .target = str_of(target), .body = str_of(body)};
	json_t *j = NULL;
	exchange_add(&x, "authorization", arena_printf(&cloud.arena, "Bearer %.*s", STR(bearer)));
	exchange_send(&x);
	parsed = json_parse(x.text, &j, NULL) == 0 ? json_in_arena(&cloud.arena, j) : NULL;
	return x.status;
}

static int64_t now_s(void)
{
	return edges_real()->wall_ns(NULL) / NS_PER_S;
}

static int ask(const char *audience, const char *method, const char *target, const char *body)
{
	return ask_as(token(audience, "", now_s()), method, target, body);
}

static void test_self_signed(UNUSED void **state)
{
	assert_int_equal(ask_as(token(KMS, "", now_s()), "GET", RING, ""), 200);
	assert_int_equal(ask_as(token("", SCOPE, now_s()), "GET", RING, ""), 200);
	assert_int_equal(ask_as(token("", "https://www.googleapis.com/auth/other", now_s()), "GET", RING, ""), 401);
	assert_int_equal(ask_as(token(SECRETS, "", now_s()), "GET", RING, ""), 401);
	assert_int_equal(ask_as(token(KMS, "", now_s() - 4000), "GET", RING, ""), 401);
	assert_int_equal(ask_as(token(KMS, "", now_s() + 600), "GET", RING, ""), 401);
	assert_int_equal(ask_as(S("eyJhbGciOiJub25lIn0.e30."), "GET", RING, ""), 401);
	assert_str(json_str(json_object_get(parsed, "error"), "status"), S("UNAUTHENTICATED"));
}

static void test_keys(UNUSED void **state)
{
	assert_string_equal(gcp_kms_service.name, "cloudkms");
	assert_int_equal(ask(KMS, "POST", RING "?keyRingId=r", "{}"), 200);
	assert_int_equal(ask(KMS, "POST", RING "?keyRingId=r", "{}"), 409);
	assert_int_equal(ask(KMS, "POST", RING "/r/cryptoKeys?cryptoKeyId=k", "{\"purpose\":\"ENCRYPT_DECRYPT\"}"), 200);
	assert_int_equal(ask(KMS, "POST", RING "/r/cryptoKeys?cryptoKeyId=s", "{\"purpose\":\"ASYMMETRIC_SIGN\"}"), 501);
	assert_int_equal(ask(KMS, "POST", RING "/r/cryptoKeys/k:encrypt",
				 "{\"plaintext\":\"AAEC\",\"additionalAuthenticatedData\":\"bGFrZQ==\"}"),
		200);
	struct str ciphertext = json_str(parsed, "ciphertext");
	struct str body = arena_printf(&cloud.arena,
		"{\"ciphertext\":\"%.*s\",\"additionalAuthenticatedData\":\"bGFrZQ==\"}", STR(ciphertext));
	cloud_stop(); // the key outlives the pocket
	cloud_start();
	assert_int_equal(ask(KMS, "POST", RING "/r/cryptoKeys/k:decrypt", body.p), 200);
	assert_str(json_str(parsed, "plaintext"), S("AAEC"));
	assert_int_equal(ask(KMS, "PATCH", RING "/r/cryptoKeys/k/cryptoKeyVersions/1?updateMask=state",
				 "{\"state\":\"DISABLED\"}"),
		200);
	assert_int_equal(ask(KMS, "POST", RING "/r/cryptoKeys/k:decrypt", body.p), 400);
	assert_str(json_str(json_object_get(parsed, "error"), "status"), S("FAILED_PRECONDITION"));
}

static void test_secrets(UNUSED void **state)
{
	assert_string_equal(gcp_secrets_service.name, "secretmanager");
	assert_int_equal(ask(SECRETS, "POST", "/v1/projects/p/secrets?secretId=s", "{}"), 400);
	assert_int_equal(ask(SECRETS, "POST", "/v1/projects/p/secrets?secretId=s",
				 "{\"replication\":{\"automatic\":{}}}"),
		200);
	assert_int_equal(ask(SECRETS, "POST", "/v1/projects/p/secrets/s:addVersion",
				 "{\"payload\":{\"data\":\"aHVudGVyMg==\",\"dataCrc32c\":\"1\"}}"),
		400);
	assert_int_equal(
		ask(SECRETS, "POST", "/v1/projects/p/secrets/s:addVersion", "{\"payload\":{\"data\":\"aHVudGVyMg==\"}}"),
		200);
	assert_int_equal(ask(SECRETS, "GET", "/v1/projects/p/secrets/s/versions/latest:access", ""), 200);
	assert_str(json_str(json_object_get(parsed, "payload"), "data"), S("aHVudGVyMg=="));
	assert_int_equal(ask(SECRETS, "DELETE", "/v1/projects/p/secrets/s", ""), 200);
	assert_int_equal(ask(SECRETS, "GET", "/v1/projects/p/secrets/s/versions/1:access", ""), 404);
}

static int begin(UNUSED void **state)
{
	return cloud_setup("gcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_self_signed, cloud_test_end),
		cmocka_unit_test_teardown(test_keys, cloud_test_end),
		cmocka_unit_test_teardown(test_secrets, cloud_test_end),
	};
	return cmocka_run_group_tests(tests, begin, cloud_teardown);
}
