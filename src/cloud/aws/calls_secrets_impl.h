// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of AWS: secrets. See calls.h.
#ifndef ISOBAR_CLOUD_AWS_CALLS_SECRETS_IMPL_H
#define ISOBAR_CLOUD_AWS_CALLS_SECRETS_IMPL_H

// clang-format off
#define AWS_SECRET_ROWS(X) \
	X(SECRET_CREATE, "CreateSecret", "POST", "/", "", "secretsmanager:CreateSecret secretsmanager:TagResource", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AWS_API_SECRETS, .target = "secretsmanager.CreateSecret", .repeat = CALL_REPEAT_NAMED, .price = "secret.version") \
	X(SECRET_DELETE, "DeleteSecret", "POST", "/", "", "secretsmanager:DeleteSecret", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AWS_API_SECRETS, .target = "secretsmanager.DeleteSecret", .repeat = CALL_REPEAT_NAMED) \
	X(SECRET_DESCRIBE, "DescribeSecret", "POST", "/", "", "secretsmanager:DescribeSecret", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AWS_API_SECRETS, .target = "secretsmanager.DescribeSecret", .reads = true) \
	X(SECRET_GET, "GetSecretValue", "POST", "/", "", "secretsmanager:GetSecretValue", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AWS_API_SECRETS, .target = "secretsmanager.GetSecretValue", .reads = true, .price = "secret.access") \
	X(SECRET_LIST, "ListSecrets", "POST", "/", "", "secretsmanager:ListSecrets", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AWS_API_SECRETS, .target = "secretsmanager.ListSecrets", .reads = true) \
	X(SECRET_LIST_VERSIONS, "ListSecretVersionIds", "POST", "/", "", "secretsmanager:ListSecretVersionIds", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AWS_API_SECRETS, .target = "secretsmanager.ListSecretVersionIds", .reads = true) \
	X(SECRET_PUT, "PutSecretValue", "POST", "/", "", "secretsmanager:PutSecretValue", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AWS_API_SECRETS, .target = "secretsmanager.PutSecretValue", .repeat = CALL_REPEAT_NAMED) \
	X(SECRET_UPDATE_STAGE, "UpdateSecretVersionStage", "POST", "/", "", "secretsmanager:UpdateSecretVersionStage", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AWS_API_SECRETS, .target = "secretsmanager.UpdateSecretVersionStage", .repeat = CALL_REPEAT_NAMED)
// clang-format on

#endif
