// SPDX-License-Identifier: Apache-2.0
// Verifies an audit folder: every line's form, index and chain, the frontier that each segment claims, each signed
// head, and the heads that were copied elsewhere. Finds an edit, a deletion, a reordering, a duplicate, a cut tail or a
// rolled-back file (only against heads kept elsewhere), swapped folders, a forged head. Integrity (what is there is
// unaltered) and completeness (nothing lost) are separate verdicts. Reads the folder as it is, without its lock: a
// writer may go on; a last line without LF is "being written", not a fault.
#ifndef ISOBAR_SECURITY_AUDIT_VERIFY_H
#define ISOBAR_SECURITY_AUDIT_VERIFY_H

#include "security/audit.h"

struct audit_expectation {
	const char *folder;
	struct str writer;     // "": not checked
	struct str log;        // 32 hex; "": not checked
	struct str public_key; // 64 hex, from state; "": the one that the log itself names (weaker: says only that it
			       // is consistent)
	const struct audit_head *heads; // kept elsewhere; any order
	size_t head_count;
};
struct audit_report {
	uint64_t records;                   // lines read
	uint64_t verified;                  // records before the first bad one
	bool intact;                        // nothing altered: no fault found
	bool complete;                      // intact and without gaps (a gap record says that something was lost)
	uint64_t gaps, lost;                // gap records, and how many records they say are missing
	uint64_t heads_checked;             // signed and expected ones that were compared
	uint64_t clock_steps;               // records whose time is before their predecessor's
	bool torn;                          // the last line has no LF
	uint64_t bad_index;                 // of the first fault, when !intact
	struct str reason;                  // in the call's arena; "" when intact
	struct audit_head head;             // as computed
	struct str log, writer, public_key; // as the log says; in the call's arena
};
// 0 also when the log is altered: read the report. ERR_NOT_FOUND, ERR_IO: the folder cannot be read.
MUST_CHECK int audit_verify(struct call *c, const struct audit_expectation *expect, struct audit_report *out);
// From a state record "audit-head/...": {"size","root","chain"}. ERR_CORRUPT.
MUST_CHECK int audit_head_of_json(const json_t *object, struct audit_head *out, struct err *e);

#endif
