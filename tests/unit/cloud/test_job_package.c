// SPDX-License-Identifier: Apache-2.0
// Packages of jobs in a bucket that is encrypted: written once, hidden from users, fetched only as submitted; attempts,
// stop marks, statuses, checkpoints; names for the provider.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/job_files.h"
#include "cloud/job_package.h"
#include "cloud/sealed.h"
#include "cloud_test.h"
#include "fixture.h"
#include "memory_cloud.h"

#define LAKE S("fashion-lake")
#define NAME S("transform/prepared/0f3a/aws-us")
#define PREFIX ".isobar/jobs/transform+prepared+0f3a+aws-us/"

struct lab {
	struct fixture f;
	struct memory_cloud memory;
	struct memory_keys keys;
	struct sealed *sealed;
	struct cloud cloud;
	struct cloud_sealed buckets[1];
	struct cloud_config config;
	struct job_spec spec;
	struct job_input input;
};

static int setup(void **state)
{
	static const char *const argv[] = {"builtin/images", NULL};
	static const char *const environment[] = {NULL};
	struct lab *l = calloc(1, sizeof(*l));
	fixture_open(&l->f);
	memory_cloud_init(&l->memory, "aws-us", "aws");
	l->keys.secret = 0x5a;
	l->buckets[0] = (struct cloud_sealed){LAKE, S("lake")};
	const struct sealed_below below = {.cloud = S("aws-us"),
		.store = l->memory.cloud.store,
		.store_ctx = l->memory.cloud.store_ctx,
		.keys = &memory_key_ops,
		.keys_ctx = &l->keys};
	assert_ok(&l->f, sealed_open(&l->f.call, &below, l->buckets, 1, &l->sealed));
	l->cloud = l->memory.cloud;
	l->cloud.store = &sealed_store_ops;
	l->cloud.store_ctx = l->sealed;
	l->config = (struct cloud_config){.name = S("aws-us"),
		.provider = S("aws"),
		.region = S("us-east-1"),
		.store_url = S("http://127.0.0.1:4000"),
		.local_root = str_of(l->f.folder),
		.workspace = S("fashion"),
		.credentials = json_in_arena(&l->f.arena, json_pack("{s:s}", "secret_access_key", "hush")),
		.sealed = l->buckets,
		.sealed_count = 1};
	l->input = (struct job_input){S("input"), LAKE, S("datasets/images/part/")};
	l->spec = (struct job_spec){.name = NAME,
		.argv = argv,
		.environment = environment,
		.inputs = &l->input,
		.input_count = 1,
		.output = {LAKE, S("transforms/prepared/0f3a/")},
		.cpu = 1,
		.memory = 1 << 30};
	assert_ok(&l->f, CLOUD_CALL(&l->f.call, &l->cloud, store, bucket_create, LAKE));
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct lab *l = *state;
	sealed_close(l->sealed);
	memory_cloud_free(&l->memory);
	fixture_close(&l->f);
	free(l);
	return 0;
}

static struct job_package put(struct lab *l)
{
	struct job_package p = {0};
	assert_ok(&l->f, job_package_put(&l->f.call, &l->cloud, &l->config, &l->spec, &p));
	return p;
}

// ---------------------------------------------------------------- put and fetch
static void put_is_found_again(void **state)
{
	struct lab *l = *state;
	struct job_package p = put(l), again = put(l), read = {0};
	assert_str(p.job, NAME);
	assert_str(p.bucket, LAKE);
	assert_str(p.prefix, S(PREFIX));
	assert_int_equal(p.attempt, 1);
	assert_str(again.url, p.url);
	assert_true(str_starts(p.url, S("s3://fashion-lake/" PREFIX "#")));
	assert_true(str_ends(p.url, S(".1")));
	assert_ok(&l->f, job_package_of_url(&l->f.arena, p.url, &read, &l->f.call.err));
	assert_str(read.job, NAME);
	assert_str(read.bucket, LAKE);
	assert_str(read.prefix, S(PREFIX));
	assert_str(read.digest, p.digest);
	assert_int_equal(read.attempt, 1);
	l->spec.memory = 2 << 20;
	assert_fails(&l->f, job_package_put(&l->f.call, &l->cloud, &l->config, &l->spec, &read), ERR_CONFLICT);
}

