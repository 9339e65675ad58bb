// SPDX-License-Identifier: Apache-2.0
// The lineage of a workspace as its resources tell it: what is inherited, what is refused and why.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "data/flow.h"
#include "fixture.h"

enum { MOST = 64 };

struct world {
	struct fixture f;
	struct resource list[MOST];
	size_t count;
	struct flow *flow;
	int64_t now_ns;
};

static void declare(struct world *w, const char *address, const char *json)
{
	AUTO(json) j = NULL;
	struct resource *r = &w->list[w->count++];
	assert_true(w->count <= MOST);
	assert_ok(&w->f, json_parse(str_of(json), &j, &w->f.call.err));
	r->address = str_of(address);
	assert_int_equal(resource_parse_address(r->address, &r->kind, &r->name, &r->cloud), 0);
	r->resolved = json_in_arena(&w->f.arena, json_incref(j));
}

static void open_world(struct world *w)
{
	*w = (struct world){0};
	fixture_open(&w->f);
	assert_int_equal(time_parse_rfc3339(S("2026-11-24T12:00:00Z"), &w->now_ns), 0);
	declare(w, "cloud/aws-eu", "{\"provider\":\"aws\",\"region\":\"eu-central-1\"}");
	declare(w, "cloud/aws-us", "{\"provider\":\"aws\",\"region\":\"us-east-1\"}");
	declare(w, "cloud/gcp-eu", "{\"provider\":\"gcp\",\"region\":\"europe-west4\"}");
	declare(w, "cloud/munich",
		"{\"provider\":\"site\",\"location\":\"DE\",\"operator\":{\"name\":\"Lumen\",\"law\":\"EU\"}}");
	declare(w, "cloud/attic", "{\"provider\":\"site\"}");
	declare(w, "bucket/raw on aws-eu", "{\"clouds\":[\"aws-eu\"]}");
	declare(w, "bucket/lake on aws-eu", "{\"clouds\":[\"aws-eu\"]}");
	declare(w, "bucket/lake on aws-us", "{\"clouds\":[\"aws-us\"]}");
	declare(w, "bucket/lake on munich", "{\"clouds\":[\"munich\"]}");
}

static void build(struct world *w)
{
	assert_ok(&w->f, flow_new(&w->f.arena, w->list, w->count, w->now_ns, &w->flow, &w->f.call.err));
}

static void check_bounds(struct world *w, const char *address, const char *want)
{
	struct bounds b = flow_bounds(w->flow, str_of(address));
	AUTO(json) j = json_object();
	AUTO(buf) text = {0};
	bounds_to_json(&b, j);
	assert_ok(&w->f, json_write(j, &text, &w->f.call.err));
	assert_string_equal(buf_cstr(&text), want);
}

static void check_finding(const struct flow_finding *f, const char *address, const char *path, const char *item)
{
	assert_str(f->address, str_of(address));
	assert_str(f->path, str_of(path));
	assert_str(f->item, str_of(item));
}

static size_t findings(struct world *w, struct flow_finding **out)
{
	size_t count = 0;
	*out = NULL;
	build(w);
	assert_ok(&w->f, flow_check(w->flow, out, &count, &w->f.call.err));
	return count;
}

static void close_world(struct world *w)
{
	fixture_close(&w->f);
}

#define RETURNS                                                                                                        \
	"{\"source\":\"bucket/raw/returns/"                                                                            \
	"\",\"class\":\"personal\",\"residency\":[\"EU\"],\"operators\":[\"EU\",\"US\"]}"

static void declare_chain(struct world *w)
{
	declare(w, "dataset/returns", RETURNS);
	declare(w, "dataset/catalogue",
		"{\"source\":\"bucket/raw/catalogue/\",\"class\":\"internal\",\"residency\":[\"DE\",\"CH\"]}");
	declare(w, "transform/features", "{\"input\":{\"returns\":\"returns\",\"catalogue\":\"dataset/catalogue\"}}");
	declare(w, "training/fraud", "{\"data\":\"transform/features/train\"}");
	declare(w, "model/fraud", "{\"from\":\"training/fraud\"}");
	declare(w, "endpoint/fraud on aws-eu", "{\"model\":\"model/fraud@champion\",\"clouds\":[\"aws-eu\"]}");
	declare(w, "route/fraud", "{\"to\":\"endpoint/fraud\"}");
}

