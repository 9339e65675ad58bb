// SPDX-License-Identifier: Apache-2.0
// Apply on a real state with a toy cloud: order, idempotence, partial failure, revisions, deletes, waiting, and a kill
// between an act and its record.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "infra/apply.h"
#include "state/resource_common.h"
#include "toy_kinds.h"

struct world { // what the toy cloud holds, and what was asked of it
	char folder[64];
	struct arena arena;
	struct call call;
	struct state state;
	char exists[32][64];
	size_t exist_count;
	struct buf log;
	const char *fails; // address whose creation fails
	const char *hangs; // cloud that does not answer
	const char *waits; // address that must wait
	pthread_mutex_t lock;
	struct resource_handler handlers[3];
	struct infra_env env;
	struct resource desired[8];
	size_t desired_count;
};

static size_t find_thing(const struct world *w, struct str address)
{
	size_t i = 0;
	while (i < w->exist_count && !str_eq(str_of(w->exists[i]), address))
		i++;
	return i;
}

static void note(struct world *w, const char *what, struct str address)
{
	buf_printf(&w->log, "%s %.*s\n", what, STR(address));
}

static int toy_create(struct call *c, void *ctx, const struct resource *r, json_t **outputs, struct str *cloud_id)
{
	struct world *w = ctx;
	while (w->hangs && str_eq(str_of(w->hangs), r->cloud)) {
		if (call_sleep(c, 5000000) < 0)
			return c->err.code;
	}
	pthread_mutex_lock(&w->lock);
	bool fails = w->fails && str_eq(str_of(w->fails), r->address);
	note(w, fails ? "fail" : "create", r->address);
	if (!fails && find_thing(w, r->address) == w->exist_count)
		assert_true(str_copy(w->exists[w->exist_count++], sizeof(w->exists[0]), r->address));
	pthread_mutex_unlock(&w->lock);
	if (fails)
		return call_fail(c, ERR_DENIED, "the cloud says no");
	assert_int_equal(36, r->uid.n);
	*outputs = json_pack("{s:s}", "made", "yes");
	*cloud_id = arena_printf(c->arena, "id-%.*s", STR(r->name));
	return 0;
}

static int toy_read(struct call *c, void *ctx, const struct resource *r, json_t **outputs)
{
	struct world *w = ctx;
	if (find_thing(w, r->address) == w->exist_count)
		return call_fail(c, ERR_NOT_FOUND, "gone");
	*outputs = json_pack("{s:s}", "made", "yes");
	return 0;
}

static int toy_update(struct call *c, void *ctx, const struct resource *r, const json_t *before, json_t **outputs)
{
	(void)c;
	struct world *w = ctx;
	note(w, before ? "update" : "adopt", r->address);
	*outputs = json_pack("{s:s}", "made", "yes");
	return 0;
}

static int toy_delete(struct call *c, void *ctx, const struct resource *r)
{
	(void)c;
	struct world *w = ctx;
	size_t i = find_thing(w, r->address);
	note(w, "delete", r->address);
	if (i < w->exist_count) {
		w->exist_count--;
		memmove(w->exists[i], w->exists[w->exist_count], sizeof(w->exists[0]));
	}
	return 0;
}

static int toy_waiting(struct call *c, void *ctx, const struct resource *r, struct str *reason)
{
	(void)c;
	struct world *w = ctx;
	*reason = w->waits && str_eq(str_of(w->waits), r->address) ? S("not yet") : S("");
	return 0;
}

static void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	snprintf(w->folder, sizeof(w->folder), "%s", "/tmp/isobar-apply-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	pthread_mutex_init(&w->lock, NULL);
	call_init(&w->call, &w->arena, edges_real(), S("user/test"));
	w->call.workspace = S("w");
	char path[128];
	snprintf(path, sizeof(path), "%s/state.db", w->folder);
	assert_int_equal(0, state_open_sqlite(&w->call, path, &w->state));
	w->handlers[0] = (struct resource_handler){.kind = &toy_bucket_kind,
		.per_cloud = true,
		.create = toy_create,
		.read = toy_read,
		.update = toy_update,
		.delete = toy_delete,
		.waiting = toy_waiting,
		.ctx = w};
	w->handlers[1] = (struct resource_handler){.kind = &toy_set_kind};
	w->handlers[2] = (struct resource_handler){.kind = &toy_cloud_kind};
	w->env =
		(struct infra_env){.state = &w->state, .handlers = w->handlers, .handler_count = COUNT_OF(w->handlers)};
}

