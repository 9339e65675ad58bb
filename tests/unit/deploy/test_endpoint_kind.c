// SPDX-License-Identifier: Apache-2.0
// Endpoints on real accounts: servers, scale, rollout, and endpoints that others run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "deploy/endpoint_kind.h"
#include "kind_test.h"

static void test_rollout(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct endpoint e;
	static const char text[] = "model: fraud@champion\nclouds: [aws-eu]\nscale: {min: 3, max: 20, target: 60% cpu}\n"
				   "rollout: {canary: [5%, 25%, 100%], wait: 15m, judge: [monitor/fraud-answers]}\n";
	kind_test_decode(&endpoint_kind, text, &a, &e, "");
	assert_true(e.rollout.canary.count == 3 && ((const double *)e.rollout.canary.items)[1] == 0.25);
	assert_true(e.scale.target.share == 0.6 && str_eq(e.scale.target.what, S("cpu")));
	assert_true(e.rollout.wait_ns == 900 * NS_PER_S && str_eq(e.server.engine, S("isobar")));
	kind_test_later(&endpoint_kind, text, "scale.max, scale.target, rollout", "");
	kind_test_wrong(&endpoint_kind, "model: a@b\nclouds: all\nrollout: {canary: [50%, 25%]}\n",
		"3:19: rollout.canary: expected shares that rise to 100%; write [5%, 25%, 100%]\n");
	kind_test_wrong(&endpoint_kind, "model: a@b\nclouds: all\nscale: {min: 4, max: 2, target: often}\n",
		"3:33: scale.target: expected a share of cpu, memory or accelerator that replicas are to be used by; write it as 60% "
		"cpu\n3:8: scale: expected min to be at most max, got min 4 and max 2; write max: 4 or more\n");
}

static void test_server(UNUSED void **state)
{
	static const char text[] = "model: helper\nclouds: [gcp-eu]\nserver: {engine: vllm, args: [--max-model-len, \"8192\"]}\n"
				   "resources: {accelerator: \"L4:1\"}\nscale: {min: 0, max: 4, idle: 20m}\n";
	AUTO(arena) a = {0};
	struct endpoint e;
	kind_test_decode(&endpoint_kind, text, &a, &e, "");
	assert_true(e.resources.accelerator.count == 1 && e.scale.min == 0 && e.server.args.count == 2);
	kind_test_later(&endpoint_kind, text, "server.args, resources.accelerator, scale.max, scale.idle", "server.engine, scale.min");
	kind_test_later(&endpoint_kind, "{model: a@b, clouds: all, server: {engine: isobar}, scale: {min: 1}}", "", "");
}

static void test_foreign(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct endpoint e;
	static const char text[] = "existing: keep\ncloud: azure-eu\napi: azure-openai\n"
				   "url: \"https://lumen.openai.azure.com/openai/deployments/helper\"\ncredentials: secret/azure-openai\n";
	kind_test_decode(&endpoint_kind, text, &a, &e, "");
	assert_true(e.model.name.n == 0 && e.clouds.count == 1 && str_eq(e.credentials, S("secret/azure-openai")));
	kind_test_later(&endpoint_kind, text, "", "api");
	kind_test_wrong(&endpoint_kind, "cloud: a\nscale: {max: 0}\n",
		"2:14: scale.max: expected a whole number from 1 to 1000, got \"0\"\n"
		"1:1: \"model\" is missing; expected a model and one of its aliases; add model: NAME@ALIAS\n");
	kind_test_wrong(&endpoint_kind, "cloud: a\napi: openai\nurl: \"https://x.example/\"\n",
		"3:6: url: only an endpoint that somebody else runs has an address of its own; add existing: keep\n");
	kind_test_wrong(&endpoint_kind, "existing: keep\ncloud: a\nmodel: m@c\n",
		"3:8: model: what it serves is the business of whoever runs it; leave it out, and give api: and url:\n");
	kind_test_wrong(&endpoint_kind, "existing: keep\ncloud: a\nurl: \"https://x.example/\"\n",
		"3:6: url: an endpoint that somebody else runs has both api: and url:; add api:\n");
}

static void test_record(UNUSED void **state) // without what every resource has
{
	AUTO(arena) a = {0};
	AUTO(json) j = json_pack("{s:[s], s:s, s:s}", "clouds", "a", "api", "openai", "url", "https://x.example/");
	struct endpoint e;
	struct err error = {0};
	assert_int_equal(kind_decode_json(&endpoint_kind, j, &a, &e, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rollout),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
