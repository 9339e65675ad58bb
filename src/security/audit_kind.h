// SPDX-License-Identifier: Apache-2.0
// audit: how long the audit logs of the workspace are kept, where their heads and entries are copied, and who stamps their
// time. One map at the top of the workspace, audit/workspace. Recorded in this release: the logs themselves are written by
// each gateway (security/audit.h) and never shortened.
#ifndef ISOBAR_SECURITY_AUDIT_KIND_H
#define ISOBAR_SECURITY_AUDIT_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct audit_keep {
	int64_t at_least_ns, at_most_ns; // 0: not said
};
struct audit_timestamp {
	struct str rfc3161; // URL of a time stamping authority; empty: none
	int64_t every_ns;
};
struct audit {
	struct audit_keep keep;
	struct field_list copies; // of struct field_ref to buckets
	struct audit_timestamp timestamp;
};
extern const struct kind audit_kind;
extern const struct resource_handler audit_handler;

#endif
