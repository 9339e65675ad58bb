// SPDX-License-Identifier: Apache-2.0
// Keys and secrets of the providers against answers by a script: what is asked, in which order, and that a lost answer
// never makes a second key, version or secret. Against servers of others: tests/interop/test_keys_*.sh.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cloud/aws/kms.h"
#include "cloud/azure/vault.h"
#include "cloud/gcp/kms.h"
#include "cloud/http/looks.h"
#include "cloud/key_wrap.h"
#include "cloud_test.h"

enum { LOST = 0 }; // as status: the request was read, and there is no answer

struct step {
	const char *asked; // "Encrypt" of X-Amz-Target, or "POST /path?query"
	int status;
	const char *answer;
};

static struct script {
	struct cloud_test t;
	struct call *c;
	const struct step *steps;
	size_t count, at;
	struct buf bodies[16];
	struct credential_source *credentials;
	struct aws_services *aws;
	struct gcp_services *gcp;
	struct azure_services *azure;
} s;

// ---------------------------------------------------------------- the script

static struct str asked(struct call *c, const struct transport_request *r)
{
	for (size_t i = 0; i < r->header_count; i++) {
		struct str service, operation;
		if (str_eq_nocase(r->headers[i].name, S("x-amz-target"))) {
			str_cut(r->headers[i].value, '.', &service, &operation);
			return operation;
		}
	}
	struct str path = str_drop(r->url, sizeof("http://127.0.0.1:4000") - 1);
	return arena_printf(c->arena, "%s %.*s", r->method, STR(path));
}

static int perform(struct call *c, void *ctx, const struct transport_request *r, struct transport_response *out)
{
	(void)ctx;
	if (s.at == s.count)
		fail_msg("one more request: %.*s", STR(asked(c, r)));
	const struct step *step = &s.steps[s.at];
	if (!str_is(asked(c, r), step->asked))
		fail_msg("request %zu is \"%.*s\" instead of \"%s\"", s.at, STR(asked(c, r)), step->asked);
	buf_clear(&s.bodies[s.at]);
	buf_add(&s.bodies[s.at++], r->body);
	if (step->status == LOST)
		return call_fail(c, ERR_UNAVAILABLE, "the connection was cut");
	*out = (struct transport_response){.status = step->status, .body = str_of(step->answer)};
	return 0;
}

static void play(const struct step *steps, size_t count)
{
	s.steps = steps;
	s.count = count;
	s.at = 0;
	err_clear(&s.c->err);
}
#define PLAY(...)                                                                                                      \
	static const struct step steps[] = {__VA_ARGS__};                                                              \
	play(steps, COUNT_OF(steps))

static void expect(int got, int wanted)
{
	if (got != wanted)
		fail_msg("%d instead of %d: %s", got, wanted, s.c->err.message);
	if (s.at != s.count)
		fail_msg("%zu requests instead of %zu", s.at, s.count);
}

static void sent(size_t i, const char *part)
{
	if (str_find(buf_str(&s.bodies[i]), str_of(part)) < 0)
		fail_msg("\"%s\" is not in %.*s", part, STR(buf_str(&s.bodies[i])));
}

#define PLAIN S("0123456789abcdef0123456789abcdef")
#define PLAIN64 "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define CONTEXT S("bucket/lake on aws-us")
#define NOT_FOUND(target) {target, 400, "{\"__type\":\"NotFoundException\",\"message\":\"no\"}"}
#define DESCRIBED {"DescribeKey", 200, "{\"KeyMetadata\":{\"KeyId\":\"k1\",\"Arn\":\"arn:k1\",\"KeyState\":\"Enabled\"}}"}
#define TAGS                                                                                                           \
	{                                                                                                              \
		"ListResourceTags", 200,                                                                               \
			"{\"Tags\":[{\"TagKey\":\"isobar-workspace\",\"TagValue\":\"fashion\"},"                       \
			"{\"TagKey\":\"isobar-address\",\"TagValue\":\"encryption-key/lake on one\"}]}"                \
	}

// ---------------------------------------------------------------- AWS

