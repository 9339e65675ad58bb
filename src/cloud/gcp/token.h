// SPDX-License-Identifier: Apache-2.0
// Access tokens of a service account: an assertion signed with its key is exchanged at its token endpoint for a bearer
// token (RFC 7523), kept, and replaced well before it ends. Source: "Using OAuth 2.0 for Server to Server
// Applications", Google Identity. Owned by a store; thread-safe: one thread fetches, others wait for it.
#ifndef ISOBAR_CLOUD_GCP_TOKEN_H
#define ISOBAR_CLOUD_GCP_TOKEN_H

#include "base/json.h"
#include "cloud/http/retry.h"
#include "cloud/http/transport.h"

struct gcp_token; // owned

enum {
	GCP_TOKEN_AHEAD_S = 300, // replaced this long before its end (or at three quarters of a shorter life)
	GCP_TOKEN_FRESH_S = 60,  // a refusal of a token younger than this is not for its age
};

// credentials: a service-account file: {type, client_email, private_key, private_key_id?, token_uri, project_id?}.
// ERR_INVALID.
MUST_CHECK int gcp_token_open(const json_t *credentials, struct gcp_token **out, struct err *e);
void gcp_token_close(struct gcp_token *t); // NULL is allowed
// "Bearer ..." in the call's arena. ERR_UNAUTHENTICATED when the endpoint refuses the account.
MUST_CHECK int gcp_token_get(
	struct call *c, struct gcp_token *t, const struct http_transport *transport, struct str *authorization);
// The store refused it: true when another token is worth a try, since this one was not fresh.
bool gcp_token_refused(struct call *c, struct gcp_token *t);

#endif
