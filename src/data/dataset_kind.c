// SPDX-License-Identifier: Apache-2.0
// The table of datasets.
#include "data/dataset_kind.h"

static const char *const formats[] = {"idx", NULL};
static const char *const classes[] = {"public", "internal", "personal", "special", NULL};
static const char *const partitions[] = {"hash of record", NULL};

static const struct field partition_fields[] = {
	{.name = "by",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_partition, by),
		.choices = partitions,
		.help = "how records find their part: by a hash of their bytes, stable and without overlap"},
	{.name = "clouds",
		.type = FIELD_CLOUDS,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_partition, clouds),
		.help = "one part on each of these clouds"},
};
static const struct kind partition_kind = {
	.singular = "partition",
	.help = "how the records are spread over clouds",
	.size = sizeof(struct dataset_partition),
	KIND_FIELDS(partition_fields),
};

static const struct field dataset_fields[] = {
	{.name = "source",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, source),
		.help = "folder the records come from: file:data inside the workspace, or "
			"file:///usr/share/datasets/..."},
	{.name = "format",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, format),
		.choices = formats,
		.help = "form of the files; idx: NAME-images-idx3-ubyte with NAME-labels-idx1-ubyte, plain or .gz"},
	{.name = "bucket",
		.type = FIELD_REF,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, bucket),
		.refers = "bucket",
		.help = "bucket the parts go to; without it the only bucket on each cloud"},
	{.name = "class",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, class),
		.choices = classes,
		.otherwise = "internal",
		.help = "how sensitive the records are; inherited by everything made from them"},
	{.name = "residency",
		.type = FIELD_CUSTOM,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, residency),
		.parse = residency_parse,
		.help = "where the records and all that is made from them may lie: [EU], [DE, CH] or anywhere (public "
			"only)"},
	{.name = "partition",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, partition),
		.block = &partition_kind,
		.help = "spreads the records over clouds; without it the dataset lies whole on the only cloud of its "
			"bucket"},
};

static void dataset_check(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct dataset *d = value;
	const struct node *at = node_member(n, S("residency")), *source = node_member(n, S("source"));
	if (source && d->source.n && !str_starts(d->source, S("file:")))
		findings_add(f, source->at, node_path(source, f->arena), S("file:data"),
			"expected a folder as file:data or file:///usr/share/datasets/..., got \"%.*s\"",
			STR(str_take(d->source, 100)));
	if (d->residency.anywhere && !str_eq(d->class, S("public")))
		findings_add(f, at ? at->at : n->at, at ? node_path(at, f->arena) : S("residency"), S("[EU]"),
			"only a dataset of class public may lie anywhere; this one is %.*s", STR(d->class));
}

const struct kind dataset_kind = {
	.plural = "datasets",
	.singular = "dataset",
	.help = "records from a source, brought into buckets",
	.example = "datasets:\n"
		   "  images:\n"
		   "    source: file:///usr/share/datasets/fashion-mnist\n"
		   "    format: idx\n"
		   "    bucket: lake\n"
		   "    class: public\n"
		   "    residency: anywhere\n"
		   "    partition: {by: hash of record, clouds: all}\n",
	.size = sizeof(struct dataset),
	KIND_FIELDS(dataset_fields),
	.check = dataset_check,
};

const struct resource_handler dataset_handler = {.kind = &dataset_kind};
