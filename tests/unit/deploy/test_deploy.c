// SPDX-License-Identifier: Apache-2.0
// Deploying on three toy clouds: waiting, up, new version, dead clouds, hanging clouds, failures, undeclared endpoints,
// the endless loop.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "deploy/deploy.h"
#include "deploy/deploy_impl.h"
#include "deploy/endpoint_kind.h"
#include "state/override.h"

enum { CLOUDS = 3 };

struct toy { // a cloud; lock guards all below
	pthread_mutex_t lock;
	bool store_down, hangs, exists, starting;
	bool fails; // ensure fails for good
	enum endpoint_state state;
	char generation[32], version[32], prefix[64];
	struct str invoke; // "": as an open endpoint
	int64_t replicas;
	int ensures, deletes, started_while_down;
};

struct bench {
	char folder[64];
	struct arena arena;
	struct call call;
	struct state state;
	struct toy toys[CLOUDS];
	struct cloud items[CLOUDS];
	struct clouds clouds;
	struct deploy_ctx deploy;
};

static int toy_bucket_head(struct call *c, void *ctx, struct str bucket)
{
	struct toy *t = ctx;
	pthread_mutex_lock(&t->lock);
	bool down = t->store_down;
	pthread_mutex_unlock(&t->lock);
	assert_true(str_eq(bucket, S("fashion-lake")));
	return down ? call_fail(c, ERR_UNAVAILABLE, "connection refused") : 0;
}

static int toy_ensure(struct call *c, void *ctx, const struct endpoint_spec *spec)
{
	struct toy *t = ctx;
	pthread_mutex_lock(&t->lock);
	t->ensures++;
	t->started_while_down += t->store_down;
	bool fails = t->fails;
	if (!fails) {
		t->exists = true;
		t->state = ENDPOINT_READY;
		t->replicas = spec->replicas;
		(void)str_copy(t->generation, sizeof(t->generation), spec->generation);
		(void)str_copy(t->version, sizeof(t->version), spec->version);
		(void)str_copy(t->prefix, sizeof(t->prefix), spec->prefix);
	}
	pthread_mutex_unlock(&t->lock);
	return fails ? call_fail(c, ERR_CORRUPT, "the weights are damaged") : 0;
}

static int toy_observe(struct call *c, void *ctx, struct str name, struct endpoint_status *out)
{
	struct toy *t = ctx;
	pthread_mutex_lock(&t->lock);
	bool hangs = t->hangs, exists = t->exists;
	*out = (struct endpoint_status){.state = t->state,
		.url = S("http://127.0.0.1:4000"),
		.pids = {77},
		.generation = arena_str(c->arena, str_of(t->generation))};
	if (t->invoke.n)
		out->invoke = (struct endpoint_invoke){INVOKE_SAGEMAKER, t->invoke};
	pthread_mutex_unlock(&t->lock);
	if (hangs)
		return call_sleep(c, 60 * NS_PER_S);
	return exists ? 0 : call_fail(c, ERR_NOT_FOUND, "no endpoint %.*s", STR(name));
}

static int toy_delete(UNUSED struct call *c, void *ctx, UNUSED struct str name)
{
	struct toy *t = ctx;
	pthread_mutex_lock(&t->lock);
	t->deletes++;
	t->exists = false;
	pthread_mutex_unlock(&t->lock);
	return 0;
}

static const struct store_ops toy_store = {.name = "toy", .bucket_head = toy_bucket_head};
static const struct endpoint_ops toy_endpoints = {
	.name = "toy", .ensure = toy_ensure, .observe = toy_observe, .delete = toy_delete};
static const char *const names[CLOUDS] = {"aws-us", "gcp-eu", "azure-eu"};

// Until a program links all of cloud/: these two are all that the code under test needs of it.
__attribute__((weak)) struct cloud *clouds_find(const struct clouds *all, struct str name)
{
	for (size_t i = 0; i < all->count; i++)
		if (str_eq(all->items[i].name, name))
			return &all->items[i];
	return NULL;
}

__attribute__((weak)) int cloud_unsupported(
	struct call *c, const struct cloud *cloud, const char *part, const char *slot)
{
	return call_fail(c, ERR_UNSUPPORTED, "%.*s does not offer %s.%s", STR(cloud->name), part, slot);
}

