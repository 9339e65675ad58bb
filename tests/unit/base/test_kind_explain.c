// SPDX-License-Identifier: Apache-2.0
// What people read about kinds: exact texts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/kind_explain.h"

struct rate {
	struct str name;
	int64_t wait;
};
struct thing {
	struct str name, colour, key, engine;
	struct field_ref bucket;
	struct rate rate;
	struct field_list rates, steps;
};
static const char *const colours[] = {"red", "green", NULL};
static const char *const engines[] = {"local", "slurm", NULL};
static const char *const acting[] = {"local", NULL};
static const struct field rate_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct rate, name), .help = "Name."},
	{.name = "wait",
		.type = FIELD_DURATION,
		.flags = FIELD_REQUIRED | FIELD_BY_OPERATOR | FIELD_BY_MONITOR,
		.offset = offsetof(struct rate, wait),
		.unit = "seconds|minutes",
		.min = 1,
		.max = 3600,
		.help = "How long."},
};
static const struct kind rate_kind = {
	.singular = "rate", .help = "A rate.", .size = sizeof(struct rate), KIND_FIELDS(rate_fields)};
static const struct field thing_fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct thing, name), .help = "Name."},
	{.name = "colour",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct thing, colour),
		.choices = colours,
		.otherwise = "red",
		.help = "What it looks like."},
	{.name = "key",
		.type = FIELD_TEXT,
		.flags = FIELD_SECRET,
		.offset = offsetof(struct thing, key),
		.help = "Its key."},
	{.name = "bucket",
		.type = FIELD_REF,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct thing, bucket),
		.refers = "bucket|thing",
		.help = "Where it lies."},
	{.name = "rate",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct thing, rate),
		.block = &rate_kind,
		.help = "How fast."},
	{.name = "rates",
		.type = FIELD_NAMED,
		.offset = offsetof(struct thing, rates),
		.block = &rate_kind,
		.help = "More of them."},
	{.name = "engine",
		.type = FIELD_CHOICE,
		.flags = FIELD_WAITS,
		.offset = offsetof(struct thing, engine),
		.choices = engines,
		.acts = acting,
		.otherwise = "local",
		.help = "Who runs it."},
	{.name = "steps",
		.type = FIELD_BLOCKS,
		.offset = offsetof(struct thing, steps),
		.block = &rate_kind,
		.help = "In order."},
};
static const struct kind thing_kind = {.plural = "things",
	.singular = "thing",
	.help = "Something.",
	.example = "things:\n  one: {bucket: lake}\n",
	.size = sizeof(struct thing),
	KIND_FIELDS(thing_fields)};
static const struct kind bucket_kind = {.plural = "buckets", .singular = "bucket", .help = "Holds objects.", .size = 1};
static const struct kind *const kinds[] = {&thing_kind, &bucket_kind, NULL};

static void assert_explained(const char *path, const char *expected)
{
	AUTO(buf) out = {0};
	struct err e = {0};
	if (kind_explain(kinds, str_of(path), &out, &e) < 0)
		fail_msg("%s: %s", path, e.message);
	assert_string_equal(buf_cstr(&out), expected);
}

static void test_all(UNUSED void **state)
{
	assert_explained("", "things   Something.\nbuckets  Holds objects.\n");
}

static void test_kind(UNUSED void **state)
{
	static const char expected[] = "things   (one of them: thing/NAME)\n\n    Something.\n\nFields:\n"
				       "  colour  choice, default red\n          What it looks like.\n"
				       "  key     text\n          Its key.\n"
				       "  bucket  reference, required\n          Where it lies.\n"
				       "  rate    block\n          How fast.\n"
				       "  rates   named blocks\n          More of them.\n"
				       "  engine  choice, default local, a later release\n          Who runs it.\n"
				       "  steps   list of blocks\n          In order.\n"
				       "\nAs every resource it also takes: labels, protect, existing, drift, owner, for_each\n"
				       "\nExample:\n    things:\n      one: {bucket: lake}\n"
				       "\nisobar explain things.FIELD says more about one.\n";
	assert_explained("things", expected);
	assert_explained("thing", expected);
}

