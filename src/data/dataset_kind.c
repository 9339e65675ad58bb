// SPDX-License-Identifier: Apache-2.0
// The table of datasets.
#include "data/dataset_kind.h"

#include "base/kind_scalars.h"

static const char *const formats[] = {"idx", "parquet", "jsonl", "csv", NULL};
static const char *const classes[] = {"public", "internal", "personal", "special", NULL};
static const char *const partitions[] = {"hash of record", NULL};
static const char *const refreshes[] = {"hourly", "daily", "weekly", NULL};
// GDPR, article 6, paragraph 1.
static const char *const bases[] = {
	"consent", "contract", "legal obligation", "vital interests", "public task", "legitimate interest", NULL};

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

static const struct field purpose_fields[] = {
	{.name = "text",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_purpose, text),
		.help = "what they are used for, in a few words"},
	{.name = "basis",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_purpose, basis),
		.choices = bases,
		.help = "legal basis (GDPR, article 6)"},
	{.name = "record",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_purpose, record),
		.help = "entry in the record of processing activities: ROPA-17"},
};
static const struct kind purpose_kind = {
	.singular = "purpose",
	.help = "why the records may be used",
	.size = sizeof(struct dataset_purpose),
	KIND_FIELDS(purpose_fields),
};

static const struct field keep_fields[] = {
	{.name = "at_least",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_keep, at_least_ns),
		.help = "records younger than this are not removed"},
	{.name = "at_most",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_keep, at_most_ns),
		.help = "records older than this are removed, with all that is made from them"},
};

static void check_keep(const struct kind_check *c)
{
	const struct dataset_keep *keep = c->value;
	bool sound = kind_check_sound(c, "at_least") && kind_check_sound(c, "at_most");
	if (sound && keep->at_most_ns && keep->at_least_ns > keep->at_most_ns)
		kind_check_add(c, "at_most", S("raise at_most, or lower at_least"),
			"nothing can be kept longer than at least and shorter than at most");
}

static const struct kind keep_kind = {
	.singular = "keep",
	.help = "how long records are kept",
	.size = sizeof(struct dataset_keep),
	KIND_FIELDS(keep_fields),
	.check = check_keep,
};

static const struct field replicas_fields[] = {
	{.name = "bucket",
		.type = FIELD_REF,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_replicas, bucket),
		.refers = "bucket",
		.help = "bucket that gets a copy on each of its clouds where the records may lie"},
	{.name = "refresh",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_replicas, refresh),
		.choices = refreshes,
		.otherwise = "daily",
		.help = "how often the copies are brought up to date"},
	{.name = "lag_alert",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset_replicas, lag_alert_ns),
		.help = "how far a copy may be behind before people are told"},
};
static const struct kind replicas_kind = {
	.singular = "replicas",
	.help = "copies of the records on other clouds",
	.size = sizeof(struct dataset_replicas),
	KIND_FIELDS(replicas_fields),
};

// ---------------------------------------------------------------- source
static bool is_source(struct str text)
{
	struct field_ref ref;
	struct str whole = str_ends(text, S("/")) ? str_take(text, text.n - 1) : text; // bucket/raw/
	return str_starts(text, S("file:")) ||
	       (str_starts(whole, S("bucket/")) && ref_parse(whole, "bucket", &ref) == 0);
}

// A field of its own form, because the address in it is looked up, and "file:" is not.
static bool parse_source(const struct node *node, void *out, struct findings *f)
{
	bool good = node->type == NODE_SCALAR && is_source(node->text);
	if (good)
		*(struct str *)out = node->text;
	else
		findings_add(f, node->at, node_path(node, f->arena), S("file:data"),
			"expected a folder as file:data, file:///usr/share/datasets/... or bucket/NAME/PREFIX/, got "
			"\"%.*s\"",
			STR(str_take(node->text, 100)));
	return good;
}

