// SPDX-License-Identifier: Apache-2.0
// Asking before bytes move: the recorded lineage, what was really made, transfers, what is journaled, whose an object is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/copy.h"
#include "data/objects.h"
#include "data/passage.h"
#include "fixture_state.h"
#include "memory_cloud.h"

struct world {
	struct fixture f;
	struct state s;
	struct edges_fake edges;
	struct memory_cloud us, eu;
	struct cloud list[2];
	struct clouds all;
};

static void declare(struct world *w, const char *address, const char *json)
{
	AUTO(json) j = NULL;
	assert_ok(&w->f, json_parse(str_of(json), &j, &w->f.call.err));
	fixture_resource(&w->f, &w->s, address, json_incref(j), NULL);
}

static void made(struct world *w, const char *address, const char *outputs)
{
	AUTO(json) j = NULL;
	struct str text = arena_printf(&w->f.arena, "{\"run\":\"r\",\"outputs\":%s}", outputs);
	assert_ok(&w->f, json_parse(text, &j, &w->f.call.err));
	assert_ok(&w->f, state_put(&w->f.call, &w->s, arena_printf(&w->f.arena, "made/%s", address), j, UINT64_MAX, NULL));
}

static void open_world(struct world *w)
{
	fixture_open_state(&w->f, &w->s);
	edges_fake_init(&w->edges, INT64_C(1795521600000000000), 1); // 2026-11-24T12:00:00Z
	w->f.call.edges = &w->edges.edges;
	memory_cloud_init(&w->us, "aws-us", "aws");
	memory_cloud_init(&w->eu, "gcp-eu", "gcp");
	memory_cloud_bucket(&w->us, "fashion-lake");
	memory_cloud_bucket(&w->eu, "fashion-lake");
	w->list[0] = w->us.cloud;
	w->list[1] = w->eu.cloud;
	w->all = (struct clouds){.items = w->list, .count = 2};
	declare(w, "cloud/aws-us", "{\"provider\":\"aws\",\"region\":\"us-east-1\"}");
	declare(w, "cloud/gcp-eu", "{\"provider\":\"gcp\",\"region\":\"europe-west4\"}");
	declare(w, "bucket/lake on aws-us", "{}");
	declare(w, "bucket/lake on gcp-eu", "{}");
	declare(w, "dataset/returns", "{\"source\":\"bucket/lake/in/returns/\",\"class\":\"personal\",\"residency\":[\"EU\"]}");
	declare(w, "transform/f", "{\"input\":\"dataset/returns\"}");
	declare(w, "training/t", "{\"data\":\"transform/f\"}");
	declare(w, "model/m", "{\"from\":\"training/t\"}");
}

static void close_world(struct world *w)
{
	memory_cloud_free(&w->us);
	memory_cloud_free(&w->eu);
	fixture_close_state(&w->f, &w->s);
}

static int ask(struct world *w, const char *what, int cloud)
{
	const struct passage p = {.what = str_of(what), .to = &w->list[cloud], .id = S("act/1")};
	return passage_check(&w->f.call, &w->s, &p);
}

static void test_refused(void **state)
{
	(void)state;
	struct world w;
	struct event *events;
	open_world(&w);
	assert_ok(&w.f, ask(&w, "model/m@champion", 1));
	assert_int_equal(ask(&w, "model/m@champion", 0), ERR_DENIED);
	assert_string_equal(w.f.call.err.message, "residency: model/m@champion may lie in [EU] only (class personal, from dataset/returns); "
						  "aws-us lies in US");
	err_clear(&w.f.call.err);
	assert_fails(&w.f, ask(&w, "model/m@champion", 0), ERR_DENIED); // told once
	assert_int_equal(fixture_events(&w.f, &w.s, "residency.", &events), 1);
	assert_str(events[0].type, S("residency.refused"));
	assert_str(events[0].address, S("model/m@champion"));
	const json_t *d = events[0].data;
	assert_str(json_str(d, "cloud"), S("aws-us"));
	assert_str(json_str(d, "place"), S("US"));
	assert_str(json_str(d, "law"), S("US"));
	assert_str(json_str(d, "class"), S("personal"));
	assert_str(json_str(d, "origin"), S("dataset/returns"));
	assert_str(json_str(d, "id"), S("act/1"));
	assert_false(json_flag(d, "allowed", true));
	close_world(&w);
}

