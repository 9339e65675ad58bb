// SPDX-License-Identifier: Apache-2.0
// What a plan says of things that were there before, that moved, that are protected, and that changed outside.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infra/address_index.h"
#include "infra/plan.h"
#include "state/resource_common.h"
#include "toy_kinds.h"

static int make_nothing(struct call *c, void *ctx, const struct resource *r, json_t **outputs, struct str *cloud_id)
{
	(void)c, (void)ctx, (void)r, (void)outputs, (void)cloud_id;
	return 0;
}
static int read_nothing(struct call *c, void *ctx, const struct resource *r, json_t **outputs)
{
	(void)c, (void)ctx, (void)r, (void)outputs;
	return 0;
}
static int update_nothing(struct call *c, void *ctx, const struct resource *r, const json_t *before, json_t **outputs)
{
	(void)c, (void)ctx, (void)r, (void)before, (void)outputs;
	return 0;
}
static const struct resource_handler handlers[] = {
	{.kind = &toy_bucket_kind,
		.per_cloud = true,
		.create = make_nothing,
		.read = read_nothing,
		.update = update_nothing},
	{.kind = &toy_set_kind},
};

struct fixture {
	struct arena arena;
	struct plan_input in;
	struct resource desired[4], recorded[4];
	struct plan_observed observed[4];
	struct plan plan;
	struct err err;
	struct buf text;
};

static const json_t *json(struct fixture *f, const char *text)
{
	json_t *value = NULL;
	assert_int_equal(0, json_parse(str_of(text), &value, NULL));
	return json_in_arena(&f->arena, value);
}

// common: as records keep it.
static struct resource *add(struct fixture *f, struct resource *list, size_t *count, const char *address)
{
	struct resource *r = &list[(*count)++];
	*r = (struct resource){.address = str_of(address), .resolved = json(f, "{}"), .status = S("ready")};
	assert_int_equal(0, resource_parse_address(r->address, &r->kind, &r->name, &r->cloud));
	return r;
}

static struct resource *want(struct fixture *f, const char *address, const char *common)
{
	struct resource *r = add(f, f->desired, &f->in.desired_count, address);
	assert_int_equal(0, resource_common_of_json(json(f, common), &f->arena, &r->common));
	return r;
}

static struct resource *have(struct fixture *f, const char *address, const char *common)
{
	struct resource *r = add(f, f->recorded, &f->in.recorded_count, address);
	assert_int_equal(0, resource_common_of_json(json(f, common), &f->arena, &r->common));
	return r;
}

static void see(struct fixture *f, const char *address, const char *outputs)
{
	f->observed[f->in.observed_count++] = (struct plan_observed){
		.address = str_of(address), .gone = !outputs, .outputs = outputs ? json(f, outputs) : NULL};
}

static int plan(struct fixture *f)
{
	f->in.handlers = handlers;
	f->in.handler_count = COUNT_OF(handlers);
	f->in.desired = f->desired;
	f->in.recorded = f->recorded;
	f->in.observed = f->observed;
	int rc = plan_make(&f->in, &f->arena, &f->plan, &f->err);
	buf_clear(&f->text);
	if (rc == 0)
		plan_write(&f->plan, false, &f->text);
	return rc;
}

static void assert_says(struct fixture *f, const char *text)
{
	if (!strstr(buf_cstr(&f->text), text))
		fail_msg("\"%s\" is not in:\n%s", text, buf_cstr(&f->text));
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	buf_free(&f->text);
	arena_free(&f->arena);
	free(f);
	return 0;
}

// ---------------------------------------------------------------- keep
static void test_keep_is_noted_once_and_never_in_a_diff(void **state)
{
	struct fixture *f = *state;
	want(f, "bucket/raw on a", "{\"existing\":\"keep\"}");
	see(f, "bucket/raw on a", "{\"name\":\"raw\",\"owner\":{\"by\":\"Terraform\"}}");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.totals[PLAN_USE]);
	assert_int_equal(0, f->plan.refusals);
	assert_says(f, "# bucket/raw on a will be used and stays as it is");
	assert_says(f, "0 to delete, 1 to use.");
	have(f, "bucket/raw on a", "{\"existing\":\"keep\"}")->outputs = json(f, "{\"name\":\"raw\",\"size\":1}");
	f->in.observed_count = 0;
	see(f, "bucket/raw on a", "{\"name\":\"raw\",\"size\":2}");
	assert_int_equal(0, plan(f));
	assert_true(plan_is_empty(&f->plan));
	assert_int_equal(0, f->plan.changes[0].drift_count);
}

static void test_keep_is_forgotten_not_deleted(void **state)
{
	struct fixture *f = *state;
	have(f, "bucket/raw on a", "{\"existing\":\"keep\",\"protect\":true}");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.totals[PLAN_FORGET]);
	assert_int_equal(0, f->plan.totals[PLAN_DELETE]);
	assert_int_equal(0, f->plan.refusals);
	assert_says(f, "bucket/raw on a will be forgotten: it was only used, and stays as it is");
}

