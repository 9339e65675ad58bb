// SPDX-License-Identifier: Apache-2.0
// The registry on a real state: versions are numbered, recorded once, never changed; aliases move with an event.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture_state.h"
#include "models/registry.h"

struct world {
	struct fixture f;
	struct state s;
};

static struct model_version version_of(struct world *w, const char *run, const char *sha256)
{
	struct str *clouds = arena_new_array(&w->f.arena, 2, struct str);
	clouds[0] = S("aws-us");
	clouds[1] = S("gcp-eu");
	return (struct model_version){
		.model = S("classifier"),
		.sha256 = str_of(sha256),
		.bucket = S("lake"),
		.lineage = json_in_arena(&w->f.arena, json_pack("{s:s, s:s}", "training", "classifier", "run", run)),
		.clouds = clouds,
		.cloud_count = 2,
		.created_ns = 42,
	};
}

static void record(struct world *w, struct model_version *v, const char *expected)
{
	assert_ok(&w->f, model_version_of_run(&w->f.call, &w->s, v, &v->version));
	assert_str(v->version, str_of(expected));
	assert_ok(&w->f, model_register(&w->f.call, &w->s, v));
}

static void test_versions(void **state)
{
	(void)state;
	struct world w;
	fixture_open_state(&w.f, &w.s);
	struct model_version first = version_of(&w, "aaa", "11"), got, *all;
	size_t count;
	assert_fails(&w.f, model_version_get(&w.f.call, &w.s, S("classifier"), S("1"), &got), ERR_NOT_FOUND);
	record(&w, &first, "1");
	record(&w, &first, "1"); // again: the same
	assert_int_equal(fixture_events(&w.f, &w.s, "model.registered", NULL), 1);
	for (int i = 2; i <= 11; i++) {
		struct model_version more = version_of(&w, arena_printf(&w.f.arena, "run%d", i).p, "22");
		record(&w, &more, arena_printf(&w.f.arena, "%d", i).p);
	}
	assert_ok(&w.f, model_version_list(&w.f.call, &w.s, S("classifier"), &all, &count));
	assert_int_equal(count, 11);
	assert_str(all[1].version, S("2")); // by number: 10 and 11 come last
	assert_str(all[10].version, S("11"));
	assert_ok(&w.f, model_version_get(&w.f.call, &w.s, S("classifier"), S("1"), &got));
	assert_str(got.sha256, S("11"));
	assert_str(got.bucket, S("lake"));
	assert_str(got.clouds[1], S("gcp-eu"));
	assert_true(got.cloud_count == 2 && got.created_ns == 42);
	assert_str(json_str(got.lineage, "run"), S("aaa"));
	assert_ok(&w.f, model_version_list(&w.f.call, &w.s, S("other"), &all, &count));
	assert_int_equal(count, 0);
	fixture_close_state(&w.f, &w.s);
}

static void test_a_version_never_changes(void **state)
{
	(void)state;
	struct world w;
	fixture_open_state(&w.f, &w.s);
	struct model_version first = version_of(&w, "aaa", "11"), other = version_of(&w, "bbb", "22");
	record(&w, &first, "1");
	other.version = S("1");
	assert_fails(&w.f, model_register(&w.f.call, &w.s, &other), ERR_EXISTS);
	assert_str(model_prefix(&w.f.arena, S("classifier"), S("1")), S("models/classifier/1/"));
	fixture_close_state(&w.f, &w.s);
}

static void test_metrics_are_added(void **state)
{
	(void)state;
	struct world w;
	fixture_open_state(&w.f, &w.s);
	struct model_version v = version_of(&w, "aaa", "11"), got;
	AUTO(json) one = json_pack("{s:f}", "accuracy on prepared/test", 0.88);
	AUTO(json) two = json_pack("{s:f}", "accuracy on prepared/train", 0.9);
	assert_fails(&w.f, model_record_metrics(&w.f.call, &w.s, S("classifier"), S("1"), one), ERR_NOT_FOUND);
	record(&w, &v, "1");
	assert_ok(&w.f, model_record_metrics(&w.f.call, &w.s, S("classifier"), S("1"), one));
	assert_ok(&w.f, model_record_metrics(&w.f.call, &w.s, S("classifier"), S("1"), two));
	assert_ok(&w.f, model_record_metrics(&w.f.call, &w.s, S("classifier"), S("1"), two)); // nothing new
	assert_ok(&w.f, model_version_get(&w.f.call, &w.s, S("classifier"), S("1"), &got));
	assert_true(json_num(got.metrics, "accuracy on prepared/test", 0) == 0.88);
	assert_true(json_num(got.metrics, "accuracy on prepared/train", 0) == 0.9);
	assert_int_equal(fixture_events(&w.f, &w.s, "model.measured", NULL), 2);
	fixture_close_state(&w.f, &w.s);
}

static void test_aliases(void **state)
{
	(void)state;
	struct world w;
	fixture_open_state(&w.f, &w.s);
	struct event *events;
	AUTO(json) needs = json_pack("[{s:s, s:f}]", "need", "accuracy >= 0.87 on prepared/test", "measured", 0.88);
	struct model_alias_record got, r = {.model = S("classifier"), .alias = S("champion"), .version = S("1"), .needs = needs};
	assert_fails(&w.f, model_alias_get(&w.f.call, &w.s, S("classifier"), S("champion"), &got), ERR_NOT_FOUND);
	assert_ok(&w.f, model_promote(&w.f.call, &w.s, &r));
	assert_ok(&w.f, model_promote(&w.f.call, &w.s, &r)); // the same again
	assert_ok(&w.f, model_alias_get(&w.f.call, &w.s, S("classifier"), S("champion"), &got));
	assert_str(got.version, S("1"));
	assert_true(json_equal(got.needs, needs) && got.at_ns > 0);
	r.version = S("2");
	assert_ok(&w.f, model_promote(&w.f.call, &w.s, &r));
	assert_int_equal(fixture_events(&w.f, &w.s, "model.promoted", &events), 2);
	assert_str(events[1].address, S("model/classifier@champion"));
	assert_str(json_str(events[1].data, "before"), S("1"));
	assert_str(json_str(events[1].data, "version"), S("2"));
	fixture_close_state(&w.f, &w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_a_version_never_changes),
		cmocka_unit_test(test_metrics_are_added),
		cmocka_unit_test(test_aliases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
