// SPDX-License-Identifier: Apache-2.0
// Gateways and routes on real accounts: names and certificates, identity, limits, filters, several endpoints.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/gateway_kind.h"
#include "kind_test.h"

static void test_gateway(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct gateway g;
	static const char text[] = "listen: \"0.0.0.0:8443\"\nhosts: [ai.example.org]\n"
				   "tls: {certificate: \"file:tls/edge.pem\", key: secret/edge-key}\n";
	kind_test_decode(&gateway_kind, text, &a, &g, "");
	assert_true(g.tls.automatic && str_eq(g.tls.certificate, S("tls/edge.pem")) && str_eq(g.tls.key, S("secret/edge-key")));
	kind_test_later(&gateway_kind, text, "hosts, tls", "");
	kind_test_decode(&gateway_kind, "{listen: \"0.0.0.0:1\", tls: {certificate: \"file:a\", key: \"file:b\"}}", &a, &g, "");
	assert_true(!g.tls.automatic && str_eq(g.tls.key, S("b")));
	kind_test_later(&gateway_kind, "{tls: {certificate: \"file:a\", key: \"file:b\"}}", "", "");
	kind_test_wrong(&gateway_kind, "listen: \"0.0.0.0:8443\"\naudit: loud\ntls: none\nhosts: [\"a b\"]\n",
		"2:8: audit: expected one of strict, none, got \"loud\"\n"
		"4:8: hosts: expected names of hosts, got \"a b\"; write it as ai.example.org\n"
		"3:6: tls: without TLS a gateway listens on loopback only, not on 0.0.0.0:8443; say \"tls: automatic\"\n");
	kind_test_wrong(&gateway_kind, "listen: 127.0.0.1:1\ntls: {certificate: \"file:a\", key: \"-----BEGIN\"}\n",
		"2:6: tls: expected {certificate: \"file:PATH\", key: secret/NAME} (or a key in a file: \"file:PATH\")\n");
}

static void test_routes(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct route r;
	static const char chat[] =
		"gateway: edge\nmatch: {path: /v1/chat/completions, model: helper}\nto: {in_order: [endpoint/helper, endpoint/b]}\n"
		"residency: [EU]\nrequire: {any: [api-key, identity-provider/staff]}\n"
		"limits: {per: key, tokens: 200k/min, money: 50 EUR/month}\n"
		"filter: {before: \"http://127.0.0.1:9000/pii\", on_error: refuse}\n";
	kind_test_decode(&route_kind, chat, &a, &r, "");
	assert_true(r.to.count == 2 && str_eq(route_first_target(&r).name, S("helper")) && r.residency.count == 1);
	assert_true(r.limits.tokens.amount == 200000 && str_eq(r.filter.on_error, S("refuse")));
	kind_test_later(&route_kind, chat, "", "match.model, to, require.any, limits, filter");
	kind_test_later(&route_kind,
		"{match: {path: /x}, to: endpoint/a, require: {all: [mtls]}, record: {inputs: 5%, redact: [iban]}}", "record",
		"require.all");
	kind_test_later(&route_kind, "{match: {path: /x}, to: endpoint/a, require: {any: [api-key]}}", "", "");
	kind_test_wrong(&route_kind,
		"gateway: edge\nmatch: {path: x}\nto: {inorder: [endpoint/a]}\nrequire: {any: [password]}\nfilter: {on_error: pass}\n",
		"2:15: match.path: expected a path such as /v2/models/NAME/** (\"*\" for one segment, \"**\" only at the end), got "
		"\"x\"; write /v2/models/NAME/**\n"
		"3:6: to.inorder: \"inorder\" is no name for it; write \"in_order\"\n"
		"4:17: require.any[0]: expected api-key, mtls or identity-provider/NAME, got \"password\"; did you mean "
		"\"api-key\"?\n"
		"5:9: filter: a filter needs before: or after:; add before: URL\n");
	assert_int_equal(route_first_target(&(struct route){0}).name.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_routes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