static void nothing_secret_goes_with_it(void **state)
{
	struct lab *l = *state;
	struct cloud_config config = {0};
	struct job_package p = put(l);
	assert_int_equal(str_find(p.store, S("hush")), -1);
	assert_int_equal(str_find(p.store, str_of(l->f.folder)), -1);
	struct str stored = memory_cloud_peek(&l->memory, "fashion-lake", PREFIX "spec.json");
	assert_true(stored.n > 0);
	assert_int_equal(str_find(stored, S("builtin/images")), -1); // encrypted as its bucket is
	assert_true(p.store.n < 512);
	assert_ok(&l->f, job_store_read(&l->f.call, p.store, &config));
	assert_str(config.name, S("aws-us"));
	assert_str(config.store_url, S("http://127.0.0.1:4000"));
	assert_int_equal(config.sealed_count, 1);
	assert_str(config.sealed[0].key, S("lake"));
	assert_true(json_flag(config.credentials, "chain", false));
	assert_fails(&l->f,
		job_store_read(&l->f.call,
			S("{\"name\": \"a\", \"provider\": \"aws\", \"region\": \"r\", \"credentials\": {}}"), &config),
		ERR_DENIED);
	assert_fails(&l->f, job_store_read(&l->f.call, S("no JSON"), &config), ERR_INVALID);
}

static void users_do_not_see_it(void **state)
{
	struct lab *l = *state;
	struct job_package p = put(l);
	struct object o = {0};
	struct store_page page = {0};
	struct str text;
	struct call *c = &l->f.call;
	const struct store_put over = {.bucket = LAKE, .key = S(PREFIX "spec.json")};
	assert_ok(&l->f, cloud_list_all(c, &l->cloud, LAKE, S(""), &page));
	assert_int_equal(page.count, 0);
	assert_fails(&l->f, CLOUD_CALL(c, &l->cloud, store, head, LAKE, over.key, &o), ERR_NOT_FOUND);
	assert_fails(&l->f, cloud_get_bytes(c, &l->cloud, LAKE, over.key, 1 << 20, &text), ERR_NOT_FOUND);
	assert_fails(&l->f, cloud_put_bytes(c, &l->cloud, &over, S("{}"), &o), ERR_DENIED);
	assert_fails(&l->f, CLOUD_CALL(c, &l->cloud, store, delete, LAKE, over.key), ERR_DENIED);
	struct cloud inside = sealed_inside(&l->cloud);
	assert_ok(&l->f, cloud_list_all(c, &inside, LAKE, S(""), &page));
	assert_int_equal(page.count, 1);
	assert_str(page.objects[0].key, S(PREFIX "spec.json"));
	assert_fails(&l->f, CLOUD_CALL(c, &inside, store, head, LAKE, S(".isobar/data-key.json"), &o), ERR_NOT_FOUND);
	(void)p;
}

static void the_container_gets_what_was_submitted(void **state)
{
	struct lab *l = *state;
	struct job_spec spec = {0};
	const char *const *argv = NULL;
	fixture_write(&l->f, "mine/train.py", S("print('trained')\n"));
	l->spec.code_directory = str_of(fixture_path(&l->f, "mine"));
	struct job_package p = put(l), read = {0};
	assert_ok(&l->f, job_package_command(&l->f.call, &p, &argv));
	assert_string_equal(argv[0], "isobar");
	assert_string_equal(argv[1], "worker");
	assert_string_equal(argv[2], "--package");
	assert_null(argv[4]);
	assert_ok(&l->f, job_package_of_url(&l->f.arena, str_of(argv[3]), &read, &l->f.call.err));
	assert_int_equal(mkdir(fixture_path(&l->f, "job"), 0700), 0);
	assert_ok(&l->f, job_package_fetch(&l->f.call, &l->cloud, &read, fixture_path(&l->f, "job"), &spec));
	assert_str(spec.name, NAME);
	assert_string_equal(spec.argv[0], "builtin/images");
	assert_str(spec.inputs[0].prefix, S("datasets/images/part/"));
	assert_str(spec.code_directory, str_of(fixture_path(&l->f, "job/code")));
	assert_str(fixture_read(&l->f, "job/code/train.py"), S("print('trained')\n"));
	assert_false(file_exists(fixture_path(&l->f, "job/code.tar")));
}

