// SPDX-License-Identifier: Apache-2.0
// Uploads in one request: the bytes alone (uploadType=media), or metadata and bytes (multipart).
#include <string.h>

#include "pocket/gcs/gcs_impl.h"

int gcs_upload_target(struct front_request *r, const json_t *resource, struct record *draft)
{
	struct str name = front_query(r, "name");
	draft->key = name.n ? name : json_str(resource, "name");
	if (draft->key.n == 0)
		return gcs_refuse(r, "required", "Required parameter: name");
	if (!objects_key_valid(draft->key))
		return gcs_refuse(
			r, "invalid", "Invalid object name: 1 to %d bytes of UTF-8 are allowed.", OBJECT_KEY_MAX);
	return 0;
}

int gcs_default_type(struct front_request *r, struct str type, struct record *draft)
{
	if (pairs_has(&draft->properties, S("content-type")))
		return 0;
	type = type.n ? type : S("application/octet-stream");
	return pairs_add(&draft->properties, r->arena, S("content-type"), type) < 0
		       ? err_set(&r->err, ERR_NO_MEMORY, "out of memory")
		       : 0;
}

static int check_current(struct front_request *r, struct bucket **b)
{
	struct gcs_state *s = gcs_state(r);
	int rc = gcs_bucket(r, s->captures[0], b);
	return rc < 0 ? rc : gcs_check_write(r, &s->condition, objects_find(*b, s->draft.key));
}

static void store(struct front_request *r)
{
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	struct object *made = NULL;
	int rc = gcs_verify(r, writer_digests(r->writer));
	if (rc == 0)
		rc = check_current(r, &b); // again: others may have written while the body came
	if (rc == 0)
		rc = objects_put(b, front_take_writer(r), &s->draft, &made, &r->err);
	if (rc < 0)
		gcs_fail(r);
	else
		gcs_reply_json(r, gcs_resource_of(r, made));
}

static uint64_t body_length(const struct front_request *r)
{
	return r->x->request.length > 0 ? (uint64_t)r->x->request.length : 0;
}

static void upload_media(struct front_request *r)
{
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	int rc = gcs_upload_target(r, NULL, &s->draft);
	if (rc == 0)
		rc = gcs_read_resource(r, NULL, &s->draft);
	if (rc == 0)
		rc = gcs_default_type(r, front_header(r, "content-type"), &s->draft);
	if (rc == 0)
		rc = gcs_read_hash_header(r);
	if (rc == 0)
		rc = check_current(r, &b);
	if (rc < 0)
		gcs_fail(r);
	else
		front_stream(r, GCS_HASHES, body_length(r), store);
}

// ---------------------------------------------------------------- multipart

static int on_metadata(void *ctx, struct str text)
{
	struct front_request *r = ctx;
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	json_t *j = NULL;
	int rc = gcs_parse_json(r, text, &j);
	if (rc == 0)
		rc = gcs_read_resource(r, j, &s->draft);
	if (rc == 0)
		rc = gcs_upload_target(r, j, &s->draft);
	if (rc == 0)
		rc = gcs_read_hash_header(r);
	return rc < 0 ? rc : check_current(r, &b);
}

static int on_media_type(void *ctx, struct str type)
{
	struct front_request *r = ctx;
	struct str copy = arena_str(r->arena, type);
	return copy.p ? gcs_default_type(r, copy, &gcs_state(r)->draft)
		      : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static int on_media(void *ctx, struct str bytes)
{
	return front_write(ctx, bytes);
}

static int take_related(struct front_request *r, struct str piece)
{
	return related_feed(gcs_state(r)->related, piece, &r->err);
}

static void related_done(struct front_request *r)
{
	if (related_finish(gcs_state(r)->related, &r->err) < 0)
		gcs_fail(r);
	else
		store(r);
}

static void upload_multipart(struct front_request *r)
{
	struct bucket *b = NULL;
	struct related_events events = {
		.ctx = r, .metadata = on_metadata, .media_type = on_media_type, .media = on_media};
	int rc = gcs_bucket(r, gcs_state(r)->captures[0], &b);
	if (rc == 0)
		rc = related_new(front_header(r, "content-type"), &events, &gcs_state(r)->related, &r->err);
	if (rc < 0) {
		gcs_fail(r);
		return;
	}
	r->take = take_related;
	front_stream(r, GCS_HASHES, body_length(r), related_done);
}

void gcs_upload(struct front_request *r)
{
	struct str type = front_query(r, "uploadType");
	if (gcs_read_condition(r, "", &gcs_state(r)->condition) < 0) {
		gcs_fail(r);
	} else if (front_query(r, "upload_id").n) {
		gcs_resumable_put(r); // some clients go on with POST
	} else if (str_eq(type, S("media"))) {
		upload_media(r);
	} else if (str_eq(type, S("multipart"))) {
		upload_multipart(r);
	} else if (str_eq(type, S("resumable"))) {
		gcs_resumable_begin(r);
	} else {
		gcs_refuse(r, "invalid", "Invalid upload type: uploadType must be media, multipart or resumable");
		gcs_fail(r);
	}
}
