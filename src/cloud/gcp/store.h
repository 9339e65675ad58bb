// SPDX-License-Identifier: Apache-2.0
// The store of Google Cloud: Cloud Storage over its JSON API with access tokens of a service account. The etag that
// callers see is the object's generation, which is what conditions are about. Source: "Cloud Storage JSON API". Owned;
// thread-safe. Errors keep the API's own reason ("notFound", "conditionNotMet").
#ifndef ISOBAR_CLOUD_GCP_STORE_H
#define ISOBAR_CLOUD_GCP_STORE_H

#include "cloud/cloud.h"
#include "cloud/config.h"
#include "cloud/http/service.h"
#include "cloud/http/transport.h"
#include "cloud/identity.h"

struct gcp_store; // the ctx of gcp_store_ops
extern const struct store_ops gcp_store_ops;
extern const struct identity_ops gcp_identity_ops; // the same ctx

// The address for config.store_url "".
struct str gcp_store_url(void);
// Where /tokeninfo is: config.identity_url, else the host of the credentials' token_uri; .p NULL when that is no URL.
struct str gcp_identity_url(struct arena *a, const struct cloud_config *config);
// transport is taken over, also on failure; it must be allowed to reach the credentials' token_uri too. config is
// copied from. ERR_INVALID for credentials that are no service account's file.
MUST_CHECK int gcp_store_open(const struct cloud_config *config, struct str url, struct http_transport *transport,
	struct gcp_store **out, struct err *e);
void gcp_store_close(struct gcp_store *s); // wipes the key and the token; NULL is allowed

// The store's transport and its credentials, for the other services of the same cloud; they end with the store.
void gcp_store_lend(struct gcp_store *s, struct services_options *out);

#endif