static void other_bytes_are_not_run(void **state)
{
	struct lab *l = *state;
	struct job_spec spec = {0};
	struct job_package p = put(l);
	struct cloud inside = sealed_inside(&l->cloud);
	struct object o;
	struct str text;
	const struct store_put over = {.bucket = LAKE, .key = S(PREFIX "spec.json")};
	assert_ok(&l->f, cloud_get_bytes(&l->f.call, &inside, LAKE, over.key, 1 << 20, &text));
	char *changed = arena_cstr(&l->f.arena, text);
	changed[(size_t)str_find(text, S("images"))] = 'I';
	assert_ok(&l->f, cloud_put_bytes(&l->f.call, &inside, &over, str_of(changed), &o));
	assert_fails(&l->f, job_package_fetch(&l->f.call, &l->cloud, &p, l->f.folder, &spec), ERR_CORRUPT);
}

static void bad_urls_are_refused(void **state)
{
	static const char *const bad[] = {"", "s3://fashion-lake", "http://b/.isobar/jobs/a/#00.1", "s3://b/.isobar/jobs/a/",
		"s3://b/.isobar/jobs/a/#0f.1", "s3://b/other/a/#"};
	struct lab *l = *state;
	struct job_package p;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_fails(&l->f, job_package_of_url(&l->f.arena, str_of(bad[i]), &p, &l->f.call.err), ERR_INVALID);
	struct job_package good = put(l);
	struct str zero = arena_printf(&l->f.arena, "%.*s0", (int)good.url.n - 1, good.url.p);
	struct str up = arena_printf(&l->f.arena, "s3://b/.isobar/jobs/../#%.*s.1", STR(good.digest));
	assert_fails(&l->f, job_package_of_url(&l->f.arena, zero, &p, &l->f.call.err), ERR_INVALID);
	assert_fails(&l->f, job_package_of_url(&l->f.arena, up, &p, &l->f.call.err), ERR_INVALID);
}

static void keys_of_this_machine_are_out_of_reach(void **state)
{
	struct lab *l = *state;
	struct job_package p;
	struct key_ops local = memory_key_ops;
	local.name = "local";
	l->cloud.keys = &local;
	assert_fails(&l->f, job_package_put(&l->f.call, &l->cloud, &l->config, &l->spec, &p), ERR_UNSUPPORTED);
}

// ---------------------------------------------------------------- while it lives
static void attempts_count_once_for_all(void **state)
{
	struct lab *l = *state;
	struct job_package a = put(l), b = a;
	assert_ok(&l->f, job_package_next_attempt(&l->f.call, &l->cloud, &a));
	assert_int_equal(a.attempt, 2);
	assert_true(str_ends(a.url, S(".2")));
	struct job_package later = put(l);
	assert_int_equal(later.attempt, 2);
	assert_str(later.url, a.url);
	assert_ok(&l->f, job_package_next_attempt(&l->f.call, &l->cloud, &later));
	assert_int_equal(later.attempt, 3);
	b.attempt = JOB_ATTEMPTS_MAX;
	assert_fails(&l->f, job_package_next_attempt(&l->f.call, &l->cloud, &b), ERR_LIMIT);
}

