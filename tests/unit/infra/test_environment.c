// SPDX-License-Identifier: Apache-2.0
// Environments without starting programs: pocket clouds that do not run, announcements of the dead, processes that are
// found and ended, buckets that are emptied. What starts real pocket clouds is in tests/scenario.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/process.h"
#include "infra/buckets.h"
#include "infra/clouds_env.h"
#include "infra/processes.h"
#include "memory_cloud.h"

struct fixture {
	char folder[64];
	struct arena arena;
	struct call call;
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->folder, sizeof(f->folder), "/tmp/isobar-environment-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	call_init(&f->call, &f->arena, edges_real(), S("user/test"));
}

static void end(struct fixture *f)
{
	struct err e;
	arena_free(&f->arena);
	assert_int_equal(0, file_remove_tree(f->folder, &e));
}

static void put(struct fixture *f, const char *folder, const char *name, const char *text)
{
	char path[256];
	struct err e = {0};
	snprintf(path, sizeof(path), "%s/%s", f->folder, folder);
	assert_int_equal(0, file_make_dirs(path, 0700, &e));
	snprintf(path, sizeof(path), "%s/%s/%s", f->folder, folder, name);
	assert_int_equal(0, file_write_atomic(path, str_of(text), 0600, &e));
}

static struct str state_folder(struct fixture *f)
{
	return arena_printf(&f->arena, "%s/.isobar", f->folder);
}

static struct pocket_cloud pocket(struct fixture *f)
{
	return (struct pocket_cloud){.name = S("a"),
		.provider = S("aws"),
		.root = arena_printf(&f->arena, "%s/.isobar/pocket/a", f->folder)};
}

// ---------------------------------------------------------------- pocket clouds
static void test_a_pocket_cloud_that_never_ran(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	struct pocket_cloud p = pocket(&f);
	assert_int_equal(ERR_UNAVAILABLE, pocket_cloud_find(&f.call, &p));
	assert_null(p.credentials);
	err_clear(&f.call.err);
	assert_int_equal(0, pocket_cloud_stop(&f.call, &p));
	assert_int_equal(0, pocket_clouds_stop_all(&f.call, state_folder(&f)));
	end(&f);
}

static void test_a_pocket_cloud_that_died(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	put(&f, ".isobar/pocket/a", "announce.json", "{\"url\":\"http://127.0.0.1:1\",\"pid\":2147483646}");
	put(&f, ".isobar/pocket/a", "credentials.json", "{\"access_key_id\":\"x\"}");
	struct pocket_cloud p = pocket(&f);
	assert_int_equal(ERR_UNAVAILABLE, pocket_cloud_find(&f.call, &p));
	assert_true(str_eq(S("http://127.0.0.1:1"), p.url)); // its last place, and what opens it there
	assert_string_equal("x", json_text(p.credentials, "access_key_id"));
	end(&f);
}

// The pid of a stale announcement may be anybody's by now.
static void test_a_stranger_is_never_ended(void **state)
{
	(void)state;
	struct fixture f;
	char text[128];
	begin(&f);
	snprintf(text, sizeof(text), "{\"url\":\"http://127.0.0.1:1\",\"pid\":%d}", (int)getpid());
	put(&f, ".isobar/pocket/a", "announce.json", text);
	put(&f, ".isobar/pocket/a", "credentials.json", "{}");
	assert_int_equal(0, pocket_clouds_stop_all(&f.call, state_folder(&f)));
	end(&f); // we are still here
}

static void test_environment_of_real_accounts(void **state)
{
	(void)state;
	struct fixture f;
	struct clouds_env *env = NULL;
	begin(&f);
	struct clouds_env_options o = {.state_folder = state_folder(&f), .workspace = S("w")};
	assert_int_equal(ERR_INTERNAL, clouds_env_open(&f.call, &o, &env)); // nobody read the operator's file
	err_clear(&f.call.err);
	o.pocket = true; // and no cloud
	assert_int_equal(0, clouds_env_open(&f.call, &o, &env));
	assert_int_equal(0, clouds_env_clouds(env)->count);
	assert_int_equal(0, clouds_env_started(env));
	clouds_env_stop_started(&f.call, env);
	clouds_env_close(env);
	end(&f);
}

// ---------------------------------------------------------------- processes
static void test_gateways(void **state)
{
	(void)state;
	struct fixture f;
	struct process process;
	char text[256];
	json_t *list = NULL;
	begin(&f);
	assert_int_equal(0, processes_gateways(&f.call, state_folder(&f), &list));
	assert_int_equal(0, json_array_size(list));
	json_decref(list);
	put(&f, ".isobar/gateways/edge", "announce.json", "{}");
	const char *announce = arena_printf(&f.arena, "%.*s/gateways/edge/announce.json", STR(state_folder(&f))).p;
	const char *argv[] = {"/usr/bin/tail", "-f", announce, NULL}; // a gateway has it among its arguments too
	const struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .error = -1};
	assert_int_equal(0, process_start(&spec, &process, &f.call.err));
	snprintf(text, sizeof(text),
		"{\"url\":\"https://127.0.0.1:9\",\"admin_url\":\"http://127.0.0.1:10\",\"pid\":%d}", (int)process.pid);
	put(&f, ".isobar/gateways/edge", "announce.json", text);
	put(&f, ".isobar/gateways/old", "announce.json", "{\"url\":\"https://127.0.0.1:8\",\"pid\":2147483646}");
	put(&f, ".isobar/gateways/broken", "announce.json", "{");
	assert_int_equal(0, processes_gateways(&f.call, state_folder(&f), &list));
	assert_int_equal(2, json_array_size(list));
	for (size_t i = 0; i < 2; i++) {
		const json_t *one = json_array_get(list, i);
		bool edge = strcmp(json_text(one, "name"), "edge") == 0;
		assert_int_equal(edge, json_flag(one, "up", !edge));
		assert_int_equal(edge ? process.pid : 0, json_int(one, "pid", -1));
	}
	json_decref(list);
	assert_int_equal(0, processes_stop_gateways(&f.call, state_folder(&f)));
	assert_false(process_alive(&process));
	end(&f);
}

