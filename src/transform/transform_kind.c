// SPDX-License-Identifier: Apache-2.0
// The table of transforms.
#include "transform/transform_kind.h"

#include "base/json.h"
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

static const struct field transform_fields[] = {
	{.name = "input",
		.type = FIELD_REF,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct transform, input),
		.refers = "dataset|transform",
		.help = "what it is made from; runs on each cloud where a part of that lies"},
	{.name = "run",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct transform, run),
		.help = "built-in program: builtin/images"},
	{.name = "code",
		.type = FIELD_TEXT,
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

static void transform_check(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct transform *t = value;
	if ((t->run.n != 0) == (t->command.count != 0))
		findings_add(f, n->at, node_path(n, f->arena), S("run: builtin/images"),
			"expected either `run:` or `command:`");
	const struct node *run = node_member(n, S("run"));
	if (run && t->run.n && !str_eq(t->run, S("builtin/images")))
		findings_add(f, run->at, node_path(run, f->arena), S("builtin/images"),
			"there is no built-in transformer \"%.*s\"", STR(t->run));
	else if (run && t->with && t->with->type == NODE_MAP)
		check_images(t->with, f);
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
