// SPDX-License-Identifier: Apache-2.0
// Tokens that a service account signs for itself, without a token endpoint, as Google's newer clients do: a JWT whose
// audience is the service ("https://cloudkms.googleapis.com/"), or that names a scope and no audience. Source: AIP-4111.
// Loop thread only.
#ifndef ISOBAR_POCKET_GCP_SELF_SIGNED_H
#define ISOBAR_POCKET_GCP_SELF_SIGNED_H

#include "pocket/front.h"

enum self_signed { SELF_SIGNED_NONE, SELF_SIGNED_READS, SELF_SIGNED_ALL };
// What a token allows that is of the pocket's service account, for this service ("cloudkms.googleapis.com"), and in its
// time: all, or only to read, where its scope says so.
enum self_signed self_signed(struct front_request *r, const char *service, struct str token);

#endif