// ---------------------------------------------------------------- adopt
static void test_adopt_names_the_fields_that_would_change(void **state)
{
	struct fixture *f = *state;
	want(f, "bucket/old on a", "{\"existing\":\"adopt\",\"labels\":{\"team\":\"ml\"}}");
	f->desired[0].resolved = json(f, "{\"versioning\":true}");
	see(f, "bucket/old on a", "{\"settings\":{\"versioning\":false,\"labels\":{\"theirs\":\"x\"}}}");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.totals[PLAN_ADOPT]);
	assert_int_equal(2, f->plan.changes[0].field_count); // their label stays, so it is no change
	assert_says(f, "# bucket/old on a will be adopted");
	assert_says(f, "versioning  = false -> true");
	assert_says(f, "labels.team = (absent) -> \"ml\"");
}

static void test_adopt_refuses_replacement(void **state)
{
	struct fixture *f = *state;
	want(f, "bucket/old on a", "{\"existing\":\"adopt\"}");
	f->desired[0].resolved = json(f, "{\"encrypt_with\":\"encryption-key/n\"}");
	see(f, "bucket/old on a", "{\"settings\":{\"encrypt_with\":\"encryption-key/o\"}}");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.refusals);
	assert_int_equal(ERR_CONFLICT, plan_check_refusals(&f->plan, &f->err));
	assert_non_null(strstr(f->err.message, "encrypt_with cannot be changed in place"));
	have(f, "bucket/old on a", "{\"existing\":\"adopt\"}")->resolved = // adopted, and changed later
		json(f, "{\"encrypt_with\":\"encryption-key/o\"}");
	assert_int_equal(0, plan(f));
	assert_int_equal(ERR_DENIED, plan_check_refusals(&f->plan, &f->err));
	assert_non_null(strstr(f->err.message, "it was adopted, not made by Isobar"));
}

static void test_adopt_respects_the_owner_and_absence(void **state)
{
	struct fixture *f = *state;
	want(f, "bucket/old on a", "{\"existing\":\"adopt\"}");
	see(f, "bucket/old on a",
		"{\"owner\":{\"by\":\"Terraform\",\"mark\":\"goog-terraform-provisioned=true\",\"advice\":\"do this\"}}");
	assert_int_equal(0, plan(f));
	assert_int_equal(ERR_DENIED, plan_check_refusals(&f->plan, &f->err));
	assert_non_null(strstr(f->err.message, "belongs to Terraform (goog-terraform-provisioned=true): do this"));
	f->in.observed_count = 0;
	see(f, "bucket/old on a", NULL);
	assert_int_equal(0, plan(f));
	assert_int_equal(ERR_NOT_FOUND, plan_check_refusals(&f->plan, &f->err));
}

// ---------------------------------------------------------------- moved
static void test_moved_keeps_the_record(void **state)
{
	struct fixture *f = *state;
	want(f, "bucket/new on a", "{}")->moved_from = S("bucket/old on a");
	have(f, "bucket/old on a", "{}")->uid = S("u-1");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.count);
	assert_int_equal(1, f->plan.totals[PLAN_MOVE]);
	assert_true(str_eq(S("u-1"), f->plan.changes[0].recorded->uid));
	assert_says(f, "# bucket/new on a has another address: from bucket/old on a");
	f->desired[0].resolved = json(f, "{\"versioning\":true}");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.totals[PLAN_UPDATE]);
	assert_true(str_eq(S("bucket/old on a"), f->plan.changes[0].moved_from));
	f->recorded[0].address = S("bucket/new on a"); // moved already
	assert_int_equal(0, plan(f));
	assert_int_equal(0, f->plan.changes[0].moved_from.n);
}

static void test_moved_onto_another_record(void **state)
{
	struct fixture *f = *state;
	want(f, "bucket/new on a", "{}")->moved_from = S("bucket/old on a");
	have(f, "bucket/old on a", "{}");
	have(f, "bucket/new on a", "{}");
	assert_int_equal(ERR_INVALID, plan(f));
	assert_non_null(strstr(f->err.message, "both bucket/old on a and bucket/new on a have records"));
}

// ---------------------------------------------------------------- protect
static void test_protect_refuses_delete_and_replace(void **state)
{
	struct fixture *f = *state;
	have(f, "bucket/x on a", "{\"protect\":true}")->resolved = json(f, "{\"encrypt_with\":\"encryption-key/o\"}");
	assert_int_equal(0, plan(f));
	assert_int_equal(ERR_DENIED, plan_check_refusals(&f->plan, &f->err));
	assert_says(f, "bucket/x on a: it is protected: write `protect: false` and apply that");
	want(f, "bucket/x on a", "{\"protect\":true}")->resolved = json(f, "{\"encrypt_with\":\"encryption-key/n\"}");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.totals[PLAN_REPLACE]);
	assert_int_equal(ERR_DENIED, plan_check_refusals(&f->plan, &f->err));
	f->desired[0].common = NULL; // `protect: false` in the same change
	assert_int_equal(0, plan(f));
	assert_int_equal(0, plan_check_refusals(&f->plan, &f->err));
}

