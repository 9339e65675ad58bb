// SPDX-License-Identifier: Apache-2.0
// The file of upstream credentials: what is read, what is refused, and that it is wiped with its last user.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/time.h"
#include "gateway/upstreams.h"

#define AWS                                                                                                            \
	"{\"cloud\":\"aws-us\",\"endpoint\":\"m\",\"service\":\"sagemaker\",\"access_key\":\"AKID\","                       \
	"\"region\":\"us-east-1\",\"secret\":\"s3cret\",\"session\":\"tok\",\"expires\":\"2026-11-24T10:00:00Z\"}"
#define GCP "{\"cloud\":\"gcp-eu\",\"endpoint\":\"m\",\"service\":\"vertex\",\"secret\":\"ya29.token\"}"

static int parse(const char *text, struct upstreams **out, struct err *e)
{
	AUTO(json) json = NULL;
	assert_int_equal(json_parse(str_of(text), &json, e), 0);
	return upstreams_of_json(json, out, e);
}

static void test_reads(void **state)
{
	struct upstreams *u;
	struct err e = {0};
	(void)state;
	assert_int_equal(parse("{\"credentials\":[" AWS "," GCP "]}", &u, &e), 0);
	assert_int_equal(u->count, 2);
	struct upstream *aws = upstreams_find(u, S("aws-us"), S("m")), *gcp = upstreams_find(u, S("gcp-eu"), S("m"));
	assert_true(aws == &u->items[0] && gcp == &u->items[1]);
	assert_null(upstreams_find(u, S("aws-us"), S("other")));
	assert_null(upstreams_find(u, S("azure"), S("m")));
	assert_null(upstreams_find(NULL, S("aws-us"), S("m")));
	assert_int_equal(aws->service, UPSTREAM_SAGEMAKER);
	assert_true(str_eq(secret_str(&aws->secret), S("s3cret")));
	assert_true(str_eq(secret_str(&aws->session), S("tok")));
	assert_int_equal(aws->bearer.n, 0);
	assert_int_equal(aws->expires_ns, INT64_C(1795514400) * NS_PER_S);
	assert_true(str_eq(secret_str(&gcp->bearer), S("Bearer ya29.token")));
	assert_int_equal(gcp->expires_ns, 0);
	struct upstreams *held = upstreams_hold(u);
	upstreams_release(u);
	assert_true(str_eq(secret_str(&held->items[1].bearer), S("Bearer ya29.token")));
	upstreams_release(held);
	upstreams_release(NULL);
}

static void test_refuses(void **state)
{
	static const char *const wrong[] = {
		"[]",
		"{\"credentials\":{}}",
		"{\"credentials\":[1]}",
		"{\"credentials\":[{\"cloud\":\"a\",\"endpoint\":\"m\",\"service\":\"bedrock\",\"secret\":\"x\"}]}",
		"{\"credentials\":[{\"cloud\":\"a\",\"endpoint\":\"m\",\"service\":\"open\",\"secret\":\"x\"}]}",
		"{\"credentials\":[{\"cloud\":\"a\",\"endpoint\":\"m\",\"service\":\"vertex\"}]}",
		"{\"credentials\":[{\"cloud\":\"\",\"endpoint\":\"m\",\"service\":\"vertex\",\"secret\":\"x\"}]}",
		"{\"credentials\":[{\"cloud\":\"a\",\"endpoint\":\"m\",\"service\":\"vertex\",\"secret\":\"x\\r\\nhost: y\"}]}",
		"{\"credentials\":[{\"cloud\":\"a\",\"endpoint\":\"m\",\"service\":\"vertex\",\"secret\":\"x\","
		"\"expires\":\"soon\"}]}",
		"{\"credentials\":[{\"cloud\":\"a\",\"endpoint\":\"m\",\"service\":\"sagemaker\",\"secret\":\"x\"}]}",
		"{\"credentials\":[{\"cloud\":\"a\",\"endpoint\":\"m\",\"service\":\"sagemaker\",\"secret\":\"x\","
		"\"access_key\":\"a/b\",\"region\":\"r\"}]}",
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct upstreams *u = (struct upstreams *)(uintptr_t)1;
		struct err e = {0};
		if (parse(wrong[i], &u, &e) != ERR_INVALID)
			fail_msg("taken: %s", wrong[i]);
		assert_ptr_equal(u, (void *)(uintptr_t)1);
		assert_null(strstr(e.message, "host: y"));
	}
}

static void test_words(void **state)
{
	enum upstream_service s = UPSTREAM_VERTEX;
	(void)state;
	assert_true(upstream_service_of(S(""), &s) && s == UPSTREAM_OPEN);
	assert_true(upstream_service_of(S("azureml"), &s) && s == UPSTREAM_AZUREML);
	assert_false(upstream_service_of(S("bedrock"), &s));
	assert_int_equal(s, UPSTREAM_AZUREML);
	assert_string_equal(upstream_service_word(UPSTREAM_SAGEMAKER), "sagemaker");
}

static void test_file(void **state)
{
	char folder[] = "/tmp/isobar-upstreams-XXXXXX", path[128];
	struct upstreams *u;
	struct err e = {0};
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/%s", folder, UPSTREAMS_FILE);
	assert_int_equal(upstreams_load(path, &u, &e), 0); // none: no entries
	assert_int_equal(u->count, 0);
	upstreams_release(u);
	assert_int_equal(file_write_atomic(path, S("{\"credentials\":[" GCP "]}"), 0600, &e), 0);
	assert_int_equal(upstreams_load(path, &u, &e), 0);
	assert_int_equal(u->count, 1);
	upstreams_release(u);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(upstreams_load(path, &u, &e), ERR_DENIED);
	assert_non_null(strstr(e.message, "0600"));
	assert_int_equal(file_write_atomic(path, S("{\"credentials\":["), 0600, &e), 0);
	err_clear(&e);
	assert_int_equal(upstreams_load(path, &u, &e), ERR_INVALID);
	assert_int_equal(file_remove_tree(folder, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
