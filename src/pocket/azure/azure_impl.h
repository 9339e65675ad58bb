// SPDX-License-Identifier: Apache-2.0
// Blob Storage over the object store: what its files share. Source: Azure Storage REST API, Blob service. Addresses are
// /ACCOUNT/CONTAINER/BLOB, as Azurite has them; Shared Key only. Block blobs only. What a pocket cannot do (leases,
// snapshots, page and append blobs, tiers, tags, customer keys, ...) is answered NotImplemented, never ignored.
#ifndef ISOBAR_POCKET_AZURE_IMPL_H
#define ISOBAR_POCKET_AZURE_IMPL_H

#include "cloud/sign/sharedkey.h"
#include "pocket/pocket_impl.h"
#include "pocket/xml.h"

enum {
	AZURE_MAX_LIST = 5000,
	AZURE_MAX_BLOCKS = 50000,
	AZURE_MAX_UNCOMMITTED = 100000,
	AZURE_MAX_BLOCK_ID = 64,
	AZURE_MAX_XML = 16 << 20, // 50,000 block ids of 88 characters
	AZURE_MAX_RANGE_DIGEST = 4 << 20,
	AZURE_MAX_METADATA = 8 << 10,
	AZURE_CRC64_SIZE = 8,
};
#define AZURE_MAX_PUT (UINT64_C(5000) << 20)
#define AZURE_MAX_BLOCK (UINT64_C(4000) << 20)

struct azure_keys {
	struct buf account, key; // the key as bytes
};

struct azure_state {
	unsigned char md5[MD5_SIZE], crc64[AZURE_CRC64_SIZE]; // as the request announces them
	bool has_md5, has_crc64;
	struct record draft;
	struct str block; // its id in base64
	void (*parsed)(struct front_request *r, const struct xml_node *root);
};
struct azure_state *azure_state(struct front_request *r);

// ---------------------------------------------------------------- errors
int azure_refuse(struct front_request *r, const char *code);
int azure_refuse_with(struct front_request *r, const char *code, const char *format, ...) PRINTF_LIKE(3, 4);
void azure_fail(struct front_request *r);
void azure_answer(struct front_request *r, const char *code);

// ---------------------------------------------------------------- shared
MUST_CHECK int azure_container(struct front_request *r, struct bucket **out);               // ContainerNotFound
MUST_CHECK int azure_blob(struct front_request *r, struct bucket **b, struct object **out); // BlobNotFound
// Conditions of a write: BlobAlreadyExists, ConditionNotMet. current may be NULL.
MUST_CHECK int azure_check_write(struct front_request *r, const struct record *current);
MUST_CHECK int azure_check_blob_write(struct front_request *r, const struct bucket *b);
void azure_etag(const struct record *r, char out[OBJECT_ETAG_SIZE]);
void azure_add_version(struct front_request *r, const struct record *record); // etag and last-modified
// x-ms-meta-* into draft->metadata: InvalidMetadata, MetadataTooLarge.
MUST_CHECK int azure_read_metadata(struct front_request *r, struct record *draft);
void azure_add_metadata(struct front_request *r, const struct record *record);
// x-ms-blob-content-* (or, with `standard`, Content-* where those are absent) into draft->properties.
MUST_CHECK int azure_read_properties(struct front_request *r, bool standard, struct record *draft);
// Refuses what would change how a blob is kept.
MUST_CHECK int azure_check_wishes(struct front_request *r);
void azure_xml_begin(struct buf *out, const char *root);
void azure_reply_xml(struct front_request *r, struct buf *body);
struct str azure_crc64_text(struct front_request *r, const struct digests *d); // base64, little-endian
// Marker and maxresults of a listing.
MUST_CHECK int azure_read_page(struct front_request *r, struct str *after, size_t *limit);

// ---------------------------------------------------------------- bodies (azure_body.c)
MUST_CHECK int azure_body_check_headers(struct front_request *r);
void azure_body_stream(struct front_request *r, unsigned hashes, uint64_t most, void (*done)(struct front_request *r));
MUST_CHECK int azure_body_verify(struct front_request *r, const struct digests *d);
void azure_body_xml(struct front_request *r, void (*done)(struct front_request *r, const struct xml_node *root));

// ---------------------------------------------------------------- operations
void azure_list_containers(struct front_request *r);
void azure_account_properties(struct front_request *r);
void azure_create_container(struct front_request *r);
void azure_get_container(struct front_request *r); // and its metadata
void azure_set_container_metadata(struct front_request *r);
void azure_get_container_acl(struct front_request *r);
void azure_delete_container(struct front_request *r);
void azure_list_blobs(struct front_request *r);
void azure_put_blob(struct front_request *r);
void azure_copy_blob(struct front_request *r);
void azure_get_blob(struct front_request *r); // and HEAD
void azure_get_metadata(struct front_request *r);
void azure_set_metadata(struct front_request *r);
void azure_set_properties(struct front_request *r);
void azure_delete_blob(struct front_request *r);
void azure_put_block(struct front_request *r);
void azure_put_block_list(struct front_request *r);
void azure_get_block_list(struct front_request *r);
// Forgets the blocks of a blob that were never committed, as a Put Blob does.
void azure_drop_blocks(struct bucket *b, struct str key);

#endif