struct replicas { // of a cloud's endpoints
	struct str name;
	struct process process;
};

static int list_endpoints(struct call *c, void *ctx, struct str **names, size_t *count)
{
	(void)c;
	struct replicas *r = ctx;
	*names = &r->name;
	*count = 1;
	return 0;
}

static int observe_endpoint(struct call *c, void *ctx, struct str name, struct endpoint_status *out)
{
	(void)c;
	struct replicas *r = ctx;
	assert_true(str_eq(r->name, name));
	*out = (struct endpoint_status){.state = ENDPOINT_READY, .pids = {r->process.pid}};
	return 0;
}

static int list_fails(struct call *c, void *ctx, struct str **names, size_t *count)
{
	(void)ctx, (void)names, (void)count;
	return call_fail(c, ERR_UNAVAILABLE, "down");
}

static int never_asked(struct call *c, void *ctx, struct str **names, size_t *count)
{
	(void)c, (void)ctx, (void)names, (void)count;
	fail_msg("a provider is asked for processes of ours");
	return 0;
}

// Of the local engine all end, whatever another cloud answers; a provider's are its own.
static void test_endpoints(void **state)
{
	(void)state;
	static const struct endpoint_ops works = {.name = "local", .list = list_endpoints, .observe = observe_endpoint};
	static const struct endpoint_ops fails = {.name = "local", .list = list_fails};
	static const struct endpoint_ops provider = {.name = "aws", .list = never_asked};
	struct fixture f;
	struct replicas r = {.name = S_INIT("classify")};
	begin(&f);
	const char *argv[] = {"/bin/sleep", "60", NULL};
	const struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .error = -1};
	assert_int_equal(0, process_start(&spec, &r.process, &f.call.err));
	struct cloud items[] = {{.name = S_INIT("a"), .endpoints = &fails}, {.name = S_INIT("b")},
		{.name = S_INIT("d"), .endpoints = &provider}, {.name = S_INIT("c"), .endpoints = &works, .endpoints_ctx = &r}};
	const struct clouds clouds = {.items = items, .count = COUNT_OF(items)};
	assert_int_equal(0, processes_stop_endpoints(&f.call, &clouds));
	assert_false(process_alive(&r.process));
	end(&f);
}

// ---------------------------------------------------------------- buckets
static void test_buckets_are_emptied(void **state)
{
	(void)state;
	struct fixture f;
	struct memory_cloud m;
	begin(&f);
	memory_cloud_init(&m, "a", "aws");
	memory_cloud_bucket(&m, "w-lake");
	memory_cloud_bucket(&m, "w-kept");
	for (int i = 0; i < 5; i++) {
		char key[16];
		snprintf(key, sizeof(key), "k/%d", i);
		memory_cloud_poke(&m, "w-lake", key, S("x"));
		memory_cloud_poke(&m, "w-kept", key, S("x"));
	}
	const struct resource lake = {
		.address = S("bucket/lake on a"), .kind = S("bucket"), .cloud = S("a"), .cloud_id = S("w-lake")};
	const struct resource kept = {
		.address = S("bucket/kept on a"), .kind = S("bucket"), .cloud = S("a"), .cloud_id = S("w-kept")};
	const struct resource gone = {
		.address = S("bucket/gone on a"), .kind = S("bucket"), .cloud = S("a"), .cloud_id = S("w-gone")};
	const struct resource far = {
		.address = S("bucket/far on z"), .kind = S("bucket"), .cloud = S("z"), .cloud_id = S("w-far")};
	struct plan_change changes[] = {
		{.action = PLAN_DELETE, .address = lake.address, .recorded = &lake},
		{.action = PLAN_NOTHING, .address = kept.address, .recorded = &kept},
		{.action = PLAN_DELETE, .address = gone.address, .recorded = &gone},
		{.action = PLAN_DELETE, .address = far.address, .recorded = &far},
	};
	const struct clouds clouds = {.items = &m.cloud, .count = 1};
	struct plan plan = {.changes = changes, .count = 3};
	struct buckets_emptied emptied = {0};
	assert_int_equal(0, buckets_empty(&f.call, &clouds, &plan, &emptied));
	assert_int_equal(5, emptied.objects);
	assert_int_equal(0, memory_cloud_count(&m, "w-lake", ""));
	assert_int_equal(5, memory_cloud_count(&m, "w-kept", ""));
	plan.count = 4;
	assert_int_equal(ERR_NOT_FOUND, buckets_empty(&f.call, &clouds, &plan, &emptied));
	memory_cloud_free(&m);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pocket_cloud_that_never_ran),
		cmocka_unit_test(test_a_pocket_cloud_that_died),
		cmocka_unit_test(test_a_stranger_is_never_ended),
		cmocka_unit_test(test_environment_of_real_accounts),
		cmocka_unit_test(test_gateways),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_buckets_are_emptied),
	};
	return cmocka_run_group_tests_name("infra-environment", tests, NULL, NULL);
}
