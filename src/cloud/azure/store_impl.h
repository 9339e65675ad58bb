// SPDX-License-Identifier: Apache-2.0
// Private to the Blob driver: its store, and what store.c, upload.c and list.c ask of each other.
#ifndef ISOBAR_CLOUD_AZURE_STORE_IMPL_H
#define ISOBAR_CLOUD_AZURE_STORE_IMPL_H

#include "cloud/azure/calls.h"
#include "cloud/azure/store.h"
#include "cloud/http/exchange.h"
#include "cloud/http/parts.h"
#include "base/secret.h"

struct azure_store {
	struct provider provider; // first: tables of the provider find the store by it
	struct arena arena;
	struct str account;
	struct secret key; // bytes; empty: by tokens
	struct credential_source *credentials; // owned; NULL: only the key
	struct provider_clock clock;
};

// Blob Storage keeps no CRC-32C: ours travels as metadata of this name, and is hidden from callers.
#define AZURE_CRC_NAME "isobar_crc32c"

struct str azure_path(struct call *c, struct str bucket, struct str key); // .p NULL without memory
int azure_refused(struct call *c, struct provider *p, const struct transport_response *r);
MUST_CHECK int azure_add_condition(struct call *c, struct exchange *x, const struct store_condition *condition);
// Content type, metadata and our checksum of the whole.
MUST_CHECK int azure_add_properties(struct call *c, struct exchange *x, const struct store_put *put, uint32_t crc);
MUST_CHECK int azure_upload_blocks(
	struct call *c, struct azure_store *s, const struct store_put *put, struct parts *parts, struct object *out);
int azure_store_list(struct call *c, void *store, const struct store_list *list, struct store_page *out);
int azure_store_bucket_tags(struct call *c, void *store, struct str bucket, json_t **tags);
int azure_store_bucket_set_tags(struct call *c, void *store, struct str bucket, const json_t *tags);

#endif