static void end(struct world *w)
{
	struct err e;
	state_close(&w->state);
	buf_free(&w->log);
	arena_free(&w->arena);
	pthread_mutex_destroy(&w->lock);
	assert_int_equal(0, file_remove_tree(w->folder, &e));
}

static struct resource *want(struct world *w, const char *address, const char *resolved)
{
	json_t *value = NULL;
	struct resource *r = &w->desired[w->desired_count++];
	assert_int_equal(0, json_parse(str_of(resolved), &value, NULL));
	*r = (struct resource){.address = str_of(address), .resolved = json_in_arena(&w->arena, value)};
	r->written = r->resolved;
	assert_int_equal(0, resource_parse_address(r->address, &r->kind, &r->name, &r->cloud));
	return r;
}

static void need(struct world *w, struct resource *r, const char *address)
{
	if (!r->needs)
		r->needs = arena_new_array(&w->arena, 4, struct str);
	r->needs[r->need_count++] = str_of(address);
}

static void prepare(struct world *w, struct plan *plan)
{
	struct workspace workspace = {.resources = w->desired, .resource_count = w->desired_count};
	struct plan_request request = {.desired = &workspace};
	if (plan_prepare(&w->call, &w->env, &request, plan) < 0)
		fail_msg("%s", w->call.err.message);
}

static int apply(struct world *w, struct apply_result *result)
{
	struct plan plan;
	prepare(w, &plan);
	struct apply run = {.env = &w->env, .plan = &plan};
	err_clear(&w->call.err);
	buf_clear(&w->log);
	return plan_apply(&w->call, &run, result);
}

static void assert_apply(struct world *w, struct apply_result expected)
{
	struct apply_result got = {0};
	if (apply(w, &got) < 0)
		fail_msg("%s", w->call.err.message);
	assert_int_equal(expected.done, got.done);
	assert_int_equal(expected.revision, got.revision);
}

static size_t count_events(struct world *w, const char *type)
{
	struct event *events;
	size_t count;
	assert_int_equal(0, state_read_all(&w->call, &w->state, str_of(type), S(""), &events, &count));
	return count;
}

static void want_three(struct world *w)
{
	want(w, "bucket/base on a", "{\"versioning\":false}");
	need(w, want(w, "bucket/lake on a", "{\"versioning\":false}"), "bucket/base on a");
	need(w, want(w, "dataset/s", "{\"records\":1}"), "bucket/lake on a");
}

// ---------------------------------------------------------------- tests
static void test_apply_then_nothing(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	want_three(&w);
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 3});
	assert_string_equal("create bucket/base on a\ncreate bucket/lake on a\n", buf_cstr(&w.log));
	struct resource r;
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/lake on a"), &r));
	assert_true(str_eq(S("ready"), r.status));
	assert_true(str_eq(S("id-lake"), r.cloud_id));
	assert_string_equal("yes", json_text(r.outputs, "made"));
	struct plan plan;
	prepare(&w, &plan);
	assert_true(plan_is_empty(&plan));
	assert_apply(&w, (struct apply_result){.revision = 0, .done = 0});
	assert_int_equal(1, count_events(&w, "revision.committed"));
	end(&w);
}

static void test_update_keeps_uid_and_raises_revision(void **state)
{
	(void)state;
	struct world w;
	struct resource before, after;
	begin(&w);
	want(&w, "bucket/x on a", "{\"versioning\":false}");
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/x on a"), &before));
	w.desired_count = 0;
	want(&w, "bucket/x on a", "{\"versioning\":true}");
	assert_apply(&w, (struct apply_result){.revision = 2, .done = 1});
	assert_string_equal("update bucket/x on a\n", buf_cstr(&w.log));
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/x on a"), &after));
	assert_true(str_eq(before.uid, after.uid));
	assert_true(str_eq(before.cloud_id, after.cloud_id));
	end(&w);
}

