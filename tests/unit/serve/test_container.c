// SPDX-License-Identifier: Apache-2.0
// What providers tell a container, and how bodies with binary tensors say so.
#include "serve/container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const variables[] = {"AIP_HTTP_PORT", "SAGEMAKER_BIND_TO_PORT", "ISOBAR_PORT", "ISOBAR_BIND",
	"AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE"};

static int clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		unsetenv(variables[i]);
	return 0;
}

#define assert_text(a, b) assert_true(str_eq((a), S(b)))

static void each_provider_is_understood(void **state)
{
	AUTO(arena) a = {0};
	struct container_contract k;
	struct err e = {0};
	(void)state;
	assert_int_equal(container_contract_read(&a, &k, &e), 0);
	assert_text(k.listen, "0.0.0.0:8080");
	assert_int_equal(k.health_path.n + k.predict_path.n, 0);
	setenv("SAGEMAKER_BIND_TO_PORT", "8085", 1);
	setenv("ISOBAR_BIND", "127.0.0.1", 1);
	assert_int_equal(container_contract_read(&a, &k, &e), 0);
	assert_text(k.listen, "127.0.0.1:8085");
	setenv("AIP_HTTP_PORT", "9000", 1);
	setenv("AIP_HEALTH_ROUTE", "/health", 1);
	setenv("AIP_PREDICT_ROUTE", "/predict", 1);
	assert_int_equal(container_contract_read(&a, &k, &e), 0);
	assert_text(k.listen, "127.0.0.1:9000");
	assert_text(k.health_path, "/health");
	assert_text(k.predict_path, "/predict");
}

static void nonsense_is_refused(void **state)
{
	AUTO(arena) a = {0};
	struct container_contract k;
	struct err e = {0};
	(void)state;
	setenv("ISOBAR_PORT", "70000", 1);
	assert_int_equal(container_contract_read(&a, &k, &e), ERR_INVALID);
	assert_non_null(strstr(e.message, "ISOBAR_PORT"));
	setenv("ISOBAR_PORT", "7000", 1);
	setenv("AIP_HEALTH_ROUTE", "health", 1);
	assert_int_equal(container_contract_read(&a, &k, &e), ERR_INVALID);
}

static void the_json_ends_where_it_is_said(void **state)
{
	static const struct {
		const char *type, *length;
		int code;
		enum container_form form;
		size_t json;
	} cases[] = {
		{"application/json", "", 0, FORM_JSON, 100},
		{"", "", 0, FORM_JSON, 100},
		{"application/octet-stream", "40", 0, FORM_HEADER, 40},
		{"application/vnd.sagemaker-triton.binary+json;json-header-size=41", "", 0, FORM_SAGEMAKER, 41},
		{"application/vnd.sagemaker-triton.binary+json; json-header-size=41", "", 0, FORM_SAGEMAKER, 41},
		{"Application/Vnd.vertex-ai-triton.binary+json;json-header-size=100", "", 0, FORM_VERTEX, 100},
		{"application/octet-stream", "101", ERR_INVALID, 0, 0},
		{"application/octet-stream", "-1", ERR_INVALID, 0, 0},
		{"application/vnd.vertex-ai-triton.binary+json;json-header-size=x", "", ERR_INVALID, 0, 0},
		{"application/vnd.vertex-ai-triton.binary+json;json-header-size=", "", 0, FORM_JSON, 100},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum container_form form = FORM_JSON;
		size_t json = 0;
		assert_int_equal(
			container_form_read(str_of(cases[i].type), str_of(cases[i].length), 100, &form, &json), cases[i].code);
		assert_int_equal(form, cases[i].form);
		assert_int_equal(json, cases[i].json);
	}
	AUTO(arena) a = {0};
	assert_text(container_form_type(&a, FORM_VERTEX, 7), "application/vnd.vertex-ai-triton.binary+json;json-header-size=7");
	assert_text(container_form_type(&a, FORM_HEADER, 7), "application/octet-stream");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_provider_is_understood, clean, clean),
		cmocka_unit_test_setup_teardown(nonsense_is_refused, clean, clean),
		cmocka_unit_test(the_json_ends_where_it_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
