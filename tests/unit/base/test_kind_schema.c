// SPDX-License-Identifier: Apache-2.0
// The JSON Schema of a table with every type of field; its patterns against the parsers that they mirror.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <regex.h>
#include <string.h>

#include "base/kind_schema.h"
#include "every_kind.h"

static const struct kind *const kinds[] = {&every_kind, NULL};
struct top {
	int64_t version;
};
static const struct field top_fields[] = {
	{.name = "isobar",
		.type = FIELD_INTEGER,
		.flags = FIELD_REQUIRED,
		.min = 1,
		.max = 1,
		.help = "Version of the format."},
};
static const struct kind top_kind = {
	.singular = "workspace", .help = "A workspace.", .size = sizeof(struct top), KIND_FIELDS(top_fields)};

static const json_t *field_of(const json_t *schema, const char *name)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *every = json_object_get(json_object_get(properties, "everies"), "additionalProperties");
	const json_t *field = json_object_get(json_object_get(every, "properties"), name);
	assert_non_null(field);
	return field;
}

static void assert_json(const json_t *j, const char *expected)
{
	AUTO(buf) out = {0};
	assert_int_equal(json_write(j, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), expected);
}

static void test_whole(UNUSED void **state)
{
	AUTO(json) schema = kind_schema(kinds, &top_kind);
	assert_string_equal(json_text(schema, "$schema"), "https://json-schema.org/draft/2020-12/schema");
	assert_false(json_flag(schema, "additionalProperties", true));
	assert_json(json_object_get(schema, "required"), "[\"isobar\"]");
	const json_t *properties = json_object_get(schema, "properties");
	assert_json(json_object_get(properties, "isobar"),
		"{\"description\":\"Version of the format.\",\"maximum\":1,\"minimum\":1,\"type\":\"integer\"}");
	const json_t *everies = json_object_get(properties, "everies");
	assert_string_equal(json_text(everies, "description"), "One of each.");
	assert_json(json_object_get(everies, "propertyNames"),
		"{\"pattern\":\"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$\",\"type\":\"string\"}");
	const json_t *every = json_object_get(everies, "additionalProperties");
	assert_false(json_flag(every, "additionalProperties", true));
	assert_json(json_object_get(every, "required"), "[\"text\"]");
	assert_null(json_object_get(json_object_get(every, "properties"), "key"));
	AUTO(json) bare = kind_schema(kinds, NULL);
	assert_null(json_object_get(bare, "required"));
}

static void test_fields(UNUSED void **state)
{
	AUTO(json) schema = kind_schema(kinds, NULL);
	assert_json(field_of(schema, "text"),
		"{\"description\":\"One of each.\",\"type\":[\"string\",\"number\",\"boolean\"]}");
	assert_json(field_of(schema, "choice"),
		"{\"default\":\"red\",\"description\":\"One of each.\",\"enum\":[\"red\",\"green\",\"blue\"]}");
	assert_json(
		field_of(schema, "flag"), "{\"default\":true,\"description\":\"One of each.\",\"type\":\"boolean\"}");
	assert_json(field_of(schema, "number"), "{\"description\":\"One of each.\",\"type\":\"number\"}");
	assert_json(field_of(schema, "list"), "{\"default\":[1,2],\"description\":\"One of "
					      "each.\",\"items\":{\"type\":\"integer\"},\"type\":\"array\"}");
	assert_json(field_of(schema, "custom"), "{\"default\":\"1x2\",\"description\":\"One of each.\"}");
	assert_json(field_of(schema, "with"), "{\"description\":\"One of each.\"}");
	assert_json(field_of(schema, "block"),
		"{\"additionalProperties\":false,\"description\":\"One of "
		"each.\",\"properties\":{\"late\":{\"description\":\"One of "
		"each.\",\"type\":[\"string\",\"number\",\"boolean\"]},\"number\":{\"default\":7,\"description\":\"One of "
		"each.\",\"maximum\":9,\"minimum\":1,\"type\":\"integer\"},\"text\":{\"description\":\"One of "
		"each.\",\"type\":[\"string\",\"number\",\"boolean\"]}},\"required\":[\"text\"],\"type\":\"object\"}");
	assert_json(field_of(schema, "labels"),
		"{\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]},\"description\":\"One of "
		"each.\",\"propertyNames\":{\"pattern\":\"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$\",\"type\":\"string\"},"
		"\"type\":\"object\"}");
	const json_t *refs = json_object_get(field_of(schema, "to"), "anyOf");
	assert_int_equal(json_array_size(refs), 3);
	assert_json(json_object_get(json_array_get(refs, 2), "propertyNames"), "{\"enum\":[\"in_order\"]}");
	assert_int_equal(json_array_size(json_object_get(field_of(schema, "places"), "anyOf")), 3);
	assert_json(field_of(schema, "existing"), // one of those that every resource takes
		"{\"description\":\"keep: somebody else's, used and never changed; adopt: ours from the next apply "
		"on\",\"enum\":[\"keep\",\"adopt\"]}");
	const json_t *clouds = json_array_get(json_object_get(field_of(schema, "clouds"), "anyOf"), 1);
	assert_true(json_flag(clouds, "uniqueItems", false));
	assert_string_equal(json_text(field_of(schema, "named"), "type"), "object");
	assert_string_equal(json_text(field_of(schema, "blocks"), "type"), "array");
}

