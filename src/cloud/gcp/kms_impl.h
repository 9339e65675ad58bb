// SPDX-License-Identifier: Apache-2.0
// Private to the driver of Google Cloud: what kms.c, kms_versions.c and secrets.c ask of each other.
#ifndef ISOBAR_CLOUD_GCP_KMS_IMPL_H
#define ISOBAR_CLOUD_GCP_KMS_IMPL_H

#include "cloud/gcp/kms.h"
#include "cloud/key_wrap.h"

// "/v1/projects/P/locations/L/keyRings/isobar/cryptoKeys/KEY" + tail; .p NULL without memory.
struct str gcp_key_path(struct call *c, const struct gcp_services *s, struct str name, const char *tail);
// One request; in NULL: none. *out may be NULL.
MUST_CHECK int gcp_key_call(
	struct call *c, struct gcp_services *s, const struct gcp_request *request, const json_t **out);
// Base64 and the CRC-32C (a number or its text) beside it; ERR_CORRUPT where they differ.
MUST_CHECK int gcp_checked_bytes(
	struct call *c, const json_t *answer, const char *name, const char *crc_name, struct secret *out);
void gcp_set_crc32c(json_t *j, const char *name, struct str bytes);

// ---------------------------------------------------------------- kms_versions.c
struct gcp_versions { // of one key
	struct gcp_services *s;
	struct str name;
	int64_t count, highest, enabled; // of those that are not destroyed; the highest number; the highest enabled one
	struct str created, rotated;     // of the first and of the last
	int64_t before;
	struct str numbers[100]; // of those that are not destroyed, the last hundred
	struct str states[100];
	size_t kept;
};
MUST_CHECK int gcp_versions_list(struct call *c, struct gcp_versions *v);
// A new version that is the primary one; *v is of before.
MUST_CHECK int gcp_versions_add(struct call *c, struct gcp_versions *v);
MUST_CHECK int gcp_versions_set_primary(struct call *c, struct gcp_versions *v, int64_t number);
int gcp_key_rotate(struct call *c, void *keys, struct str name);
int gcp_key_delete(struct call *c, void *keys, struct str name);
int gcp_key_disable(struct call *c, void *keys, struct str name);
int gcp_key_enable(struct call *c, void *keys, struct str name);
int gcp_key_grants(struct call *c, void *keys, struct str name, json_t **out);
int gcp_key_set_grants(struct call *c, void *keys, struct str name, const json_t *grants);

#endif