static void test_transfer(void **state)
{
	(void)state;
	struct world w;
	struct event *events;
	open_world(&w);
	declare(&w, "transfer/us",
		"{\"what\":\"model/m\",\"to\":\"US\",\"until\":\"2026-11-24\",\"basis\":\"SCC\",\"reference\":\"D-1\"}");
	assert_ok(&w.f, ask(&w, "model/m@champion", 0));
	assert_fails(&w.f, ask(&w, "training/t", 0), ERR_DENIED); // exactly the model
	assert_int_equal(fixture_events(&w.f, &w.s, "residency.passed", &events), 1);
	assert_str(json_str(events[0].data, "transfer"), S("transfer/us"));
	assert_str(json_str(events[0].data, "reference"), S("D-1"));
	w.edges.now_ns += INT64_C(86400000000000); // validated and planned in time, moved too late
	assert_int_equal(ask(&w, "model/m@champion", 0), ERR_DENIED);
	assert_non_null(strstr(w.f.call.err.message, "and transfer/us ran out on 2026-11-24"));
	close_world(&w);
}

static void test_made(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	declare(&w, "dataset/returns", "{\"source\":\"bucket/lake/in/returns/\",\"class\":\"public\",\"residency\":\"anywhere\"}");
	assert_ok(&w.f, ask(&w, "model/m", 0));
	made(&w, "training/t", "{\"class\":\"personal\",\"residency\":[\"EU\"],\"operators\":null}"); // before it was public
	assert_fails(&w.f, ask(&w, "model/m", 0), ERR_DENIED);
	assert_fails(&w.f, ask(&w, "training/t", 0), ERR_DENIED);
	const struct passage making = {.what = S("training/t"), .to = &w.list[0], .making = true};
	assert_ok(&w.f, passage_check(&w.f.call, &w.s, &making)); // made again from what is public now
	const json_t *said = json_in_arena(&w.f.arena, json_pack("{s:[s]}", "residency", "DE"));
	const struct passage version = {.what = S("model/m"), .to = &w.list[1], .made = said};
	assert_fails(&w.f, passage_check(&w.f.call, &w.s, &version), ERR_DENIED); // NL
	bool may = true;
	assert_ok(&w.f, passage_allows(&w.f.call, &w.s, &version, &may));
	assert_false(may);
	close_world(&w);
}

static void test_at_hand(void **state)
{
	(void)state;
	struct world w;
	struct resource r;
	struct bounds b;
	open_world(&w);
	assert_ok(&w.f, resource_get(&w.f.call, &w.s, S("dataset/returns"), &r));
	r.resolved = json_in_arena(&w.f.arena, json_pack("{s:s,s:s,s:[s]}", "source", "file:x", "class", "special", "residency", "US"));
	const struct passage p = {.what = r.address, .to = &w.list[0], .of = &r};
	assert_ok(&w.f, passage_check(&w.f.call, &w.s, &p));
	assert_ok(&w.f, passage_bounds(&w.f.call, &w.s, &p, &b));
	assert_int_equal(b.class, CLASS_SPECIAL);
	assert_str(places_text(&b.where, &w.f.arena), S("[US]"));
	r.address = S("dataset/new"); // not recorded yet
	const struct passage fresh = {.what = r.address, .to = &w.list[1], .of = &r};
	assert_fails(&w.f, passage_check(&w.f.call, &w.s, &fresh), ERR_DENIED);
	close_world(&w);
}

