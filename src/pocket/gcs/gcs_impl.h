// SPDX-License-Identifier: Apache-2.0
// Cloud Storage (JSON API, version 1) over the object store: what its files share. Source: Cloud Storage JSON API
// reference. Access tokens come from the pocket's own endpoint /token for a service account's JWT. What a pocket cannot
// do (ACLs, versions, holds, customer keys, other classes, ...) is answered notImplemented, never ignored.
#ifndef ISOBAR_POCKET_GCS_IMPL_H
#define ISOBAR_POCKET_GCS_IMPL_H

#include "pocket/gcs/gcs_related.h"
#include "pocket/pocket_impl.h"

enum {
	GCS_MAX_LIST = 1000,
	GCS_MAX_SOURCES = 32,
	GCS_MAX_JSON = 1 << 20,
	GCS_MAX_METADATA = 8 << 10,
	GCS_CHUNK = 256 << 10,
	GCS_SECRET_SIZE = 32,
	GCS_TOKEN_LIFETIME_S = 3600,
	GCS_FINISHED = 64, // resumable sessions whose end is remembered, for a client that missed the answer
	GCS_CAPTURES = 4,
};
#define GCS_MAX_PUT (UINT64_C(5) << 40)
#define GCS_HASHES (HASH_MD5 | HASH_CRC32C)

struct gcs_finished {
	char id[UPLOAD_ID_MAX + 1];
	char bucket[BUCKET_NAME_MAX + 1];
	int64_t generation;
	struct buf key;
};
struct gcs_keys {
	struct buf email, key_id, public_key;
	struct buf token_uri;
	unsigned char secret[GCS_SECRET_SIZE]; // signs access tokens, so that they outlive a restart
	struct gcs_finished finished[GCS_FINISHED];
	size_t finished_next;
};

enum gcs_scope { GCS_NONE, GCS_READ, GCS_WRITE, GCS_IAM /* of IAM alone: no storage */ };

struct gcs_state {
	struct str captures[GCS_CAPTURES]; // of the route: bucket, object, ...
	struct record draft;
	struct condition condition;
	struct str crc32c, md5;  // base64 that the client expects of the bytes; empty: none
	struct related *related; // of an upload with metadata and media
	uint64_t position;       // resumable: where the next byte of the body belongs
	uint64_t skip;           // bytes of the body that are there already
	uint64_t total;          // bytes in all; UINT64_MAX: not known yet
	struct str upload;       // id of the session
	void (*parsed)(struct front_request *r, json_t *body);
};
struct gcs_state *gcs_state(struct front_request *r);

// ---------------------------------------------------------------- errors (gcs_error.c)
int gcs_refuse(struct front_request *r, const char *reason, const char *format, ...) PRINTF_LIKE(3, 4);
void gcs_fail(struct front_request *r);

// ---------------------------------------------------------------- tokens (gcs_token.c)
void gcs_token(struct front_request *r); // POST /token
void gcs_tokeninfo(struct front_request *r);
void gcs_test_permissions(struct front_request *r);
int gcs_keys_open(struct pocket *p, void **keys, struct err *e);
void gcs_keys_free(void *keys);

// ---------------------------------------------------------------- shared
MUST_CHECK int gcs_bucket(struct front_request *r, struct str name, struct bucket **out);
MUST_CHECK int gcs_object(struct front_request *r, struct bucket **b, struct object **out); // of the route; ?generation
// Numbers of the query: ifGenerationMatch and its relatives; names with `infix` ("Source") for sources of copies.
MUST_CHECK int gcs_read_condition(struct front_request *r, const char *infix, struct condition *out);
MUST_CHECK int gcs_check_write(struct front_request *r, const struct condition *c, const struct object *current);
MUST_CHECK int gcs_query_number(struct front_request *r, const char *name, struct condition_number *out);
void gcs_etag(const struct record *r, char out[OBJECT_ETAG_SIZE]);
void gcs_reply_json(struct front_request *r, json_t *j); // takes the reference
// A JSON body, maybe empty (then NULL), in the arena.
void gcs_body_json(struct front_request *r, void (*done)(struct front_request *r, json_t *body));
MUST_CHECK int gcs_parse_json(struct front_request *r, struct str text, json_t **out); // in the arena

MUST_CHECK int gcs_read_page(struct front_request *r, struct str *after, size_t *limit); // pageToken, maxResults
// The object of an upload (the query's or the resource's name), and its content type where nothing said it.
MUST_CHECK int gcs_upload_target(struct front_request *r, const json_t *resource, struct record *draft);
MUST_CHECK int gcs_default_type(struct front_request *r, struct str type, struct record *draft);

// ---------------------------------------------------------------- descriptions (gcs_resource.c)
json_t *gcs_object_resource(struct front_request *r, const char *bucket_name, const struct record *o);
json_t *gcs_resource_of(struct front_request *r, const struct object *o);
// Members of an object resource in a request, into *draft (merged where it holds some already: null takes away), and
// the expected checksums. j may be NULL.
MUST_CHECK int gcs_read_resource(struct front_request *r, const json_t *j, struct record *draft);
void gcs_add_headers(struct front_request *r, const struct record *o); // of an answer with the bytes
struct str gcs_crc32c_text(struct front_request *r, const struct digests *d);
struct str gcs_md5_text(struct front_request *r, const struct digests *d);
// Reads X-Goog-Hash over what the resource said.
MUST_CHECK int gcs_read_hash_header(struct front_request *r);
MUST_CHECK int gcs_verify(struct front_request *r, const struct digests *d);

// ---------------------------------------------------------------- operations
void gcs_list_buckets(struct front_request *r);
void gcs_insert_bucket(struct front_request *r);
void gcs_patch_bucket(struct front_request *r); // its labels
void gcs_get_bucket(struct front_request *r);
void gcs_delete_bucket(struct front_request *r);
void gcs_list_objects(struct front_request *r);
void gcs_get_object(struct front_request *r); // resource or, with alt=media, bytes
void gcs_download(struct front_request *r);
void gcs_patch_object(struct front_request *r);
void gcs_update_object(struct front_request *r);
void gcs_delete_object(struct front_request *r);
void gcs_upload(struct front_request *r); // by uploadType
void gcs_resumable_begin(struct front_request *r);
void gcs_resumable_put(struct front_request *r);
void gcs_resumable_cancel(struct front_request *r);
void gcs_compose(struct front_request *r);
void gcs_rewrite(struct front_request *r);
void gcs_copy(struct front_request *r);

#endif
