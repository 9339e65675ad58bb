// SPDX-License-Identifier: Apache-2.0
// Cloud KMS and Secret Manager of a pocket Google Cloud: what their files share. Sources: "Cloud KMS API v1", "Secret
// Manager API v1" (Google Cloud, REST). Symmetric keys (ENCRYPT_DECRYPT) with software protection; rotation keeps old
// versions, destruction waits for its time. What a pocket does not do is refused, never ignored. gRPC is not offered.
#ifndef ISOBAR_POCKET_GCP_KMS_IMPL_H
#define ISOBAR_POCKET_GCP_KMS_IMPL_H

#include "base/secret.h"
#include "base/time.h"
#include "pocket/docs.h"
#include "pocket/gcp/google.h"
#include "pocket/keys/material.h"
#include "pocket/pocket_impl.h"
#include "pocket/service.h"

#define KMS_RINGS "kms/rings"
#define KMS_KEYS "kms/keys"
#define KMS_VERSIONS "kms/versions"

enum { KMS_MAX_PLAIN = 64 << 10, KMS_MAX_AAD = 64 << 10, KMS_PAGE = 100, KMS_MOST_PAGE = 1000 };

// ---------------------------------------------------------------- shared (google_data.c)
// A bytes member of a request, in base64 of either alphabet, into the arena; "" when absent. INVALID_ARGUMENT.
MUST_CHECK int google_bytes(struct front_request *r, const json_t *body, const char *name, struct str *out);
// An Int64 checksum member against the data: INVALID_ARGUMENT when it is there and differs. *given: it was there.
MUST_CHECK int google_checksum(
	struct front_request *r, const json_t *body, const char *name, struct str data, bool *given);
void google_set_bytes(json_t *j, const char *name, struct str bytes);
void google_set_crc32c(json_t *j, const char *name, struct str bytes); // as text, as JSON has Int64
// 1 to most letters, digits, '-' and '_'. INVALID_ARGUMENT.
MUST_CHECK int google_check_id(struct front_request *r, const char *what, struct str id, size_t most);
// The first n captures as a resource name of these collections: "projects/P/locations/L/keyRings/R".
struct str google_name(struct front_request *r, const char *const *collections, size_t n);
// One page of a collection below `parent` as {member: [...], nextPageToken, totalSize}; tell gives a new reference, NULL:
// left out.
struct google_list {
	const char *collection, *member;
	struct str prefix;
	json_t *(*tell)(struct front_request *r, struct str name, const json_t *doc);
};
void google_reply_list(struct front_request *r, const struct google_list *list);
// {collection}'s policy member: answers it; sets it from {"policy"}; says which permissions the caller has.
MUST_CHECK int google_policy_check(struct front_request *r, const json_t *body, const json_t *old, json_t **out);
json_t *google_policy_told(const json_t *doc); // new reference
void google_test_permissions(struct front_request *r); // the pocket's owner has all that it may ask for

// ---------------------------------------------------------------- keys
// The document of what the captures name; NOT_FOUND.
MUST_CHECK int kms_ring(struct front_request *r, struct str *name, const json_t **doc);
MUST_CHECK int kms_key(struct front_request *r, struct str *name, const json_t **doc);
MUST_CHECK int kms_version(struct front_request *r, struct str *name, const json_t **doc);
struct str kms_version_document(struct front_request *r, struct str key, int64_t number); // its name in KMS_VERSIONS
// A version whose time of destruction has come is destroyed when it is looked at. Borrowed; NULL: there is none.
const json_t *kms_version_now(struct front_request *r, struct str key, int64_t number);
json_t *kms_tell_version(struct front_request *r, struct str name, const json_t *doc);
json_t *kms_tell_key(struct front_request *r, struct str name, const json_t *doc);
// Adds a version, and makes it the primary one; *number is its. The key's document is replaced.
MUST_CHECK int kms_add_version(struct front_request *r, struct str key, json_t *doc, int64_t *number);

void kms_encrypt(struct front_request *r), kms_decrypt(struct front_request *r);
void kms_list_versions(struct front_request *r), kms_create_version(struct front_request *r),
	kms_get_version(struct front_request *r), kms_patch_version(struct front_request *r),
	kms_destroy_version(struct front_request *r), kms_restore_version(struct front_request *r),
	kms_set_primary(struct front_request *r);

#endif