static void test_inherited(void **state)
{
	(void)state;
	struct world w;
	struct flow_finding *found;
	open_world(&w);
	declare_chain(&w);
	assert_int_equal(findings(&w, &found), 0);
	static const char both[] = "{\"class\":\"personal\",\"operators\":[\"EU\",\"US\"],\"residency\":[\"DE\"]}";
	check_bounds(
		&w, "dataset/returns", "{\"class\":\"personal\",\"operators\":[\"EU\",\"US\"],\"residency\":[\"EU\"]}");
	check_bounds(&w, "transform/features", both);
	check_bounds(&w, "transform/features/train", both);
	check_bounds(&w, "model/fraud@champion", both);
	check_bounds(&w, "endpoint/fraud on aws-eu", both);
	check_bounds(&w, "endpoint/fraud", both);
	check_bounds(&w, "route/fraud", both);
	check_bounds(&w, "model/other", "{\"class\":\"\",\"operators\":null,\"residency\":null}");
	close_world(&w);
}

static void test_endpoint_outside(void **state)
{
	(void)state;
	struct world w;
	struct flow_finding *found;
	open_world(&w);
	declare_chain(&w);
	declare(&w, "endpoint/fraud on gcp-eu", "{\"model\":\"model/fraud@champion\",\"clouds\":[\"gcp-eu\"]}");
	assert_int_equal(
		findings(&w, &found), 2); // the model on the endpoint, and the requests that the route sends there
	check_finding(&found[0], "endpoint/fraud on gcp-eu", "clouds", "gcp-eu");
	assert_str(found[0].problem,
		S("model/fraud may lie in [DE] only (class personal, from dataset/catalogue); gcp-eu lies in NL"));
	assert_str(found[0].suggestion, S("leave gcp-eu out, or declare a transfer of model/fraud to NL"));
	check_finding(&found[1], "route/fraud", "to", "gcp-eu");
	close_world(&w);
}

static void test_transfer(void **state)
{
	(void)state;
	struct world w;
	struct flow_finding *found;
	open_world(&w);
	declare_chain(&w);
	declare(&w, "endpoint/support", "{\"model\":\"model/fraud\",\"clouds\":[\"aws-us\"]}");
	declare(&w, "transfer/us",
		"{\"what\":\"model/"
		"fraud\",\"to\":\"US\",\"until\":\"2026-11-24\",\"basis\":\"SCC\",\"reference\":\"D-1\"}");
	assert_int_equal(findings(&w, &found), 0); // to the end of that day
	struct flow_place us;
	assert_true(flow_cloud(w.flow, S("aws-us"), &us));
	struct flow_ruling ruling = flow_rule(w.flow, S("model/fraud@champion"), &us);
	assert_true(ruling.verdict.allowed);
	assert_str(ruling.verdict.place_door->address, S("transfer/us"));
	assert_false(flow_rule(w.flow, S("transform/features"), &us).verdict.allowed); // exactly it
	size_t doors;
	assert_str(flow_doors(w.flow, &doors)->reference, S("D-1"));
	assert_int_equal(doors, 1);
	w.now_ns += 86400 * NS_PER_S;
	assert_int_equal(findings(&w, &found), 2);
	check_finding(&found[0], "endpoint/support", "clouds", "aws-us");
	assert_str(found[0].problem,
		S("model/fraud may lie in [DE] only (class personal, from dataset/returns); aws-us lies in US, and "
		  "transfer/us ran out on 2026-11-24"));
	check_finding(&found[1], "transfer/us", "until", "");
	assert_str(found[1].problem, S("ran out on 2026-11-24: nothing of model/fraud goes out any more"));
	close_world(&w);
}