static void declare_on(struct bench *b, const char *cloud)
{
	json_t *resolved = json_pack("{s:s, s:[s,s,s], s:{s:f, s:s}, s:{s:i, s:i}}", "model",
		"model/classifier@champion", "clouds", names[0], names[1], names[2], "resources", "cpu", 1.0, "memory",
		"512MiB", "scale", "min", 1, "max", 2);
	assert_non_null(resolved);
	struct resource r = {.address = resource_address(&b->arena, S("endpoint"), S("classify"), str_of(cloud)),
		.status = S("waiting"),
		.resolved = json_in_arena(&b->arena, resolved)};
	assert_int_equal(resource_put(&b->call, &b->state, &r), 0);
	struct resource bucket = {.address = resource_address(&b->arena, S("bucket"), S("lake"), str_of(cloud)),
		.status = S("ready"),
		.cloud_id = S("fashion-lake")};
	(void)!resource_put(&b->call, &b->state, &bucket); // there already when an endpoint is declared again
}

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	char path[96];
	snprintf(b->folder, sizeof(b->folder), "/tmp/isobar-deploy-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(path, sizeof(path), "%s/state.db", b->folder);
	call_init(&b->call, &b->arena, edges_real(), S("reconciler/deploy"));
	assert_int_equal(state_open_sqlite(&b->call, path, &b->state), 0);
	for (size_t i = 0; i < CLOUDS; i++) {
		pthread_mutex_init(&b->toys[i].lock, NULL);
		b->items[i] = (struct cloud){.name = str_of(names[i]),
			.store = &toy_store,
			.store_ctx = &b->toys[i],
			.endpoints = &toy_endpoints,
			.endpoints_ctx = &b->toys[i]};
		declare_on(b, names[i]);
	}
	b->clouds = (struct clouds){.items = b->items, .count = CLOUDS};
	b->deploy = (struct deploy_ctx){.clouds = &b->clouds,
		.state = &b->state,
		.observe_timeout_ns = 100 * NS_PER_MS,
		.pace_ns = 20 * NS_PER_MS};
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	struct err e = {0};
	state_close(&b->state);
	arena_free(&b->arena);
	assert_int_equal(file_remove_tree(b->folder, &e), 0);
	free(b);
	return 0;
}

static void promote(struct bench *b, const char *version)
{
	AUTO(json) alias = json_pack("{s:s}", "version", version);
	AUTO(json) record = json_pack("{s:s, s:s}", "version", version, "bucket", "lake");
	struct str key = arena_printf(&b->arena, "model-version/classifier/%s", version);
	assert_int_equal(state_put(&b->call, &b->state, key, record, UINT64_MAX, NULL), 0);
	assert_int_equal(
		state_put(&b->call, &b->state, S("model-alias/classifier/champion"), alias, UINT64_MAX, NULL), 0);
}

static size_t pass(struct bench *b)
{
	size_t pending = 99;
	if (deploy_pass(&b->call, &b->deploy, &pending) < 0)
		fail_msg("%s", b->call.err.message);
	return pending;
}

static struct status_record status_of(struct bench *b, size_t cloud)
{
	struct status_record r;
	assert_int_equal(
		status_read(&b->call, &b->state, status_key(&b->arena, S("classify"), str_of(names[cloud])), &r), 0);
	return r;
}

static void assert_str(struct str s, const char *expected)
{
	assert_int_equal(s.n, strlen(expected));
	assert_memory_equal(s.p, expected, s.n);
}

static struct str resource_status(struct bench *b, size_t cloud)
{
	struct resource r;
	assert_int_equal(resource_get(&b->call, &b->state,
				 resource_address(&b->arena, S("endpoint"), S("classify"), str_of(names[cloud])), &r),
		0);
	return r.status;
}

static size_t events(struct bench *b, const char *type)
{
	struct event *e;
	size_t n;
	assert_int_equal(state_read_all(&b->call, &b->state, str_of(type), S(""), &e, &n), 0);
	return n;
}

static void test_waits_for_a_version(void **out)
{
	struct bench *b = *out;
	assert_int_equal(pass(b), 0);
	for (size_t i = 0; i < CLOUDS; i++) {
		assert_int_equal(b->toys[i].ensures, 0);
		struct status_record r = status_of(b, i);
		assert_str(r.state, "waiting");
		assert_str(r.reason, "model/classifier has no version with the alias champion");
	}
	assert_int_equal(events(b, "action."), 0);
}

