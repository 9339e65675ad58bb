// SPDX-License-Identifier: Apache-2.0
// The table of transforms.
#include "transform/transform_kind.h"

#include "base/json.h"
#include "base/kind_scalars.h"
#include "transform/images.h"

static const struct field resources_fields[] = {
	{.name = "cpu",
		.type = FIELD_NUMBER,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform_resources, cpu),
		.min = 0.1,
		.max = 1024,
		.otherwise = "1",
		.unit = "cores",
		.help = "processor time a job may use at once"},
	{.name = "memory",
		.type = FIELD_SIZE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform_resources, memory),
		.min = 16 << 20,
		.max = 1e15,
		.otherwise = "2GiB",
		.unit = "bytes",
		.help = "most memory a job may use"},
};
static const struct kind resources_kind = {
	.singular = "resources",
	.help = "what a job may use",
	.size = sizeof(struct transform_resources),
	KIND_FIELDS(resources_fields),
};

// ---------------------------------------------------------------- split
static bool parse_share(const struct node *n, struct transform_split *split, struct findings *f)
{
	struct transform_share *shares = split->shares.items;
	if (str_eq(n->key, S("by"))) {
		split->by = n->text;
		if (n->type == NODE_SCALAR && name_valid(n->text))
			return true;
		findings_add(f, n->at, node_path(n, f->arena), S(""), "expected the name of a column");
		return false;
	}
	struct transform_share *one = &shares[split->shares.count];
	one->name = n->key;
	if (n->type == NODE_SCALAR && percent_parse(n->text, &one->share) == 0 && one->share > 0) {
		split->shares.count++;
		return true;
	}
	findings_add(f, n->at, node_path(n, f->arena), S("write it as 80%"), "expected a share of the records");
	return false;
}

static bool check_shares(const struct node *node, const struct transform_split *split, struct findings *f)
{
	const struct transform_share *shares = split->shares.items;
	double sum = 0;
	for (size_t i = 0; i < split->shares.count; i++)
		sum += shares[i].share;
	if (split->shares.count && sum > 0.9999 && sum < 1.0001)
		return true;
	findings_add(f, node->at, node_path(node, f->arena), S("let them add up to 100%"),
		"the shares add up to %.12g%%", sum * 100);
	return false;
}

// {train: 80%, test: 20%, by: customer_id}
static bool parse_split(const struct node *node, void *out, struct findings *f)
{
	struct transform_split split = {
		.shares.items = arena_new_array(f->arena, node->count + 1, struct transform_share)};
	bool good = node->type == NODE_MAP && split.shares.items;
	if (!good) {
		findings_add(f, node->at, node_path(node, f->arena), S("write {train: 80%, test: 20%}"),
			"expected a map of parts to their shares");
		return false;
	}
	for (const struct node *n = node->first; n; n = n->next)
		good = parse_share(n, &split, f) && good;
	if (good && check_shares(node, &split, f))
		*(struct transform_split *)out = split;
	return good;
}

static json_t *normal_split(const struct node *node)
{
	const struct field share = {.type = FIELD_PERCENT};
	json_t *out = json_object();
	for (const struct node *n = node->first; n; n = n->next)
		json_object_setn_new(out, n->key.p, n->key.n, scalar_to_normal(&share, n));
	return out;
}