static void test_replace_gives_a_new_uid(void **state)
{
	(void)state;
	struct world w;
	struct resource before, after;
	begin(&w);
	want(&w, "bucket/x on a", "{\"encrypt_with\":\"encryption-key/o\"}");
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/x on a"), &before));
	w.desired_count = 0;
	want(&w, "bucket/x on a", "{\"encrypt_with\":\"encryption-key/n\"}");
	assert_apply(&w, (struct apply_result){.revision = 2, .done = 1});
	assert_string_equal("delete bucket/x on a\ncreate bucket/x on a\n", buf_cstr(&w.log));
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/x on a"), &after));
	assert_false(str_eq(before.uid, after.uid));
	end(&w);
}

static void test_deletes_in_reverse(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	want_three(&w);
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 3});
	w.desired_count = 0;
	assert_apply(&w, (struct apply_result){.revision = 2, .done = 3});
	assert_string_equal("delete bucket/lake on a\ndelete bucket/base on a\n", buf_cstr(&w.log));
	struct resource r;
	assert_int_equal(ERR_NOT_FOUND, resource_get(&w.call, &w.state, S("dataset/s"), &r));
	end(&w);
}

static void test_failure_keeps_other_branches_going(void **state)
{
	(void)state;
	struct world w;
	struct apply_result result;
	struct resource r;
	begin(&w);
	want_three(&w);
	want(&w, "bucket/other on a", "{}");
	w.fails = "bucket/base on a";
	assert_int_equal(ERR_DENIED, apply(&w, &result));
	assert_int_equal(1, result.done);
	assert_int_equal(1, result.failed);
	assert_int_equal(2, result.skipped);
	assert_non_null(strstr(w.call.err.message,
		"1 of 4 changes failed, 2 were not tried; first: create bucket/base on a: the cloud says no"));
	err_clear(&w.call.err);
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/other on a"), &r));
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/base on a"), &r));
	assert_true(str_eq(S("failed"), r.status));
	w.fails = NULL;
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 3}); // the same revision goes on
	assert_string_equal("create bucket/base on a\ncreate bucket/lake on a\n", buf_cstr(&w.log));
	assert_int_equal(1, count_events(&w, "revision.committed"));
	end(&w);
}

// Ten acts on a cloud that hangs take one timeout, not ten, and what is elsewhere does not wait for them.
static void test_a_cloud_that_hangs(void **state)
{
	(void)state;
	struct world w;
	struct apply_result result = {0};
	struct plan plan;
	begin(&w);
	w.hangs = "dead";
	for (size_t i = 0; i < 6; i++)
		want(&w, arena_printf(&w.arena, "bucket/x%zu on dead", i).p, "{}");
	need(&w, want(&w, "bucket/second on a", "{}"), "bucket/first on a");
	want(&w, "bucket/first on a", "{}");
	prepare(&w, &plan);
	struct apply run = {.env = &w.env, .plan = &plan, .act_timeout_ns = 300000000};
	assert_int_equal(ERR_TIMEOUT, plan_apply(&w.call, &run, &result));
	assert_int_equal(2, result.done);
	assert_int_equal(6, result.failed);
	assert_string_equal("create bucket/first on a\ncreate bucket/second on a\n", buf_cstr(&w.log));
	err_clear(&w.call.err);
	struct event *events;
	size_t count, untried = 0;
	assert_int_equal(0, state_read_all(&w.call, &w.state, S("action.failed"), S(""), &events, &count));
	for (size_t i = 0; i < count; i++)
		untried += strstr(json_text(json_object_get(events[i].data, "error"), "message"),
				   "not tried, because the cloud does not answer") != NULL;
	assert_int_equal(2, untried); // four were under way at once
	w.hangs = NULL;
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 6});
	end(&w);
}

static void test_moved_keeps_uid_and_cloud_id(void **state)
{
	(void)state;
	struct world w;
	struct resource before, after;
	begin(&w);
	want(&w, "bucket/x on a", "{}");
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/x on a"), &before));
	w.desired_count = 0;
	want(&w, "bucket/y on a", "{}")->moved_from = S("bucket/x on a");
	assert_true(str_copy(w.exists[0], sizeof(w.exists[0]), S("bucket/x on a")));
	assert_apply(&w, (struct apply_result){.revision = 2, .done = 1});
	assert_string_equal("", buf_cstr(&w.log)); // no call of a provider
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/y on a"), &after));
	assert_true(str_eq(before.uid, after.uid));
	assert_true(str_eq(before.cloud_id, after.cloud_id));
	assert_int_equal(ERR_NOT_FOUND, resource_get(&w.call, &w.state, S("bucket/x on a"), &before));
	err_clear(&w.call.err);
	assert_int_equal(1, count_events(&w, "resource.moved"));
	end(&w);
}

