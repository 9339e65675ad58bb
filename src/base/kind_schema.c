// SPDX-License-Identifier: Apache-2.0
// JSON Schema from the tables: see kind_schema.h. The patterns are those of kind_scalars.c and time.c, as regular
// expressions; a test holds both against the same values.
#include "base/kind_schema.h"

#include <string.h>

#include "base/kind_impl.h"

#define NAME "[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
#define REF "^(" NAME "/)?" NAME "([@/][^ ]+)?( on " NAME ")?$"

static json_t *block_schema(const struct kind *k);

static json_t *pattern(const char *expression)
{
	return json_pack("{s:s, s:s}", "type", "string", "pattern", expression);
}

static json_t *choice_schema(const struct field *field)
{
	json_t *names = json_array();
	for (const char *const *choice = field->choices; *choice; choice++)
		json_array_append_new(names, json_string(*choice));
	return json_pack("{s:o}", "enum", names);
}

static json_t *text_schema(const struct field *field)
{
	if (field->flags & FIELD_SECRET)
		return pattern("^secret/" NAME "$");
	// A plain 4711 is text too where text is wanted.
	return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
}

static json_t *number_schema(const struct field *field)
{
	bool whole = field->type == FIELD_INTEGER;
	json_t *schema = json_pack("{s:s}", "type", whole ? "integer" : "number");
	if (field->min == 0 && field->max == 0)
		return schema;
	json_object_set_new(schema, "minimum", whole ? json_integer((json_int_t)field->min) : json_real(field->min));
	json_object_set_new(schema, "maximum", whole ? json_integer((json_int_t)field->max) : json_real(field->max));
	return schema;
}

static json_t *clouds_schema(void)
{
	json_t *names = json_pack("{s:s, s:o, s:i, s:b}", "type", "array", "items", pattern("^" NAME "$"), "minItems",
		1, "uniqueItems", 1);
	json_t *selector = json_pack("{s:s, s:{s:{}, s:{}}, s:b}", "type", "object", "properties", "labels", "location",
		"additionalProperties", 0);
	return json_pack("{s:[{s:s}, o, o, o]}", "anyOf", "const", "all", names, pattern("^group/" NAME "$"), selector);
}

static json_t *scalar_schema(const struct field *field)
{
	switch ((int)field->type) {
	case FIELD_NAME:
		return pattern("^" NAME "$");
	case FIELD_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case FIELD_INTEGER:
	case FIELD_NUMBER:
		return number_schema(field);
	case FIELD_DURATION:
		return pattern("^[0-9]+(ns|us|ms|s|m|h|d|w|y| (day|week|month|year)s?)$");
	case FIELD_SIZE:
		return pattern("^[0-9]+([KMGTP]i?)?B$");
	case FIELD_PERCENT:
		return pattern("^[0-9]+(\\.[0-9]+)?%$");
	case FIELD_RANGE:
		return pattern("^-?[0-9.]+([eE][+-]?[0-9]+)?\\.\\.-?[0-9.]+([eE][+-]?[0-9]+)?$");
	case FIELD_MONEY:
		return pattern("^[0-9]+(\\.[0-9]+)? [A-Z]{3}(/[A-Za-z]+)?$");
	case FIELD_CHOICE:
		return choice_schema(field);
	case FIELD_REF:
		return pattern(REF);
	case FIELD_PATH:
		return pattern("^[^/]");
	case FIELD_RATE:
		return pattern("^[0-9]+(\\.[0-9]+)?[kMG]?/(s|min|h|d)$");
	case FIELD_DATE:
		return pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
	case FIELD_ACCELERATOR:
		return pattern("^" NAME "(:[0-9]+)?$");
	case FIELD_URL:
		return pattern("^(https?://[^/?#@:]|file:///)");
	case FIELD_TEXT:
	default:
		return text_schema(field);
	}
}

