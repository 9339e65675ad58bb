// SPDX-License-Identifier: Apache-2.0
// What stands around a plan: approvals, the end of an environment, values of overrides, buckets that are not empty.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "fixture_state.h"
#include "infra/approvals.h"
#include "infra/buckets.h"
#include "infra/expiry.h"
#include "infra/override_field.h"
#include "memory_cloud.h"
#include "toy_kinds.h"

struct world {
	struct fixture f;
	struct state state;
	struct call *c;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	fixture_open_state(&w->f, &w->state);
	w->c = &w->f.call;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	fixture_close_state(&w->f, &w->state);
	free(w);
	return 0;
}

// ---------------------------------------------------------------- approvals
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int64_t approve(struct world *w, const char *who, const struct approval_rule *rule)
{
	int64_t given = 0;
	w->c->principal = str_of(who);
	err_clear(&w->c->err);
	int rc = approvals_give(w->c, &w->state, rule, S(DIGEST), S("looked at it"), &given);
	return rc < 0 ? rc : given;
}

static void test_approvals(void **state)
{
	struct world *w = *state;
	struct approval_rule rule = {.needed = 2, .environment = S("prod")};
	assert_int_equal(ERR_DENIED, approvals_check(w->c, &w->state, &rule, S(DIGEST)));
	assert_non_null(strstr(w->c->err.message, "asks for 2 approvals of a plan; this one has 0: "));
	assert_int_equal(1, approve(w, "user/anna", &rule));
	assert_int_equal(1, approve(w, "user/anna", &rule)); // the same person counts once
	err_clear(&w->c->err);
	assert_int_equal(ERR_DENIED, approvals_check(w->c, &w->state, &rule, S(DIGEST)));
	assert_non_null(strstr(w->c->err.message, "this one has 1, of user/anna: "));
	assert_int_equal(2, approve(w, "user/ben", &rule));
	err_clear(&w->c->err);
	assert_ok(&w->f, approvals_check(w->c, &w->state, &rule, S(DIGEST)));
	json_t *list = NULL;
	assert_ok(&w->f, approvals_list(w->c, &w->state, &list));
	assert_int_equal(1, json_array_size(list));
	json_decref(list);
	assert_ok(&w->f, approvals_spend(w->c, &w->state, S(DIGEST)));
	assert_ok(&w->f, approvals_spend(w->c, &w->state, S(DIGEST)));
	assert_int_equal(ERR_DENIED, approvals_check(w->c, &w->state, &rule, S(DIGEST))); // one apply each
	err_clear(&w->c->err);
	struct event *events;
	assert_int_equal(2, fixture_events(&w->f, &w->state, "approval.given", &events));
	assert_string_equal("looked at it", json_text(events[0].data, "note"));
	assert_int_equal(1, fixture_events(&w->f, &w->state, "approval.spent", NULL));
	rule.needed = 0;
	assert_ok(&w->f, approvals_check(w->c, &w->state, &rule, S(DIGEST)));
}

static void test_approvers(void **state)
{
	struct world *w = *state;
	struct approval_rule rule = {.needed = 1, .by = S("user/anna"), .environment = S("prod")};
	assert_int_equal(ERR_DENIED, approve(w, "user/ben", &rule));
	assert_non_null(strstr(w->c->err.message, "user/ben may not approve plans of the environment prod"));
	assert_int_equal(1, approve(w, "user/anna", &rule));
	rule.by = S("user/carl"); // who may is what the environment says now
	assert_int_equal(ERR_DENIED, approvals_check(w->c, &w->state, &rule, S(DIGEST)));
	assert_true(approver_fits(S("user/root"), S("group/root")));
	assert_false(approver_fits(S("user/nobody"), S("group/root")));
	assert_false(approver_fits(S("user/root"), S("group/no-such-group-here")));
	assert_false(approver_fits(S("api-key/root"), S("group/root")));
	assert_true(approver_fits(S("monitor/x"), S("")));
	int64_t given;
	err_clear(&w->c->err);
	assert_int_equal(
		ERR_INVALID, approvals_give(w->c, &w->state, &rule, S("0123"), S(""), &given));
}