static void a_status_is_of_its_attempt(void **state)
{
	struct lab *l = *state;
	struct job_package p = put(l);
	struct job_status told = {.state = JOB_RUNNING, .cpu_s = 1.5, .peak_rss = 4096, .started_ns = 7}, got;
	bool known = true, stop = true;
	assert_ok(&l->f, job_package_status(&l->f.call, &l->cloud, &p, &known, &got, &stop));
	assert_false(known);
	assert_false(stop);
	assert_ok(&l->f, job_package_tell(&l->f.call, &l->cloud, &p, &told));
	assert_ok(&l->f, job_package_status(&l->f.call, &l->cloud, &p, &known, &got, &stop));
	assert_true(known);
	assert_int_equal(got.state, JOB_RUNNING);
	assert_int_equal(got.peak_rss, 4096);
	assert_ok(&l->f, job_package_stop(&l->f.call, &l->cloud, &p));
	assert_ok(&l->f, job_package_next_attempt(&l->f.call, &l->cloud, &p));
	assert_ok(&l->f, job_package_status(&l->f.call, &l->cloud, &p, &known, &got, &stop));
	assert_false(known);
	assert_true(stop);
}

static void a_checkpoint_moves(void **state)
{
	struct lab *l = *state;
	struct job_package p = put(l);
	fixture_write(&l->f, "one/epoch", S("3"));
	fixture_write(&l->f, "one/deep/weights", S("0.5"));
	assert_int_equal(symlink("/etc/passwd", fixture_path(&l->f, "one/link")), 0);
	assert_ok(&l->f, job_package_save(&l->f.call, &l->cloud, &p, fixture_path(&l->f, "one")));
	assert_ok(&l->f, job_package_restore(&l->f.call, &l->cloud, &p, fixture_path(&l->f, "two")));
	assert_str(fixture_read(&l->f, "two/epoch"), S("3"));
	assert_str(fixture_read(&l->f, "two/deep/weights"), S("0.5"));
	assert_false(file_exists(fixture_path(&l->f, "two/link")));
	assert_int_equal(unlink(fixture_path(&l->f, "two/epoch")), 0);
	assert_ok(&l->f, job_package_save(&l->f.call, &l->cloud, &p, fixture_path(&l->f, "two")));
	assert_ok(&l->f, job_package_restore(&l->f.call, &l->cloud, &p, fixture_path(&l->f, "three")));
	assert_false(file_exists(fixture_path(&l->f, "three/epoch")));
}

static void nothing_stays_behind(void **state)
{
	struct lab *l = *state;
	struct job_package p = put(l);
	struct object o;
	const struct store_put theirs = {.bucket = LAKE, .key = S("data")};
	assert_ok(&l->f, job_package_stop(&l->f.call, &l->cloud, &p));
	assert_ok(&l->f, job_package_remove(&l->f.call, &l->cloud, &p));
	assert_ok(&l->f, job_package_remove(&l->f.call, &l->cloud, &p));
	assert_int_equal(memory_cloud_count(&l->memory, "fashion-lake", ".isobar/jobs/"), 0);
	(void)put(l);
	assert_ok(&l->f, cloud_put_bytes(&l->f.call, &l->cloud, &theirs, S("x"), &o));
	assert_ok(&l->f, job_packages_sweep(&l->f.call, &l->cloud, LAKE)); // not a bucket that is in use
	assert_int_equal(memory_cloud_count(&l->memory, "fashion-lake", ".isobar/jobs/"), 1);
	assert_ok(&l->f, CLOUD_CALL(&l->f.call, &l->cloud, store, delete, LAKE, theirs.key));
	assert_ok(&l->f, job_packages_sweep(&l->f.call, &l->cloud, LAKE));
	assert_int_equal(memory_cloud_count(&l->memory, "fashion-lake", ".isobar/jobs/"), 0);
	assert_ok(&l->f, CLOUD_CALL(&l->f.call, &l->cloud, store, bucket_delete, LAKE));
	assert_ok(&l->f, job_packages_sweep(&l->f.call, &l->cloud, LAKE));
}

// ---------------------------------------------------------------- what to tell
static enum job_state merged(enum job_state provider, int worker, bool stop)
{
	const struct job_status p = {.state = provider, .id = S("arn")};
	const struct job_status w = {.state = (enum job_state)MAX(worker, 0)};
	struct job_status out;
	job_status_merge(&p, worker < 0 ? NULL : &w, stop, &out);
	assert_str(out.id, S("arn"));
	return out.state;
}

