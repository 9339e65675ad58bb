// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: keys. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_KEYS_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_KEYS_IMPL_H

// clang-format off
#define AZURE_KEY_ROWS(X) \
	X(KEY_GET, "Get Key", "GET", "/keys/{name}", "api-version", "Microsoft.KeyVault/vaults/keys/read", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AZURE_API_VAULT, .reads = true) \
	X(KEY_CREATE, "Create Key", "POST", "/keys/{name}/create", "api-version", "Microsoft.KeyVault/vaults/keys/create/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_LOOKS, .price = "kms.key") \
	X(KEY_VERSIONS, "Get Key Versions", "GET", "/keys/{name}/versions", "api-version", "Microsoft.KeyVault/vaults/keys/read", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AZURE_API_VAULT, .reads = true) \
	X(KEY_WRAP, "Wrap Key", "POST", "/keys/{name}/{version}/wrapkey", "api-version", "Microsoft.KeyVault/vaults/keys/wrap/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_SPARE, .price = "kms.use") \
	X(KEY_UNWRAP, "Unwrap Key", "POST", "/keys/{name}/{version}/unwrapkey", "api-version", "Microsoft.KeyVault/vaults/keys/unwrap/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AZURE_API_VAULT, .reads = true, .price = "kms.use") \
	X(KEY_ROTATE, "Rotate Key", "POST", "/keys/{name}/rotate", "api-version", "Microsoft.KeyVault/vaults/keys/rotate/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_LOOKS) \
	X(KEY_UPDATE, "Update Key", "PATCH", "/keys/{name}/{version}", "api-version", "Microsoft.KeyVault/vaults/keys/update/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_NAMED) \
	X(KEY_DELETE, "Delete Key", "DELETE", "/keys/{name}", "api-version", "Microsoft.KeyVault/vaults/keys/delete", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS) \
	X(KEY_RECOVER, "Recover Deleted Key", "POST", "/deletedkeys/{name}/recover", "api-version", "Microsoft.KeyVault/vaults/keys/recover/action", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = AZURE_API_VAULT, .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS)
// clang-format on

#endif