static void test_kept_is_recorded_and_never_touched(void **state)
{
	(void)state;
	struct world w;
	struct resource r;
	struct apply_result result;
	struct resource_common keep = {.existing = S("keep")}, adopt = {.existing = S("adopt")};
	begin(&w);
	want(&w, "bucket/raw on a", "{}")->common = &keep;
	want(&w, "bucket/old on a", "{}")->common = &adopt;
	assert_int_equal(ERR_NOT_FOUND, apply(&w, &result)); // neither is there
	assert_string_equal("", buf_cstr(&w.log));
	w.exist_count = 2;
	assert_true(str_copy(w.exists[0], sizeof(w.exists[0]), S("bucket/raw on a")));
	assert_true(str_copy(w.exists[1], sizeof(w.exists[1]), S("bucket/old on a")));
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 2});
	assert_string_equal("adopt bucket/old on a\n", buf_cstr(&w.log));
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/raw on a"), &r));
	assert_true(resource_is_kept(&r));
	w.desired_count = 0;
	assert_apply(&w, (struct apply_result){.revision = 2, .done = 2});
	assert_string_equal("delete bucket/old on a\n", buf_cstr(&w.log));
	assert_int_equal(1, w.exist_count);
	end(&w);
}

static void test_waiting_makes_nothing(void **state)
{
	(void)state;
	struct world w;
	struct resource r;
	struct plan plan;
	begin(&w);
	want(&w, "bucket/x on a", "{}");
	w.waits = "bucket/x on a";
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	assert_string_equal("", buf_cstr(&w.log));
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/x on a"), &r));
	assert_true(str_eq(S("waiting"), r.status));
	assert_true(str_eq(S("not yet"), r.reason));
	prepare(&w, &plan);
	assert_true(plan_is_empty(&plan));
	assert_int_equal(1, plan.waits);
	w.waits = NULL;
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	assert_string_equal("create bucket/x on a\n", buf_cstr(&w.log));
	end(&w);
}

static void test_gone_outside_is_made_again(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	want(&w, "bucket/x on a", "{}");
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	w.exist_count = 0;
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	assert_string_equal("create bucket/x on a\n", buf_cstr(&w.log));
	w.exist_count = 0; // and once more: the act has another name than the first time
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	assert_int_equal(1, w.exist_count);
	end(&w);
}

static void test_cut_off_after_the_act(void **state)
{
	(void)state;
	struct world w;
	struct resource r;
	begin(&w);
	want(&w, "bucket/x on a", "{}");
	// What a kill leaves: the record that creating had begun, and the thing itself.
	struct resource half = w.desired[0];
	half.status = S("creating");
	half.uid = S("01234567-0123-0123-0123-012345678901");
	assert_int_equal(0, resource_put(&w.call, &w.state, &half));
	snprintf(w.exists[w.exist_count++], sizeof(w.exists[0]), "%s", "bucket/x on a");
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	assert_int_equal(1, w.exist_count);
	assert_int_equal(0, resource_get(&w.call, &w.state, S("bucket/x on a"), &r));
	assert_true(str_eq(half.uid, r.uid));
	assert_true(str_eq(S("ready"), r.status));
	end(&w);
}

// A kill between the record of an act and its journal: nothing is left to do, but the intent is still to be closed.
static void test_closes_what_a_kill_left_open(void **state)
{
	(void)state;
	struct world w;
	struct record *open, key = {0};
	size_t count = 0;
	begin(&w);
	want(&w, "bucket/x on a", "{}");
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	AUTO(json) intent = json_pack("{s:s, s:s, s:{}}", "type", "resource.apply", "address", "bucket/x on a", "input");
	key = (struct record){.key = S("intent/apply on a/apply/1/bucket/x on a/create/7"), .value = intent};
	struct state_write write = {.record = &key, .expected = 0};
	const struct state_batch batch = {.expected_head = UINT64_MAX, .writes = &write, .write_count = 1};
	assert_int_equal(0, state_commit(&w.call, &w.state, &batch));
	assert_apply(&w, (struct apply_result){.revision = 0, .done = 0});
	assert_int_equal(0, state_list(&w.call, &w.state, S("intent/"), &open, &count));
	assert_int_equal(0, count);
	end(&w);
}

