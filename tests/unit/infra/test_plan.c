// SPDX-License-Identifier: Apache-2.0
// The plan: a table of written, recorded and observed against what must come of it; order; rendering; digest.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infra/plan.h"
#include "toy_kinds.h"

static int make_nothing(struct call *c, void *ctx, const struct resource *r, json_t **outputs, struct str *cloud_id)
{
	(void)c, (void)ctx, (void)r, (void)outputs, (void)cloud_id;
	return 0;
}
static const struct resource_handler handlers[] = {
	{.kind = &toy_bucket_kind, .per_cloud = true, .create = make_nothing},
	{.kind = &toy_set_kind},
};

struct fixture {
	struct arena arena;
	struct plan_input in;
	struct resource desired[8], recorded[8];
	struct plan_observed observed[8];
	struct plan_waiting waiting[8];
	struct plan plan;
};

static const json_t *json(struct fixture *f, const char *text)
{
	json_t *value = NULL;
	if (!text)
		return NULL;
	assert_int_equal(0, json_parse(str_of(text), &value, NULL));
	return json_in_arena(&f->arena, value);
}

static struct resource make(struct fixture *f, const char *address, const char *resolved)
{
	struct resource r = {.address = str_of(address),
		.resolved = json(f, resolved),
		.written = json(f, resolved),
		.status = S("ready")};
	assert_int_equal(0, resource_parse_address(r.address, &r.kind, &r.name, &r.cloud));
	return r;
}

static struct resource *want(struct fixture *f, const char *address, const char *resolved)
{
	struct resource *r = &f->desired[f->in.desired_count++];
	*r = make(f, address, resolved);
	return r;
}

static struct resource *have(struct fixture *f, const char *address, const char *resolved)
{
	struct resource *r = &f->recorded[f->in.recorded_count++];
	*r = make(f, address, resolved);
	return r;
}

static void see(struct fixture *f, struct plan_observed observed)
{
	f->observed[f->in.observed_count++] = observed;
}

static void plan(struct fixture *f)
{
	struct err e = {0};
	f->in.handlers = handlers;
	f->in.handler_count = COUNT_OF(handlers);
	f->in.desired = f->desired;
	f->in.recorded = f->recorded;
	f->in.observed = f->observed;
	f->in.waiting = f->waiting;
	assert_int_equal(0, plan_make(&f->in, &f->arena, &f->plan, &e));
}

static struct fixture *fresh(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	return f;
}

static void done(struct fixture *f)
{
	arena_free(&f->arena);
	free(f);
}

// ---------------------------------------------------------------- the table
struct row {
	const char *name;
	const char *address;
	const char *desired, *recorded; // resolved; NULL: absent
	const char *status;             // of the record; NULL: ready
	bool gone;                      // observed
	const char *waiting;
	enum plan_action action;
	const char *fields; // "path:replaces path ..."
};

static const struct row rows[] = {
	{"new", "bucket/x on a", "{\"versioning\":true}", NULL, NULL, false, NULL, PLAN_CREATE, "versioning:0"},
	{"same", "bucket/x on a", "{\"versioning\":true}", "{\"versioning\":true}", NULL, false, NULL, PLAN_NOTHING,
		""},
	{"changed in place", "bucket/x on a", "{\"versioning\":true}", "{\"versioning\":false}", NULL, false, NULL,
		PLAN_UPDATE, "versioning:0"},
	{"changed otherwise", "bucket/x on a", "{\"encrypt_with\":\"encryption-key/n\"}",
		"{\"encrypt_with\":\"encryption-key/o\"}", NULL, false, NULL, PLAN_REPLACE, "encrypt_with:1"},
	{"both", "bucket/x on a", "{\"encrypt_with\":\"encryption-key/n\",\"versioning\":true}",
		"{\"versioning\":false}", NULL, false, NULL, PLAN_REPLACE, "encrypt_with:1 versioning:0"},
	{"no longer wanted", "bucket/x on a", NULL, "{}", NULL, false, NULL, PLAN_DELETE, ""},
	{"gone outside", "bucket/x on a", "{\"versioning\":true}", "{\"versioning\":true}", NULL, true, NULL,
		PLAN_CREATE, ""},
	{"failed before", "bucket/x on a", "{}", "{}", "failed", false, NULL, PLAN_CREATE, ""},
	{"cut off before", "bucket/x on a", "{}", "{}", "creating", false, NULL, PLAN_CREATE, ""},
	{"waits from the start", "bucket/x on a", "{}", NULL, NULL, false, "no version", PLAN_CREATE, ""},
	{"still waits", "bucket/x on a", "{}", "{}", "waiting", false, "no version", PLAN_NOTHING, ""},
	{"waits no longer", "bucket/x on a", "{}", "{}", "waiting", false, NULL, PLAN_CREATE, ""},
	{"recorded kinds only wait", "dataset/x", "{}", "{}", "waiting", false, NULL, PLAN_NOTHING, ""},
	{"nested", "dataset/x", "{\"partition\":{\"by\":\"hash\",\"clouds\":[\"a\"]}}",
		"{\"partition\":{\"by\":\"hash\",\"clouds\":[\"b\"]}}", NULL, false, NULL, PLAN_UPDATE,
		"partition.clouds:0"},
	{"a block came", "dataset/x", "{\"partition\":{\"by\":\"hash\"}}", "{}", NULL, false, NULL, PLAN_UPDATE,
		"partition:0"},
	{"a member went", "dataset/x", "{}", "{\"records\":1}", NULL, false, NULL, PLAN_UPDATE, "records:0"},
	{"a recorded kind is never replaced", "dataset/x", "{\"unknown\":1}", "{\"unknown\":2}", NULL, false, NULL,
		PLAN_UPDATE, "unknown:0"},
};

