// SPDX-License-Identifier: Apache-2.0
// Copies kept up to date by the control plane: when a dataset is due, what a failure changes, alerts about copies that
// are behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/replicas.h"
#include "base/time.h"
#include "data/replica.h"
#include "fixture_state.h"
#include "memory_cloud.h"

struct world {
	struct fixture f;
	struct state s;
	struct edges_fake edges;
	struct memory_cloud source, target;
	struct cloud list[2];
	struct clouds all;
	struct binding binding;
};

static void declare_bucket(struct world *w, const char *address, const char *id)
{
	struct resource r;
	fixture_resource(&w->f, &w->s, address, json_object(), NULL);
	assert_ok(&w->f, resource_get(&w->f.call, &w->s, str_of(address), &r));
	r.cloud_id = str_of(id);
	assert_ok(&w->f, resource_put(&w->f.call, &w->s, &r));
}

static void open_world(struct world *w)
{
	fixture_open_state(&w->f, &w->s);
	edges_fake_init(&w->edges, INT64_C(1795521600000000000), 1);
	w->f.call.edges = &w->edges.edges;
	memory_cloud_init(&w->source, "aws-eu", "aws");
	memory_cloud_init(&w->target, "gcp-eu", "gcp");
	memory_cloud_bucket(&w->source, "raw");
	memory_cloud_bucket(&w->target, "lake");
	memory_cloud_poke(&w->source, "raw", "in/a.jsonl", S("{}\n"));
	w->list[0] = w->source.cloud;
	w->list[1] = w->target.cloud;
	w->all = (struct clouds){.items = w->list, .count = 2};
	declare_bucket(w, "bucket/raw on aws-eu", "raw");
	declare_bucket(w, "bucket/lake on gcp-eu", "lake");
	fixture_resource(&w->f, &w->s, "dataset/d",
		json_pack("{s:s,s:s,s:s,s:[s],s:{s:s,s:s,s:s}}", "source", "bucket/raw/in/", "format", "jsonl", "class",
			"internal", "residency", "DE", "replicas", "bucket", "bucket/lake", "refresh", "hourly",
			"lag_alert", "3h"),
		NULL);
	fixture_resource(
		&w->f, &w->s, "dataset/plain", json_pack("{s:s,s:s}", "source", "file:x", "format", "idx"), NULL);
	w->binding = (struct binding){.folder = str_of(w->f.folder),
		.state_folder = str_of(w->f.folder),
		.workspace = S("fashion"),
		.state = &w->s,
		.clouds = &w->all};
}

static void close_world(struct world *w)
{
	memory_cloud_free(&w->source);
	memory_cloud_free(&w->target);
	fixture_close_state(&w->f, &w->s);
}

static size_t synced(struct world *w)
{
	return fixture_events(&w->f, &w->s, "replica.synced", NULL);
}

static void test_due(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_ok(&w.f, replicas_tick(&w.f.call, &w.binding)); // never done: at once
	assert_int_equal(synced(&w), 1);
	assert_str(memory_cloud_peek(&w.target, "lake", "datasets/d/files/a.jsonl"), S("{}\n"));
	memory_cloud_poke(&w.source, "raw", "in/a.jsonl", S("{\"n\":1}\n"));
	w.edges.now_ns += 3599 * NS_PER_S;
	assert_ok(&w.f, replicas_tick(&w.f.call, &w.binding));
	assert_int_equal(synced(&w), 1); // not yet an hour
	w.edges.now_ns += 2 * NS_PER_S;
	assert_ok(&w.f, replicas_tick(&w.f.call, &w.binding));
	assert_int_equal(synced(&w), 2);
	assert_str(memory_cloud_peek(&w.target, "lake", "datasets/d/files/a.jsonl"), S("{\"n\":1}\n"));
	w.edges.now_ns -= 86400 * NS_PER_S; // a clock that was set back stops nothing
	memory_cloud_poke(&w.source, "raw", "in/a.jsonl", S("{\"n\":2}\n"));
	assert_ok(&w.f, replicas_tick(&w.f.call, &w.binding));
	assert_int_equal(synced(&w), 3);
	close_world(&w);
}

static struct str alert_state(struct world *w)
{
	struct record r = {0};
	assert_ok(&w->f, state_get(&w->f.call, &w->s, S("alert/dataset/d/lag/gcp-eu"), &r));
	return json_str(r.value, "state");
}

static void test_behind(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_ok(&w.f, replicas_tick(&w.f.call, &w.binding));
	assert_str(alert_state(&w), S(""));
	memory_cloud_poke(&w.source, "raw", "in/a.jsonl", S("{\"n\":1}\n"));
	atomic_store(&w.target.down, true);
	w.edges.now_ns += 2 * 3600 * NS_PER_S;
	assert_ok(&w.f, replicas_tick(&w.f.call, &w.binding)); // it fails, and is no end of the service
	assert_int_equal(fixture_events(&w.f, &w.s, "replica.failed", NULL), 1);
	assert_str(alert_state(&w), S(""));
	w.edges.now_ns += 2 * 3600 * NS_PER_S;
	assert_ok(&w.f, replicas_tick(&w.f.call, &w.binding));
	assert_str(alert_state(&w), S("firing"));
	assert_ok(&w.f, replicas_tick(&w.f.call, &w.binding));
	assert_int_equal(fixture_events(&w.f, &w.s, "alert.firing", NULL), 1); // told once
	atomic_store(&w.target.down, false);
	w.edges.now_ns += 61 * NS_PER_S; // a minute after a failure, not an hour
	assert_ok(&w.f, replicas_tick(&w.f.call, &w.binding));
	assert_int_equal(synced(&w), 2);
	assert_str(alert_state(&w), S("resolved"));
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_due), cmocka_unit_test(test_behind)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
