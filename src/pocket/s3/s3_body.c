// SPDX-License-Identifier: Apache-2.0
// Bodies as S3's clients send them, plain or in chunks, and the four ways in which a request may vouch for one: the
// signed SHA-256, Content-MD5, a checksum header, a checksum in a trailer. All are checked before anything is stored.
#include <string.h>

#include "pocket/s3/s3_impl.h"

static int read_checksum_headers(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	for (size_t i = 0; i < s3_checksum_count; i++) {
		const struct s3_checksum *c = &s3_checksums[i];
		struct str value = front_header(r, c->header);
		unsigned char bytes[SHA256_SIZE];
		if (value.n == 0)
			continue;
		if (s->algorithm)
			return s3_refuse_with(r, "InvalidRequest",
				"Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
		if (front_base64(value, bytes, c->size) < 0)
			return s3_refuse_with(r, "InvalidRequest", "Value for %s header is invalid.", c->header);
		s->algorithm = c->flag;
		s->checksum = value;
	}
	return 0;
}

static int read_trailer_header(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	struct str name = front_header(r, "x-amz-trailer");
	if (name.n == 0)
		return 0;
	for (size_t i = 0; i < s3_checksum_count; i++) {
		if (!str_eq_nocase(name, str_of(s3_checksums[i].header)))
			continue;
		if (s->algorithm)
			return s3_refuse_with(r, "InvalidRequest", "Expecting a single x-amz-checksum- header");
		s->algorithm = s3_checksums[i].flag;
		s->trailer = str_of(s3_checksums[i].header);
		return 0;
	}
	return s3_refuse_with(r, "InvalidRequest", "The value specified in the x-amz-trailer header is not supported");
}

bool s3_has_checksum(const struct front_request *r)
{
	bool has = front_header(r, "x-amz-trailer").n > 0;
	for (size_t i = 0; i < s3_checksum_count && !has; i++)
		has = front_header(r, s3_checksums[i].header).n > 0;
	return has;
}

static int read_digest_headers(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	struct str md5 = front_header(r, "content-md5"), sha256 = s->claim.payload_hash;
	if (md5.n && front_base64(md5, s->md5, MD5_SIZE) < 0)
		return s3_refuse(r, "InvalidDigest");
	s->has_md5 = md5.n > 0;
	s->has_sha256 = sha256.n == HEX_SHA256_SIZE - 1 && hex_decode(sha256, s->sha256) == 0;
	return 0;
}

int s3_body_check_headers(struct front_request *r)
{
	int rc = read_digest_headers(r);
	if (rc == 0)
		rc = read_checksum_headers(r);
	return rc < 0 ? rc : read_trailer_header(r);
}

// ---------------------------------------------------------------- streaming

static int write_chunk(void *ctx, struct str data)
{
	return front_write(ctx, data);
}

static int take_chunked(struct front_request *r, struct str piece)
{
	return sigv4_chunks_feed(s3_state(r)->chunks, piece, write_chunk, r, &r->err);
}

// The size of what will be stored.
static int body_size(struct front_request *r, uint64_t *size)
{
	struct s3_state *s = s3_state(r);
	bool chunked = sigv4_chunks_wanted(s->claim.payload_hash);
	if (chunked) {
		if (str_to_u64(front_header(r, "x-amz-decoded-content-length"), size) < 0)
			return s3_refuse(r, "MissingContentLength");
	} else if (r->x->request.length == HTTP_LENGTH_UNKNOWN) {
		return s3_refuse(r, "MissingContentLength");
	} else {
		*size = (uint64_t)r->x->request.length;
	}
	if (*size > S3_MAX_PUT)
		return s3_refuse(r, "EntityTooLarge");
	if (!chunked)
		return 0;
	s->chunks = sigv4_chunks_new(&s->claim, &s->signing, *size);
	return s->chunks ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

void s3_body_stream(struct front_request *r, unsigned hashes, void (*done)(struct front_request *r))
{
	struct s3_state *s = s3_state(r);
	uint64_t size = 0;
	if (s3_body_check_headers(r) < 0 || body_size(r, &size) < 0) {
		s3_fail(r);
		return;
	}
	hashes |= s->algorithm | (s->has_md5 ? HASH_MD5 : 0u) | (s->has_sha256 ? HASH_SHA256 : 0u);
	if (s->chunks)
		r->take = take_chunked;
	front_stream(r, hashes, size, done);
}

// ---------------------------------------------------------------- verifying

static int finish_chunks(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	if (!s->chunks)
		return 0;
	int rc = sigv4_chunks_finish(s->chunks, &r->err);
	if (rc < 0 || s->trailer.n == 0)
		return rc;
	s->checksum = sigv4_chunks_trailer(s->chunks, s->trailer);
	unsigned char bytes[SHA256_SIZE];
	if (front_base64(s->checksum, bytes, s3_checksum_of(s->algorithm)->size) < 0)
		return s3_refuse_with(
			r, "InvalidRequest", "Value for %.*s trailing header is invalid.", STR(s->trailer));
	return 0;
}

static int check_digests(struct front_request *r, const struct digests *d)
{
	const struct s3_state *s = s3_state(r);
	unsigned char bytes[SHA256_SIZE], expected[SHA256_SIZE];
	if (s->has_sha256 && !hash_equal(d->sha256, s->sha256, SHA256_SIZE))
		return s3_refuse(r, "XAmzContentSHA256Mismatch");
	if (s->has_md5 && !hash_equal(d->md5, s->md5, MD5_SIZE))
		return s3_refuse_with(r, "BadDigest", "The Content-MD5 you specified did not match what we received.");
	if (!s->algorithm)
		return 0;
	const struct s3_checksum *c = s3_checksum_of(s->algorithm);
	size_t n = digests_bytes(d, s->algorithm, bytes);
	if (front_base64(s->checksum, expected, n) < 0 || memcmp(bytes, expected, n) != 0)
		return s3_refuse_with(
			r, "BadDigest", "The %s you specified did not match the calculated checksum.", c->name);
	return 0;
}

int s3_body_verify(struct front_request *r)
{
	int rc = finish_chunks(r);
	return rc < 0 ? rc : check_digests(r, writer_digests(r->writer));
}

// ---------------------------------------------------------------- small bodies

static int verify_small(struct front_request *r, struct str body)
{
	struct digests d;
	int rc = front_digests(r, body, HASH_MD5 | HASH_SHA256 | s3_state(r)->algorithm, &d);
	return rc < 0 ? rc : check_digests(r, &d);
}

static void small_done(struct front_request *r, struct str body)
{
	if (verify_small(r, body) < 0)
		s3_fail(r);
	else
		s3_state(r)->small_done(r, body);
}

static void collect(struct front_request *r, void (*done)(struct front_request *r, struct str body))
{
	struct s3_state *s = s3_state(r);
	if (sigv4_chunks_wanted(s->claim.payload_hash)) { // no client frames these, and a frame must not be read as XML
		s3_answer(r, "NotImplemented");
		return;
	}
	s->small_done = done;
	front_collect(r, S3_MAX_XML, small_done);
}

void s3_body_collect(struct front_request *r, void (*done)(struct front_request *r, struct str body))
{
	if (s3_body_check_headers(r) < 0)
		s3_fail(r);
	else
		collect(r, done);
}

static void parse(struct front_request *r, struct str body)
{
	struct xml_node *root = NULL;
	int rc = pocket_xml_parse(body, r->arena, &root, &r->err);
	if (rc == ERR_INVALID)
		s3_refuse(r, "MalformedXML");
	if (rc < 0)
		s3_fail(r);
	else
		s3_state(r)->parsed(r, root);
}

void s3_body_xml(struct front_request *r, void (*done)(struct front_request *r, const struct xml_node *root))
{
	s3_state(r)->parsed = done;
	s3_body_collect(r, parse);
}

// x-amz-checksum-* of a completion are about the object; the signed SHA-256 and Content-MD5 are about the body.
void s3_body_xml_unchecked(struct front_request *r, void (*done)(struct front_request *r, const struct xml_node *root))
{
	struct s3_state *s = s3_state(r);
	s->parsed = done;
	if (read_digest_headers(r) < 0)
		s3_fail(r);
	else
		collect(r, parse);
}