static json_t *list_schema(const struct field *field)
{
	struct field item = kind_item_field(field);
	json_t *items = kind_is_scalar(item.type) ? scalar_schema(&item) : json_object();
	return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *named_schema(const struct kind *block)
{
	return json_pack("{s:s, s:o, s:o}", "type", "object", "propertyNames", pattern("^" NAME "$"),
		"additionalProperties", block_schema(block));
}

static json_t *refs_schema(const struct field *field)
{
	json_t *list = json_pack("{s:s, s:o}", "type", "array", "items", pattern(REF));
	json_t *either = json_pack("{s:[o, o]}", "anyOf", pattern(REF), list);
	json_t *names = pattern("^" NAME "$");
	if (field->choices) {
		json_decref(names);
		names = choice_schema(field);
	}
	json_t *map = json_pack("{s:s, s:o, s:O}", "type", "object", "propertyNames", names, "additionalProperties", either);
	json_t *forms = json_object_get(either, "anyOf");
	json_t *all = json_pack("{s:[O, O, o]}", "anyOf", json_array_get(forms, 0), json_array_get(forms, 1), map);
	json_decref(either);
	return all;
}

static json_t *places_schema(void)
{
	json_t *list = json_pack("{s:s, s:o, s:i, s:b}", "type", "array", "items", pattern("^[A-Z]{2}$"), "minItems", 1,
		"uniqueItems", 1);
	return json_pack("{s:[{s:s}, o, o]}", "anyOf", "const", "anywhere", pattern("^[A-Z]{2}$"), list);
}

static json_t *labels_schema(void)
{
	const struct field value = {.type = FIELD_TEXT};
	return json_pack("{s:s, s:o, s:o}", "type", "object", "propertyNames", pattern("^" NAME "$"),
		"additionalProperties", text_schema(&value));
}

static json_t *type_schema(const struct field *field)
{
	if (kind_is_scalar(field->type))
		return scalar_schema(field);
	switch ((int)field->type) {
	case FIELD_CLOUDS:
		return clouds_schema();
	case FIELD_REFS:
		return refs_schema(field);
	case FIELD_PLACES:
		return places_schema();
	case FIELD_CLOUD:
		return pattern("^" NAME "$");
	case FIELD_LABELS:
		return labels_schema();
	case FIELD_LIST:
		return list_schema(field);
	case FIELD_BLOCK:
		return block_schema(field->block);
	case FIELD_BLOCKS:
		return json_pack("{s:s, s:o}", "type", "array", "items", block_schema(field->block));
	case FIELD_NAMED:
		return named_schema(field->block);
	default: // anything, or a form that only its room knows
		return json_object();
	}
}

static void set_default(json_t *schema, const struct field *field)
{
	AUTO(arena) a = {0};
	struct findings f = {.arena = &a};
	const struct node *n = field->otherwise ? kind_default_node(field, &f) : NULL;
	if (n)
		json_object_set_new(schema, "default", node_to_json(n));
}

static json_t *field_schema(const struct field *field)
{
	json_t *schema = type_schema(field);
	json_object_set_new(schema, "description", json_string(field->help));
	set_default(schema, field);
	return schema;
}

// `clouds:` is not required where `cloud:` may stand for it.
static bool has_cloud(const struct kind *k, const struct field *clouds)
{
	for (size_t i = 0; i < k->field_count; i++)
		if (k->fields[i].type == FIELD_CLOUD && k->fields[i].offset == clouds->offset)
			return true;
	return false;
}

// properties and required of a table
static void add_fields(const struct kind *k, json_t *properties, json_t *required)
{
	for (size_t i = 0; i < k->field_count; i++) {
		const struct field *field = &k->fields[i];
		if (!kind_is_written(field))
			continue;
		json_object_set_new(properties, field->name, field_schema(field));
		if (field->flags & FIELD_REQUIRED && !(field->type == FIELD_CLOUDS && has_cloud(k, field)))
			json_array_append_new(required, json_string(field->name));
	}
}

static json_t *object_schema(const char *help, json_t *properties, json_t *required)
{
	json_t *schema = json_pack("{s:s, s:s, s:o, s:b}", "type", "object", "description", help, "properties",
		properties, "additionalProperties", 0);
	if (json_array_size(required))
		json_object_set(schema, "required", required);
	return schema;
}

static json_t *block_schema(const struct kind *k)
{
	json_t *properties = json_object();
	AUTO(json) required = json_array();
	if (k->plural && !k->no_resource)
		add_fields(&resource_common_kind, properties, required);
	add_fields(k, properties, required); // its own rows win
	return object_schema(k->help, properties, required);
}

json_t *kind_schema(const struct kind *const *kinds, const struct kind *top)
{
	json_t *properties = json_object();
	AUTO(json) required = json_array();
	if (top)
		add_fields(top, properties, required);
	for (; *kinds; kinds++) {
		json_t *named = (*kinds)->single ? block_schema(*kinds) : named_schema(*kinds);
		json_object_set_new(named, "description", json_string((*kinds)->help));
		json_object_set_new(properties, (*kinds)->plural, named);
	}
	json_t *schema = object_schema(top ? top->help : "A workspace of Isobar.", properties, required);
	json_object_set_new(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	json_object_set_new(schema, "title", json_string("Isobar workspace"));
	return schema;
}