// ---------------------------------------------------------------- expiry
static void test_expiry(void **state)
{
	struct world *w = *state;
	struct expiry e;
	assert_ok(&w->f, expiry_set(w->c, &w->state, 0)); // nothing declared, nothing set
	assert_ok(&w->f, expiry_get(w->c, &w->state, &e));
	assert_int_equal(0, e.at_ns);
	assert_false(expiry_is_due(w->c, &e));
	int64_t before = call_now_ns(w->c);
	assert_ok(&w->f, expiry_set(w->c, &w->state, 3600 * NS_PER_S));
	assert_ok(&w->f, expiry_get(w->c, &w->state, &e));
	assert_true(e.at_ns >= before + 3600 * NS_PER_S && !expiry_is_due(w->c, &e));
	int64_t first = e.at_ns;
	assert_ok(&w->f, expiry_set(w->c, &w->state, 7200 * NS_PER_S)); // counted from the first apply
	assert_ok(&w->f, expiry_get(w->c, &w->state, &e));
	assert_int_equal(first, e.at_ns);
	e.at_ns = before;
	assert_true(expiry_is_due(w->c, &e));
	assert_ok(&w->f, expiry_refuse(w->c, &w->state, S("protected")));
	assert_ok(&w->f, expiry_get(w->c, &w->state, &e));
	assert_true(str_eq(S("protected"), e.refused) && e.at_ns > before && !expiry_is_due(w->c, &e));
	assert_ok(&w->f, expiry_clear(w->c, &w->state, true));
	assert_ok(&w->f, expiry_clear(w->c, &w->state, true));
	assert_int_equal(1, fixture_events(&w->f, &w->state, "environment.expired", NULL));
	assert_ok(&w->f, expiry_set(w->c, &w->state, NS_PER_S));
	assert_ok(&w->f, expiry_set(w->c, &w->state, 0)); // no longer declared
	assert_ok(&w->f, expiry_get(w->c, &w->state, &e));
	assert_int_equal(0, e.at_ns);
}

// ---------------------------------------------------------------- overrides
struct knobs {
	int64_t min;
	double share, free;
	bool on;
	struct str word;
};
static const struct field inner_fields[] = {
	{.name = "min", .type = FIELD_INTEGER, .flags = FIELD_BY_OPERATOR, .offset = offsetof(struct knobs, min),
		.min = 1, .max = 8, .help = "Least."},
};
static const struct kind inner_kind = {
	.singular = "scale", .help = "Scale.", .size = sizeof(struct knobs), KIND_FIELDS(inner_fields)};
static const struct field outer_fields[] = {
	{.name = "scale", .type = FIELD_BLOCK, .block = &inner_kind, .help = "Scale."},
	{.name = "share", .type = FIELD_PERCENT, .flags = FIELD_BY_OPERATOR | FIELD_BY_MONITOR,
		.offset = offsetof(struct knobs, share), .max = 1, .help = "Share."},
	{.name = "on", .type = FIELD_BOOL, .flags = FIELD_BY_OPERATOR, .offset = offsetof(struct knobs, on),
		.help = "On."},
	{.name = "word", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .offset = offsetof(struct knobs, word),
		.help = "Word."},
	{.name = "free", .type = FIELD_NUMBER, .flags = FIELD_BY_MONITOR, .offset = offsetof(struct knobs, free),
		.help = "Free."},
};
static const struct kind outer_kind = {.plural = "knobs",
	.singular = "knob",
	.help = "Knobs.",
	.size = 2 * sizeof(struct knobs),
	KIND_FIELDS(outer_fields)};

static const struct {
	const char *path, *text, *json; // json NULL: refused
	int code;
	const char *says;
} values[] = {
	{"scale.min", "3", "3", 0, NULL},
	{"share", "5%", "0.05", 0, NULL},
	{"on", "true", "true", 0, NULL},
	{"scale.min", "9", NULL, ERR_INVALID, "scale.min of knob: expected"},
	{"scale.min", "many", NULL, ERR_INVALID, "got \"many\""},
	{"scale.min", "3\nword: x", NULL, ERR_INVALID, "scale.min of knob"},
	{"scale.min", "", NULL, ERR_INVALID, "scale.min of knob"},
	{"share", "{a: 1}", NULL, ERR_INVALID, "share of knob"},
	{"word", "x", NULL, ERR_DENIED, "word of knob may not be overridden while it runs"},
	{"free", "1", NULL, ERR_DENIED, "by a person, only by a monitor"},
	{"scale", "3", NULL, ERR_DENIED, "those that may be: scale.min, share, on"},
	{"scale.most", "3", NULL, ERR_NOT_FOUND, "no field \"scale.most\""},
	{"nothing", "3", NULL, ERR_NOT_FOUND, "scale.min, share, on"},
};