static void test_brings_up_everywhere(void **out)
{
	struct bench *b = *out;
	promote(b, "3");
	assert_int_equal(pass(b), 0);
	for (size_t i = 0; i < CLOUDS; i++) {
		struct status_record r = status_of(b, i);
		assert_str(r.state, "ready");
		assert_str(r.url, "http://127.0.0.1:4000");
		assert_str(r.version, "3");
		assert_int_equal(r.generation.n, 12);
		assert_int_equal(r.pids[0], 77);
		assert_int_equal(r.pids[1], 0);
		assert_int_equal(r.starts, 1);
		assert_str(resource_status(b, i), "ready");
		assert_string_equal(b->toys[i].prefix, "models/classifier/3/");
		assert_int_equal(b->toys[i].replicas, 1);
	}
	size_t changed = events(b, "endpoint.changed");
	assert_int_equal(events(b, "action.done"), CLOUDS);
	assert_int_equal(pass(b), 0); // nothing left to do, nothing new to tell
	assert_int_equal(events(b, "endpoint.changed"), changed);
	assert_int_equal(b->toys[0].ensures, 1);
}

// How it is asked stands in its record, and is not forgotten while its cloud does not answer.
static void test_records_how_it_is_invoked(void **out)
{
	struct bench *b = *out;
	struct record r;
	struct str url = S("http://127.0.0.1:4000/endpoints/classify/invocations");
	b->toys[0].invoke = url;
	promote(b, "3");
	assert_int_equal(pass(b), 0);
	assert_int_equal(status_of(b, 0).invoke.how, INVOKE_SAGEMAKER);
	assert_true(str_eq(status_of(b, 0).invoke.url, url));
	assert_int_equal(status_of(b, 1).invoke.how, INVOKE_OPEN);
	assert_int_equal(state_get(&b->call, &b->state, S("endpoint-status/classify on gcp-eu"), &r), 0);
	assert_null(json_object_get(r.value, "invoke"));
	b->toys[0].hangs = true;
	pass(b);
	assert_str(status_of(b, 0).state, "unreachable");
	assert_true(str_eq(status_of(b, 0).invoke.url, url));
}

static void test_a_new_version_replaces(void **out)
{
	struct bench *b = *out;
	promote(b, "1");
	assert_int_equal(pass(b), 0);
	struct status_record before = status_of(b, 0);
	promote(b, "2");
	assert_int_equal(pass(b), 0);
	struct status_record after = status_of(b, 0);
	assert_false(str_eq(before.generation, after.generation));
	assert_str(after.version, "2");
	assert_int_equal(after.starts, 2);
	promote(b, "1"); // and back: the same generation as the first, yet a new action
	assert_int_equal(pass(b), 0);
	assert_true(str_eq(status_of(b, 0).generation, before.generation));
	assert_int_equal(b->toys[0].ensures, 3);
}

static void test_an_override_scales(void **out)
{
	struct bench *b = *out;
	AUTO(json) two = json_integer(2);
	const struct override o = {.address = S("endpoint/classify on gcp-eu"),
		.field = S("scale.min"),
		.value = two,
		.author = S("user/root")};
	promote(b, "1");
	assert_int_equal(override_set(&b->call, &b->state, &o), 0);
	assert_int_equal(pass(b), 0);
	assert_int_equal(b->toys[0].replicas, 1);
	assert_int_equal(b->toys[1].replicas, 2);
}

// One endpoint goes by its own override, the others by that of the alias.
static void test_an_override_rolls_back(void **out)
{
	struct bench *b = *out;
	AUTO(json) one = json_string("1");
	AUTO(json) two = json_string("2");
	const struct override of_alias = {.address = S("model/classifier"), .field = S("aliases.champion"), .value = two,
		.author = S("user/root")};
	const struct override of_endpoint = {.address = S("endpoint/classify on gcp-eu"), .field = S("version"),
		.value = one, .author = S("user/root")};
	promote(b, "1");
	promote(b, "2");
	promote(b, "3");
	assert_int_equal(override_set(&b->call, &b->state, &of_alias), 0);
	assert_int_equal(override_set(&b->call, &b->state, &of_endpoint), 0);
	assert_int_equal(pass(b), 0);
	assert_string_equal(b->toys[0].prefix, "models/classifier/2/");
	assert_string_equal(b->toys[1].prefix, "models/classifier/1/");
	assert_int_equal(override_end(&b->call, &b->state, &of_alias, S("user/root"), S("mended")), 0);
	assert_int_equal(override_end(&b->call, &b->state, &of_endpoint, S("user/root"), S("mended")), 0);
	assert_int_equal(pass(b), 0);
	assert_string_equal(b->toys[0].prefix, "models/classifier/3/");
	assert_string_equal(b->toys[1].prefix, "models/classifier/3/");
}