static void both_views_become_one(void **state)
{
	const struct job_status gone = {.state = JOB_FAILED, .exit_code = JOB_EXIT_LOST}, refused = {.state = JOB_FAILED,
		.reason = S("no such image")};
	struct job_status out;
	(void)state;
	assert_int_equal(merged(JOB_QUEUED, -1, false), JOB_QUEUED);
	assert_int_equal(merged(JOB_QUEUED, JOB_RUNNING, false), JOB_RUNNING);
	assert_int_equal(merged(JOB_RUNNING, JOB_SUCCEEDED, false), JOB_SUCCEEDED); // the provider still tidies
	assert_int_equal(merged(JOB_SUCCEEDED, JOB_SUCCEEDED, false), JOB_SUCCEEDED);
	assert_int_equal(merged(JOB_FAILED, JOB_FAILED, false), JOB_FAILED);
	assert_int_equal(merged(JOB_SUCCEEDED, -1, false), JOB_LOST);
	assert_int_equal(merged(JOB_FAILED, JOB_RUNNING, false), JOB_LOST);
	assert_int_equal(merged(JOB_FAILED, JOB_LOST, false), JOB_LOST);
	assert_int_equal(merged(JOB_FAILED, JOB_LOST, true), JOB_STOPPED);
	assert_int_equal(merged(JOB_STOPPED, JOB_LOST, false), JOB_LOST); // a spot notice
	assert_int_equal(merged(JOB_STOPPED, JOB_RUNNING, true), JOB_STOPPED);
	assert_int_equal(merged(JOB_RUNNING, JOB_LOST, false), JOB_RUNNING); // the provider starts it again
	assert_int_equal(merged(JOB_LOST, JOB_RUNNING, false), JOB_LOST);
	job_status_merge(&gone, NULL, false, &out);
	assert_int_equal(out.state, JOB_LOST);
	job_status_merge(&refused, NULL, false, &out);
	assert_int_equal(out.state, JOB_FAILED);
	assert_str(out.reason, S("no such image"));
}

static void names_for_providers(void **state)
{
	struct lab *l = *state;
	struct arena *a = &l->f.arena;
	struct str name = job_provider_name(a, S("fashion"), NAME, 1, 63);
	assert_true(str_starts(name, S("transform-prepared-0f3a-aws-us-")));
	assert_int_equal(name.n, sizeof("transform-prepared-0f3a-aws-us-") - 1 + 10);
	assert_str(job_provider_name(a, S("fashion"), NAME, 1, 63), name);
	assert_false(str_eq(job_provider_name(a, S("fashion"), NAME, 2, 63), name));
	assert_false(str_eq(job_provider_name(a, S("other"), NAME, 1, 63), name));
	assert_true(job_provider_name(a, S("fashion"), NAME, 1, 24).n <= 24);
	struct str odd = job_provider_name(a, S("w"), S("9__A..B/@"), 1, 40);
	assert_true(str_starts(odd, S("a-b-")));
	assert_true(str_starts(job_provider_name(a, S("w"), S("42"), 1, 40), S("j-")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(put_is_found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_secret_goes_with_it, setup, teardown),
		cmocka_unit_test_setup_teardown(users_do_not_see_it, setup, teardown),
		cmocka_unit_test_setup_teardown(the_container_gets_what_was_submitted, setup, teardown),
		cmocka_unit_test_setup_teardown(other_bytes_are_not_run, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_urls_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_of_this_machine_are_out_of_reach, setup, teardown),
		cmocka_unit_test_setup_teardown(attempts_count_once_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(a_status_is_of_its_attempt, setup, teardown),
		cmocka_unit_test_setup_teardown(a_checkpoint_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_stays_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(both_views_become_one, setup, teardown),
		cmocka_unit_test_setup_teardown(names_for_providers, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