static bool decodes(const char *field, const char *value)
{
	AUTO(arena) a = {0};
	AUTO(json) object = json_pack("{s:s, s:s}", "text", "x", field, value);
	struct every out;
	struct findings f = {.arena = &a};
	return kind_decode(&every_kind, node_of_json(object, &a), &a, &out, &f) == 0;
}

static bool matches(const json_t *schema, const char *field, const char *value)
{
	regex_t expression;
	assert_int_equal(
		regcomp(&expression, json_text(field_of(schema, field), "pattern"), REG_EXTENDED | REG_NOSUB), 0);
	bool match = regexec(&expression, value, 0, NULL, 0) == 0;
	regfree(&expression);
	return match;
}

static void test_patterns_agree_with_the_parsers(UNUSED void **state)
{
	static const struct {
		const char *field, *values[12];
	} rows[] = {
		{"name", {"a", "a.b-c_9", "-a", "", "a b", "a/b"}},
		{"secret", {"secret/a", "hunter2", "secret/", "secret/a b", "Secret/a"}},
		{"duration", {"5m", "250ms", "18 months", "1 year", "5", "5 m", "soon", "-5m", "1.5h", "2 fortnights"}},
		{"size", {"5GB", "512MiB", "1B", "5", "5gb", "1.5GB", "-1B", "5 GB"}},
		{"percent", {"5%", "0.1%", "5", "-5%", ".5%", "5 %"}},
		{"range", {"0..1", "-1.5..2e3", "0-1", "..1", "0..", "a..b"}},
		{"money", {"40 EUR", "1.90 USD/GB", "40", "40 eur", "40 EUR/", "-4 EUR"}},
		{"rate", {"5/s", "200k/min", "1.5M/h", "5", "5/year", "-5/s", "k/s", "5 /s"}},
		{"date", {"2027-06-30", "2027-6-30", "2027-06-30T00:00:00Z", "today"}},
		{"accelerator", {"H100:4", "L4", "H100:", ":4", "H 100:4"}},
		{"cloud", {"aws-us", "-x", "", "a b"}},
		{"ref", {"a", "every/a", "a@b", "a/b/c", "a on b", "a b", "@x", "", "a@"}},
		{"url", {"https://a/b", "file:///x", "http://127.0.0.1:80", "ftp://a", "a", "https://", "https:///x"}},
	};
	AUTO(json) schema = kind_schema(kinds, NULL);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (const char *const *value = rows[i].values; *value; value++)
			if (matches(schema, rows[i].field, *value) != decodes(rows[i].field, *value))
				fail_msg("%s: \"%s\": schema and parser differ", rows[i].field, *value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_patterns_agree_with_the_parsers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