static void kill_cloud(struct bench *b, size_t i, bool down)
{
	pthread_mutex_lock(&b->toys[i].lock);
	b->toys[i].store_down = down;
	if (down)
		b->toys[i].state = ENDPOINT_DOWN;
	pthread_mutex_unlock(&b->toys[i].lock);
}

static void test_restarts_when_the_cloud_is_back_and_never_before(void **out)
{
	struct bench *b = *out;
	promote(b, "1");
	assert_int_equal(pass(b), 0);
	kill_cloud(b, 2, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pass(b), 1);
	struct status_record r = status_of(b, 2);
	assert_str(r.state, "down");
	assert_str(r.url, "http://127.0.0.1:4000"); // known still, for whoever probes it
	assert_int_equal(b->toys[2].ensures, 1);
	kill_cloud(b, 2, false);
	assert_int_equal(pass(b), 0);
	assert_int_equal(b->toys[2].ensures, 2);
	assert_int_equal(b->toys[2].started_while_down, 0);
	assert_int_equal(status_of(b, 2).starts, 2);
	assert_int_equal(b->toys[0].ensures, 1);
}

static void test_a_hanging_cloud_delays_nobody(void **out)
{
	struct bench *b = *out;
	promote(b, "1");
	b->toys[1].hangs = true;
	int64_t begin = call_mono_ns(&b->call);
	assert_int_equal(pass(b), 1);
	assert_true(call_mono_ns(&b->call) - begin < 2 * NS_PER_S);
	assert_str(status_of(b, 0).state, "ready");
	assert_str(status_of(b, 1).state, "unreachable");
	assert_str(status_of(b, 2).state, "ready");
	assert_int_equal(b->toys[1].ensures, 0);
}

static void test_one_that_cannot_come_up_holds_up_nobody(void **out)
{
	struct bench *b = *out;
	promote(b, "1");
	b->toys[0].fails = true;
	assert_int_equal(pass(b), 1);
	assert_int_equal(b->toys[0].ensures, 3); // then the pass no longer waits for it
	assert_int_equal(events(b, "action.failed"), 3);
	assert_str(status_of(b, 1).state, "ready");
	assert_str(status_of(b, 0).state, "absent");
	assert_str(status_of(b, 0).reason, "endpoint/classify on aws-us: the weights are damaged");
	assert_int_equal(status_of(b, 1).reason.n, 0);
	b->toys[0].fails = false;
	assert_int_equal(pass(b), 0); // a new pass tries at once: no pause of an earlier one holds it up
	assert_int_equal(status_of(b, 0).reason.n, 0);
	assert_str(status_of(b, 0).state, "ready");
}

static void undeclare(struct bench *b, size_t cloud)
{
	struct resource r;
	assert_int_equal(resource_get(&b->call, &b->state,
				 resource_address(&b->arena, S("endpoint"), S("classify"), str_of(names[cloud])), &r),
		0);
	assert_int_equal(resource_delete(&b->call, &b->state, &r), 0);
}

static void test_undeclared_endpoints_go(void **out)
{
	struct bench *b = *out;
	promote(b, "1");
	assert_int_equal(pass(b), 0);
	for (int round = 1; round <= 2; round++) { // the second time under new names of actions
		undeclare(b, 0);
		assert_int_equal(pass(b), 0);
		assert_int_equal(b->toys[0].deletes, round);
		assert_int_equal(status_of(b, 0).revision, 0);
		declare_on(b, names[0]);
		assert_int_equal(pass(b), 0);
		assert_int_equal(b->toys[0].ensures, round + 1);
		assert_str(status_of(b, 0).state, "ready");
	}
	assert_int_equal(b->toys[1].deletes, 0);
}

struct loop {
	struct bench *bench;
	atomic_bool cancel;
	int rc;
};

static void *run_loop(void *ctx)
{
	struct loop *l = ctx;
	AUTO(arena) arena = {0};
	struct call c;
	call_init(&c, &arena, edges_real(), S("reconciler/deploy"));
	c.cancel = &l->cancel;
	l->rc = deploy_run(&c, &l->bench->deploy);
	return NULL;
}

static bool wait_for(struct bench *b, size_t cloud, const char *state, int64_t starts)
{
	for (int i = 0; i < 400; i++) {
		struct status_record r = status_of(b, cloud);
		if (str_eq(r.state, str_of(state)) && r.starts >= starts)
			return true;
		usleep(5000);
	}
	return false;
}