static void check_row(const struct row *row)
{
	struct fixture *f = fresh();
	if (row->desired)
		want(f, row->address, row->desired);
	if (row->recorded)
		have(f, row->address, row->recorded)->status = str_of(row->status ? row->status : "ready");
	if (row->gone)
		see(f, (struct plan_observed){.address = str_of(row->address), .gone = true});
	if (row->waiting)
		f->waiting[f->in.waiting_count++] =
			(struct plan_waiting){.address = str_of(row->address), .reason = str_of(row->waiting)};
	plan(f);
	const struct plan_change *c = &f->plan.changes[0];
	char fields[256] = "";
	for (size_t i = 0; i < c->field_count; i++) {
		size_t n = strlen(fields);
		snprintf(fields + n, sizeof(fields) - n, "%s%.*s:%d", i ? " " : "", STR(c->fields[i].path),
			c->fields[i].replaces);
	}
	if (c->action != row->action || (row->action != PLAN_CREATE && strcmp(fields, row->fields) != 0))
		fail_msg("%s: %s, fields \"%s\"", row->name, plan_action_word(c->action), fields);
	assert_int_equal(1, f->plan.count);
	assert_int_equal(row->waiting != NULL, f->plan.waits);
	assert_int_equal(row->action == PLAN_NOTHING, plan_is_empty(&f->plan));
	done(f);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_row(&rows[i]);
}

static void test_drift_is_shown_and_not_reverted(void **state)
{
	(void)state;
	struct fixture *f = fresh();
	want(f, "bucket/x on a", "{}");
	have(f, "bucket/x on a", "{}")->outputs = json(f, "{\"public\":false,\"size\":1}");
	see(f, (struct plan_observed){
		       .address = S("bucket/x on a"), .outputs = json(f, "{\"public\":true,\"size\":1}")});
	plan(f);
	assert_true(plan_is_empty(&f->plan));
	assert_int_equal(1, f->plan.changes[0].drift_count);
	assert_true(str_eq(S("public"), f->plan.changes[0].drift[0].path));
	done(f);
}

static void test_silent_cloud_goes_by_the_record(void **state)
{
	(void)state;
	struct fixture *f = fresh();
	want(f, "bucket/x on a", "{}");
	have(f, "bucket/x on a", "{}");
	see(f, (struct plan_observed){.address = S("bucket/x on a"), .unseen = true});
	plan(f);
	assert_true(plan_is_empty(&f->plan));
	assert_true(str_starts(f->plan.changes[0].note, S("its cloud did not answer")));
	struct buf text = {0};
	plan_write(&f->plan, false, &text);
	assert_string_equal("Not looked at:\n"
			    "  bucket/x on a: its cloud did not answer, so the plan goes by the record\n"
			    "\n"
			    "No changes. What is declared is what is there.\n",
		buf_cstr(&text));
	buf_free(&text);
	done(f);
}

// A cloud that refused us did answer.
static void test_refusing_cloud_is_quoted(void **state)
{
	(void)state;
	struct fixture *f = fresh();
	want(f, "bucket/x on a", "{}");
	have(f, "bucket/x on a", "{}");
	see(f, (struct plan_observed){.address = S("bucket/x on a"), .unseen = true, .why = S("SignatureDoesNotMatch")});
	plan(f);
	assert_true(plan_is_empty(&f->plan));
	assert_true(str_eq(f->plan.changes[0].note,
		S("its cloud let nobody look, so the plan goes by the record: SignatureDoesNotMatch")));
	done(f);
}

static void test_deletes_go_in_reverse(void **state)
{
	(void)state;
	struct fixture *f = fresh();
	struct str needs_key[] = {S_INIT("bucket/key on a")}, needs_lake[] = {S_INIT("bucket/lake on a")};
	struct resource *data = have(f, "dataset/a", "{}");
	data->needs = needs_lake;
	data->need_count = 1;
	have(f, "bucket/key on a", "{}");
	struct resource *lake = have(f, "bucket/lake on a", "{}");
	lake->needs = needs_key;
	lake->need_count = 1;
	plan(f);
	assert_int_equal(3, f->plan.totals[PLAN_DELETE]);
	assert_true(str_eq(S("dataset/a"), f->plan.changes[0].address));
	assert_true(str_eq(S("bucket/lake on a"), f->plan.changes[1].address));
	assert_true(str_eq(S("bucket/key on a"), f->plan.changes[2].address));
	done(f);
}