static const struct field dataset_fields[] = {
	{.name = "source",
		.type = FIELD_CUSTOM,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, source),
		.parse = parse_source,
		.help = "folder the records come from: file:data inside the workspace, file:///usr/share/datasets/..., "
			"or a place in a bucket, bucket/raw/returns/"},
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
		.follows = "source",
		.refers = "bucket",
		.help = "bucket the parts go to; without it the only bucket on each cloud"},
	{.name = "class",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, class),
		.choices = classes,
		.otherwise = "internal",
		.help = "how sensitive the records are; inherited by everything made from them"},
	{.name = "subject",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct dataset, subject),
		.help = "column that says which person a record is about; erase and access requests find people by it"},
	{.name = "purpose",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct dataset, purpose),
		.block = &purpose_kind,
		.help = "why the records may be used"},
	{.name = "residency",
		.type = FIELD_CUSTOM,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, residency),
		.parse = residency_parse,
		.help = "where the records and all that is made from them may lie: [EU], [DE, CH] or anywhere (public "
			"only)"},
	{.name = "operators",
		.type = FIELD_CUSTOM,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, operators),
		.parse = residency_parse,
		.help = "whose law may bind those who operate the places: [EU, US]; without it, anybody's"},
	{.name = "keep",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct dataset, keep),
		.block = &keep_kind,
		.help = "how long records are kept"},
	{.name = "schema",
		.type = FIELD_CUSTOM,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, schema),
		.parse = dataset_schema_parse,
		.help = "columns and their types: {order_id: text, amount: decimal}"},
	{.name = "replicas",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, replicas),
		.block = &replicas_kind,
		.help = "copies of the records on other clouds"},
	{.name = "checks",
		.type = FIELD_CUSTOM,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct dataset, checks),
		.parse = dataset_checks_parse,
		.help = "what is asked of the records whenever they come: unique(order_id), not null(customer_id), "
			"rows within 20% of last"},
	{.name = "partition",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct dataset, partition),
		.block = &partition_kind,
		.help = "spreads the records over clouds; without it the dataset lies whole on the only cloud of its "
			"bucket"},
};

static bool has_column(const struct dataset *d, struct str name)
{
	const struct dataset_column *columns = d->schema.items;
	for (size_t i = 0; i < d->schema.count; i++)
		if (str_eq(columns[i].name, name))
			return true;
	return d->schema.count == 0;
}

static void check_column(const struct kind_check *c, const char *at, struct str name)
{
	const struct dataset *d = c->value;
	if (name.n && kind_check_sound(c, "schema") && !has_column(d, name))
		kind_check_add(
			c, at, S("name one of the columns of schema:"), "the schema has no column \"%.*s\"", STR(name));
}

static void check_columns(const struct kind_check *c)
{
	const struct dataset *d = c->value;
	const struct dataset_check *checks = d->checks.items;
	if (kind_check_sound(c, "subject"))
		check_column(c, "subject", d->subject);
	for (size_t i = 0; kind_check_sound(c, "checks") && i < d->checks.count; i++) {
		const struct str *names = checks[i].columns.items;
		for (size_t j = 0; j < checks[i].columns.count; j++)
			check_column(c, "checks", names[j]);
	}
}

static void dataset_check(const struct kind_check *c)
{
	const struct dataset *d = c->value;
	bool classed = kind_check_sound(c, "class") && kind_check_sound(c, "residency");
	if (classed && d->residency.anywhere && !str_eq(d->class, S("public")))
		kind_check_add(c, "residency", S("[EU]"),
			"only a dataset of class public may lie anywhere; this one is %.*s", STR(d->class));
	bool partitioned = kind_check_sound(c, "partition") && kind_check_sound(c, "format") && d->partition.by.n;
	if (partitioned && !str_eq(d->format, S("idx")))
		kind_check_add(c, "partition", S("leave it out, and the dataset lies whole"),
			"only records of the format idx can be told apart; these are %.*s", STR(d->format));
	bool idx = kind_check_sound(c, "format") && str_eq(d->format, S("idx"));
	if (idx && kind_check_sound(c, "source") && str_starts(d->source, S("bucket/")))
		kind_check_add(c, "source", S("bring them from a folder, or take them as files: parquet, jsonl, csv"),
			"records of the format idx are read from a folder only");
	if (idx && d->replicas.bucket.name.n)
		kind_check_add(c, "replicas", S("spread them with partition: instead"),
			"only datasets of files (parquet, jsonl, csv) have copies");
	check_columns(c);
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
