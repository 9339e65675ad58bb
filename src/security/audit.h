// SPDX-License-Identifier: Apache-2.0
// The audit log: append-only, one writer a folder (locked), segment files of canonical JSON lines. A line is
//     {"body":{...},"index":N,"prev":"64 hex"}     prev = SHA-256 of the line before it (without LF); leaf of a Merkle
//     tree (RFC 6962)
// Lines are plain ASCII (everything else is escaped), of at most AUDIT_LINE_MAX bytes: no text from outside can start a
// line or a member. Each segment begins with a record of its own that holds log id, writer and the tree's frontier, so
// that a restart reads one segment. Heads (size, root, chain) are signed with the writer's Ed25519 key into heads.jsonl
// and are to be copied off (state, another cloud): a chain alone catches accidents, not a cut tail or a rewrite. Group
// commit: audit_append formats and buffers (any thread, no disk, no waiting); audit_commit (one thread at a time) gives
// the records their place in the chain, writes and syncs them. A batch that cannot be written is dropped whole, and the
// next one starts with a record of kind "gap" that says how many were lost and why: a strict gateway has answered 503
// to those.
#ifndef ISOBAR_SECURITY_AUDIT_H
#define ISOBAR_SECURITY_AUDIT_H

#include <stdint.h>

#include "base/call.h"
#include "base/hash.h"
#include "base/json.h"
#include "security/merkle.h"

enum {
	AUDIT_LINE_MAX = 8192,   // bytes of a line without LF
	AUDIT_TEXT_MAX = 512,    // bytes kept of each text; the rest is cut and its length noted
	AUDIT_DETAIL_MAX = 2048, // bytes of the detail's JSON; more is replaced by {"omitted_bytes":N}
	AUDIT_SEGMENT_BYTES = 8 << 20,
	AUDIT_PENDING_MAX = 4 << 20, // bytes buffered between two commits; audit_append then says ERR_LIMIT
};

struct audit_options {
	const char *folder;        // made (0700) when absent
	struct str writer;         // "gateway/edge"; a folder written by another writer is refused
	const char *key_path;      // Ed25519 private key, PEM, made (0600) when absent; NULL: heads are not signed
	size_t segment_bytes;      // 0: AUDIT_SEGMENT_BYTES
	const struct edges *edges; // clock and randomness; borrowed for the log's life
};
struct audit_event {     // all texts are from outside: any bytes. Empty ones are left out.
	struct str kind; // "request"; "gap" and "segment" are the log's own
	struct str principal, action, resource;
	struct str outcome;       // "allowed", "denied", "unauthenticated", "failed"
	struct str reason;        // the rule or verdict that decided
	struct str trace, source; // trace id; address of the client
	struct str cloud;         // where the answer came from
	int status;               // HTTP status; 0: none
	const json_t *detail;     // object; NULL: none
};
struct audit_head {
	uint64_t size;       // records
	struct sha256 root;  // of the Merkle tree over all lines
	struct sha256 chain; // digest of the last line
};

struct audit; // owned
// Opens or makes the log and recovers its head; a torn last line is cut off and recorded as a gap. ERR_IN_USE: another
// writer has it. ERR_CORRUPT: the last segment does not hold together (run audit_verify); nothing is changed then.
MUST_CHECK int audit_open(const struct audit_options *o, struct audit **out, struct err *e);
void audit_close(struct audit *a); // commits what is pending, signs the head; NULL is allowed
#define AUTO_TYPE_audit struct audit *
static inline void audit_autofree(struct audit **a)
{
	audit_close(*a);
}

// Buffers one record. *ticket grows by one with each; what audit_commit says about it holds for all tickets up to its
// own.
MUST_CHECK int audit_append(struct audit *a, const struct audit_event *event, uint64_t *ticket, struct err *e);
// Writes and syncs all that was pending when it began. 0: all tickets <= *upto are on disk; else all tickets <= *upto
// that were not yet on disk are lost (the reason is in *e; ERR_NO_SPACE, ERR_IO).
MUST_CHECK int audit_commit(struct audit *a, uint64_t *upto, struct err *e);
struct audit_head audit_head(struct audit *a); // what is on disk
uint64_t audit_records_lost(struct audit *a);  // since the log was opened
// Appends a signed head to heads.jsonl (nothing when unsigned or when the head has not moved) and syncs it.
MUST_CHECK int audit_sign_head(struct audit *a, struct err *e);
// {"size","root","chain","log","writer","public_key"}: what is copied into state under "audit-head/GATEWAY". New
// reference.
json_t *audit_head_to_json(struct audit *a);

#endif
