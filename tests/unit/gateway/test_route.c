// SPDX-License-Identifier: Apache-2.0
// Route patterns, the kinds of gateways and routes, and configurations that must be refused whole.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "gateway/gateway_kind.h"
#include "gateway/route.h"
#include "gateway/snapshot.h"

static void matches_patterns(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
		bool matches;
	} cases[] = {
		{"/v2/models/classify/**", "/v2/models/classify/infer", true},
		{"/v2/models/classify/**", "/v2/models/classify/versions/1/infer", true},
		{"/v2/models/classify/**", "/v2/models/classify", true},
		{"/v2/models/classify/**", "/v2/models/classify/", true},
		{"/v2/models/classify/**", "/v2/models/classify2", false},
		{"/v2/models/classify/**", "/v2/models", false},
		{"/v2/models/classify/**", "/v2/models/Classify/infer", false},
		{"/v2/models/*/infer", "/v2/models/a/infer", true},
		{"/v2/models/*/infer", "/v2/models/a/b/infer", false},
		{"/v2/models/*/infer", "/v2/models//infer", false},
		{"/a", "/a", true},
		{"/a", "/a/", false},
		{"/a/", "/a/", true},
		{"/a/*", "/a/", false},
		{"/**", "/", true},
		{"/**", "/a/b", true},
		{"/", "/", true},
		{"/", "/a", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (route_pattern_matches(str_of(cases[i].pattern), str_of(cases[i].path)) != cases[i].matches)
			fail_msg("%s against %s", cases[i].pattern, cases[i].path);
}

static void refuses_patterns(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "a", "/a/**/b", "/a*", "/**x", "/a//b", "/a/../b", "/a/./b", "/%61", "/a%2fb", "/a?b", "/a b"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (route_pattern_valid(str_of(bad[i])))
			fail_msg("accepted %s", bad[i]);
	assert_true(route_pattern_valid(S("/v2/models/classify/**")) && route_pattern_valid(S("/*/x")) &&
		    route_pattern_valid(S("/")));
}

static void prefers_the_specific(void **state)
{
	(void)state;
	static const char *const order[] = {"/**", "/v2/**", "/v2/models/**", "/v2/models/*/infer", "/v2/models/a/**",
		"/v2/models/a/*", "/v2/models/a/infer"};
	for (size_t i = 1; i < COUNT_OF(order); i++) {
		assert_true(route_pattern_compare(str_of(order[i]), str_of(order[i - 1])) > 0);
		assert_true(route_pattern_compare(str_of(order[i - 1]), str_of(order[i])) < 0);
	}
	assert_int_equal(route_pattern_compare(S("/a"), S("/b")), 0);
}

// ---- kinds

static int decode(const struct kind *k, const char *yaml, struct arena *a, void *out, struct findings *f)
{
	struct node *root;
	*f = (struct findings){.arena = a};
	assert_int_equal(node_parse_yaml(str_of(yaml), "test.yaml", f, &root), 0);
	memset(out, 0, k->size);
	return kind_decode(k, root, a, out, f);
}

static void reads_the_demo(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	struct findings f;
	struct gateway g;
	struct route r;
	assert_int_equal(
		decode(&gateway_kind, "{listen: 127.0.0.1:8443, tls: automatic, audit: strict}", &a, &g, &f), 0);
	assert_true(g.tls.automatic && str_eq(g.listen, S("127.0.0.1:8443")) && str_eq(g.audit, S("strict")));
	assert_int_equal(decode(&route_kind,
				 "gateway: edge\n"
				 "match: {path: /v2/models/classify/**}\n"
				 "to: endpoint/classify\n"
				 "balance: lowest latency\n"
				 "retry: {attempts: 3, idempotent: true}\n"
				 "require: {any: [api-key]}\n",
				 &a, &r, &f),
		0);
	assert_true(str_eq(r.gateway.name, S("edge")) && str_eq(route_first_target(&r).name, S("classify")) &&
		    str_eq(route_first_target(&r).kind, S("endpoint")));
	assert_true(r.retry.attempts == 3 && r.retry.idempotent && r.timeout_ns == 10 * NS_PER_S);
	assert_true(r.require.any.count == 1 && str_eq(((const struct str *)r.require.any.items)[0], S("api-key")));
	assert_int_equal(decode(&route_kind, "{gateway: edge, match: {path: /x}, to: classify}", &a, &r, &f), 0);
	assert_true(r.retry.attempts == 1 && !r.retry.idempotent && r.require.any.count == 0 &&
		    str_eq(r.balance, S("lowest latency")));
	assert_int_equal(decode(&gateway_kind, "{listen: 127.0.0.1:0}", &a, &g, &f), 0);
	assert_true(g.tls.automatic && str_eq(g.audit, S("strict")));
	assert_int_equal(
		decode(&gateway_kind, "{listen: 0.0.0.0:443, tls: {certificate: \"file:a.pem\", key: \"file:a.key\"}}",
			&a, &g, &f),
		0);
	assert_true(!g.tls.automatic && str_eq(g.tls.certificate, S("a.pem")));
}

static void finds_mistakes(void **state)
{
	(void)state;
	static const struct {
		const struct kind *kind;
		const char *yaml;
	} bad[] = {
		{&gateway_kind, "{listen: localhost}"},
		{&gateway_kind, "{listen: example.org:443}"},
		{&gateway_kind, "{tls: automatic}"},
		{&gateway_kind, "{listen: 127.0.0.1:0, tls: automatc}"},
		{&gateway_kind, "{listen: 127.0.0.1:0, tls: {certificate: a.pem}}"},
		{&gateway_kind, "{listen: 0.0.0.0:80, tls: none}"},
		{&gateway_kind, "{listen: 127.0.0.1:0, audit: sometimes}"},
		{&route_kind, "{gateway: edge, match: {path: x}, to: classify}"},
		{&route_kind, "{gateway: edge, match: {path: /a/**/b}, to: classify}"},
		{&route_kind, "{gateway: edge, match: {path: /a, methods: [FETCH]}, to: classify}"},
		{&route_kind, "{gateway: edge, match: {path: /a}, to: classify, require: {any: [apikey]}}"},
		{&route_kind, "{gateway: edge, match: {path: /a}, to: classify, retry: {attempts: 0}}"},
		{&route_kind, "{gateway: edge, match: {path: /a}, to: classify, balance: random}"},
		{&route_kind, "{match: {path: /a}, to: classify}"},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(arena) a = {0};
		struct findings f;
		union {
			struct gateway g;
			struct route r;
		} value;
		if (decode(bad[i].kind, bad[i].yaml, &a, &value, &f) != ERR_INVALID || f.count == 0)
			fail_msg("accepted %s", bad[i].yaml);
		assert_true(f.first->at.line > 0);
	}
}

// ---- snapshots

#define HEAD "\"name\":\"edge\",\"listen\":\"127.0.0.1:0\",\"audit\":{\"mode\":\"none\"},\"api_keys\":[],\"roles\":[]"
#define ROUTE(more) "{" HEAD ",\"routes\":[{\"name\":\"r\",\"path\":\"/a\",\"endpoint\":\"e\"," more "\"targets\":[]}]}"

static void reads_snapshots_whole_or_not(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"name\":\"edge\",\"listen\":\"127.0.0.1:0\",\"api_keys\":[],\"roles\":[],\"routes\":[]}",
		"{\"name\":\"edge\",\"listen\":\"127.0.0.1:0\",\"audit\":{\"mode\":\"strict\"},\"api_keys\":[],"
		"\"roles\":[],\"routes\":[]}",
		"{\"name\":\"edge\",\"listen\":\"0.0.0.0:0\",\"audit\":{\"mode\":\"none\"},\"api_keys\":[],\"roles\":[]"
		",\"routes\":[]}",
		"{" HEAD "}",
		ROUTE("\"require\":{\"all\":[\"mtls\"]},"),
		ROUTE("\"require\":{\"any\":[\"api-key\",\"mtls\"]},"),
		ROUTE("\"require\":{\"any\":\"api-key\"},"),
		ROUTE("\"require\":true,"),
		ROUTE("\"retry\":{\"attempts\":0},"),
		ROUTE("\"retry\":{\"attempts\":11},"),
		ROUTE("\"methods\":[\"FETCH\"],"),
		ROUTE("\"timeout_ms\":0,"),
		"{" HEAD ",\"routes\":[{\"name\":\"r\",\"path\":\"a\",\"endpoint\":\"e\",\"targets\":[]}]}",
		"{" HEAD ",\"routes\":[{\"name\":\"r\",\"path\":\"/"
			 "a\",\"endpoint\":\"e\",\"targets\":[{\"endpoint\":\"e\",\"url\":\"x\"}]}]}",
		"{" HEAD ",\"routes\":[{\"name\":\"r\",\"path\":\"/"
			 "a\",\"endpoint\":\"e\",\"targets\":[{\"endpoint\":\"e\",\"url\":\"http://127.0.0.1:1\","
		"\"weight\":-1}]}]}",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(json) json = NULL;
		struct snapshot *s = NULL;
		struct err e = {0};
		assert_int_equal(json_parse(str_of(bad[i]), &json, &e), 0);
		if (snapshot_of_json(json, &s, &e) == 0)
			fail_msg("accepted %s", bad[i]);
		assert_null(s);
	}
	AUTO(json) json = NULL;
	struct snapshot *s = NULL;
	struct err e = {0};
	assert_int_equal(json_parse(str_of(ROUTE("\"require\":{\"any\":[]},")), &json, &e), 0);
	if (snapshot_of_json(json, &s, &e))
		fail_msg("%s", e.message);
	assert_false(s->routes[0].needs_key);
	assert_true(snapshot_route_find(s, S("/a")) == &s->routes[0]);
	assert_null(snapshot_route_find(s, S("/b")));
	assert_true(
		snapshot_route_takes(&s->routes[0], S("POST")) && !snapshot_route_takes(&s->routes[0], S("DELETE")));
	snapshot_release(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_patterns),
		cmocka_unit_test(refuses_patterns),
		cmocka_unit_test(prefers_the_specific),
		cmocka_unit_test(reads_the_demo),
		cmocka_unit_test(finds_mistakes),
		cmocka_unit_test(reads_snapshots_whole_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
