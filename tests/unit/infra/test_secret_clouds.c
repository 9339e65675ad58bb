// SPDX-License-Identifier: Apache-2.0
// Secrets in clouds' stores as far as no cloud is asked: which clouds may be, and that none opens itself.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <string.h>

#include "fixture.h"
#include "infra/secret_clouds.h"

static void test_refused(UNUSED void **state)
{
	struct fixture f;
	AUTO(operator_file) op = NULL;
	AUTO(secret) s = {0};
	fixture_open(&f);
	fixture_write(&f, "operator.yaml",
		S("isobar: 1\nsecrets:\n  none: {from: \"cloud:none/x\", hosts: [h]}\n  itself: {from: \"cloud:one/x\", hosts: [h]}\n"
		  "  key: {from: \"cloud:one/x\", hosts: [\"s3.us-east-1.amazonaws.com:443\"]}\n"
		  "clouds:\n  one: {provider: aws, region: us-east-1, credentials: {access_key_id: AKIA, secret_access_key: "
		  "secret/key}}\n"));
	assert_int_equal(chmod(fixture_path(&f, "operator.yaml"), 0600), 0);
	assert_ok(&f, operator_load(&f.call, fixture_path(&f, "operator.yaml"), &op));
	assert_fails(&f, operator_secret_read(&f.call, op, S("none"), S("h:443"), &s), ERR_UNSUPPORTED);
	secret_clouds_fill(op);
	assert_fails(&f, operator_secret_read(&f.call, op, S("none"), S("h:443"), &s), ERR_NOT_FOUND);
	assert_int_equal(operator_secret_read(&f.call, op, S("itself"), S("h:443"), &s), ERR_UNSUPPORTED);
	assert_non_null(strstr(f.call.err.message, "it is needed to open one"));
	assert_null(s.p);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