static void test_aws_create(void **state)
{
	(void)state;
	{ // it was made: by its tags it is found
		PLAY(NOT_FOUND("DescribeKey"), {"ListKeys", 200, "{\"Keys\":[]}"}, {"CreateKey", LOST, ""},
			{"ListKeys", 200, "{\"Keys\":[{\"KeyId\":\"k1\"}]}"}, TAGS, DESCRIBED, {"CreateAlias", 200, ""});
		expect(aws_key_ops.create(s.c, s.aws, S("lake")), 0);
		sent(2, "{\"TagKey\":\"isobar-address\",\"TagValue\":\"encryption-key/lake on one\"}");
		sent(6, "{\"AliasName\":\"alias/isobar-fashion-one-lake\",\"TargetKeyId\":\"k1\"}");
	}
	{ // it was not: once more
		PLAY(NOT_FOUND("DescribeKey"), {"ListKeys", 200, "{\"Keys\":[]}"}, {"CreateKey", LOST, ""},
			{"ListKeys", 200, "{\"Keys\":[]}"},
			{"CreateKey", 200, "{\"KeyMetadata\":{\"KeyId\":\"k2\"}}"}, {"CreateAlias", 200, ""});
		expect(aws_key_ops.create(s.c, s.aws, S("lake")), 0);
	}
	{ // an earlier run was killed before the alias
		PLAY(NOT_FOUND("DescribeKey"), {"ListKeys", 200, "{\"Keys\":[{\"KeyId\":\"k1\"}]}"}, TAGS, DESCRIBED,
			{"CreateAlias", 200, ""});
		expect(aws_key_ops.create(s.c, s.aws, S("lake")), 0);
	}
	{ // somebody else was first: ours goes
		PLAY(NOT_FOUND("DescribeKey"), {"ListKeys", 200, "{\"Keys\":[]}"},
			{"CreateKey", 200, "{\"KeyMetadata\":{\"KeyId\":\"k2\"}}"},
			{"CreateAlias", 400, "{\"__type\":\"AlreadyExistsException\"}"}, DESCRIBED,
			{"ScheduleKeyDeletion", 200, "{}"});
		expect(aws_key_ops.create(s.c, s.aws, S("lake")), 0);
		sent(5, "\"KeyId\":\"k2\"");
	}
}

static void test_aws_use(void **state)
{
	(void)state;
	struct str wrapped, plain;
	struct key_wrap w;
	{
		PLAY({"Encrypt", 200, "{\"CiphertextBlob\":\"AAEC\",\"KeyId\":\"arn:k1\"}"},
			{"Decrypt", 200, "{\"Plaintext\":\"" PLAIN64 "\"}"});
		assert_int_equal(aws_key_ops.wrap(s.c, s.aws, S("lake"), CONTEXT, PLAIN, &wrapped), 0);
		assert_int_equal(key_wrap_read(wrapped, "aws-kms", &w, NULL), 0);
		assert_true(str_eq(w.version, S("arn:k1")) && str_eq(w.ciphertext, S("\0\1\2")));
		expect(aws_key_ops.unwrap(s.c, s.aws, S("lake"), CONTEXT, wrapped, &plain), 0);
		assert_true(str_eq(plain, PLAIN));
		sent(0, "\"EncryptionContext\":{\"isobar\":\"bucket/lake on aws-us\"},"
			"\"KeyId\":\"alias/isobar-fashion-one-lake\",\"Plaintext\":\"" PLAIN64 "\"");
		sent(1, "\"CiphertextBlob\":\"AAEC\",\"EncryptionContext\":{\"isobar\":\"bucket/lake on aws-us\"}");
	}
	{
		PLAY({"Decrypt", 400, "{\"__type\":\"KMSInvalidStateException\",\"message\":\"pending deletion\"}"});
		expect(aws_key_ops.unwrap(s.c, s.aws, S("lake"), CONTEXT, wrapped, &plain), ERR_DENIED);
	}
	{
		PLAY({"Decrypt", 400, "{\"__type\":\"InvalidCiphertextException\"}"});
		expect(aws_key_ops.unwrap(s.c, s.aws, S("lake"), CONTEXT, wrapped, &plain), ERR_CORRUPT);
	}
	play(NULL, 0);
	expect(aws_key_ops.unwrap(s.c, s.aws, S("lake"), CONTEXT, S("isobar-wrap-1\0x"), &plain), ERR_CORRUPT);
}