// ---------------------------------------------------------------- the table
static const struct field transform_fields[] = {
	{.name = "input",
		.type = FIELD_REFS,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct transform, input),
		.refers = "dataset|transform",
		.help = "what it is made from; runs on each cloud where a part of that lies; of SQL several, each with its name"},
	{.name = "sql",
		.type = FIELD_PATH,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct transform, sql),
		.help = "file with a SQL statement over its inputs, run where they lie: sql/features.sql"},
	{.name = "split",
		.type = FIELD_CUSTOM,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct transform, split),
		.parse = parse_split,
		.normal = normal_split,
		.help = "parts of the result by share, and the column whose values stay together: {train: 80%, test: 20%, by: customer_id}"},
	{.name = "run",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform, run),
		.help = "built-in program: builtin/images"},
	{.name = "code",
		.type = FIELD_PATH,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform, code),
		.help = "folder of your own program, copied into the job's work folder"},
	{.name = "command",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform, command),
		.help = "your own program and its arguments, run in the folder of `code:` under the job contract"},
	{.name = "with",
		.type = FIELD_ANY,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform, with),
		.help = "settings for the program, given to it as a JSON file (ISOBAR_WITH)"},
	{.name = "bucket",
		.type = FIELD_REF,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform, bucket),
		.follows = "input",
		.refers = "bucket",
		.help = "bucket the result goes to; without it the bucket that the input lies in"},
	{.name = "resources",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform, resources),
		.block = &resources_kind,
		.help = "what each job may use"},
	{.name = "deadline",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform, deadline),
		.otherwise = "1h",
		.help = "time after which a job is stopped and has failed"},
};

// A misspelled setting would be left to its default without a word.
struct images_with {
	struct str scale;
	const struct node *split;
};
static const struct field images_fields[] = {
	{.name = "scale",
		.type = FIELD_TEXT,
		.offset = offsetof(struct images_with, scale),
		.otherwise = "0..1",
		.help = "range that the bytes 0 to 255 are brought to"},
	{.name = "split",
		.type = FIELD_ANY,
		.offset = offsetof(struct images_with, split),
		.help = "names of the parts, each with a pattern of file names"},
};
static const struct kind images_block = {
	.singular = "builtin/images",
	.help = "settings of the built-in transformer",
	.size = sizeof(struct images_with),
	KIND_FIELDS(images_fields),
};

static void check_images(const struct node *with, struct findings *f)
{
	struct images_with written;
	struct images_options options;
	struct err e = {0};
	if (kind_decode(&images_block, with, f->arena, &written, f) < 0)
		return;
	AUTO(json) settings = node_to_json(with);
	if (images_options_of_json(f->arena, settings, &options, &e) < 0)
		findings_add(f, with->at, node_path(with, f->arena), S(""), "%s", e.message);
}

static bool is_program_sound(const struct kind_check *c)
{
	return kind_check_sound(c, "run") && kind_check_sound(c, "command") && kind_check_sound(c, "sql");
}

static void transform_check(const struct kind_check *c)
{
	const struct transform *t = c->value;
	int programs = (t->run.n != 0) + (t->command.count != 0) + (t->sql.n != 0);
	if (is_program_sound(c) && programs != 1)
		kind_check_add(c, "", S("run: builtin/images"), "expected exactly one of `run:`, `command:` and `sql:`");
	if (kind_check_sound(c, "input") && kind_check_sound(c, "sql") && t->input.count > 1 && !t->sql.n)
		kind_check_add(c, "input", S("write one, or use sql:"), "a program has one input; only SQL joins several");
	bool run = kind_check_sound(c, "run") && t->run.n;
	if (run && !str_eq(t->run, S("builtin/images")))
		kind_check_add(c, "run", S("builtin/images"), "there is no built-in transformer \"%.*s\"", STR(t->run));
	else if (run && t->with && t->with->type == NODE_MAP)
		check_images(t->with, c->f);
}

const struct kind transform_kind = {
	.plural = "transforms",
	.singular = "transform",
	.help = "makes something out of each part of its input, where that part lies",
	.example = "transforms:\n"
		   "  prepared:\n"
		   "    input: images\n"
		   "    run: builtin/images\n"
		   "    with: {scale: 0..1, split: {train: \"train-*\", test: \"t10k-*\"}}\n",
	.size = sizeof(struct transform),
	KIND_FIELDS(transform_fields),
	.check = transform_check,
};

const struct resource_handler transform_handler = {.kind = &transform_kind};

struct field_ref transform_first_input(const struct transform *t)
{
	const struct field_named_ref *inputs = t->input.items;
	return t->input.count ? inputs[0].ref : (struct field_ref){0};
}