static void test_override_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct err e = {0};
		AUTO(json) value = NULL;
		AUTO(buf) text = {0};
		int rc = override_field_read(&outer_kind, str_of(values[i].path), str_of(values[i].text), &value, &e);
		if (rc != values[i].code || (values[i].says && !strstr(e.message, values[i].says)))
			fail_msg("%s = %s: %d %s", values[i].path, values[i].text, rc, e.message);
		if (!values[i].json)
			continue;
		assert_int_equal(0, json_write(value, &text, NULL));
		assert_string_equal(values[i].json, buf_cstr(&text));
	}
}

// ---------------------------------------------------------------- buckets
struct buckets_world {
	struct memory_cloud memory[2];
	struct cloud clouds[2];
	struct clouds all;
	struct resource recorded[2];
	struct plan_change changes[2];
	struct plan plan;
};

static void open_buckets(struct buckets_world *b)
{
	static const char *const names[] = {"aws-us", "gcp-eu"};
	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < 2; i++) {
		memory_cloud_init(&b->memory[i], names[i], "aws");
		memory_cloud_bucket(&b->memory[i], "lake");
		b->clouds[i] = b->memory[i].cloud;
		b->recorded[i] = (struct resource){.address = i ? S("bucket/lake on gcp-eu") : S("bucket/lake on aws-us"),
			.kind = S("bucket"),
			.cloud = str_of(names[i]),
			.cloud_id = S("lake")};
		b->changes[i] = (struct plan_change){
			.action = PLAN_DELETE, .address = b->recorded[i].address, .recorded = &b->recorded[i]};
	}
	b->all = (struct clouds){.items = b->clouds, .count = 2};
	b->plan = (struct plan){.changes = b->changes, .count = 2};
}

static void close_buckets(struct buckets_world *b)
{
	memory_cloud_free(&b->memory[0]);
	memory_cloud_free(&b->memory[1]);
}

static void test_buckets_are_looked_at_before(void **state)
{
	struct world *w = *state;
	struct buckets_world b;
	open_buckets(&b);
	assert_ok(&w->f, buckets_check_empty(w->c, &b.all, &b.plan));
	memory_cloud_poke(&b.memory[1], "lake", "a", S("x"));
	assert_int_equal(ERR_CONFLICT, buckets_check_empty(w->c, &b.all, &b.plan));
	assert_non_null(strstr(w->c->err.message,
		"1 bucket to be deleted still holds objects, so nothing is done: bucket/lake on gcp-eu;"));
	err_clear(&w->c->err);
	b.memory[0].down = true; // a cloud that does not answer hides no other
	assert_int_equal(ERR_CONFLICT, buckets_check_empty(w->c, &b.all, &b.plan));
	err_clear(&w->c->err);
	b.changes[1].action = PLAN_REPLACE;
	assert_int_equal(ERR_CONFLICT, buckets_check_empty(w->c, &b.all, &b.plan));
	err_clear(&w->c->err);
	b.changes[1].action = PLAN_UPDATE;
	assert_ok(&w->f, buckets_check_empty(w->c, &b.all, &b.plan));
	close_buckets(&b);
}

static void test_buckets_are_emptied_past_a_dead_cloud(void **state)
{
	struct world *w = *state;
	struct buckets_world b;
	struct buckets_emptied emptied;
	open_buckets(&b);
	b.memory[0].down = true;
	memory_cloud_poke(&b.memory[1], "lake", "a", S("x"));
	memory_cloud_poke(&b.memory[1], "lake", "b/c", S("y"));
	assert_ok(&w->f, buckets_empty(w->c, &b.all, &b.plan, &emptied));
	assert_int_equal(2, emptied.objects);
	assert_int_equal(0, memory_cloud_count(&b.memory[1], "lake", ""));
	close_buckets(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_approvals),
		TEST(test_approvers),
		TEST(test_expiry),
		cmocka_unit_test(test_override_values),
		TEST(test_buckets_are_looked_at_before),
		TEST(test_buckets_are_emptied_past_a_dead_cloud),
	};
	return cmocka_run_group_tests_name("infra-changes", tests, NULL, NULL);
}