// ---------------------------------------------------------------- rendering
static void fill(struct fixture *f)
{
	want(f, "bucket/new on a", "{\"clouds\":[\"a\"],\"versioning\":false}");
	want(f, "bucket/swap on a", "{\"encrypt_with\":\"encryption-key/n\"}");
	want(f, "dataset/s", "{\"records\":2}");
	want(f, "dataset/same", "{}");
	have(f, "bucket/swap on a", "{\"encrypt_with\":\"encryption-key/o\"}");
	have(f, "dataset/s", "{\"records\":1}");
	have(f, "dataset/same", "{}");
	have(f, "dataset/old", "{}");
	f->waiting[f->in.waiting_count++] =
		(struct plan_waiting){.address = S("dataset/same"), .reason = S("no version yet")};
	static struct override o = {.address = S_INIT("dataset/s"),
		.field = S_INIT("records"),
		.author = S_INIT("monitor/m"),
		.reason = S_INIT("too slow")};
	o.value = (json_t *)(uintptr_t)json(f, "0");
	f->in.overrides = &o;
	f->in.override_count = 1;
	plan(f);
}

static void test_text(void **state)
{
	(void)state;
	struct fixture *f = fresh();
	struct buf text = {0};
	fill(f);
	plan_write(&f->plan, false, &text);
	assert_string_equal(
		"  # bucket/new on a will be created\n"
		"  + bucket/new on a\n"
		"      + clouds     = [\"a\"]\n"
		"      + versioning = false\n"
		"\n"
		"  # bucket/swap on a must be replaced\n"
		"-/+ bucket/swap on a\n"
		"      ~ encrypt_with = \"encryption-key/o\" -> \"encryption-key/n\"  # forces replacement\n"
		"\n"
		"  # dataset/s will be changed in place\n"
		"  ~ dataset/s\n"
		"      ~ records = 1 -> 2\n"
		"\n"
		"  # dataset/old will be deleted\n"
		"  - dataset/old\n"
		"\n"
		"Waiting (recorded, but nothing is made and nothing costs until then):\n"
		"  dataset/same: no version yet\n"
		"\n"
		"Overrides in force (apply does not undo them; see `isobar overrides`):\n"
		"  dataset/s: records = 0 by monitor/m: too slow\n"
		"\n"
		"Refused (apply does nothing until this is settled):\n"
		"  dataset/s: the workspace changes records, which monitor/m overrides at run time (too slow): end "
		"the override first with `isobar overrides end 'dataset/s' --field records`\n"
		"\n"
		"Plan: 1 to create, 1 to change, 1 to replace, 1 to delete.\n",
		buf_cstr(&text));
	buf_clear(&text);
	plan_write(&f->plan, true, &text);
	assert_non_null(strstr(buf_cstr(&text), "\033[32m  +\033[0m bucket/new on a\n"));
	buf_free(&text);
	done(f);
}

static void test_nothing_to_do(void **state)
{
	(void)state;
	struct fixture *f = fresh();
	struct buf text = {0};
	plan(f);
	plan_write(&f->plan, false, &text);
	assert_string_equal("No changes. What is declared is what is there.\n", buf_cstr(&text));
	buf_free(&text);
	done(f);
}

static void test_json(void **state)
{
	(void)state;
	struct fixture *f = fresh();
	fill(f);
	json_t *out = plan_to_json(&f->plan);
	assert_int_equal(1, json_int(out, "create", -1));
	assert_int_equal(1, json_int(out, "delete", -1));
	assert_int_equal(5, json_array_size(json_object_get(out, "changes")));
	const json_t *swap = json_array_get(json_object_get(out, "changes"), 1);
	assert_string_equal("replace", json_text(swap, "action"));
	assert_string_equal("monitor/m", json_text(json_array_get(json_object_get(out, "overrides"), 0), "author"));
	assert_int_equal(64, json_str(out, "digest").n);
	json_decref(out);
	done(f);
}

static void test_digest(void **state)
{
	(void)state;
	struct fixture *a = fresh(), *b = fresh(), *other = fresh();
	fill(a);
	fill(b);
	b->in.override_count = 0; // not what would be done
	plan(b);
	assert_string_equal(a->plan.digest, b->plan.digest);
	fill(other);
	other->desired[0].resolved = json(other, "{\"clouds\":[\"b\"]}");
	plan(other);
	assert_string_not_equal(a->plan.digest, other->plan.digest);
	done(a);
	done(b);
	done(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_drift_is_shown_and_not_reverted),
		cmocka_unit_test(test_silent_cloud_goes_by_the_record),
		cmocka_unit_test(test_refusing_cloud_is_quoted),
		cmocka_unit_test(test_deletes_go_in_reverse),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_digest),
	};
	return cmocka_run_group_tests_name("infra-plan", tests, NULL, NULL);
}