// An intent of what is only a record (a release that acted on such changes was killed before the record): closing it and
// writing the record are one and the same, and it is journaled once.
static void test_open_intent_of_a_record_is_done_once(void **state)
{
	(void)state;
	struct world w;
	struct record *open, key = {0};
	size_t count = 0;
	begin(&w);
	want(&w, "bucket/x on a", "{}");
	w.waits = "bucket/x on a";
	AUTO(json) intent = json_pack("{s:s, s:s, s:{}}", "type", "resource.apply", "address", "bucket/x on a", "input");
	key = (struct record){.key = S("intent/apply on a/apply/1/bucket/x on a/create/0"), .value = intent};
	struct state_write write = {.record = &key, .expected = 0};
	const struct state_batch batch = {.expected_head = UINT64_MAX, .writes = &write, .write_count = 1};
	assert_int_equal(0, state_commit(&w.call, &w.state, &batch));
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 1});
	assert_string_equal("", buf_cstr(&w.log));
	assert_int_equal(1, count_events(&w, "action.done"));
	assert_int_equal(0, state_list(&w.call, &w.state, S("intent/"), &open, &count));
	assert_int_equal(0, count);
	end(&w);
}

// What needs another lane's change is written when that one is done, and never by way of an intent.
static void test_records_never_have_an_intent(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	want_three(&w);
	need(&w, want(&w, "bucket/y on b", "{}"), "dataset/s");
	w.waits = "bucket/y on b";
	assert_apply(&w, (struct apply_result){.revision = 1, .done = 4});
	assert_int_equal(2, count_events(&w, "action.intended"));
	assert_int_equal(4, count_events(&w, "action.done"));
	end(&w);
}

struct heard {
	size_t started, done, last_finished;
};

static void hear(void *ctx, const struct apply_event *e)
{
	struct heard *h = ctx;
	h->started += e->state == APPLY_STARTED;
	h->done += e->state == APPLY_DONE;
	h->last_finished = e->finished;
	assert_int_equal(3, e->total);
}

static void test_reports(void **state)
{
	(void)state;
	struct world w;
	struct heard heard = {0};
	struct plan plan;
	struct apply_result result;
	begin(&w);
	want_three(&w);
	prepare(&w, &plan);
	struct apply run = {.env = &w.env, .plan = &plan, .report = hear, .ctx = &heard};
	assert_int_equal(0, plan_apply(&w.call, &run, &result));
	assert_int_equal(3, heard.started);
	assert_int_equal(3, heard.done);
	assert_int_equal(3, heard.last_finished);
	assert_string_equal("skipped", apply_state_word(APPLY_SKIPPED));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply_then_nothing),
		cmocka_unit_test(test_update_keeps_uid_and_raises_revision),
		cmocka_unit_test(test_replace_gives_a_new_uid),
		cmocka_unit_test(test_deletes_in_reverse),
		cmocka_unit_test(test_failure_keeps_other_branches_going),
		cmocka_unit_test(test_a_cloud_that_hangs),
		cmocka_unit_test(test_moved_keeps_uid_and_cloud_id),
		cmocka_unit_test(test_kept_is_recorded_and_never_touched),
		cmocka_unit_test(test_waiting_makes_nothing),
		cmocka_unit_test(test_gone_outside_is_made_again),
		cmocka_unit_test(test_cut_off_after_the_act),
		cmocka_unit_test(test_closes_what_a_kill_left_open),
		cmocka_unit_test(test_open_intent_of_a_record_is_done_once),
		cmocka_unit_test(test_records_never_have_an_intent),
		cmocka_unit_test(test_reports),
	};
	return cmocka_run_group_tests_name("infra-apply", tests, NULL, NULL);
}
