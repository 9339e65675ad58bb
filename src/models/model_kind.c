// SPDX-License-Identifier: Apache-2.0
// The table of the kind "model".
#include "models/model_kind.h"

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

static const struct field alias_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct model_alias, name), .help = "Name behind the @."},
	{.name = "needs", .type = FIELD_CUSTOM, .flags = FIELD_IN_PLACE, .offset = offsetof(struct model_alias, needs),
		.parse = need_parse_list,
		.help = "What a version must measure to earn the alias: a list such as accuracy >= 0.87 on prepared/test."},
};
static const struct kind alias_block = {
	.singular = "alias",
	.help = "A name that points to the version that earned it last.",
	.size = sizeof(struct model_alias),
	KIND_FIELDS(alias_fields),
};

static const struct field model_fields[] = {
	{.name = "from", .type = FIELD_REF, .flags = FIELD_REQUIRED | FIELD_IN_PLACE, .offset = offsetof(struct model, from),
		.refers = "training", .help = "Training whose weights become its versions."},
	{.name = "bucket", .type = FIELD_REF, .offset = offsetof(struct model, bucket), .refers = "bucket",
		.help = "Bucket that keeps the versions on each cloud; without it, the only managed one there."},
	{.name = "input", .type = FIELD_NAMED, .flags = FIELD_IN_PLACE, .offset = offsetof(struct model, input),
		.block = &tensor_block, .help = "Tensors that a request carries."},
	{.name = "output", .type = FIELD_NAMED, .flags = FIELD_IN_PLACE, .offset = offsetof(struct model, output),
		.block = &tensor_block, .help = "Tensors that an answer carries."},
	{.name = "aliases", .type = FIELD_NAMED, .flags = FIELD_IN_PLACE, .offset = offsetof(struct model, aliases),
		.block = &alias_block, .help = "Names that a version earns by what it measures."},
};
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
};
const struct resource_handler model_handler = {.kind = &model_kind};