static void test_operators(void **state)
{
	(void)state;
	struct world w;
	struct flow_finding *found;
	open_world(&w);
	declare(&w, "dataset/health",
		"{\"source\":\"file:data\",\"class\":\"special\",\"residency\":[\"EU\"],\"operators\":[\"EU\"],"
		"\"partition\":{\"by\":\"hash of record\",\"clouds\":[\"aws-eu\",\"munich\",\"attic\"]}}");
	assert_int_equal(findings(&w, &found), 2);
	check_finding(&found[0], "dataset/health", "partition.clouds", "aws-eu"); // in Germany, under the law of the US
	assert_str(found[0].problem,
		S("dataset/health may lie with operators under the law of [EU] only (class special, as it declares); "
		  "aws-eu is operated under the law of US"));
	check_finding(&found[1], "dataset/health", "partition.clouds", "attic");
	assert_str(found[1].problem, S("dataset/health may lie in [EU] only (class special, as it declares); attic "
				       "does not say where it lies"));
	close_world(&w);
}

static void test_undeclared(void **state)
{
	(void)state;
	struct world w;
	struct flow_finding *found;
	open_world(&w);
	declare(&w, "dataset/there",
		"{\"source\":\"bucket/raw/x/\",\"class\":\"personal\",\"replicas\":{\"bucket\":\"bucket/lake\"}}");
	declare(&w, "dataset/here", "{\"source\":\"file:data\",\"class\":\"internal\",\"bucket\":\"bucket/lake\"}");
	declare(&w, "dataset/people", "{\"source\":\"file:data\",\"class\":\"personal\",\"bucket\":\"bucket/raw\"}");
	declare(&w, "model/m", "{\"from\":\"training/t\"}");
	declare(&w, "training/t", "{\"data\":\"dataset/there\",\"federated\":{\"clouds\":[\"aws-eu\",\"aws-us\"]}}");
	assert_int_equal(findings(&w, &found), 2);
	check_bounds(&w, "dataset/there",
		"{\"class\":\"personal\",\"operators\":null,\"residency\":[\"DE\"]}"); // as its source lies
	check_bounds(&w, "dataset/here", "{\"class\":\"internal\",\"operators\":null,\"residency\":[\"DE\",\"US\"]}");
	check_finding(&found[0], "dataset/people", "class", "");
	assert_str(found[0].problem, S("records of class personal from a file must say where they may lie: the country "
				       "of a file is not known"));
	check_finding(&found[1], "training/t", "federated.clouds", "aws-us");
	close_world(&w);
}

static void test_replicas(void **state)
{
	(void)state;
	struct world w;
	struct flow_finding *found;
	open_world(&w);
	declare(&w, "bucket/far on aws-us", "{\"clouds\":[\"aws-us\"]}");
	declare(&w, "dataset/some",
		"{\"source\":\"bucket/raw/x/\",\"residency\":[\"EU\"],\"replicas\":{\"bucket\":\"bucket/lake\"}}");
	declare(&w, "dataset/none",
		"{\"source\":\"bucket/raw/x/\",\"residency\":[\"EU\"],\"replicas\":{\"bucket\":\"bucket/far\"}}");
	assert_int_equal(findings(&w, &found), 1); // only those clouds of the lake that are allowed get one
	check_finding(&found[0], "dataset/none", "replicas.bucket", "");
	assert_str(found[0].problem,
		S("none of its clouds may have a copy: dataset/none may lie in [EU] only (as it declares); "
		  "aws-us lies in US"));
	close_world(&w);
}

static void test_nowhere(void **state)
{
	(void)state;
	struct world w;
	struct flow_finding *found;
	open_world(&w);
	declare(&w, "dataset/a", "{\"source\":\"bucket/raw/a/\",\"residency\":[\"DE\"]}");
	declare(&w, "dataset/b", "{\"source\":\"bucket/raw/b/\",\"residency\":[\"US\"]}");
	declare(&w, "transform/both", "{\"input\":[\"dataset/a\",\"b\"]}");
	declare(&w, "training/t", "{\"data\":\"both\"}");
	assert_int_equal(findings(&w, &found), 1); // said once, where it begins
	check_finding(&found[0], "transform/both", "", "");
	assert_str(found[0].problem, S("may lie nowhere: what it is made from shares no country"));
	close_world(&w);
}

