// SPDX-License-Identifier: Apache-2.0
// The tables of workspace-level keys. See workspace_top.h.
#include "infra/workspace_top.h"

// ---------------------------------------------------------------- variables
static const char *const variable_types[] = {"text", "integer", "number", "boolean", "duration", "size", "money",
	"percent", "accelerator", "choice", NULL};
static const struct field variable_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct variable, name), .help = "Name: ${var.NAME}."},
	{.name = "type",
		.type = FIELD_CHOICE,
		.offset = offsetof(struct variable, type),
		.otherwise = "text",
		.choices = variable_types,
		.help = "What its values are."},
	{.name = "default",
		.type = FIELD_ANY,
		.offset = offsetof(struct variable, otherwise),
		.help = "Its value where nobody gives one; without it, somebody must."},
	{.name = "min",
		.type = FIELD_ANY,
		.offset = offsetof(struct variable, min),
		.help = "Smallest value of an integer, number, duration, size or percentage."},
	{.name = "max", .type = FIELD_ANY, .offset = offsetof(struct variable, max), .help = "Largest value of these."},
	{.name = "choices",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.offset = offsetof(struct variable, choices),
		.help = "The values that the type choice allows."},
	{.name = "help",
		.type = FIELD_TEXT,
		.offset = offsetof(struct variable, help),
		.help = "What it is for, in one line."},
};
const struct kind variable_kind = {
	.singular = "variable",
	.help = "A typed variable.",
	.size = sizeof(struct variable),
	KIND_FIELDS(variable_fields),
	.no_resource = true,
};

// ---------------------------------------------------------------- inputs, modules, moved, state
static const struct field input_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct input, name), .help = "Name: ${inputs.NAME.OUTPUT}."},
	{.name = "terraform",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct input, terraform),
		.help = "Where a state of Terraform (version 4) lies: file:PATH in the folder, or s3://BUCKET/KEY. Only "
			"its outputs are read."},
	{.name = "cloud",
		.type = FIELD_REF,
		.offset = offsetof(struct input, cloud),
		.refers = "cloud",
		.help = "The cloud whose store holds it."},
};
const struct kind input_kind = {
	.singular = "input",
	.help = "Outputs of other people's state, read only.",
	.size = sizeof(struct input),
	KIND_FIELDS(input_fields),
	.no_resource = true,
};

static const struct field module_fields[] = {
	{.name = "name",
		.type = FIELD_KEY,
		.offset = offsetof(struct module, name),
		.help = "Name; what the module declares becomes NAME.its-name."},
	{.name = "source",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct module, source),
		.help = "Folder of the module below the workspace's: ./modules/lake."},
	{.name = "with",
		.type = FIELD_ANY,
		.offset = offsetof(struct module, with),
		.help = "Values for the variables that the module declares."},
};
const struct kind module_kind = {
	.singular = "module",
	.help = "A use of a module: a folder of declarations with variables and outputs of its own.",
	.size = sizeof(struct module),
	KIND_FIELDS(module_fields),
	.no_resource = true,
};

static const struct field moved_fields[] = {
	{.name = "from",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct moved, from),
		.help = "Address that it had: bucket/old."},
	{.name = "to",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct moved, to),
		.help = "Address that it has now: bucket/new."},
};
const struct kind moved_kind = {
	.singular = "moved",
	.help = "A new name for what is there, so that it is not made again.",
	.size = sizeof(struct moved),
	KIND_FIELDS(moved_fields),
	.no_resource = true,
};

static const struct field state_fields[] = {
	{.name = "url",
		.type = FIELD_TEXT,
		.offset = offsetof(struct workspace_state, url),
		.help = "postgresql://HOST/DATABASE. Without it, SQLite in .isobar/."},
	{.name = "credentials",
		.type = FIELD_TEXT,
		.flags = FIELD_SECRET,
		.offset = offsetof(struct workspace_state, credentials),
		.help = "Secret that opens it; the operator's file says where it comes from."},
};
static const struct kind state_kind = {
	.singular = "state",
	.help = "Where state is kept.",
	.size = sizeof(struct workspace_state),
	KIND_FIELDS(state_fields),
	.no_resource = true,
};

// ---------------------------------------------------------------- the top
static const struct field fields[] = {
	{.name = "isobar",
		.type = FIELD_INTEGER,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct workspace_top, isobar),
		.min = 1,
		.max = 1,
		.help = "Version of the format: 1."},
	{.name = "workspace",
		.type = FIELD_NAME,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct workspace_top, workspace),
		.help = "Name of the workspace; buckets and other things at providers are named after it."},
	{.name = "owner",
		.type = FIELD_REF,
		.offset = offsetof(struct workspace_top, owner),
		.refers = "group|user",
		.help = "Who answers for everything that names no owner of its own: group/NAME or user/NAME."},
	{.name = "state",
		.type = FIELD_BLOCK,
		.offset = offsetof(struct workspace_top, state),
		.block = &state_kind,
		.help = "Where state is kept; without it, SQLite in .isobar/."},
	{.name = "variables",
		.type = FIELD_NAMED,
		.offset = offsetof(struct workspace_top, variables),
		.block = &variable_kind,
		.help = "Typed variables: ${var.NAME}. Values come from --var, ISOBAR_VAR_NAME, --var-file, the overlay."},
	{.name = "inputs",
		.type = FIELD_NAMED,
		.offset = offsetof(struct workspace_top, inputs),
		.block = &input_kind,
		.help = "Outputs of other people's state: ${inputs.NAME.OUTPUT}."},
	{.name = "modules",
		.type = FIELD_NAMED,
		.offset = offsetof(struct workspace_top, modules),
		.block = &module_kind,
		.help = "Folders of declarations to use, each with values of its own."},
	{.name = "moved",
		.type = FIELD_BLOCKS,
		.offset = offsetof(struct workspace_top, moved),
		.block = &moved_kind,
		.help = "New names of things that are there: [{from: bucket/old, to: bucket/new}]."},
	{.name = "groups",
		.type = FIELD_ANY,
		.offset = offsetof(struct workspace_top, groups),
		.help = "Named sets of clouds: {eu: [aws-eu, gcp-eu]} or {eu: {location: [EU]}}; `clouds: group/eu`."},
	{.name = "defaults",
		.type = FIELD_ANY,
		.offset = offsetof(struct workspace_top, defaults),
		.help = "Fields that every entry of a kind has unless it says otherwise: {buckets: {encrypt_with: lake}}; "
			"\"*\" stands for every kind that has the field."},
};

const struct kind workspace_top_kind = {
	.singular = "workspace",
	.help = "A workspace: one file, or the *.yaml files of a folder as one map.",
	.example = "isobar: 1\nworkspace: fashion\n",
	.size = sizeof(struct workspace_top),
	KIND_FIELDS(fields),
	.no_resource = true,
};
