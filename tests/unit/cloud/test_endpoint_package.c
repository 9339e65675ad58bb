// SPDX-License-Identifier: Apache-2.0
// What a container of an endpoint is told, and the model that it fetches.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/endpoint_package.h"
#include "cloud/job_package.h"
#include "fixture.h"
#include "memory_cloud.h"

struct world {
	struct fixture f;
	struct memory_cloud m;
	struct cloud_config config;
	struct endpoint_spec spec;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	fixture_open(&w->f);
	memory_cloud_init(&w->m, "gcp-eu", "gcp");
	memory_cloud_bucket(&w->m, "fashion-lake");
	w->config = (struct cloud_config){.name = S("gcp-eu"), .provider = S("gcp"), .region = S("europe-west4")};
	w->spec = (struct endpoint_spec){.name = S("classify"),
		.model = S("class.ify"),
		.version = S("3"),
		.bucket = S("fashion-lake"),
		.prefix = S("models/classifier/3/")};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	memory_cloud_free(&w->m);
	fixture_close(&w->f);
	free(w);
	return 0;
}

static void the_url_comes_back(void **state)
{
	struct world *w = *state;
	struct endpoint_package p = {0}, read = {0};
	const char *const *argv = NULL;
	struct cloud_config config = {0};
	assert_ok(&w->f, endpoint_package_make(&w->f.call, &w->m.cloud, &w->config, &w->spec, &p));
	assert_str(p.url, S("gs://fashion-lake/models/classifier/3/#class.ify.3"));
	assert_ok(&w->f, endpoint_package_command(&w->f.call, &p, &argv));
	assert_string_equal(argv[2], "--endpoint");
	assert_null(argv[4]);
	assert_ok(&w->f, endpoint_package_of_url(&w->f.arena, str_of(argv[3]), &read, &w->f.call.err));
	assert_str(read.model, S("class.ify"));
	assert_str(read.version, S("3"));
	assert_str(read.bucket, S("fashion-lake"));
	assert_str(read.prefix, S("models/classifier/3/"));
	assert_ok(&w->f, job_store_read(&w->f.call, p.store, &config));
	assert_str(config.region, S("europe-west4"));
}

static void bad_urls_are_refused(void **state)
{
	static const char *const bad[] = {"", "gs://b", "gs://b/m/#m", "gs://b/m#m.1", "gs://b/m/#m.", "gs://b/m/#.1",
		"gs://b/../m/#m.1", "gs://b//#m.1", "file://b/m/#m.1", "gs://b/m/#a b.1", "gs:///m/#m.1"};
	struct world *w = *state;
	struct endpoint_package p;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_fails(&w->f, endpoint_package_of_url(&w->f.arena, str_of(bad[i]), &p, &w->f.call.err), ERR_INVALID);
	w->spec.prefix = S("models/classifier/3");
	assert_fails(&w->f, endpoint_package_make(&w->f.call, &w->m.cloud, &w->config, &w->spec, &p), ERR_INVALID);
}

static void the_model_is_fetched_whole(void **state)
{
	struct world *w = *state;
	struct endpoint_package p = {0};
	const char *folder = fixture_path(&w->f, "model");
	assert_ok(&w->f, endpoint_package_make(&w->f.call, &w->m.cloud, &w->config, &w->spec, &p));
	assert_fails(&w->f, endpoint_package_fetch(&w->f.call, &w->m.cloud, &p, folder), ERR_NOT_FOUND);
	memory_cloud_poke(&w->m, "fashion-lake", "models/classifier/3/model.json", S("{}"));
	memory_cloud_poke(&w->m, "fashion-lake", "models/classifier/3/deep/weights", S("0.5"));
	memory_cloud_poke(&w->m, "fashion-lake", "models/classifier/30/model.json", S("other"));
	assert_ok(&w->f, endpoint_package_fetch(&w->f.call, &w->m.cloud, &p, folder));
	assert_str(fixture_read(&w->f, "model/model.json"), S("{}"));
	assert_str(fixture_read(&w->f, "model/deep/weights"), S("0.5"));
	memory_cloud_poke(&w->m, "fashion-lake", "models/classifier/3/../../up", S("x"));
	assert_fails(&w->f, endpoint_package_fetch(&w->f.call, &w->m.cloud, &p, folder), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_url_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_urls_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_model_is_fetched_whole, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
