// SPDX-License-Identifier: Apache-2.0
// The story of a thing from a journal written by hand: causes and effects both ways, costs, ids of every sort, and what is not known.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/why.h"
#include "fixture.h"

enum { MOST = 32 };
struct world {
	struct fixture f;
	struct event events[MOST];
	size_t count;
	struct why_graph g;
};

static void add(struct world *w, const char *type, const char *address, const char *data)
{
	json_t *parsed = NULL;
	assert_ok(&w->f, json_parse(str_of(data), &parsed, &w->f.call.err));
	size_t n = w->count++;
	w->events[n] = (struct event){.sequence = n + 1,
		.time_ns = (int64_t)(n + 1) * 1000000000,
		.type = str_of(type),
		.address = str_of(address),
		.trace = n < 2 ? S("aaaa0000aaaa0000aaaa0000aaaa0000") : S("bbbb0000bbbb0000bbbb0000bbbb0000"),
		.principal = n < 2 ? S("user/ada") : S("user/ben"),
		.data = json_in_arena(&w->f.arena, parsed)};
}

static void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	fixture_open(&w->f);
	add(w, "revision.committed", "",
		"{\"number\":1,\"changes\":[{\"action\":\"create\",\"address\":\"dataset/d\"},{\"action\":\"create\",\"address\":\"model/m\"}]}");
	add(w, "action.done", "dataset/d", "{\"action\":\"apply/1/dataset/d/create/0\",\"type\":\"resource.apply\",\"output\":{}}");
	add(w, "step.started", "dataset/d", "{\"run\":\"111111aaaaaa\",\"digest\":\"111111aaaaaa9999\"}");
	add(w, "transfer.done", "dataset/d",
		"{\"id\":\"dataset/d/111111aaaaaa/aws/put\",\"from\":\"gcp\",\"to\":\"aws\",\"bytes\":500,\"price\":0.25,\"currency\":\"USD\"}");
	add(w, "step.done", "dataset/d", "{\"run\":\"111111aaaaaa\",\"inputs\":[]}");
	add(w, "action.intended", "training/t",
		"{\"action\":\"train/t/222222bbbbbb/aws/submit\",\"type\":\"job.submit\",\"input\":{\"cloud\":\"aws\",\"job\":\"training/t/222222bbbbbb/aws\"}}");
	add(w, "round.accepted", "training/t",
		"{\"training\":\"t\",\"run\":\"222222bbbbbb\",\"round\":1,\"accepted\":[{\"site\":\"aws\",\"sha256\":\"abcdef123456\"}],\"late\":[\"gcp\"],\"lost\":[]}");
	add(w, "step.done", "training/t", "{\"run\":\"222222bbbbbb\",\"inputs\":[{\"address\":\"dataset/d\",\"run\":\"111111aaaaaa\"}]}");
	add(w, "model.registered", "model/m",
		"{\"version\":\"1\",\"sha256\":\"fedcba654321\",\"lineage\":{\"inputs\":{\"training/t\":\"222222bbbbbb\"}}}");
	add(w, "model.promoted", "model/m@best", "{\"version\":\"1\",\"before\":\"\",\"needs\":[{\"need\":\"accuracy >= 0.5\",\"measured\":0.75}]}");
	add(w, "action.intended", "endpoint/e on aws",
		"{\"action\":\"deploy/e on aws/1\",\"type\":\"endpoint.ensure\",\"input\":{\"prefix\":\"models/m/1/\",\"generation\":\"g1\"}}");
	add(w, "endpoint.changed", "endpoint/e on aws", "{\"state\":\"ready\",\"version\":\"1\",\"reason\":\"\"}");
	add(w, "alert.firing", "",
		"{\"monitor\":\"lost\",\"rule\":0,\"cloud\":\"aws\",\"watch\":\"endpoint/e\",\"state\":\"firing\",\"summary\":\"attempts fail\"}");
	add(w, "override.set", "endpoint/e on aws",
		"{\"address\":\"endpoint/e on aws\",\"field\":\"traffic\",\"value\":0,\"author\":\"monitor/lost\",\"reason\":\"attempts fail\"}");
	add(w, "override.ended", "endpoint/e on aws",
		"{\"address\":\"endpoint/e on aws\",\"field\":\"traffic\",\"value\":0,\"author\":\"monitor/lost\",\"ended_by\":\"user/ben\",\"why\":\"well again\"}");
	assert_ok(&w->f, why_build(&w->f.call, w->events, w->count, NULL, 0, &w->g));
}

