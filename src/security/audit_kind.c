// SPDX-License-Identifier: Apache-2.0
// The table of audit:.
#include "security/audit_kind.h"

static const struct field keep_fields[] = {
	{.name = "at_least",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct audit_keep, at_least_ns),
		.help = "entries younger than this are never removed"},
	{.name = "at_most",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct audit_keep, at_most_ns),
		.help = "entries older than this are removed, and their hashes stay"},
};

static void check_keep(const struct kind_check *c)
{
	const struct audit_keep *keep = c->value;
	bool sound = kind_check_sound(c, "at_least") && kind_check_sound(c, "at_most");
	if (sound && keep->at_most_ns && keep->at_least_ns > keep->at_most_ns)
		kind_check_add(c, "at_most", S("raise at_most, or lower at_least"),
			"nothing can be kept longer than at least and shorter than at most");
}

static const struct kind keep_kind = {
	.singular = "keep",
	.help = "how long entries are kept",
	.size = sizeof(struct audit_keep),
	KIND_FIELDS(keep_fields),
	.check = check_keep,
};

static const struct field timestamp_fields[] = {
	{.name = "rfc3161",
		.type = FIELD_URL,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct audit_timestamp, rfc3161),
		.help = "URL of a time stamping authority (RFC 3161)"},
	{.name = "every",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct audit_timestamp, every_ns),
		.otherwise = "1h",
		.min = 60,
		.max = 2592000,
		.help = "how often the head of each log is stamped"},
};
static const struct kind timestamp_kind = {
	.singular = "timestamp",
	.help = "who says at what time a log had which head",
	.size = sizeof(struct audit_timestamp),
	KIND_FIELDS(timestamp_fields),
};

static const struct field fields[] = {
	{.name = "keep",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.block = &keep_kind,
		.offset = offsetof(struct audit, keep),
		.help = "how long entries are kept; without it, forever"},
	{.name = "copies",
		.type = FIELD_LIST,
		.item = FIELD_REF,
		.refers = "bucket",
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct audit, copies),
		.help = "buckets that get copies of the logs and their heads: [bucket/lake on munich]"},
	{.name = "timestamp",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.block = &timestamp_kind,
		.offset = offsetof(struct audit, timestamp),
		.help = "who stamps the time of the logs' heads"},
};

const struct kind audit_kind = {
	.plural = "audit",
	.singular = "audit",
	.help = "how the audit logs of the workspace are kept, copied and stamped",
	.example = "audit:\n"
		   "  keep: {at_least: 190d, at_most: 2y}\n"
		   "  copies: [bucket/lake on munich]\n"
		   "  timestamp: {rfc3161: \"https://tsa.example\", every: 1h}\n",
	.size = sizeof(struct audit),
	KIND_FIELDS(fields),
	.single = true,
};

const struct resource_handler audit_handler = {.kind = &audit_kind};
