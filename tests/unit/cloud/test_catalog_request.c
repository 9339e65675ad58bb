// SPDX-License-Identifier: Apache-2.0
// Requests about prices: lists in order, checks, an import into a file that then stands in for the shipped rows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cloud/catalog_request.h"
#include "store_test.h"

static int ask(struct call *c, json_t *request, json_t **result)
{
	*result = NULL;
	err_clear(&c->err);
	int r = catalog_request(c, request, result);
	json_decref(request);
	return r;
}

static void test_list(void **state)
{
	(void)state;
	struct cloud_test t;
	json_t *got;
	cloud_test_init(&t);
	assert_int_equal(
		ask(&t.call, json_pack("{s:s,s:s,s:s}", "do", "list", "cloud", "aws", "accelerator", "H100"), &got), 0);
	const json_t *rows = json_object_get(got, "rows");
	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(json_text(json_array_get(rows, 0), "shape"), "p5.4xlarge");
	assert_true(json_num(json_array_get(rows, 2), "on_demand", 0) == 55.04);
	json_decref(got);
	assert_int_equal(ask(&t.call,
				 json_pack("{s:s,s:s,s:b,s:i}", "do", "list", "accelerator", "H100", "spot", 1, "count", 8), &got),
		0);
	rows = json_object_get(got, "rows");
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(json_text(json_array_get(rows, 0), "provider"), "aws");
	assert_string_equal(json_text(json_array_get(rows, 1), "provider"), "gcp");
	json_decref(got);
	assert_int_equal(ask(&t.call, json_pack("{s:s,s:i}", "do", "list", "memory_gib", -1), &got), ERR_INVALID);
	assert_int_equal(ask(&t.call, json_pack("{s:s}", "do", "buy"), &got), ERR_INVALID);
	assert_int_equal(ask(&t.call, json_pack("{s:s,s:s}", "do", "list", "prices", "/nonexistent"), &got), ERR_NOT_FOUND);
	cloud_test_free(&t);
}

static void write_text(const char *path, const char *text)
{
	struct err e = {0};
	assert_int_equal(file_write_atomic(path, str_of(text), 0600, &e), 0);
}

static void test_check(void **state)
{
	(void)state;
	char folder[] = "/tmp/isobar-prices-XXXXXX", path[64];
	struct cloud_test t;
	json_t *got;
	cloud_test_init(&t);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/p.json", folder);
	write_text(path,
		"{\"format\":\"isobar-prices/1\",\"currency\":\"USD\",\"rows\":[{\"provider\":\"aws\",\"region\":\"us-east-1\","
		"\"shape\":\"m\",\"accelerator\":\"\",\"source\":\"s\",\"date\":\"1999-01\",\"confidence\":\"low\",\"vcpu\":4,"
		"\"memory_gib\":1,\"on_demand\":1,\"spot\":2,\"count\":0}]}");
	assert_int_equal(ask(&t.call, json_pack("{s:s,s:s}", "do", "check", "prices", path), &got), 0);
	assert_int_equal(json_int(got, "rows", 0), 1);
	const json_t *findings = json_object_get(got, "findings");
	assert_int_equal(json_array_size(findings), 2);
	assert_string_equal(json_text(json_array_get(findings, 0), "text"), "aws us-east-1 m: spot 2.00 is above 1.00 on demand");
	assert_string_equal(json_text(json_array_get(findings, 1), "fault"), "age");
	json_decref(got);
	write_text(path, "{}");
	assert_int_equal(ask(&t.call, json_pack("{s:s,s:s}", "do", "check", "prices", path), &got), ERR_INVALID);
	assert_int_equal(ask(&t.call, json_pack("{s:s}", "do", "check"), &got), 0);
	assert_true(json_int(got, "rows", 0) > 150);
	json_decref(got);
	assert_int_equal(file_remove_tree(folder, &t.call.err), 0);
	cloud_test_free(&t);
}

static void test_import(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200,
		.body = S("{\"Items\":[{\"currencyCode\":\"USD\",\"retailPrice\":0.21,\"armRegionName\":\"westeurope\","
			  "\"productName\":\"V\",\"skuName\":\"D4s v5\",\"unitOfMeasure\":\"1 Hour\",\"type\":\"Consumption\","
			  "\"armSkuName\":\"Standard_D4s_v5\"}],\"NextPageLink\":null}")}};
	char folder[] = "/tmp/isobar-prices-XXXXXX", path[64];
	struct store_test x;
	json_t *got;
	store_test_start(&x, steps, 1);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/p.json", folder);
	json_t *request = json_pack("{s:s,s:s,s:s,s:s,s:s}", "do", "import", "cloud", "azure", "region", "westeurope", "url",
		script_server_url(x.server), "out", path);
	assert_int_equal(ask(x.c, json_incref(request), &got), 0);
	assert_int_equal(json_int(got, "rows", 0), 1);
	assert_int_equal(json_int(got, "refused_count", 9), 0);
	assert_string_equal(json_text(got, "file"), path);
	json_decref(got);
	assert_int_equal(ask(x.c, json_pack("{s:s,s:s,s:s,s:s}", "do", "list", "cloud", "azure", "region", "westeurope",
				 "prices", path), &got), 0);
	assert_int_equal(json_array_size(json_object_get(got, "rows")), 1);
	assert_true(json_num(json_array_get(json_object_get(got, "rows"), 0), "on_demand", 0) == 0.21);
	json_decref(got);
	json_object_set_new(request, "key_file", json_string("/nonexistent"));
	assert_int_equal(ask(x.c, json_incref(request), &got), ERR_NOT_FOUND);
	json_object_set_new(request, "url", json_string("http://example.com"));
	json_object_del(request, "key_file");
	assert_int_equal(ask(x.c, json_incref(request), &got), ERR_DENIED); // plain http goes to loopback only
	json_object_set_new(request, "cloud", json_string("site"));
	assert_int_equal(ask(x.c, json_incref(request), &got), ERR_INVALID);
	json_object_del(request, "out");
	assert_int_equal(ask(x.c, request, &got), ERR_INVALID);
	assert_int_equal(file_remove_tree(folder, &x.c->err), 0);
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list), cmocka_unit_test(test_check), cmocka_unit_test(test_import)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