static const json_t *tell(struct world *w, const char *thing)
{
	struct why_node *node = NULL;
	assert_ok(&w->f, why_find(&w->f.call, &w->g, str_of(thing), &node));
	return json_in_arena(&w->f.arena, why_tell(&w->g, node));
}

static bool names(const json_t *list, const char *id, const char *label)
{
	size_t i;
	const json_t *item;
	json_array_foreach(list, i, item)
	{
		if (strcmp(json_text(item, "id"), id) == 0 && strcmp(json_text(item, "label"), label) == 0)
			return true;
	}
	return false;
}

static void test_both_directions(UNUSED void **state)
{
	struct world w;
	begin(&w);
	const json_t *story = tell(&w, "model/m/1"), *because = json_object_get(story, "because"), *then = json_object_get(story, "then");
	assert_string_equal(json_text(story, "kind"), "version");
	assert_string_equal(json_text(story, "by"), "user/ben");
	assert_true(names(because, "training/t/222222bbbbbb", "made from"));
	assert_true(names(because, "dataset/d/111111aaaaaa", "made from"));
	assert_true(names(because, "revision/1", "declared by"));
	assert_true(names(because, "trace/aaaa0000aaaa0000aaaa0000aaaa0000", "applied by"));
	assert_true(names(then, "model/m@best", "stands for"));
	assert_true(names(then, "endpoint/e on aws", "serves"));
	const json_t *cost = json_object_get(story, "cost"), *all = json_object_get(cost, "of_all");
	assert_int_equal(json_int(cost, "bytes", -1), 0);
	assert_int_equal(json_int(all, "bytes", -1), 500);
	assert_true(json_number_value(json_object_get(all, "amount")) == 0.25);
	fixture_close(&w.f);
}

static void test_histories(UNUSED void **state)
{
	static const struct {
		const char *thing, *kind, *last;
	} cases[] = {
		{"model/m@best", "alias", "because accuracy >= 0.5: measured 0.7500"},
		{"training/t/222222bbbbbb", "run", "done"},
		{"alert/lost/0/aws", "alert", "firing: attempts fail"},
		{"override/endpoint/e on aws#traffic", "override", "ended by user/ben: well again"},
		{"training/t/222222bbbbbb/aws", "job", "submitted to aws"},
		{"cost/gcp/aws", "cost line", NULL},
		{"revision/1", "revision", "committed with 2 changes"},
	};
	struct world w;
	begin(&w);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const json_t *story = tell(&w, cases[i].thing), *history = json_object_get(story, "history");
		const json_t *last = json_array_get(history, json_array_size(history) - 1);
		assert_string_equal(json_text(story, "thing"), cases[i].thing);
		assert_string_equal(json_text(story, "kind"), cases[i].kind);
		assert_string_equal(json_text(last, "text"), cases[i].last ? cases[i].last : "");
	}
	assert_true(names(json_object_get(tell(&w, "override/endpoint/e on aws#traffic"), "because"), "monitor/lost", "fixed by"));
	fixture_close(&w.f);
}

static void test_other_ids(UNUSED void **state)
{
	static const char *const ids[][2] = {
		{"m@1", "model/m/1"},
		{"fedcba", "model/m/1"},
		{"abcdef", "training/t/222222bbbbbb"},
		{"222222", "training/t/222222bbbbbb"},
		{"event/4", "event/4"},
		{"event/7", "training/t/222222bbbbbb"},
		{"bbbb0000bbbb0000bbbb0000bbbb0000", "trace/bbbb0000bbbb0000bbbb0000bbbb0000"},
		{"aws:w-lake/models/m/1/model.json", "model/m/1"},
		{"endpoint/e on aws#traffic", "override/endpoint/e on aws#traffic"},
		{"apply/1/dataset/d/create/0", "dataset/d"},
	};
	struct world w;
	begin(&w);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		assert_string_equal(json_text(tell(&w, ids[i][0]), "thing"), ids[i][1]);
	fixture_close(&w.f);
}

