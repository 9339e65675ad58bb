// SPDX-License-Identifier: Apache-2.0
// Private to the S3 driver: its store, and what store.c, upload.c and list.c ask of each other.
#ifndef ISOBAR_CLOUD_AWS_STORE_IMPL_H
#define ISOBAR_CLOUD_AWS_STORE_IMPL_H

#include "cloud/aws/calls.h"
#include "cloud/aws/store.h"
#include "cloud/http/exchange.h"
#include "cloud/http/parts.h"
#include "cloud/http/xml.h"

struct aws_store {
	struct provider provider; // first: tables of the provider find the store by it
	struct arena arena;
	struct str region, identity_url;
	struct credential_source *credentials; // owned
};

// path of a bucket ("/lake") or an object ("/lake/a%20b"), in the arena; .p NULL without memory.
struct str aws_path(struct call *c, struct str bucket, struct str key);
// The root of an XML answer, by the name it must have (NULL: any, where servers differ); an Error in a 200 is an error
// here.
MUST_CHECK int aws_parse(struct call *c, const struct transport_response *r, const char *name, struct xml **root);
int aws_refused(struct call *c, struct provider *p, const struct transport_response *r);
// Adds what authorises a request to "s3" or "sts".
int aws_sign(struct call *c, struct aws_store *s, struct str service, const struct sign_request *r, struct exchange *x);
MUST_CHECK int aws_add_condition(struct call *c, struct exchange *x, const struct store_condition *condition);
MUST_CHECK int aws_upload_parts(
	struct call *c, struct aws_store *s, const struct store_put *put, struct parts *parts, struct object *out);
// Ends unfinished uploads of the same key but `keep`. Errors are dropped; c's own stays as it was.
void aws_sweep_uploads(
	struct call *c, struct aws_store *s, const struct store_put *put, struct str path, struct str keep);
MUST_CHECK int aws_upload_abort(struct call *c, struct aws_store *s, struct str path, struct str id);
int aws_store_bucket_tags(struct call *c, void *store, struct str bucket, json_t **tags);
int aws_store_bucket_set_tags(struct call *c, void *store, struct str bucket, const json_t *tags);
int aws_store_list(struct call *c, void *store, const struct store_list *list, struct store_page *out);

#endif
