// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of AWS: keys. See calls.h.
#ifndef ISOBAR_CLOUD_AWS_CALLS_KEYS_IMPL_H
#define ISOBAR_CLOUD_AWS_CALLS_KEYS_IMPL_H

// clang-format off
#define AWS_KEY_ROWS(X) \
	X(KMS_CREATE_ALIAS, "CreateAlias", "POST", "/", "", "kms:CreateAlias", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.CreateAlias", .repeat = CALL_REPEAT_CONDITION) \
	X(KMS_CREATE_KEY, "CreateKey", "POST", "/", "", "kms:CreateKey kms:TagResource", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.CreateKey", .repeat = CALL_REPEAT_LOOKS, .price = "kms.key") \
	X(KMS_DECRYPT, "Decrypt", "POST", "/", "", "kms:Decrypt", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.Decrypt", .reads = true, .price = "kms.use") \
	X(KMS_DELETE_ALIAS, "DeleteAlias", "POST", "/", "", "kms:DeleteAlias", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.DeleteAlias", .repeat = CALL_REPEAT_NAMED) \
	X(KMS_DESCRIBE_KEY, "DescribeKey", "POST", "/", "", "kms:DescribeKey", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.DescribeKey", .reads = true) \
	X(KMS_DISABLE_KEY, "DisableKey", "POST", "/", "", "kms:DisableKey", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.DisableKey", .repeat = CALL_REPEAT_NAMED) \
	X(KMS_ENABLE_KEY, "EnableKey", "POST", "/", "", "kms:EnableKey", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.EnableKey", .repeat = CALL_REPEAT_NAMED) \
	X(KMS_ENCRYPT, "Encrypt", "POST", "/", "", "kms:Encrypt", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.Encrypt", .repeat = CALL_REPEAT_SPARE, .price = "kms.use") \
	X(KMS_GET_POLICY, "GetKeyPolicy", "POST", "/", "", "kms:GetKeyPolicy", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.GetKeyPolicy", .reads = true) \
	X(KMS_LIST_KEYS, "ListKeys", "POST", "/", "", "kms:ListKeys", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.ListKeys", .reads = true) \
	X(KMS_LIST_ROTATIONS, "ListKeyRotations", "POST", "/", "", "kms:ListKeyRotations", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.ListKeyRotations", .reads = true) \
	X(KMS_LIST_TAGS, "ListResourceTags", "POST", "/", "", "kms:ListResourceTags", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.ListResourceTags", .reads = true) \
	X(KMS_PUT_POLICY, "PutKeyPolicy", "POST", "/", "", "kms:PutKeyPolicy", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.PutKeyPolicy", .repeat = CALL_REPEAT_NAMED) \
	X(KMS_ROTATE, "RotateKeyOnDemand", "POST", "/", "", "kms:RotateKeyOnDemand", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.RotateKeyOnDemand", .repeat = CALL_REPEAT_LOOKS, .price = "kms.rotation") \
	X(KMS_SCHEDULE_DELETION, "ScheduleKeyDeletion", "POST", "/", "", "kms:ScheduleKeyDeletion", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AWS_API_KMS, .target = "TrentService.ScheduleKeyDeletion", .repeat = CALL_REPEAT_CONDITION)
// clang-format on

#endif