static void test_not_known(UNUSED void **state)
{
	struct world w;
	struct why_node *node = NULL;
	begin(&w);
	assert_int_equal(why_find(&w.f.call, &w.g, S("nonsense"), &node), ERR_NOT_FOUND);
	assert_non_null(strstr(w.f.call.err.message, "nothing is known of \"nonsense\""));
	err_clear(&w.f.call.err);
	why_alias(&w.g, S("fedcbaffffff"), why_node(&w.g, S("model/other/2"), "version"));
	assert_int_equal(why_find(&w.f.call, &w.g, S("fedcba"), &node), ERR_CONFLICT);
	assert_non_null(strstr(w.f.call.err.message, "model/m/1"));
	assert_non_null(strstr(w.f.call.err.message, "model/other/2"));
	fixture_close(&w.f);
}

static void test_requests(UNUSED void **state)
{
	struct world w;
	json_t *line = NULL;
	begin(&w);
	assert_ok(&w.f,
		json_parse(S("{\"index\":17,\"body\":{\"time\":\"2026-11-24T14:22:28.146870Z\",\"principal\":\"api-key/k\",\"resource\":\"endpoint/e\","
			     "\"cloud\":\"aws\",\"outcome\":\"denied\",\"reason\":\"role r\",\"status\":403,\"trace\":\"cc\","
			     "\"detail\":{\"method\":\"POST\",\"path\":\"/p\",\"route\":\"x\",\"attempts\":2}}}"),
			&line, &w.f.call.err));
	struct why_node *node = why_request(&w.g, S("edge"), json_in_arena(&w.f.arena, line));
	assert_non_null(node);
	const json_t *story = tell(&w, "gateway/edge#17"), *because = json_object_get(story, "because");
	assert_string_equal(json_text(json_array_get(json_object_get(story, "history"), 0), "text"),
		"POST /p: 403, denied by rule \"role r\", after clouds that failed");
	assert_true(names(because, "api-key/k", "asked by") && names(because, "route/x", "came by"));
	assert_true(names(because, "endpoint/e on aws", "answered by") && names(because, "model/m/1", "serves"));
	assert_true(names(because, "dataset/d/111111aaaaaa", "made from"));
	assert_ok(&w.f,
		json_parse(S("{\"index\":0,\"body\":{\"time\":\"2026-11-24T14:22:28.146870Z\",\"kind\":\"segment\",\"log\":\"8fe0\","
			     "\"writer\":\"gateway/edge\"}}"),
			&line, &w.f.call.err));
	assert_non_null(why_request(&w.g, S("edge"), json_in_arena(&w.f.arena, line)));
	story = tell(&w, "gateway/edge#0");
	assert_string_equal(json_text(story, "kind"), "audit record");
	assert_string_equal(json_text(json_array_get(json_object_get(story, "history"), 0), "text"), "segment of the audit log 8fe0");
	fixture_close(&w.f);
}

// An address as the file has it stands for the resource on each cloud.
static void test_groups(UNUSED void **state)
{
	struct world w;
	begin(&w);
	why_group(&w.g, S("endpoint/e"), NULL, 0);
	why_group(&w.g, S("endpoint/nobody"), NULL, 0);
	const json_t *story = tell(&w, "endpoint/e");
	assert_true(names(json_object_get(story, "then"), "endpoint/e on aws", "on"));
	assert_null(str_map_get(&w.g.nodes, S("endpoint/nobody")));
	fixture_close(&w.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_histories),
		cmocka_unit_test(test_other_ids),
		cmocka_unit_test(test_not_known),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_groups),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
