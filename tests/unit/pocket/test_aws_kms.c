// SPDX-License-Identifier: Apache-2.0
// KMS and Secrets Manager of a pocket AWS over loopback; keys outlive the pocket. The whole of it: tests/interop/
// test_pocket_boto3_keys.sh.
#include "aws_fixture.h"

#include "pocket/aws/kms.h"

static const json_t *kms(const char *operation, json_t *in)
{
	return aws_call("kms", arena_printf(&cloud.arena, "TrentService.%s", operation).p, in, 200);
}

static void kms_refused(const char *operation, json_t *in, const char *code)
{
	aws_refused("kms", arena_printf(&cloud.arena, "TrentService.%s", operation).p, in, code);
}

static const json_t *secret(const char *operation, json_t *in)
{
	return aws_call("secretsmanager", arena_printf(&cloud.arena, "secretsmanager.%s", operation).p, in, 200);
}

static void test_keys(UNUSED void **state)
{
	assert_string_equal(aws_kms_service.name, "kms");
	const char *id = json_text(json_object_get(kms("CreateKey", json_object()), "KeyMetadata"), "KeyId");
	kms("CreateAlias", json_pack("{s:s, s:s}", "AliasName", "alias/lake", "TargetKeyId", id));
	kms_refused("CreateAlias", json_pack("{s:s, s:s}", "AliasName", "alias/lake", "TargetKeyId", id),
		"AlreadyExistsException");
	const char *blob = json_text(kms("Encrypt", json_pack("{s:s, s:s, s:{s:s}}", "KeyId", "alias/lake", "Plaintext",
							 "AAEC", "EncryptionContext", "a", "b")),
		"CiphertextBlob");
	kms("RotateKeyOnDemand", json_pack("{s:s}", "KeyId", id));
	cloud_stop();
	cloud_start();
	assert_str(json_str(kms("Decrypt", json_pack("{s:s, s:{s:s}}", "CiphertextBlob", blob, "EncryptionContext", "a", "b")),
			   "Plaintext"),
		S("AAEC"));
	kms_refused("Decrypt", json_pack("{s:s, s:{s:s}}", "CiphertextBlob", blob, "EncryptionContext", "a", "c"),
		"InvalidCiphertextException");
	kms("ScheduleKeyDeletion", json_pack("{s:s, s:i}", "KeyId", id, "PendingWindowInDays", 7));
	kms_refused("Encrypt", json_pack("{s:s, s:s}", "KeyId", id, "Plaintext", "AAEC"), "KMSInvalidStateException");
}

static void test_secrets(UNUSED void **state)
{
	assert_string_equal(aws_secrets_service.name, "secretsmanager");
	secret("CreateSecret", json_pack("{s:s, s:s}", "Name", "app/token", "SecretString", "hunter2"));
	cloud_stop();
	cloud_start();
	const json_t *got = secret("GetSecretValue", json_pack("{s:s}", "SecretId", "app/token"));
	assert_str(json_str(got, "SecretString"), S("hunter2"));
	aws_refused("secretsmanager", "secretsmanager.GetSecretValue", json_pack("{s:s}", "SecretId", "none"),
		"ResourceNotFoundException");
}

static int begin(UNUSED void **state)
{
	return cloud_setup("aws");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_keys, cloud_test_end),
		cmocka_unit_test_teardown(test_secrets, cloud_test_end)};
	return cmocka_run_group_tests(tests, begin, cloud_teardown);
}