static void test_aws_rotate(void **state)
{
	(void)state;
	PLAY(DESCRIBED, {"ListKeyRotations", 200, "{\"Rotations\":[]}"}, {"RotateKeyOnDemand", LOST, ""},
		{"ListKeyRotations", 200, "{\"Rotations\":[{\"RotationDate\":1}]}"});
	expect(aws_key_ops.rotate(s.c, s.aws, S("lake")), 0);
}

static void test_aws_secret(void **state)
{
	(void)state;
	AUTO(secret) value = {0};
	struct str version;
	assert_int_equal(secret_set(&value, S("hunter2"), NULL), 0);
	{ // a repeated put carries the same token
		PLAY({"GetSecretValue", 400, "{\"__type\":\"ResourceNotFoundException\"}"}, {"PutSecretValue", LOST, ""},
			{"PutSecretValue", 200, "{\"VersionId\":\"v1\"}"});
		expect(aws_secret_ops.put(s.c, s.aws, S("token"), &value, &version), 0);
		assert_true(str_eq(version, S("v1")) && str_eq(buf_str(&s.bodies[1]), buf_str(&s.bodies[2])));
		sent(1, "\"SecretString\":\"hunter2\"");
	}
	{ // the value is there already
		PLAY({"GetSecretValue", 200, "{\"SecretString\":\"hunter2\",\"VersionId\":\"v1\"}"});
		expect(aws_secret_ops.put(s.c, s.aws, S("token"), &value, &version), 0);
		assert_true(str_eq(version, S("v1")));
	}
	PLAY({"GetSecretValue", 400, "{\"__type\":\"InvalidRequestException\",\"message\":\"marked for deletion\"}"});
	expect(aws_secret_ops.get(s.c, s.aws, S("token"), S(""), &value), ERR_CONFLICT);
}

// ---------------------------------------------------------------- Google Cloud

#define KEY "/v1/projects/p/locations/europe-west4/keyRings/isobar/cryptoKeys/fashion-one-lake"
#define GCP_CODE(status) "{\"error\":{\"code\":1,\"status\":\"" status "\",\"message\":\"no\"}}"
#define VERSION(n) "{\"name\":\"x/cryptoKeyVersions/" n "\",\"state\":\"ENABLED\"}"

static void test_gcp_keys(void **state)
{
	(void)state;
	{ // no ring yet
		PLAY({"POST /v1/projects/p/locations/europe-west4/keyRings/isobar/cryptoKeys?cryptoKeyId=fashion-one-lake", 404,
			     GCP_CODE("NOT_FOUND")},
			{"POST /v1/projects/p/locations/europe-west4/keyRings?keyRingId=isobar", 409,
				GCP_CODE("ALREADY_EXISTS")},
			{"POST /v1/projects/p/locations/europe-west4/keyRings/isobar/cryptoKeys?cryptoKeyId=fashion-one-lake",
				200, "{}"});
		expect(gcp_key_ops.create(s.c, s.gcp, S("lake")), 0);
		sent(0, "\"purpose\":\"ENCRYPT_DECRYPT\"");
	}
	{ // a version whose answer was lost is the one
		PLAY({"GET " KEY, 200, "{\"primary\":" VERSION("1") "}"},
			{"GET " KEY "/cryptoKeyVersions?pageSize=100", 200, "{\"cryptoKeyVersions\":[" VERSION("1") "]}"},
			{"POST " KEY "/cryptoKeyVersions", LOST, ""},
			{"GET " KEY "/cryptoKeyVersions?pageSize=100", 200,
				"{\"cryptoKeyVersions\":[" VERSION("1") "," VERSION("2") "]}"},
			{"POST " KEY ":updatePrimaryVersion", 200, "{}"});
		expect(gcp_key_ops.rotate(s.c, s.gcp, S("lake")), 0);
		sent(4, "{\"cryptoKeyVersionId\":\"2\"}");
	}
	{ // so is one that a killed run left behind
		PLAY({"GET " KEY, 200, "{\"primary\":" VERSION("1") "}"},
			{"GET " KEY "/cryptoKeyVersions?pageSize=100", 200,
				"{\"cryptoKeyVersions\":[" VERSION("1") "," VERSION("2") "]}"},
			{"POST " KEY ":updatePrimaryVersion", 200, "{}"});
		expect(gcp_key_ops.rotate(s.c, s.gcp, S("lake")), 0);
	}
}

