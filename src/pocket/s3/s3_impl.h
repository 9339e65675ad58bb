// SPDX-License-Identifier: Apache-2.0
// S3 over the object store: what its files share. Source: Amazon S3 API Reference. Path-style addresses only; one
// access key, which may do all. What a real S3 would do and a pocket cannot (ACLs, KMS, tags of objects, versions, ...) is
// answered NotImplemented, never ignored.
#ifndef ISOBAR_POCKET_S3_IMPL_H
#define ISOBAR_POCKET_S3_IMPL_H

#include "cloud/sign/sigv4_chunks.h"
#include "pocket/pocket_impl.h"
#include "pocket/xml.h"

#define S3_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

enum {
	S3_MAX_METADATA = 2048,
	S3_MAX_KEYS = 1000,
	S3_MAX_PARTS = 10000,
	S3_MIN_PART = 5 << 20,
	S3_MAX_XML = 4 << 20, // of a request: 10,000 parts with checksums
};
#define S3_MAX_PUT (UINT64_C(5) << 30)

struct s3_keys {
	struct buf access_key, secret;
};

// What a request says about its body, and what is kept until the body has come.
struct s3_state {
	struct sigv4_claim claim;
	struct sigv4_key signing; // of who asks
	struct sigv4_chunks *chunks; // aws-chunked
	unsigned char md5[MD5_SIZE];
	bool has_md5;
	unsigned char sha256[SHA256_SIZE];
	bool has_sha256;
	enum hash_flags algorithm;   // of x-amz-checksum-*; 0: none
	struct str checksum;         // base64 as sent; empty until a trailer brings it
	struct str trailer;          // name of that trailer
	struct record draft;         // of the object to be
	struct str part;             // name of the piece
	struct part_copy *part_copy; // while one runs
	void (*release)(struct front_request *r);
	void (*small_done)(struct front_request *r, struct str body); // of a body that is collected
	void (*parsed)(struct front_request *r, const struct xml_node *root);
	struct str more; // XML for an error's body: what S3 adds to some codes
};
struct s3_state *s3_state(struct front_request *r);

// ---------------------------------------------------------------- errors
// Sets r->err to one of S3's codes with its status and standard message. Returns the code.
int s3_refuse(struct front_request *r, const char *code);
int s3_refuse_with(struct front_request *r, const char *code, const char *format, ...) PRINTF_LIKE(3, 4); // own message
void s3_fail(struct front_request *r);                     // answers r->err
void s3_answer(struct front_request *r, const char *code); // refuse and fail

// ---------------------------------------------------------------- shared
MUST_CHECK int s3_bucket(struct front_request *r, struct bucket **out);                    // NoSuchBucket
MUST_CHECK int s3_object(struct front_request *r, struct bucket **b, struct object **out); // NoSuchKey
MUST_CHECK int s3_upload(struct front_request *r, struct bucket **b, struct upload **out); // NoSuchUpload
void s3_xml_begin(struct buf *out, const char *root); // declaration and root with the namespace
void s3_xml_time(struct buf *out, const char *name, int64_t wall_ns);
void s3_xml_etag(struct buf *out, const struct record *r);
void s3_xml_owner(struct buf *out, const char *name);
void s3_reply_xml(struct front_request *r, struct buf *body);
// Whether a write may go on: PreconditionFailed, NoSuchKey, NotImplemented set in r->err.
MUST_CHECK int s3_check_write(struct front_request *r, const struct bucket *b);

// Checksum algorithms by their names: "CRC32C" in lists, "x-amz-checksum-crc32c" in headers, "ChecksumCRC32C" in XML.
struct s3_checksum {
	enum hash_flags flag;
	const char *name, *header, *element;
	size_t size;
	bool full_object; // default type of a multipart upload
};
extern const struct s3_checksum s3_checksums[];
extern const size_t s3_checksum_count;
const struct s3_checksum *s3_checksum_of(enum hash_flags flag);
const struct s3_checksum *s3_checksum_named(struct str name); // "crc32c" in any case; NULL
// The checksum that a stored version has: its header's value, "" when none.
struct str s3_stored_checksum(const struct record *r, const struct s3_checksum **out);

// Headers of a put, copy or multipart upload that are kept: into draft->properties and draft->metadata.
MUST_CHECK int s3_read_description(struct front_request *r, struct record *draft);
void s3_add_description(struct front_request *r, const struct record *record); // as headers of an answer
void s3_add_checksum(struct front_request *r, const struct record *record);

// ---------------------------------------------------------------- bodies (s3_body.c)
bool s3_has_checksum(const struct front_request *r); // an x-amz-checksum-* header, or one announced as a trailer
MUST_CHECK int s3_body_check_headers(struct front_request *r); // digests that the request announces
// The body of an object or part streams into r->writer; done() when it came. hashes: besides those that are to be
// verified.
void s3_body_stream(struct front_request *r, unsigned hashes, void (*done)(struct front_request *r));
MUST_CHECK int s3_body_verify(struct front_request *r); // the digests of r->writer against those announced
// An XML body: collected, verified, parsed; done() gets its root.
void s3_body_xml(struct front_request *r, void (*done)(struct front_request *r, const struct xml_node *root));
// The same where checksum headers are about something else than the body.
void s3_body_xml_unchecked(struct front_request *r, void (*done)(struct front_request *r, const struct xml_node *root));
// The body as it is (may be empty), collected and verified.
void s3_body_collect(struct front_request *r, void (*done)(struct front_request *r, struct str body));

// ---------------------------------------------------------------- operations
void s3_list_buckets(struct front_request *r);
void s3_create_bucket(struct front_request *r);
void s3_head_bucket(struct front_request *r);
void s3_delete_bucket(struct front_request *r);
void s3_get_tags(struct front_request *r); // of a bucket
void s3_put_tags(struct front_request *r);
void s3_delete_tags(struct front_request *r);
void s3_get_location(struct front_request *r);
void s3_get_versioning(struct front_request *r);
void s3_get_encryption(struct front_request *r);
void s3_get_public_access_block(struct front_request *r);
void s3_list_objects(struct front_request *r);
void s3_list_objects_v2(struct front_request *r);
void s3_get_object(struct front_request *r); // and HEAD
void s3_put_object(struct front_request *r);
void s3_delete_object(struct front_request *r);
void s3_delete_objects(struct front_request *r);
void s3_copy_object(struct front_request *r);
void s3_create_upload(struct front_request *r);
void s3_upload_part(struct front_request *r);
void s3_upload_part_copy(struct front_request *r);
void s3_complete_upload(struct front_request *r);
void s3_abort_upload(struct front_request *r);
void s3_list_parts(struct front_request *r);
void s3_list_uploads(struct front_request *r);

MUST_CHECK int s3_part_name(struct front_request *r, struct str *name); // of the query's partNumber: "00007"
unsigned s3_part_hashes(const struct upload *u);
// Makes r->writer the part draft->key.
MUST_CHECK int s3_store_part(struct front_request *r, struct bucket *b, struct upload *u, struct record *draft);
// The source of a copy, with its conditions checked.
MUST_CHECK int s3_copy_source(struct front_request *r, struct object **out);

#endif
