// SPDX-License-Identifier: Apache-2.0
// Multipart uploads to S3: create, parts one after the other, complete; abandoned ones are aborted, since they cost
// money. Each part carries its CRC-32C, and completing sends the one of the whole object, combined from the parts', for
// S3 to check. Source: "Multipart upload" and "CompleteMultipartUpload", Amazon S3.
#include "base/time.h"
#include "cloud/aws/store_impl.h"
#include "cloud/http/download.h"
#include "cloud/http/object_fields.h"

enum { ABORT_TIMEOUT_S = 5 };

struct upload {
	struct call *c;
	struct aws_store *store;
	const struct store_put *put;
	struct parts *parts;
	struct str path, id;
	struct buf list; // the body of the completion
};

static int create(struct upload *u)
{
	struct exchange x = {.call = &aws_calls[AWS_CREATE_MULTIPART_UPLOAD], .path = u->path, .query = S("uploads=")};
	struct transport_response answer = {0};
	struct xml *root = NULL;
	if (u->put->content_type.n)
		exchange_header(&x, "content-type", u->put->content_type);
	exchange_header(&x, "x-amz-checksum-algorithm", S("CRC32C"));
	exchange_header(&x, "x-amz-checksum-type", S("FULL_OBJECT"));
	int r = object_add_metadata(u->c, &x, "x-amz-meta-", u->put->metadata);
	if (!r)
		r = exchange_run(u->c, &u->store->provider, &x, &answer);
	if (!r)
		r = aws_parse(u->c, &answer, "InitiateMultipartUploadResult", &root);
	if (r)
		return r;
	u->id = xml_child_text(root, "UploadId");
	if (!u->id.n)
		return call_fail(u->c, ERR_PROTOCOL, "the answer to the start of a multipart upload has no UploadId");
	if (x.attempts > 1) // one that was begun by a request whose answer was lost
		aws_sweep_uploads(u->c, u->store, u->put, u->path, u->id);
	return 0;
}

static int send_part(struct upload *u)
{
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	struct str checksum = object_crc32c_text(u->c->arena, u->parts->part_crc);
	buf_printf(&query, "partNumber=%u", u->parts->number);
	exchange_parameter(&query, "uploadId", u->id);
	struct exchange x = {
		.call = &aws_calls[AWS_UPLOAD_PART], .path = u->path, .query = buf_str(&query), .body = u->parts->part};
	exchange_header(&x, "x-amz-checksum-crc32c", checksum);
	x.proof = "etag";
	x.echo = (struct sign_header){S("x-amz-checksum-crc32c"), checksum};
	int r = checksum.p ? buf_check(&query, &u->c->err) : call_no_memory(u->c);
	if (!r)
		r = exchange_run(u->c, &u->store->provider, &x, &answer);
	if (r)
		return call_context(u->c, "part %u", u->parts->number);
	buf_printf(&u->list, "<Part><PartNumber>%u</PartNumber><ETag>", u->parts->number);
	xml_escape(transport_header(&answer, S("etag")), &u->list);
	buf_printf(&u->list, "</ETag><ChecksumCRC32C>%.*s</ChecksumCRC32C></Part>", STR(checksum));
	return buf_check(&u->list, &u->c->err);
}

static int send_all(struct upload *u)
{
	int r = send_part(u);
	while (!r && !u->parts->last) {
		r = parts_next(u->c, u->parts);
		if (!r)
			r = send_part(u);
	}
	return r;
}

static int complete_once(struct upload *u, struct exchange *x, struct object *out)
{
	struct transport_response answer = {0};
	struct xml *root = NULL;
	int r = exchange_run(u->c, &u->store->provider, x, &answer);
	if (!r)
		r = aws_parse(u->c, &answer, "CompleteMultipartUploadResult", &root);
	if (r)
		return r;
	*out = (struct object){.size = u->parts->total,
		.modified_ns = call_now_ns(u->c),
		.content_type = u->put->content_type,
		.etag = download_etag(xml_child_text(root, "ETag")),
		.crc32c = u->parts->crc,
		.has_crc32c = true};
	return 0;
}

// Tries again also after a 200 that turned out to be an error. An upload that is gone after a lost answer was completed
// by it.
static int complete(struct upload *u, struct object *out)
{
	AUTO(buf) query = {0};
	struct str checksum = object_crc32c_text(u->c->arena, u->parts->crc);
	struct str size = arena_printf(u->c->arena, "%llu", (unsigned long long)u->parts->total);
	buf_add(&u->list, S("</CompleteMultipartUpload>"));
	exchange_parameter(&query, "uploadId", u->id);
	struct exchange x = {.call = &aws_calls[AWS_COMPLETE_MULTIPART_UPLOAD],
		.path = u->path,
		.query = buf_str(&query),
		.body = buf_str(&u->list)};
	exchange_header(&x, "content-type", S("application/xml"));
	exchange_header(&x, "x-amz-checksum-crc32c", checksum);
	exchange_header(&x, "x-amz-checksum-type", S("FULL_OBJECT"));
	exchange_header(&x, "x-amz-mp-object-size", size);
	int r = checksum.p && size.p ? aws_add_condition(u->c, &x, &u->put->condition) : call_no_memory(u->c);
	if (!r)
		r = buf_check(&u->list, &u->c->err);
	if (r)
		return r;
	for (;;) {
		r = complete_once(u, &x, out);
		bool race = r == ERR_CONFLICT && u->c->err.retryable; // ends this upload: the caller makes another
		if (!r || race)
			return r;
		r = retry_pause(u->c, &u->store->provider.retry, x.attempts, 0);
		if (r)
			break;
	}
	if ((r == ERR_CONFLICT || r == ERR_NOT_FOUND) && x.attempts > 1)
		return object_settle_conflict(
			u->c, &(struct object_store){&aws_store_ops, u->store}, u->put, u->parts, out);
	return r;
}

// Also when the call was cancelled or is out of time: under a call of its own.
static void abandon(struct upload *u)
{
	struct call own = *u->c;
	own.cancel = NULL;
	own.deadline_ns = call_mono_ns(u->c) + ABORT_TIMEOUT_S * NS_PER_S;
	err_clear(&own.err);
	// When this fails too there is nobody to tell: the next upload of the key clears it away.
	if (aws_upload_abort(&own, u->store, u->path, u->id))
		err_clear(&own.err);
}

int aws_upload_parts(
	struct call *c, struct aws_store *s, const struct store_put *put, struct parts *parts, struct object *out)
{
	struct upload u = {.c = c, .store = s, .put = put, .parts = parts, .path = aws_path(c, put->bucket, put->key)};
	int r = u.path.p ? 0 : call_no_memory(c);
	if (!r)
		aws_sweep_uploads(c, s, put, u.path, S(""));
	if (!r)
		r = create(&u);
	if (r)
		return r;
	buf_add(&u.list, S("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
	r = send_all(&u);
	if (!r)
		r = complete(&u, out);
	if (r == ERR_NOT_FOUND && str_eq(str_of(c->err.provider_code), S("NoSuchUpload")))
		r = call_context(c, "somebody ended this upload, or began another of the same object");
	if (r)
		abandon(&u);
	buf_free(&u.list);
	return r;
}