static void test_gcp_checksums(void **state)
{
	(void)state;
	struct str wrapped, plain;
	{
		PLAY({"POST " KEY ":encrypt", 200,
			     "{\"name\":\"v1\",\"ciphertext\":\"MTIzNDU2Nzg5\",\"ciphertextCrc32c\":\"3808858755\","
			     "\"verifiedPlaintextCrc32c\":true,\"verifiedAdditionalAuthenticatedDataCrc32c\":true}"},
			{"POST " KEY ":decrypt", 200, "{\"plaintext\":\"" PLAIN64 "\",\"plaintextCrc32c\":\"1\"}"});
		assert_int_equal(gcp_key_ops.wrap(s.c, s.gcp, S("lake"), CONTEXT, PLAIN, &wrapped), 0);
		expect(gcp_key_ops.unwrap(s.c, s.gcp, S("lake"), CONTEXT, wrapped, &plain), ERR_CORRUPT);
		sent(1, "\"ciphertextCrc32c\":\"3808858755\"");
	}
	{ // a service that did not see our checksum
		PLAY({"POST " KEY ":encrypt", 200, "{\"name\":\"v1\",\"ciphertext\":\"MTIzNDU2Nzg5\"}"});
		expect(gcp_key_ops.wrap(s.c, s.gcp, S("lake"), CONTEXT, PLAIN, &wrapped), ERR_CORRUPT);
	}
	PLAY({"POST " KEY ":decrypt", 400, GCP_CODE("FAILED_PRECONDITION")});
	expect(gcp_key_ops.unwrap(s.c, s.gcp, S("lake"), CONTEXT, wrapped, &plain), ERR_DENIED);
}

static void test_gcp_secret(void **state)
{
	(void)state;
	AUTO(secret) value = {0};
	struct str version;
	assert_int_equal(secret_set(&value, S("hunter2"), NULL), 0);
	PLAY({"GET /v1/projects/p/secrets/token/versions/latest:access", 404, GCP_CODE("NOT_FOUND")},
		{"POST /v1/projects/p/secrets/token:addVersion", 404, GCP_CODE("NOT_FOUND")},
		{"POST /v1/projects/p/secrets?secretId=token", 200, "{}"},
		{"POST /v1/projects/p/secrets/token:addVersion", LOST, ""},
		{"GET /v1/projects/p/secrets/token/versions/latest:access", 200,
			"{\"name\":\"x/versions/1\",\"payload\":{\"data\":\"aHVudGVyMg==\"}}"});
	expect(gcp_secret_ops.put(s.c, s.gcp, S("token"), &value, &version), 0);
	assert_true(str_eq(version, S("1")));
	sent(2, "{\"replication\":{\"userManaged\":{\"replicas\":[{\"location\":\"europe-west4\"}]}}}");
}

// ---------------------------------------------------------------- Azure

#define V "?api-version=7.4"
#define VAULT_KEY "/keys/fashion-one-lake"
#define VAULT_GOT(version) "{\"key\":{\"kid\":\"http://127.0.0.1:4000" VAULT_KEY "/" version "\"}}"
#define VAULT_NONE "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"no\"}}"

