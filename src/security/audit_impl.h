// SPDX-License-Identifier: Apache-2.0
// Inside the audit log: the form of a line, the segment files, the writer's key. See audit.h.
#ifndef ISOBAR_SECURITY_AUDIT_IMPL_H
#define ISOBAR_SECURITY_AUDIT_IMPL_H

#include <openssl/evp.h>

#include "security/audit.h"

enum {
	AUDIT_LOG_ID_SIZE = 33,            // 32 hex digits and NUL
	AUDIT_SEGMENT_NAME_SIZE = 27,      // "00000000000000000000.jsonl" and NUL
	AUDIT_SEGMENT_READ_MAX = 64 << 20, // a segment may pass its size by one batch
	AUDIT_HEADS_READ_MAX = 256 << 20,
	ED25519_SIZE = 32,
	ED25519_SIGNATURE_SIZE = 64,
};

// Where a log stands: what the next line continues.
struct audit_position {
	struct merkle tree;
	struct sha256 chain;
};
struct audit_identity {
	char log[AUDIT_LOG_ID_SIZE];           // 32 hex digits
	struct str writer;                     // owned by whoever fills it
	char public_key[2 * ED25519_SIZE + 1]; // hex; "": unsigned
};

// ---------------------------------------------------------------- lines (audit_line.c)
void audit_write_text(struct buf *out, struct str text); // escaped, cut to AUDIT_TEXT_MAX, in quotes
void audit_write_event(struct buf *out, const struct audit_event *e, int64_t now_ns); // the body
void audit_write_gap(struct buf *out, uint64_t lost, struct str reason, int64_t now_ns);
void audit_write_segment(struct buf *out, const struct audit_identity *id, const struct merkle *tree, int64_t now_ns);
// Adds the line of a body with LF and moves the position past it.
void audit_write_line(struct buf *out, struct str body, struct audit_position *at);
struct sha256 audit_chain_start(void); // prev of record 0

struct audit_line {   // a line taken apart
	json_t *json; // owned
	const json_t *body;
	uint64_t index;
	struct sha256 prev;
};
// Form only: plain ASCII, length, exactly the three members. The message says what is wrong; ERR_CORRUPT.
MUST_CHECK int audit_parse_line(struct str line, struct audit_line *out, struct err *e);
void audit_line_free(struct audit_line *l);
// Adds a line (without LF) to the position.
void audit_position_add(struct audit_position *at, struct str line);
// The identity and frontier that a segment's first record claims; texts are borrowed from it. ERR_CORRUPT.
MUST_CHECK int audit_parse_segment(
	const struct audit_line *l, struct audit_identity *id, struct merkle *tree, struct err *e);

// ---------------------------------------------------------------- files (audit_files.c)
void audit_segment_name(uint64_t first, char out[AUDIT_SEGMENT_NAME_SIZE]);
// First indexes of the segments in a folder, ascending; the caller frees *out.
MUST_CHECK int audit_list_segments(const char *folder, uint64_t **out, size_t *count, struct err *e);

// ---------------------------------------------------------------- key and heads (audit_key.c)
// Reads the Ed25519 key, or makes it.
MUST_CHECK int audit_key_open(const char *path, EVP_PKEY **out, struct err *e);
MUST_CHECK int audit_key_public(EVP_PKEY *key, char hex[2 * ED25519_SIZE + 1], struct err *e);
struct audit_signed_head {
	struct audit_head head;
	char log[AUDIT_LOG_ID_SIZE];
	int64_t time_ns;
	unsigned char signature[ED25519_SIGNATURE_SIZE];
};
MUST_CHECK int audit_head_sign(EVP_PKEY *key, struct audit_signed_head *h, struct err *e); // fills the signature
bool audit_head_authentic(struct str public_key_hex, const struct audit_signed_head *h);
void audit_write_head(struct buf *out, const struct audit_signed_head *h); // one line with LF
MUST_CHECK int audit_parse_head(struct str line, struct audit_signed_head *out, struct err *e);

#endif
