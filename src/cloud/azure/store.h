// SPDX-License-Identifier: Apache-2.0
// The store of Azure: Blob Storage over its REST API with Shared Key. A bucket is a container of the account. Source:
// "Blob Storage REST API" (Azure Storage), version 2021-12-02. Owned; thread-safe. Errors keep Azure's own code.
#ifndef ISOBAR_CLOUD_AZURE_STORE_H
#define ISOBAR_CLOUD_AZURE_STORE_H

#include "cloud/cloud.h"
#include "cloud/config.h"
#include "cloud/identity.h"
#include "cloud/http/service.h"
#include "cloud/http/transport.h"

struct azure_store; // the ctx of azure_store_ops
extern const struct store_ops azure_store_ops;
extern const struct identity_ops azure_identity_ops; // the same ctx

// The address of an account's store, for config.store_url ""; .p NULL when the credentials name no account.
struct str azure_store_url(struct arena *a, const json_t *credentials);
// transport is taken over, also on failure; config is copied from. ERR_INVALID for credentials that are not {account,
// key}.
MUST_CHECK int azure_store_open(const struct cloud_config *config, struct str url, struct http_transport *transport,
	struct azure_store **out, struct err *e);
void azure_store_close(struct azure_store *s); // wipes the key; NULL is allowed

// The store's transport and its credentials (NULL where there is only the account's key), for the other services of the
// same cloud; they end with the store.
void azure_store_lend(struct azure_store *s, struct services_options *out);

#endif
