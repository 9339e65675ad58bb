// SPDX-License-Identifier: Apache-2.0
// Resumable uploads: a session (an upload of the store with one growing file), chunks in order, questions for how far
// it got. The session's address is its authority, as with Google. Its conditions and checksums are kept in the upload's
// record. Source: "Resumable uploads" and "Perform resumable uploads", Cloud Storage documentation.
#include <stdio.h>
#include <string.h>

#include "pocket/gcs/gcs_impl.h"

// ---------------------------------------------------------------- begin

// What the session must remember, as properties that no object has.
static const char *const remembered[] = {
	"ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch"};

static int remember(struct front_request *r, struct record *draft)
{
	const struct gcs_state *s = gcs_state(r);
	bool ok = true;
	for (size_t i = 0; i < COUNT_OF(remembered) && ok; i++)
		if (front_query_has(r, remembered[i]))
			ok = pairs_add(&draft->properties, r->arena, str_of(remembered[i]),
				     front_query(r, remembered[i])) == 0;
	if (ok && s->crc32c.n)
		ok = pairs_add(&draft->properties, r->arena, S("upload-crc32c"), s->crc32c) == 0;
	if (ok && s->md5.n)
		ok = pairs_add(&draft->properties, r->arena, S("upload-md5"), s->md5) == 0;
	struct str total = front_header(r, "x-upload-content-length");
	if (ok && total.n)
		ok = pairs_add(&draft->properties, r->arena, S("upload-total"), total) == 0;
	return ok ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static int check_total(struct front_request *r)
{
	uint64_t total = 0;
	struct str text = front_header(r, "x-upload-content-length");
	return text.n && str_to_u64(text, &total) < 0
		       ? gcs_refuse(r, "invalid", "Invalid value for X-Upload-Content-Length")
		       : 0;
}

static void begin(struct front_request *r, json_t *body)
{
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	struct upload *u = NULL;
	int rc = gcs_read_resource(r, body, &s->draft);
	if (rc == 0)
		rc = gcs_upload_target(r, body, &s->draft);
	if (rc == 0)
		rc = gcs_default_type(r, front_header(r, "x-upload-content-type"), &s->draft);
	if (rc == 0)
		rc = gcs_read_hash_header(r);
	if (rc == 0)
		rc = check_total(r);
	if (rc == 0)
		rc = gcs_bucket(r, s->captures[0], &b);
	if (rc == 0)
		rc = gcs_check_write(r, &s->condition, objects_find(b, s->draft.key));
	if (rc == 0)
		rc = remember(r, &s->draft);
	if (rc == 0)
		rc = objects_upload_create(b, &s->draft, S(""), &u, &r->err);
	if (rc < 0) {
		gcs_fail(r);
		return;
	}
	front_addf(r, "location", "%s/upload/storage/v1/b/%.*s/o?uploadType=resumable&upload_id=%s",
		pocket_url(r->pocket), STR(s->captures[0]), u->id);
	front_reply(r, 200, S(""));
}

void gcs_resumable_begin(struct front_request *r)
{
	gcs_body_json(r, begin);
}

// ---------------------------------------------------------------- finished sessions

static void note_finished(struct front_request *r, const struct object *made)
{
	struct gcs_keys *keys = r->keys;
	struct gcs_finished *f = &keys->finished[keys->finished_next++ % GCS_FINISHED];
	buf_clear(&f->key);
	buf_add(&f->key, made->record->key);
	f->generation = made->record->generation;
	if (f->key.failed || !str_copy(f->id, sizeof(f->id), gcs_state(r)->upload) ||
		!str_copy(f->bucket, sizeof(f->bucket), bucket_record(made->bucket)->key))
		f->id[0] = '\0';
}

// The object that a finished session made, as long as it is the current one.
static const struct object *find_finished(struct front_request *r, const struct bucket *b)
{
	struct gcs_keys *keys = r->keys;
	for (size_t i = 0; i < GCS_FINISHED; i++) {
		const struct gcs_finished *f = &keys->finished[i];
		if (!f->id[0] || !str_eq(str_of(f->id), gcs_state(r)->upload) ||
			!str_eq(str_of(f->bucket), bucket_record(b)->key))
			continue;
		const struct object *o = objects_find(b, buf_str(&f->key));
		return o && o->record->generation == f->generation ? o : NULL;
	}
	return NULL;
}

// ---------------------------------------------------------------- the session of a request

// Looked up in each turn: others may end it while a chunk comes.
static int find_session(struct front_request *r, struct bucket **b, struct upload **u, struct writer **w)
{
	struct gcs_state *s = gcs_state(r);
	int rc = gcs_bucket(r, s->captures[0], b);
	if (rc < 0)
		return rc;
	*u = objects_upload_find(*b, s->upload);
	if (!*u)
		return gcs_refuse(r, "notFound", "The upload session does not exist, or has ended.");
	return objects_upload_writer(*b, *u, GCS_HASHES, w, &r->err);
}

static void reply_incomplete(struct front_request *r, uint64_t size)
{
	if (size) // no header says that nothing is stored
		front_addf(r, "range", "bytes=0-%llu", (unsigned long long)size - 1);
	// Google's Go library asks for another status, since other programs read 308 as a redirection.
	bool other = str_eq_nocase(front_header(r, "x-guploader-no-308"), S("yes"));
	if (other)
		front_add(r, "x-http-status-code-override", S("308"));
	front_reply(r, other ? 200 : 308, S(""));
}

// ---------------------------------------------------------------- the end

static int recall(struct front_request *r, const struct upload *u)
{
	struct gcs_state *s = gcs_state(r);
	struct condition_number *const numbers[] = {&s->condition.generation_match, &s->condition.generation_not_match,
		&s->condition.metageneration_match, &s->condition.metageneration_not_match};
	const struct pairs *from = &u->record->properties;
	for (size_t i = 0; i < COUNT_OF(remembered); i++) {
		numbers[i]->set = pairs_has(from, str_of(remembered[i]));
		if (numbers[i]->set && str_to_i64(pairs_get(from, str_of(remembered[i])), &numbers[i]->value) < 0)
			return err_set(
				&r->err, ERR_CORRUPT, "the record of an upload has no number for %s", remembered[i]);
	}
	s->crc32c = pairs_get(from, S("upload-crc32c"));
	s->md5 = pairs_get(from, S("upload-md5"));
	return gcs_read_hash_header(r);
}

static int describe(struct front_request *r, const struct upload *u)
{
	struct gcs_state *s = gcs_state(r);
	const struct pairs *from = &u->record->properties;
	s->draft = (struct record){.key = u->record->key, .metadata = u->record->metadata};
	for (size_t i = 0; i < from->count; i++) {
		bool own = str_starts(from->items[i].name, S("upload-")) || str_starts(from->items[i].name, S("if"));
		if (!own && pairs_add(&s->draft.properties, r->arena, from->items[i].name, from->items[i].value) < 0)
			return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	}
	return 0;
}

static int finish(struct front_request *r, struct bucket *b, struct upload *u, struct object **made)
{
	struct gcs_state *s = gcs_state(r);
	int rc = recall(r, u);
	if (rc == 0)
		rc = gcs_verify(r, writer_digests(u->writer));
	if (rc == 0)
		rc = gcs_check_write(r, &s->condition, objects_find(b, u->record->key));
	if (rc == 0)
		rc = describe(r, u);
	return rc < 0 ? rc : objects_put(b, upload_take_writer(u), &s->draft, made, &r->err);
}

static void end_session(struct front_request *r, struct bucket *b, struct upload *u)
{
	struct object *made = NULL;
	int rc = finish(r, b, u, &made);
	objects_upload_drop(b, u); // its digests are final: there is no going on, whatever came of it
	if (rc < 0) {
		gcs_fail(r);
		return;
	}
	note_finished(r, made);
	gcs_reply_json(r, gcs_resource_of(r, made));
}

// ---------------------------------------------------------------- chunks

static int take_chunk(struct front_request *r, struct str piece)
{
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	struct upload *u = NULL;
	struct writer *w = NULL;
	int rc = find_session(r, &b, &u, &w);
	if (rc < 0)
		return rc;
	size_t known = (size_t)MIN(s->skip, (uint64_t)piece.n);
	s->skip -= known;
	piece = str_drop(piece, known);
	if (writer_size(w) != s->position)
		return gcs_refuse(r, "backendError", "Another request writes to this upload session.");
	rc = writer_add(w, piece, &r->err);
	if (rc == 0)
		s->position += piece.n;
	return rc;
}

static void chunk_done(struct front_request *r)
{
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	struct upload *u = NULL;
	struct writer *w = NULL;
	if (find_session(r, &b, &u, &w) < 0)
		gcs_fail(r);
	else if (s->total == writer_size(w))
		end_session(r, b, u);
	else
		reply_incomplete(r, writer_size(w));
}

// "bytes FIRST-LAST/TOTAL"; TOTAL may be '*' for "not known yet". Without the header the body is everything.
struct content_range {
	bool question; // "bytes */TOTAL": nothing comes
	uint64_t first, length, total;
};

static bool parse_range(struct str header, int64_t body, struct content_range *out)
{
	struct str range, total, first, last;
	uint64_t end = 0;
	*out = (struct content_range){.length = body > 0 ? (uint64_t)body : 0, .total = UINT64_MAX};
	if (header.n == 0) {
		out->total = body >= 0 ? (uint64_t)body : UINT64_MAX;
		return body >= 0;
	}
	if (!str_starts(header, S("bytes ")) || !str_cut(str_trim(str_drop(header, 6)), '/', &range, &total))
		return false;
	if (!str_eq(total, S("*")) && (str_to_u64(total, &out->total) < 0 || out->total > INT64_MAX))
		return false;
	out->question = str_eq(range, S("*"));
	if (out->question)
		return body <= 0;
	if (!str_cut(range, '-', &first, &last) || str_to_u64(first, &out->first) < 0 || str_to_u64(last, &end) < 0 ||
		end < out->first)
		return false;
	out->length = end - out->first + 1;
	return end < out->total && (body < 0 || out->length == (uint64_t)body);
}

static int check_chunk(struct front_request *r, const struct content_range *range, uint64_t size)
{
	bool last = range->total != UINT64_MAX && range->first + range->length == range->total;
	if (range->first > size)
		return gcs_refuse(r, "invalid",
			"Invalid request. According to the Content-Range header, the upload offset is %llu byte(s), "
			"which exceeds already uploaded "
			"size of %llu byte(s).",
			(unsigned long long)range->first, (unsigned long long)size);
	if (!last && range->length % GCS_CHUNK)
		return gcs_refuse(r, "invalid",
			"Invalid request. There were %llu byte(s) in the request body. There should have been a "
			"multiple of %d byte(s).",
			(unsigned long long)range->length, GCS_CHUNK);
	return 0;
}

static void start_chunk(struct front_request *r, const struct content_range *range, uint64_t size)
{
	struct gcs_state *s = gcs_state(r);
	s->position = size;
	s->skip = MIN(size - range->first, range->length);
	s->total = range->total;
	r->take = take_chunk;
	r->done = chunk_done;
	http_body_resume(r->x);
}

void gcs_resumable_put(struct front_request *r)
{
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	struct upload *u = NULL;
	struct writer *w = NULL;
	struct content_range range;
	s->upload = front_query(r, "upload_id");
	int rc = parse_range(front_header(r, "content-range"), r->x->request.length, &range)
			 ? gcs_bucket(r, s->captures[0], &b)
			 : gcs_refuse(r, "invalid", "Failed to parse Content-Range header.");
	const struct object *finished = rc == 0 ? find_finished(r, b) : NULL;
	if (finished) {
		gcs_reply_json(r, gcs_resource_of(r, finished));
		return;
	}
	if (rc == 0)
		rc = find_session(r, &b, &u, &w);
	if (rc == 0 && !range.question)
		rc = check_chunk(r, &range, writer_size(w));
	if (rc < 0)
		gcs_fail(r);
	else if (!range.question)
		start_chunk(r, &range, writer_size(w));
	else if (range.total == writer_size(w))
		end_session(r, b, u);
	else
		reply_incomplete(r, writer_size(w));
}

void gcs_resumable_cancel(struct front_request *r)
{
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	struct upload *u = NULL;
	struct writer *w = NULL;
	s->upload = front_query(r, "upload_id");
	if (find_session(r, &b, &u, &w) < 0) {
		gcs_fail(r);
		return;
	}
	objects_upload_drop(b, u);
	front_reply(r, 499, S(""));
}