static void test_field(UNUSED void **state)
{
	static const char example[] = "\nExample:\n    things:\n      one: {bucket: lake}\n";
	AUTO(buf) text = {0};
	buf_printf(&text,
		"things.protect\n\n    true: no plan may destroy or replace it\n\n  write:        true or false\n"
		"  default:      false\n  change:       in place\n  at run time:  by nobody\n%s",
		example);
	assert_explained("things.protect", buf_cstr(&text));
	buf_clear(&text);
	buf_printf(&text,
		"things.engine\n\n    Who runs it.\n\n  write:        one of local, slurm\n  default:      local\n"
		"  change:       replaces the thing\n  at run time:  by nobody\n"
		"  this release: what is written here makes it wait for a later release; this one acts on local\n%s",
		example);
	assert_explained("things.engine", buf_cstr(&text));
	buf_clear(&text);
	buf_printf(&text,
		"things.colour\n\n    What it looks like.\n\n  write:        one of red, green\n  default:      red\n"
		"  change:       in place\n  at run time:  by nobody\n%s",
		example);
	assert_explained("things.colour", buf_cstr(&text));
	buf_clear(&text);
	buf_printf(&text,
		"things.key\n\n    Its key.\n\n  write:        the name of a secret (secret/NAME)\n"
		"  default:      none: it may be left out\n  change:       replaces the thing\n  at run time:  by "
		"nobody\n"
		"  secret:       only its name stands here; the operator's file says where it comes from\n%s",
		example);
	assert_explained("thing.key", buf_cstr(&text));
	buf_clear(&text);
	buf_printf(&text,
		"things.rate\n\n    How fast.\n\n  write:        a map\n  default:      none: it may be left out\n  "
		"change:       in place\n"
		"  at run time:  by nobody\n\nFields:\n  wait  duration, required\n        How long.\n%s",
		example);
	assert_explained("things.rate", buf_cstr(&text));
}

static void test_paths_of_findings(UNUSED void **state)
{
	static const char *const paths[] = {
		"things.rates.wait", "things.rates.fast.wait", "things.one.rates.fast.wait"};
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		AUTO(buf) out = {0};
		assert_int_equal(kind_explain(kinds, str_of(paths[i]), &out, NULL), 0);
		assert_true(str_starts(buf_str(&out), S("things.rates.wait\n\n    How long.\n\n  write:        a "
							"duration such as 30d, 5m or 250ms, from 1s to 1h\n"
							"  default:      none: it is required\n  unit:         "
							"seconds|minutes\n  change:       replaces the thing\n"
							"  at run time:  by an operator's command, by a monitor\n")));
	}
	AUTO(buf) out = {0};
	assert_int_equal(kind_explain(kinds, S("things.one.steps[3].wait"), &out, NULL), 0);
	assert_true(str_starts(buf_str(&out), S("things.steps.wait\n")));
}

static void assert_unknown(const char *path, const char *message)
{
	AUTO(buf) out = {0};
	struct err e = {0};
	assert_int_equal(kind_explain(kinds, str_of(path), &out, &e), ERR_NOT_FOUND);
	assert_string_equal(e.message, message);
	assert_int_equal(out.n, 0);
}

static void test_unknown(UNUSED void **state)
{
	assert_unknown("thngs", "there is no kind \"thngs\"; did you mean \"things\"?");
	assert_unknown("xyzzy", "there is no kind \"xyzzy\"; `isobar explain` lists them");
	assert_unknown("things.color", "things has no field \"color\"; did you mean \"colour\"?");
	assert_unknown("things.rate.wat", "things.rate has no field \"wat\"; did you mean \"wait\"?");
	assert_unknown("things.colour.deep", "things.colour has no field \"deep\"");
	assert_unknown("things.one.two.three", "things has no field \"two\"");
	assert_unknown("things.name", "things has no field \"name\"");
	assert_unknown("things.", "things has no field \"\"");
}

static void test_reference(UNUSED void **state)
{
	AUTO(buf) out = {0};
	kind_write_reference(kinds, &out);
	const char *expected =
		"\n## things\n\nSomething. One of them is `thing/NAME`.\n\n```yaml\nthings:\n  one: {bucket: "
		"lake}\n```\n\n"
		"| Field | Write | Default | Change | Meaning |\n|---|---|---|---|---|\n"
		"| `colour` | one of red, green | `red` | in place | What it looks like. |\n"
		"| `key` | the name of a secret (secret/NAME) |  | replaces | Its key. |\n"
		"| `bucket` | the name of one of these: bucket, thing | required | replaces | Where it lies. |\n"
		"| `rate` | a map |  | in place | How fast. |\n"
		"| `rate.wait` | a duration such as 30d, 5m or 250ms, from 1s to 1h | required | replaces; operator; "
		"monitor | How long. |\n"
		"| `rates` | a map of names |  | replaces | More of them. |\n"
		"| `rates.NAME.wait` | a duration such as 30d, 5m or 250ms, from 1s to 1h | required | replaces; "
		"operator; monitor | How long. |\n"
		"| `engine` | one of local, slurm | `local` | replaces; waits for a later release | Who runs it. |\n"
		"| `steps` | a list of maps |  | replaces | In order. |\n"
		"| `steps[].wait` | a duration such as 30d, 5m or 250ms, from 1s to 1h | required | replaces; "
		"operator; monitor | How long. |\n"
		"\n## buckets\n";
	assert_non_null(strstr(buf_cstr(&out), expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_paths_of_findings),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_reference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
