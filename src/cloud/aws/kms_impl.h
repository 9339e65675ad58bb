// SPDX-License-Identifier: Apache-2.0
// Private to the driver of AWS: what kms.c and kms_grants.c ask of each other.
#ifndef ISOBAR_CLOUD_AWS_KMS_IMPL_H
#define ISOBAR_CLOUD_AWS_KMS_IMPL_H

#include "cloud/aws/kms.h"
#include "cloud/key_wrap.h"

struct aws_key {
	struct str alias;
	struct str id, arn, state; // of the key; "" until it is found
	double created;            // seconds since 1970
};
// Where a key is by its alias. ERR_NOT_FOUND.
MUST_CHECK int aws_key_find(struct call *c, struct aws_services *s, struct str name, struct aws_key *out);
struct str aws_time_text(struct call *c, double seconds); // RFC 3339
int aws_key_grants(struct call *c, void *keys, struct str name, json_t **out);
int aws_key_set_grants(struct call *c, void *keys, struct str name, const json_t *grants);

#endif