static void test_plan(void **state)
{
	(void)state;
	struct world w;
	struct resource *all;
	size_t count;
	open_world(&w);
	declare(&w, "endpoint/e on aws-us", "{\"model\":\"model/m@champion\",\"clouds\":[\"aws-us\"]}");
	declare(&w, "dataset/returns", "{\"source\":\"file:x\",\"class\":\"public\",\"residency\":\"anywhere\"}");
	assert_ok(&w.f, resource_list(&w.f.call, &w.s, S(""), &all, &count));
	assert_ok(&w.f, passage_plan(&w.f.call, &w.s, all, count));
	made(&w, "model/m@champion", "{\"class\":\"personal\",\"residency\":[\"EU\"],\"operators\":null}");
	assert_int_equal(passage_plan(&w.f.call, &w.s, all, count), ERR_DENIED);
	assert_string_equal(w.f.call.err.message, "residency: endpoint/e on aws-us: model/m may lie in [EU] only (class personal, as it declares); "
		"aws-us lies in US (leave aws-us out, or declare a transfer of model/m to US); what was made before keeps the bounds of its "
		"making until it is made again");
	close_world(&w);
}

static void check_owner(struct world *w, const char *bucket, const char *key, const char *want)
{
	const struct passage_object o = {&w->list[0], str_of(bucket), str_of(key)};
	struct str what;
	assert_ok(&w->f, passage_owner(&w->f.call, &w->s, &o, &what));
	assert_str(what, str_of(want));
}

static void test_owner(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	check_owner(&w, "fashion-lake", "datasets/returns/0123/manifest.json", "dataset/returns");
	check_owner(&w, "fashion-lake", "transforms/f/0123/train/data.safetensors", "transform/f");
	check_owner(&w, "fashion-lake", "trainings/t/x/round-1/weights.safetensors", "training/t");
	check_owner(&w, "fashion-lake", "models/m/1/model.json", "model/m");
	check_owner(&w, "fashion-lake", "in/returns/part-0.parquet", "dataset/returns"); // its source
	check_owner(&w, "fashion-lake", "in/other/part-0.parquet", "");
	check_owner(&w, "fashion-lake", "models", "");
	check_owner(&w, "elsewhere", "models/m/1/model.json", ""); // no bucket of ours
	close_world(&w);
}

static void test_movers(void **state)
{
	(void)state;
	struct world w;
	struct copy_result r;
	struct object_place from, to;
	open_world(&w);
	const struct object_env env = {.state = &w.s, .clouds = &w.all};
	memory_cloud_poke(&w.eu, "fashion-lake", "in/returns/a.jsonl", S("{}\n"));
	assert_ok(&w.f, object_place_parse(&w.f.call, &env, S("gcp-eu:lake/in/returns/a.jsonl"), &from));
	assert_ok(&w.f, object_place_parse(&w.f.call, &env, S("aws-us:lake/stolen.jsonl"), &to));
	assert_fails(&w.f, objects_copy(&w.f.call, &env, &from, &to, &r), ERR_DENIED);
	assert_int_equal(memory_cloud_count(&w.us, "fashion-lake", ""), 0); // not a byte
	struct copy copy = {.from = {&w.list[1], S("fashion-lake"), S("in/returns/a.jsonl")},
		.to = {&w.list[0], S("fashion-lake"), S("x")},
		.state = &w.s,
		.what = S("dataset/returns")};
	assert_fails(&w.f, copy_object(&w.f.call, &copy, &r), ERR_DENIED);
	copy.what = S("training/other"); // accounts for it, but the bytes are another thing's
	copy.bytes_of = S("dataset/returns");
	assert_fails(&w.f, copy_prefix(&w.f.call, &copy, &r), ERR_DENIED);
	assert_int_equal(memory_cloud_count(&w.us, "fashion-lake", ""), 0);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_transfer),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_at_hand),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_movers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