static void test_audit(void **state)
{
	(void)state;
	struct world w;
	struct flow_finding *found;
	open_world(&w);
	declare_chain(&w);
	declare(&w, "route/open", "{\"to\":\"endpoint/other\"}");
	declare(&w, "audit/workspace", "{\"copies\":[\"bucket/lake on munich\",\"bucket/lake on aws-us\"]}");
	assert_int_equal(findings(&w, &found), 1); // the log tells of requests to a model of personal data
	check_finding(&found[0], "audit/workspace", "copies", "aws-us");
	check_bounds(
		&w, "audit/workspace", "{\"class\":\"personal\",\"operators\":[\"EU\",\"US\"],\"residency\":[\"DE\"]}");
	close_world(&w);
}

static void test_narrow(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	declare_chain(&w);
	build(&w);
	AUTO(json) made = json_pack("{s:s,s:[s],s:n}", "class", "special", "residency", "FR", "operators");
	assert_ok(&w.f, flow_narrow(w.flow, S("dataset/returns"), made, &w.f.call.err)); // stays as declared
	assert_ok(&w.f, flow_narrow(w.flow, S("transform/features"), made, &w.f.call.err));
	assert_ok(&w.f, flow_narrow(w.flow, S("model/gone@x"), made, &w.f.call.err));
	AUTO(json) odd = json_pack("{s:i}", "residency", 1);
	assert_fails(&w.f, flow_narrow(w.flow, S("model/fraud"), odd, &w.f.call.err), ERR_CORRUPT);
	check_bounds(
		&w, "dataset/returns", "{\"class\":\"personal\",\"operators\":[\"EU\",\"US\"],\"residency\":[\"EU\"]}");
	check_bounds(&w, "model/fraud", "{\"class\":\"special\",\"operators\":[\"EU\",\"US\"],\"residency\":[]}");
	close_world(&w);
}

static void test_ring_and_depth(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	enum { CHAIN = 100000 };
	struct resource *list = arena_new_array(&w.f.arena, CHAIN + 2, struct resource);
	list[0] = (struct resource){.address = S("dataset/d"), .kind = S("dataset"), .name = S("d")};
	list[0].resolved = json_in_arena(&w.f.arena, json_pack("{s:s,s:[s]}", "source", "file:x", "residency", "DE"));
	for (size_t i = 1; i <= CHAIN; i++) {
		struct resource *r = &list[i];
		*r = (struct resource){
			.address = arena_printf(&w.f.arena, "transform/t%zu", i), .kind = S("transform")};
		r->resolved = json_in_arena(&w.f.arena, json_object());
		json_set_str((json_t *)(uintptr_t)r->resolved, "input", list[i - 1].address);
	}
	struct flow *flow;
	assert_ok(&w.f, flow_new(&w.f.arena, list, CHAIN + 1, 0, &flow, &w.f.call.err));
	struct bounds b = flow_bounds(flow, S("transform/t100000")); // a hundred thousand steps down
	assert_str(places_text(&b.where, &w.f.arena), S("[DE]"));
	declare(&w, "transform/a", "{\"input\":\"transform/b\"}");
	declare(&w, "transform/b", "{\"input\":[\"transform/a\",\"dataset/d\"]}");
	declare(&w, "dataset/d", "{\"source\":\"bucket/raw/x/\",\"residency\":[\"EU\"]}");
	build(&w);
	check_bounds(&w, "transform/a", "{\"class\":\"\",\"operators\":null,\"residency\":[\"EU\"]}"); // a ring ends
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inherited),
		cmocka_unit_test(test_endpoint_outside),
		cmocka_unit_test(test_transfer),
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_undeclared),
		cmocka_unit_test(test_replicas),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_ring_and_depth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
