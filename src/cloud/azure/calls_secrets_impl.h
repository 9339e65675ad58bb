// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: secrets. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_SECRETS_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_SECRETS_IMPL_H

// clang-format off
#define AZURE_SECRET_ROWS(X) \
	X(SECRET_SET, "Set Secret", "PUT", "/secrets/{name}", "api-version", "Microsoft.KeyVault/vaults/secrets/setSecret/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_LOOKS, .price = "secret.version") \
	X(SECRET_GET, "Get Secret", "GET", "/secrets/{name}", "api-version", "Microsoft.KeyVault/vaults/secrets/getSecret/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AZURE_API_VAULT, .reads = true, .price = "secret.access") \
	X(SECRET_GET_VERSION, "Get Secret (a version)", "GET", "/secrets/{name}/{version}", "api-version", "Microsoft.KeyVault/vaults/secrets/getSecret/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AZURE_API_VAULT, .reads = true, .price = "secret.access") \
	X(SECRET_VERSIONS, "Get Secret Versions", "GET", "/secrets/{name}/versions", "api-version", "Microsoft.KeyVault/vaults/secrets/readMetadata/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AZURE_API_VAULT, .reads = true) \
	X(SECRET_UPDATE, "Update Secret", "PATCH", "/secrets/{name}/{version}", "api-version", "Microsoft.KeyVault/vaults/secrets/update/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_NAMED) \
	X(SECRET_DELETE, "Delete Secret", "DELETE", "/secrets/{name}", "api-version", "Microsoft.KeyVault/vaults/secrets/delete", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS) \
	X(SECRET_RECOVER, "Recover Deleted Secret", "POST", "/deletedsecrets/{name}/recover", "api-version", "Microsoft.KeyVault/vaults/secrets/recover/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS) \
	X(SECRET_LIST, "Get Secrets", "GET", "/secrets", "api-version", "Microsoft.KeyVault/vaults/secrets/readMetadata/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_SECRETS, .api = AZURE_API_VAULT, .reads = true)
// clang-format on

#endif