static void test_the_endless_loop(void **out)
{
	struct bench *b = *out;
	struct loop l = {.bench = b};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, run_loop, &l), 0);
	assert_true(wait_for(b, 0, "waiting", 0));
	promote(b, "1"); // a record without an event: seen at the next look
	for (size_t i = 0; i < CLOUDS; i++)
		assert_true(wait_for(b, i, "ready", 1));
	kill_cloud(b, 2, true);
	assert_true(wait_for(b, 2, "down", 1));
	usleep(100000);
	kill_cloud(b, 2, false);
	assert_true(wait_for(b, 2, "ready", 2));
	atomic_store(&l.cancel, true);
	pthread_join(thread, NULL);
	assert_int_equal(l.rc, ERR_CANCELLED);
	assert_int_equal(b->toys[2].started_while_down, 0);
	assert_int_equal(b->toys[2].ensures, 2);
}

// ---------------------------------------------------------------- the kind and its handler

static size_t decode(const char *yaml, struct arena *a, struct endpoint *e)
{
	struct findings f = {.arena = a};
	struct node *root;
	if (node_parse_yaml(str_of(yaml), "isobar.yaml", &f, &root) < 0)
		return 99;
	int rc = kind_decode(&endpoint_kind, root, a, e, &f);
	assert_int_equal(rc, f.count ? ERR_INVALID : 0);
	return f.count;
}

static void test_the_kind(void **out)
{
	struct bench *b = *out;
	struct endpoint e = {0};
	assert_int_equal(decode("model: classifier@champion\nclouds: all\nresources: {cpu: 1, memory: 512MiB}\nscale: "
				"{min: 1, max: 2}\n",
				 &b->arena, &e),
		0);
	assert_str(e.model.name, "classifier");
	assert_str(e.model.qualifier, "champion");
	assert_true(e.clouds.all);
	assert_int_equal(e.resources.memory, 512 << 20);
	assert_int_equal(e.scale.max, 2);
	assert_true(e.traffic > 0.99);
	assert_int_equal(decode("model: classifier@champion\nclouds: [aws-us]\n", &b->arena, &e), 0);
	assert_int_equal(e.scale.min, 1);
	assert_int_equal(decode("clouds: all\n", &b->arena, &e), 1);                    // no model
	assert_int_equal(decode("model: classifier\nclouds: all\n", &b->arena, &e), 0); // may be somebody else's model
	assert_int_equal(decode("model: a@b\nclouds: all\nscale: {min: 3, max: 2}\n", &b->arena, &e), 1);
	assert_int_equal(decode("model: a@b\nclouds: all\nscale: {min: -1}\n", &b->arena, &e), 1);
}

static void test_the_handler(void **out)
{
	struct bench *b = *out;
	struct resource r;
	struct str reason = {0};
	assert_int_equal(resource_get(&b->call, &b->state, S("endpoint/classify on aws-us"), &r), 0);
	assert_int_equal(endpoint_handler.waiting(&b->call, &b->deploy, &r, &reason), 0);
	assert_str(reason, "model/classifier has no version with the alias champion");
	promote(b, "1");
	assert_int_equal(endpoint_handler.waiting(&b->call, &b->deploy, &r, &reason), 0);
	assert_int_equal(reason.n, 0);
	assert_int_equal(pass(b), 0);
	assert_int_equal(endpoint_handler.delete(&b->call, &b->deploy, &r), 0);
	assert_int_equal(b->toys[0].deletes, 1);
	assert_int_equal(status_of(b, 0).revision, 0);
	r.cloud = S("nowhere");
	assert_int_equal(endpoint_handler.delete(&b->call, &b->deploy, &r), ERR_NOT_FOUND);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_waits_for_a_version),
		TEST(test_brings_up_everywhere),
		TEST(test_records_how_it_is_invoked),
		TEST(test_a_new_version_replaces),
		TEST(test_an_override_scales),
		TEST(test_an_override_rolls_back),
		TEST(test_restarts_when_the_cloud_is_back_and_never_before),
		TEST(test_a_hanging_cloud_delays_nobody),
		TEST(test_one_that_cannot_come_up_holds_up_nobody),
		TEST(test_undeclared_endpoints_go),
		TEST(test_the_endless_loop),
		TEST(test_the_kind),
		TEST(test_the_handler),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
