// SPDX-License-Identifier: Apache-2.0
// Private to the Cloud Storage driver: its store, and what store.c, upload.c and object.c ask of each other.
#ifndef ISOBAR_CLOUD_GCP_STORE_IMPL_H
#define ISOBAR_CLOUD_GCP_STORE_IMPL_H

#include "cloud/gcp/calls.h"
#include "cloud/gcp/store.h"
#include "cloud/http/exchange.h"
#include "cloud/http/parts.h"

struct gcp_store {
	struct provider provider; // first: tables of the provider find the store by it
	struct arena arena;
	struct credential_source *credentials; // owned
	struct str project, location, email, identity_url;
};

// "/storage/v1/b/BUCKET/o/KEY"; key "": "/storage/v1/b/BUCKET/o". .p NULL without memory.
struct str gcp_object_path(struct call *c, struct str bucket, struct str key);
struct str gcp_bucket_path(struct call *c, struct str bucket); // .p NULL without memory
int gcp_store_bucket_tags(struct call *c, void *store, struct str bucket, json_t **tags);
int gcp_store_bucket_set_tags(struct call *c, void *store, struct str bucket, const json_t *tags);
int gcp_authorize(struct call *c, struct gcp_store *s, struct exchange *x); // adds the access token
int gcp_refused(struct call *c, struct provider *p, const struct transport_response *r);
// ifGenerationMatch for what the condition says.
MUST_CHECK int gcp_add_condition(struct call *c, struct buf *query, const struct store_condition *condition);
// An object resource of the API; texts are borrowed from it, so it has to live in the call's arena.
MUST_CHECK int gcp_read_object(struct call *c, const json_t *resource, struct object *out);
MUST_CHECK int gcp_parse(struct call *c, struct str body, const json_t **out); // an object, in the call's arena
// {name, contentType, metadata, crc32c} as JSON text in the arena; crc NULL: not known yet.
MUST_CHECK int gcp_describe(struct call *c, const struct store_put *put, const uint32_t *crc, struct str *out);
MUST_CHECK int gcp_upload_single(
	struct call *c, struct gcp_store *s, const struct store_put *put, struct parts *parts, struct object *out);
MUST_CHECK int gcp_upload_session(
	struct call *c, struct gcp_store *s, const struct store_put *put, struct parts *parts, struct object *out);

#endif
