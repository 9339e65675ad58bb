// SPDX-License-Identifier: Apache-2.0
// A small language for the tests of infra: clouds, keys, buckets on clouds, sets with a nested block, and jobs that
// refer to all of them. The real kinds belong to other rooms; what infra does must hold for any table.
#ifndef ISOBAR_TEST_TOY_KINDS_H
#define ISOBAR_TEST_TOY_KINDS_H

#include "base/kind.h"
#include "state/resource.h"

struct toy_cloud {
	struct str name, provider, region;
};
struct toy_key {
	struct str name;
	struct field_list clouds;
	int64_t rotate;
};
struct toy_bucket {
	struct str name;
	struct field_list clouds;
	struct field_ref encrypt_with;
	bool versioning;
};
struct toy_part {
	struct str by;
	struct field_list clouds;
};
struct toy_set {
	struct str name, source;
	struct field_ref bucket;
	struct toy_part partition;
	int64_t records;
};
struct toy_job {
	struct str name;
	struct field_ref input; // set or job
	struct field_list after;
	struct field_list needs; // of text with addresses
	const struct node *with;
};

static const struct field toy_cloud_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct toy_cloud, name), .help = "Name."},
	{.name = "provider",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct toy_cloud, provider),
		.help = "Provider."},
	{.name = "region", .type = FIELD_TEXT, .offset = offsetof(struct toy_cloud, region), .help = "Region."},
};
static const struct kind toy_cloud_kind = {.plural = "clouds",
	.singular = "cloud",
	.help = "A cloud.",
	.size = sizeof(struct toy_cloud),
	KIND_FIELDS(toy_cloud_fields)};

static const struct field toy_key_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct toy_key, name), .help = "Name."},
	{.name = "clouds",
		.type = FIELD_CLOUDS,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct toy_key, clouds),
		.help = "Clouds."},
	{.name = "rotate",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_key, rotate),
		.otherwise = "90d",
		.help = "How often."},
};
static const struct kind toy_key_kind = {.plural = "encryption_keys",
	.singular = "encryption-key",
	.help = "A key.",
	.size = sizeof(struct toy_key),
	KIND_FIELDS(toy_key_fields)};

static const struct field toy_bucket_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct toy_bucket, name), .help = "Name."},
	{.name = "clouds",
		.type = FIELD_CLOUDS,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct toy_bucket, clouds),
		.help = "Clouds."},
	{.name = "encrypt_with",
		.type = FIELD_REF,
		.offset = offsetof(struct toy_bucket, encrypt_with),
		.refers = "encryption-key",
		.help = "Key."},
	{.name = "versioning",
		.type = FIELD_BOOL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_bucket, versioning),
		.otherwise = "false",
		.help = "Versions."},
};
static const struct kind toy_bucket_kind = {.plural = "buckets",
	.singular = "bucket",
	.help = "A bucket.",
	.size = sizeof(struct toy_bucket),
	KIND_FIELDS(toy_bucket_fields)};

static const struct field toy_part_fields[] = {
	{.name = "by",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_part, by),
		.otherwise = "hash",
		.help = "How."},
	{.name = "clouds",
		.type = FIELD_CLOUDS,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_part, clouds),
		.help = "Where."},
};
static const struct kind toy_part_kind = {
	.singular = "partition", .help = "Parts.", .size = sizeof(struct toy_part), KIND_FIELDS(toy_part_fields)};
static const struct field toy_set_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct toy_set, name), .help = "Name."},
	{.name = "source",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_set, source),
		.help = "Where from."},
	{.name = "bucket",
		.type = FIELD_REF,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_set, bucket),
		.refers = "bucket",
		.help = "Where to."},
	{.name = "partition",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_set, partition),
		.block = &toy_part_kind,
		.help = "Parts."},
	{.name = "records",
		.type = FIELD_INTEGER,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_set, records),
		.max = 1e9,
		.help = "How many."},
};
static const struct kind toy_set_kind = {.plural = "datasets",
	.singular = "dataset",
	.help = "Data.",
	.size = sizeof(struct toy_set),
	KIND_FIELDS(toy_set_fields)};

static const struct field toy_job_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct toy_job, name), .help = "Name."},
	{.name = "input",
		.type = FIELD_REF,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_job, input),
		.refers = "dataset|transform",
		.help = "Input."},
	{.name = "after",
		.type = FIELD_LIST,
		.item = FIELD_REF,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_job, after),
		.refers = "transform",
		.help = "Order."},
	{.name = "needs",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_job, needs),
		.help = "Needs."},
	{.name = "with",
		.type = FIELD_ANY,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct toy_job, with),
		.help = "Settings."},
};
static const struct kind toy_job_kind = {.plural = "transforms",
	.singular = "transform",
	.help = "A job.",
	.size = sizeof(struct toy_job),
	KIND_FIELDS(toy_job_fields)};

static const struct kind *const toy_kinds[] = {
	&toy_cloud_kind, &toy_key_kind, &toy_bucket_kind, &toy_set_kind, &toy_job_kind, NULL};

#endif
