// SPDX-License-Identifier: Apache-2.0
// The table of the kind "model".
#include "models/model_kind.h"

#include <string.h>

#include "base/kind_scalars.h"

// The types of the Open Inference Protocol, in both spellings.
static const struct {
	const char *written, *protocol;
} datatypes[] = {
	{"bool", "BOOL"},
	{"uint8", "UINT8"},
	{"uint16", "UINT16"},
	{"uint32", "UINT32"},
	{"uint64", "UINT64"},
	{"int8", "INT8"},
	{"int16", "INT16"},
	{"int32", "INT32"},
	{"int64", "INT64"},
	{"fp16", "FP16"},
	{"fp32", "FP32"},
	{"fp64", "FP64"},
};
static const char *const datatype_choices[] = {"bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32",
	"int64", "fp16", "fp32", "fp64", NULL};

const char *model_datatype(struct str type)
{
	for (size_t i = 0; i < COUNT_OF(datatypes); i++)
		if (str_eq(type, str_of(datatypes[i].written)))
			return datatypes[i].protocol;
	return NULL;
}

static const struct field tensor_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct model_tensor, name), .help = "Name that clients send."},
	{.name = "type", .type = FIELD_CHOICE, .flags = FIELD_REQUIRED, .offset = offsetof(struct model_tensor, type),
		.choices = datatype_choices, .help = "Type of an element."},
	{.name = "shape", .type = FIELD_LIST, .flags = FIELD_REQUIRED, .offset = offsetof(struct model_tensor, shape),
		.item = FIELD_INTEGER, .min = 1, .max = 1 << 20, .help = "Shape of one sample, without the batch."},
};
static const struct kind tensor_block = {
	.singular = "tensor",
	.help = "A tensor that goes into a model or comes out of it.",
	.size = sizeof(struct model_tensor),
	KIND_FIELDS(tensor_fields),
};

static const char *const not_by[] = {"author", NULL};
// Regulation (EU) 2024/1689: article 3, and chapters II to V.
static const char *const roles[] = {"provider", "deployer", "provider and deployer", "importer", "distributor", NULL};
static const char *const risks[] = {"minimal", "limited", "high", "general purpose", "systemic", NULL};

static const struct field approve_fields[] = {
	{.name = "by",
		.type = FIELD_REF,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct model_approve, by),
		.refers = "group|user",
		.help = "who must approve: group/risk"},
	{.name = "not_by",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct model_approve, not_by),
		.choices = not_by,
		.help = "author: whoever made the version may not approve it"},
};
static const struct kind approve_block = {
	.singular = "approve",
	.help = "Who must approve a version before it gets the alias.",
	.size = sizeof(struct model_approve),
	KIND_FIELDS(approve_fields),
};

static const struct field ai_act_fields[] = {
	{.name = "role",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct model_ai_act, role),
		.choices = roles,
		.help = "your role for it under the AI Act"},
	{.name = "risk",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct model_ai_act, risk),
		.choices = risks,
		.help = "its class of risk under the AI Act"},
	{.name = "system",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct model_ai_act, system),
		.help = "entry in your register of AI systems: AIS-3"},
};
static const struct kind ai_act_block = {
	.singular = "ai_act",
	.help = "What the AI Act makes of it.",
	.size = sizeof(struct model_ai_act),
	KIND_FIELDS(ai_act_fields),
};

static const struct field alias_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct model_alias, name), .help = "Name behind the @."},
	{.name = "needs",
		.type = FIELD_CUSTOM,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct model_alias, needs),
		.acting = need_list_is_measured,
		.parse = need_parse_list,
		.help = "What a version must measure to earn the alias: accuracy >= 0.87 on prepared/test, demographic parity by age_band within 0.05."},
	{.name = "approve",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct model_alias, approve),
		.block = &approve_block,
		.help = "Who must approve a version before it gets the alias."},
};
static const struct kind alias_block = {
	.singular = "alias",
	.help = "A name that points to the version that earned it last.",
	.size = sizeof(struct model_alias),
	KIND_FIELDS(alias_fields),
};

static const struct field model_fields[] = {
	{.name = "from",
		.type = FIELD_REF,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct model, from),
		.refers = "training",
		.help = "Training whose weights become its versions."},
	{.name = "source",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct model, source),
		.help = "A model of somebody else's, pinned: hf://ORG/NAME@COMMIT with the 40 digits of the commit."},
	{.name = "licence",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct model, licence),
		.help = "Licence of a model of somebody else's, as SPDX identifier: apache-2.0."},
	{.name = "card",
		.type = FIELD_PATH,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct model, card),
		.help = "Its model card, a file inside the workspace: cards/fraud.md."},
	{.name = "ai_act",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct model, ai_act),
		.block = &ai_act_block,
		.help = "What the AI Act makes of it."},
	{.name = "bucket", .type = FIELD_REF, .offset = offsetof(struct model, bucket), .follows = "from", .refers = "bucket",
		.help = "Bucket that keeps the versions on each cloud; without it, the only managed one there."},
	{.name = "input", .type = FIELD_NAMED, .flags = FIELD_IN_PLACE, .offset = offsetof(struct model, input),
		.block = &tensor_block, .help = "Tensors that a request carries."},
	{.name = "output", .type = FIELD_NAMED, .flags = FIELD_IN_PLACE, .offset = offsetof(struct model, output),
		.block = &tensor_block, .help = "Tensors that an answer carries."},
	{.name = "aliases", .type = FIELD_NAMED, .flags = FIELD_IN_PLACE, .offset = offsetof(struct model, aliases),
		.block = &alias_block, .help = "Names that a version earns by what it measures."},
};
static bool is_pinned(struct str source)
{
	struct str name, commit;
	if (!str_starts(source, S("hf://")) || !str_cut(str_drop(source, 5), '@', &name, &commit) || commit.n != 40)
		return false;
	for (size_t i = 0; i < commit.n; i++)
		if (!strchr("0123456789abcdef", commit.p[i]))
			return false;
	struct str org, model;
	return str_cut(name, '/', &org, &model) && name_valid(org) && model.n && str_find_char(model, '/') < 0;
}

static void check_model(const struct kind_check *c)
{
	const struct model *m = c->value;
	bool sound = kind_check_sound(c, "from") && kind_check_sound(c, "source");
	if (sound && (m->from.name.n != 0) == (m->source.n != 0))
		kind_check_add(c, m->source.n ? "source" : "", S("write from: training/NAME"),
			"a model comes either from a training (from:) or from somebody else (source:)");
	if (kind_check_sound(c, "source") && m->source.n && !is_pinned(m->source))
		kind_check_add(c, "source", S("write hf://ORG/NAME@COMMIT"),
			"expected a source that is pinned to a commit of 40 hexadecimal digits");
}

const struct kind model_kind = {
	.plural = "models",
	.singular = "model",
	.help = "A line of versions made by a training, with aliases that versions earn.",
	.example = "models:\n"
		   "  classifier:\n"
		   "    from: training/classifier\n"
		   "    input: {image: {type: fp32, shape: [784]}}\n"
		   "    output: {class: {type: int64, shape: [1]}}\n"
		   "    aliases:\n"
		   "      champion: {needs: [accuracy >= 0.87 on prepared/test]}\n",
	.size = sizeof(struct model),
	KIND_FIELDS(model_fields),
	.check = check_model,
};
const struct resource_handler model_handler = {.kind = &model_kind};