static void test_azure_keys(void **state)
{
	(void)state;
	{ // made, and the answer lost
		PLAY({"GET " VAULT_KEY V, 404, VAULT_NONE}, {"POST " VAULT_KEY "/create" V, LOST, ""},
			{"GET " VAULT_KEY V, 200, VAULT_GOT("a1")});
		expect(azure_key_ops.create(s.c, s.azure, S("lake")), 0);
		sent(1, "\"key_ops\":[\"wrapKey\",\"unwrapKey\"],\"key_size\":3072,\"kty\":\"RSA\"");
	}
	{ // rotated, and the answer lost
		PLAY({"GET " VAULT_KEY V, 200, VAULT_GOT("a1")}, {"POST " VAULT_KEY "/rotate" V, LOST, ""},
			{"GET " VAULT_KEY V, 200, VAULT_GOT("b2")});
		expect(azure_key_ops.rotate(s.c, s.azure, S("lake")), 0);
	}
	{ // deleted before: brought back
		PLAY({"GET " VAULT_KEY V, 404, VAULT_NONE},
			{"POST " VAULT_KEY "/create" V, 409, "{\"error\":{\"code\":\"Conflict\",\"message\":\"deleted\"}}"},
			{"POST /deletedkeys/fashion-one-lake/recover" V, 200, "{}"}, {"GET " VAULT_KEY V, 404, VAULT_NONE},
			{"GET " VAULT_KEY V, 200, VAULT_GOT("a1")});
		expect(azure_key_ops.create(s.c, s.azure, S("lake")), 0);
	}
}

static struct str url64(struct str bytes)
{
	AUTO(buf) text = {0};
	base64url_encode(bytes, &text);
	return arena_str(s.c->arena, buf_str(&text));
}

static void test_azure_bound(void **state)
{
	(void)state;
	struct str wrapped, plain = S("untouched"), opened;
	char body[256], other[256];
	struct sha256 digest = sha256_of(CONTEXT);
	opened = arena_printf(s.c->arena, "\1%.*s%.*s", 0, "", 0, "");
	struct buf bytes = {0};
	buf_add(&bytes, opened);
	buf_add_bytes(&bytes, digest.bytes, SHA256_SIZE);
	buf_add(&bytes, PLAIN);
	snprintf(body, sizeof(body), "{\"value\":\"%.*s\"}", STR(url64(buf_str(&bytes))));
	bytes.p[5] ^= 1;
	snprintf(other, sizeof(other), "{\"value\":\"%.*s\"}", STR(url64(buf_str(&bytes))));
	buf_free(&bytes);
	struct step steps[] = {{"GET " VAULT_KEY V, 200, VAULT_GOT("a1")}, {"POST " VAULT_KEY "/a1/wrapkey" V, 200, "{\"value\":\"AAEC\"}"},
		{"POST " VAULT_KEY "/a1/unwrapkey" V, 200, other}, {"POST " VAULT_KEY "/a1/unwrapkey" V, 200, body}};
	play(steps, COUNT_OF(steps));
	assert_int_equal(azure_key_ops.wrap(s.c, s.azure, S("lake"), CONTEXT, PLAIN, &wrapped), 0);
	assert_int_equal(azure_key_ops.unwrap(s.c, s.azure, S("lake"), CONTEXT, wrapped, &plain), ERR_CORRUPT);
	assert_true(str_eq(plain, S("untouched")));
	err_clear(&s.c->err);
	expect(azure_key_ops.unwrap(s.c, s.azure, S("lake"), CONTEXT, wrapped, &plain), 0);
	assert_true(str_eq(plain, PLAIN));
	sent(1, "\"alg\":\"RSA-OAEP-256\"");
}

