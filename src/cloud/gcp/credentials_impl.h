// SPDX-License-Identifier: Apache-2.0
// Private to the driver of Google Cloud: federation and impersonation, of which both sides of credentials.c make use.
#ifndef ISOBAR_CLOUD_GCP_CREDENTIALS_IMPL_H
#define ISOBAR_CLOUD_GCP_CREDENTIALS_IMPL_H

#include "base/json.h"
#include "cloud/credential_chain.h"
#include "cloud/gcp/services.h"

#define GCP_CLOUD_SCOPE GCP_SCOPE

// Asks a token endpoint; the form is wiped. *answer says the endpoint's time, also of a refusal.
MUST_CHECK int gcp_ask_token(struct call *c, const struct credential_place *place, struct str url, struct buf *form,
	struct credential_made *out, struct transport_response *answer);

struct gcp_impersonation {
	const struct credential_place *place;
	struct str url, scope;
	const json_t *delegates; // NULL: none
};
// generateAccessToken with the token in `with`, which is replaced by the account's.
MUST_CHECK int gcp_impersonate(struct call *c, const struct gcp_impersonation *i, struct credential_made *with);

// Workload identity federation: the subject token of an external_account file (its file, or an address that gives it)
// for a token of Google's (RFC 8693).
MUST_CHECK int gcp_exchange_external(struct call *c, const struct credential_place *place, const json_t *file,
	struct str scope, struct credential_made *out);

#endif
