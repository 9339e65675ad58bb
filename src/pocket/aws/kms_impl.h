// SPDX-License-Identifier: Apache-2.0
// KMS and Secrets Manager of a pocket AWS: what their files share. Sources: "AWS Key Management Service API Reference",
// "AWS Secrets Manager API Reference". Symmetric keys (SYMMETRIC_DEFAULT) that really wrap; rotation keeps old material;
// keys wait for their deletion; aliases. Keys and secrets belong to the region that a request is signed for. What a
// pocket does not do is refused, never ignored.
#ifndef ISOBAR_POCKET_AWS_KMS_IMPL_H
#define ISOBAR_POCKET_AWS_KMS_IMPL_H

#include "base/secret.h"
#include "base/time.h"
#include "pocket/aws/api.h"
#include "pocket/docs.h"
#include "pocket/keys/material.h"
#include "pocket/service.h"

#define KMS_AWS_KEYS "kms/keys"       // REGION/ID
#define KMS_AWS_ALIASES "kms/aliases" // REGION/alias/NAME

enum { UUID_TEXT = 36, UUID_BYTES = 16, KMS_AWS_MAX_PLAIN = 4096 };

// ---------------------------------------------------------------- shared (kms_shared.c)
MUST_CHECK int aws_uuid(struct front_request *r, char out[UUID_TEXT + 1]); // random, version 4
// ValidationException unless the member is a text.
MUST_CHECK int aws_need(struct front_request *r, const json_t *in, const char *name, struct str *out);
MUST_CHECK int aws_bytes(struct front_request *r, const json_t *in, const char *name, struct str *out); // base64; ""
void aws_set_bytes(json_t *j, const char *name, struct str bytes);
// A page of a collection: Limit/Marker of KMS, MaxResults/NextToken of Secrets Manager, whose names differ.
struct aws_page {
	const char *collection;
	const char *limit, *marker, *items, *next; // names of members
	const char *truncated;                     // NULL: none
	struct str prefix;
	json_t *(*tell)(struct front_request *r, struct str name, const json_t *doc); // NULL: left out
};
MUST_CHECK int aws_reply_page(struct front_request *r, const json_t *in, const struct aws_page *page, json_t **out);
// Tags as both have them, {name, value} members told: what is there with `more` in place of those of the same key.
json_t *aws_tags_with(const json_t *old, const json_t *more, const char *key);
json_t *aws_tags_without(const json_t *old, const json_t *keys, const char *key);

// ---------------------------------------------------------------- keys
// A key that a request may name by id, ARN, alias or alias' ARN, for an action ("kms:Encrypt") that its caller may do.
// NotFoundException.
struct kms_found {
	struct str document; // its name in KMS_AWS_KEYS
	struct str id, arn;
	const json_t *doc;
};
MUST_CHECK int kms_find(struct front_request *r, struct str named, const char *action, struct kms_found *out);
// DisabledException, KMSInvalidStateException unless it may be used.
MUST_CHECK int kms_usable(struct front_request *r, const struct kms_found *k);
MUST_CHECK int kms_put(struct front_request *r, const struct kms_found *k, const json_t *doc);
MUST_CHECK int kms_rotate(struct front_request *r, const struct kms_found *k, json_t *doc, const char *how);
struct str kms_place(struct front_request *r, struct str name); // "REGION/NAME"
struct str kms_state(const json_t *doc);                        // "Enabled", "Disabled", "PendingDeletion"
json_t *kms_metadata(struct front_request *r, const struct kms_found *k);

// Operations, as struct aws_operation has them.
int kms_encrypt_op(struct front_request *r, const json_t *in, json_t **out);
int kms_decrypt_op(struct front_request *r, const json_t *in, json_t **out);
int kms_reencrypt_op(struct front_request *r, const json_t *in, json_t **out);
int kms_data_key_op(struct front_request *r, const json_t *in, json_t **out);
int kms_data_key_only_op(struct front_request *r, const json_t *in, json_t **out);
int kms_random_op(struct front_request *r, const json_t *in, json_t **out);
int kms_create_alias_op(struct front_request *r, const json_t *in, json_t **out);
int kms_update_alias_op(struct front_request *r, const json_t *in, json_t **out);
int kms_delete_alias_op(struct front_request *r, const json_t *in, json_t **out);
int kms_list_aliases_op(struct front_request *r, const json_t *in, json_t **out);

#endif