static void test_azure_secret(void **state)
{
	(void)state;
	AUTO(secret) value = {0};
	struct str version, *names;
	size_t count;
	assert_int_equal(secret_set(&value, S("hunter2"), NULL), 0);
	{
		PLAY({"GET /secrets/token" V, 404, VAULT_NONE}, {"PUT /secrets/token" V, LOST, ""},
			{"GET /secrets/token" V, 200,
				"{\"id\":\"http://127.0.0.1:4000/secrets/token/v1\",\"value\":\"hunter2\"}"});
		expect(azure_secret_ops.put(s.c, s.azure, S("token"), &value, &version), 0);
		assert_true(str_eq(version, S("v1")));
	}
	{ // pages, and one that leads elsewhere
		PLAY({"GET /secrets" V, 200,
			     "{\"value\":[{\"id\":\"http://127.0.0.1:4000/secrets/b\"}],"
			     "\"nextLink\":\"http://127.0.0.1:4000/secrets?api-version=7.4&$skiptoken=x\"}"},
			{"GET /secrets?api-version=7.4&$skiptoken=x", 200,
				"{\"value\":[{\"id\":\"http://127.0.0.1:4000/secrets/a\"}]}"});
		expect(azure_secret_ops.list(s.c, s.azure, &names, &count), 0);
		assert_true(count == 2 && str_eq(names[0], S("a")) && str_eq(names[1], S("b")));
	}
	PLAY({"GET /secrets" V, 200, "{\"nextLink\":\"http://127.0.0.1:40001/secrets\"}"});
	expect(azure_secret_ops.list(s.c, s.azure, &names, &count), ERR_PROTOCOL);
}

// ---------------------------------------------------------------- looks.h

static int tries, done_after;

static int act(struct call *c, void *ctx)
{
	(void)ctx;
	tries++;
	return call_fail(c, ERR_UNAVAILABLE, "lost");
}

static int look(struct call *c, void *ctx, bool *done)
{
	(void)c, (void)ctx;
	*done = tries > done_after;
	return 0;
}

static void test_looks(void **state)
{
	(void)state;
	const struct looked_act a = {.act = act, .look = look};
	tries = 0, done_after = 2;
	assert_int_equal(act_looking(s.c, &a), 0);
	assert_int_equal(tries, 3);
	tries = 0, done_after = 100;
	assert_int_equal(act_looking(s.c, &a), ERR_UNAVAILABLE);
	assert_int_equal(tries, 5);
	err_clear(&s.c->err);
}

// ---------------------------------------------------------------- the lab

static int make_credentials(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	(void)ctx, (void)audience;
	int r = secret_set(&out->access_key, S("AKIATEST"), &c->err);
	if (!r)
		r = secret_set(&out->secret_key, S("secret"), &c->err);
	return r ? r : secret_set(&out->token, S("token"), &c->err);
}

static void close_credentials(void *ctx)
{
	(void)ctx;
}

static int setup(void **state)
{
	static const struct credential_ops ops = {.make = make_credentials, .close = close_credentials};
	struct err e = {0};
	(void)state;
	cloud_test_init(&s.t);
	s.c = &s.t.call;
	struct cloud_config config = {.name = S("one"),
		.provider = S("aws"),
		.region = S("us-east-1"),
		.services_url = S("http://127.0.0.1:4000"),
		.vault_url = S("http://127.0.0.1:4000"),
		.project = S("p"),
		.workspace = S("fashion")};
	struct services_options options = {.config = &config, .transport = {.perform = perform}};
	assert_int_equal(credential_source_new(&ops, NULL, &s.credentials, &e), 0);
	options.credentials = s.credentials;
	assert_int_equal(aws_services_open(&options, &s.aws, &e), 0);
	config.provider = S("gcp");
	config.region = S("europe-west4");
	assert_int_equal(gcp_services_open(&options, &s.gcp, &e), 0);
	config.provider = S("azure");
	assert_int_equal(azure_services_open(&options, &s.azure, &e), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	aws_services_close(s.aws);
	gcp_services_close(s.gcp);
	azure_services_close(s.azure);
	credential_source_free(s.credentials);
	for (size_t i = 0; i < COUNT_OF(s.bodies); i++)
		buf_free(&s.bodies[i]);
	cloud_test_free(&s.t);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws_create),
		cmocka_unit_test(test_aws_use),
		cmocka_unit_test(test_aws_rotate),
		cmocka_unit_test(test_aws_secret),
		cmocka_unit_test(test_gcp_keys),
		cmocka_unit_test(test_gcp_checksums),
		cmocka_unit_test(test_gcp_secret),
		cmocka_unit_test(test_azure_keys),
		cmocka_unit_test(test_azure_bound),
		cmocka_unit_test(test_azure_secret),
		cmocka_unit_test(test_looks),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