static void test_common_fields_change_in_place(void **state)
{
	struct fixture *f = *state;
	have(f, "bucket/x on a", "{\"labels\":{\"a\":\"1\"}}");
	want(f, "bucket/x on a", "{\"labels\":{\"a\":\"2\"},\"owner\":\"group/ml\"}");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.totals[PLAN_UPDATE]);
	assert_says(f, "labels.a = \"1\" -> \"2\"");
	assert_says(f, "owner    = (absent) -> \"group/ml\"");
}

// ---------------------------------------------------------------- drift
static void drift(struct fixture *f, const char *common)
{
	want(f, "bucket/x on a", common);
	have(f, "bucket/x on a", common)->outputs = json(f, "{\"size\":1,\"settings\":{\"labels\":{\"a\":\"1\"}}}");
	see(f, "bucket/x on a", "{\"size\":2,\"news\":1,\"settings\":{\"labels\":{\"a\":\"2\"}}}");
}

static void test_drift_is_reverted_where_declared(void **state)
{
	struct fixture *f = *state;
	drift(f, "{\"drift\":\"revert\"}");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.totals[PLAN_UPDATE]);
	assert_true(f->plan.changes[0].reverts);
	assert_says(f, "# bucket/x on a will be changed in place: it was changed outside of Isobar, and `drift: revert`");
	assert_says(f, "settings.labels.a = \"2\" -> \"1\"");
	assert_null(strstr(buf_cstr(&f->text), "size"));
}

static void test_drift_is_only_reported(void **state)
{
	struct fixture *f = *state;
	drift(f, "{}");
	assert_int_equal(0, plan(f));
	assert_true(plan_is_empty(&f->plan));
	assert_int_equal(2, f->plan.changes[0].drift_count); // "news" is no drift: the cloud tells more than it did
	assert_says(f, "Changed outside of Isobar (not reverted):\n  bucket/x on a\n");
}

static void test_refresh_only(void **state)
{
	struct fixture *f = *state;
	f->in.refresh_only = true;
	assert_int_equal(0, plan(f));
	assert_says(f, "No changes. Nothing was changed outside of Isobar.");
	drift(f, "{\"drift\":\"revert\"}");
	f->desired[0].resolved = json(f, "{\"versioning\":true}"); // what is written does not count here
	want(f, "bucket/gone on a", "{}");
	have(f, "bucket/gone on a", "{}");
	have(f, "bucket/unwanted on a", "{}");
	see(f, "bucket/gone on a", NULL);
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.totals[PLAN_REFRESH]);
	assert_int_equal(1, f->plan.totals[PLAN_FORGET]);
	assert_int_equal(0, f->plan.totals[PLAN_DELETE] + f->plan.totals[PLAN_UPDATE]);
	assert_says(f, "settings.labels.a = \"1\" -> \"2\"");
	assert_says(f, "Plan of records only, nothing is changed, 1 to forget, 1 to record.");
}

// ---------------------------------------------------------------- later
static void test_waiting_on_a_later_release(void **state)
{
	struct fixture *f = *state;
	struct resource *r = want(f, "dataset/x", "{}");
	r->waits_for = S("sql");
	r->later = S("subject, purpose");
	assert_int_equal(0, plan(f));
	assert_int_equal(1, f->plan.waits);
	assert_says(f, "dataset/x <= waiting on a later release: sql\n");
	assert_says(f, "Recorded, and acted on by a later release:\n  dataset/x: subject, purpose\n");
}

// ---------------------------------------------------------------- the index
static void test_index(void **state)
{
	struct fixture *f = *state;
	enum { MANY = 5000 };
	struct resource *all = arena_new_array(&f->arena, MANY, struct resource);
	struct address_index index;
	for (size_t i = 0; i < MANY; i++)
		all[i].address = arena_printf(&f->arena, "dataset/d%zu", i);
	assert_int_equal(0, address_index_make(&f->arena, all, MANY, sizeof(*all), &index));
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(i + 1, address_find(&index, arena_printf(&f->arena, "dataset/d%zu", i)));
	assert_int_equal(ADDRESS_NONE, address_find(&index, S("dataset/d5000")));
	all[1].address = all[0].address; // the first one wins
	assert_int_equal(0, address_index_make(&f->arena, all, 2, sizeof(*all), &index));
	assert_int_equal(1, address_find(&index, all[1].address));
	assert_int_equal(ADDRESS_NONE, address_find(&(struct address_index){0}, S("x")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_keep_is_noted_once_and_never_in_a_diff),
		TEST(test_keep_is_forgotten_not_deleted),
		TEST(test_adopt_names_the_fields_that_would_change),
		TEST(test_adopt_refuses_replacement),
		TEST(test_adopt_respects_the_owner_and_absence),
		TEST(test_moved_keeps_the_record),
		TEST(test_moved_onto_another_record),
		TEST(test_protect_refuses_delete_and_replace),
		TEST(test_common_fields_change_in_place),
		TEST(test_drift_is_reverted_where_declared),
		TEST(test_drift_is_only_reported),
		TEST(test_refresh_only),
		TEST(test_waiting_on_a_later_release),
		TEST(test_index),
	};
	return cmocka_run_group_tests_name("infra-plan-existing", tests, NULL, NULL);
}
