// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Google Cloud: keys. See calls.h.
#ifndef ISOBAR_CLOUD_GCP_CALLS_KEYS_IMPL_H
#define ISOBAR_CLOUD_GCP_CALLS_KEYS_IMPL_H

// clang-format off
#define GCP_KEY_ROWS(X) \
	X(KMS_RING_CREATE, "cloudkms.keyRings.create", "POST", "/v1/projects/{project}/locations/{location}/keyRings", "keyRingId", "cloudkms.keyRings.create", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .repeat = CALL_REPEAT_CONDITION) \
	X(KMS_KEY_CREATE, "cloudkms.cryptoKeys.create", "POST", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys", "cryptoKeyId", "cloudkms.cryptoKeys.create", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .repeat = CALL_REPEAT_CONDITION, .price = "kms.key") \
	X(KMS_KEY_GET, "cloudkms.cryptoKeys.get", "GET", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}", "", "cloudkms.cryptoKeys.get", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .reads = true) \
	X(KMS_ENCRYPT, "cloudkms.cryptoKeys.encrypt", "POST", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}:encrypt", "", "cloudkms.cryptoKeyVersions.useToEncrypt", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .repeat = CALL_REPEAT_SPARE, .price = "kms.use") \
	X(KMS_DECRYPT, "cloudkms.cryptoKeys.decrypt", "POST", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}:decrypt", "", "cloudkms.cryptoKeyVersions.useToDecrypt", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .reads = true, .price = "kms.use") \
	X(KMS_SET_PRIMARY, "cloudkms.cryptoKeys.updatePrimaryVersion", "POST", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}:updatePrimaryVersion", "", "cloudkms.cryptoKeys.update", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .repeat = CALL_REPEAT_NAMED) \
	X(KMS_GET_POLICY, "cloudkms.cryptoKeys.getIamPolicy", "GET", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}:getIamPolicy", "", "cloudkms.cryptoKeys.getIamPolicy", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .reads = true) \
	X(KMS_SET_POLICY, "cloudkms.cryptoKeys.setIamPolicy", "POST", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}:setIamPolicy", "", "cloudkms.cryptoKeys.setIamPolicy", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .repeat = CALL_REPEAT_LOOKS) \
	X(KMS_VERSION_CREATE, "cloudkms.cryptoKeyVersions.create", "POST", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}/cryptoKeyVersions", "", "cloudkms.cryptoKeyVersions.create", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .repeat = CALL_REPEAT_LOOKS, .price = "kms.key") \
	X(KMS_VERSION_LIST, "cloudkms.cryptoKeyVersions.list", "GET", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}/cryptoKeyVersions", "", "cloudkms.cryptoKeyVersions.list", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .reads = true) \
	X(KMS_VERSION_PATCH, "cloudkms.cryptoKeyVersions.patch", "PATCH", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}/cryptoKeyVersions/{version}", "updateMask", "cloudkms.cryptoKeyVersions.update", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .repeat = CALL_REPEAT_NAMED) \
	X(KMS_VERSION_DESTROY, "cloudkms.cryptoKeyVersions.destroy", "POST", "/v1/projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key_id}/cryptoKeyVersions/{version}:destroy", "", "cloudkms.cryptoKeyVersions.destroy", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_KEYS, .api = GCP_API_KMS, .repeat = CALL_REPEAT_CONDITION)
// clang-format on

#endif
