// SPDX-License-Identifier: Apache-2.0
// Datasets. Ingest: each record of the source lies on exactly one cloud, and every part has its manifest. Replicas: after each change of
// the source the copies equal it again, where residency allows one, and not a byte lies elsewhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "data/ingest.h"
#include "fixture_state.h"
#include "math/idx.h"
#include "memory_cloud.h"
#include "scheduler.h"
#include "sim.h"

enum { RECORDS = 64, SIZE = 4, FILES = 8, CHANGES = 4 };
#define SMALL "datasets/images/0123456789ab/"
#define COPIES "datasets/returns/files/"

struct world {
	struct fixture f;
	struct edges_fake edges;
	struct state state;
	struct memory_cloud memory[SIM_CLOUDS];
	struct cloud real[SIM_CLOUDS], shown[SIM_CLOUDS];
	struct clouds clouds;
	struct resource dataset;
	json_t *outputs;
	char files[FILES][32]; // contents of the source's files; "": there is none
};
static const char *const names[SIM_CLOUDS][3] = {
	{"aws-eu", "aws", "eu-central-1"}, {"gcp-eu", "gcp", "europe-west4"}, {"azure-us", "azure", "eastus"}};

static void declare(struct world *w, const char *address, const char *json)
{
	json_t *resolved = NULL;
	assert_ok(&w->f, json_parse(str_of(json), &resolved, &w->f.call.err));
	fixture_resource(&w->f, &w->state, address, resolved, NULL);
	assert_ok(&w->f, resource_get(&w->f.call, &w->state, str_of(address), &w->dataset));
}

static struct world *open_clouds(struct sim *sim)
{
	struct world *w = calloc(1, sizeof(*w));
	fixture_open_state(&w->f, &w->state);
	edges_fake_init(&w->edges, INT64_C(1800000000000000000), sim->seed);
	w->f.call.edges = &w->edges.edges;
	scheduler_begin(&w->edges, sim->seed);
	for (size_t i = 0; i < SIM_CLOUDS; i++) {
		memory_cloud_init(&w->memory[i], names[i][0], names[i][1]);
		memory_cloud_bucket(&w->memory[i], "fashion-lake");
		w->real[i] = w->memory[i].cloud;
		fixture_resource(&w->f, &w->state, arena_printf(&w->f.arena, "bucket/lake on %s", names[i][0]).p, json_object(), NULL);
		fixture_resource(&w->f, &w->state, arena_printf(&w->f.arena, "cloud/%s", names[i][0]).p,
			json_pack("{s:s,s:s}", "provider", names[i][1], "region", names[i][2]), NULL);
	}
	return w;
}

static void show(struct sim *sim, struct world *w)
{
	sim_begin(sim, &w->edges, &w->state, w->real);
	for (size_t i = 0; i < SIM_CLOUDS; i++)
		w->shown[i] = sim->clouds[i].shown;
	w->clouds = (struct clouds){.items = w->shown, .count = SIM_CLOUDS};
}

static int attempt(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	AUTO(arena) arena = {0};
	struct call c;
	json_t *outputs = NULL;
	call_init(&c, &arena, &w->edges.edges, S("user/simulation"));
	const struct ingest in = {.state = &sim->state,
		.clouds = &w->clouds,
		.resource = &w->dataset,
		.run = S("0123456789ab"),
		.scratch = fixture_path(&w->f, "scratch"),
		.folder = fixture_path(&w->f, "ws")};
	int rc = dataset_ingest(&c, &in, &outputs);
	if (rc == 0)
		w->outputs = json_in_arena(&w->f.arena, outputs);
	return rc;
}

static void close_world(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	sim_end(sim);
	scheduler_end();
	for (size_t i = 0; i < SIM_CLOUDS; i++)
		memory_cloud_free(&w->memory[i]);
	fixture_close_state(&w->f, &w->state);
	free(w);
}

// ---------------------------------------------------------------- ingest
static void write_pair(struct world *w, const char *stem)
{
	unsigned char images[RECORDS * SIZE], labels[RECORDS];
	AUTO(buf) bytes = {0};
	for (size_t i = 0; i < RECORDS; i++) {
		memset(&images[i * SIZE], (int)i, SIZE);
		labels[i] = (unsigned char)(i % 10);
	}
	const struct idx im = {.count = RECORDS, .rows = 2, .columns = 2, .record_size = SIZE, .data = images, .images = true};
	const struct idx la = {.count = RECORDS, .rows = 1, .columns = 1, .record_size = 1, .data = labels};
	idx_write(&im, &bytes);
	fixture_write(&w->f, arena_printf(&w->f.arena, "ws/data/%s-images-idx3-ubyte", stem).p, buf_str(&bytes));
	buf_clear(&bytes);
	idx_write(&la, &bytes);
	fixture_write(&w->f, arena_printf(&w->f.arena, "ws/data/%s-labels-idx1-ubyte", stem).p, buf_str(&bytes));
}

static void *open_ingest(struct sim *sim)
{
	struct world *w = open_clouds(sim);
	write_pair(w, "train");
	write_pair(w, "t10k");
	declare(w, "dataset/images",
		"{\"source\":\"file:data\",\"format\":\"idx\",\"bucket\":\"bucket/lake\",\"class\":\"public\",\"residency\":\"anywhere\","
		"\"partition\":{\"by\":\"hash of record\",\"clouds\":[\"aws-eu\",\"gcp-eu\",\"azure-us\"]}}");
	show(sim, w);
	return w;
}

static void check_ingest(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	bool seen[RECORDS] = {false};
	size_t records = 0;
	for (size_t i = 0; i < SIM_CLOUDS; i++) {
		struct idx images;
		struct str bytes = memory_cloud_peek(&w->memory[i], "fashion-lake", SMALL "train-images-idx3-ubyte");
		SIM_NEED(sim, memory_cloud_count(&w->memory[i], "fashion-lake", "") == 5, "not four files and a manifest on %s", names[i][0]);
		SIM_NEED(sim, bytes.p && idx_parse(bytes, &images, NULL) == 0, "no images on %s", names[i][0]);
		for (size_t k = 0; k < images.count; k++, records++) {
			size_t record = images.data[k * SIZE];
			SIM_NEED(sim, record < RECORDS && !seen[record], "record %zu lies on two clouds", record);
			seen[record] = true;
		}
	}
	SIM_NEED(sim, records == RECORDS, "%zu records of %d", records, RECORDS);
	SIM_NEED(sim, json_int(w->outputs, "records", 0) == 2 * RECORDS, "the outputs count other records");
	SIM_NEED(sim, fixture_events(&w->f, &w->state, "transfer.done", NULL) == SIM_CLOUDS, "a transfer is counted twice, or not");
}

const struct sim_world sim_ingest = {
	.name = "ingest", .open = open_ingest, .attempt = attempt, .check = check_ingest, .goals = 1, .close = close_world};

// ---------------------------------------------------------------- replicas
static void change_source(struct world *w)
{
	for (size_t i = 0; i < FILES; i++) {
		struct str key = arena_printf(&w->f.arena, "in/f%zu.jsonl", i);
		if (scheduler_draw(2))
			continue;
		if (scheduler_draw(4) == 0) {
			w->files[i][0] = '\0';
			assert_ok(&w->f, w->real[0].store->delete(&w->f.call, w->real[0].store_ctx, S("raw"), key));
			continue;
		}
		snprintf(w->files[i], sizeof(w->files[i]), "{\"n\":%d}\n", (int)scheduler_draw(100000));
		memory_cloud_poke(&w->memory[0], "raw", key.p, str_of(w->files[i]));
	}
}

static void *open_replicas(struct sim *sim)
{
	struct world *w = open_clouds(sim);
	struct resource raw;
	memory_cloud_bucket(&w->memory[0], "raw");
	fixture_resource(&w->f, &w->state, "bucket/raw on aws-eu", json_object(), NULL);
	assert_ok(&w->f, resource_get(&w->f.call, &w->state, S("bucket/raw on aws-eu"), &raw));
	raw.cloud_id = S("raw");
	assert_ok(&w->f, resource_put(&w->f.call, &w->state, &raw));
	declare(w, "dataset/returns",
		"{\"source\":\"bucket/raw/in/\",\"format\":\"jsonl\",\"class\":\"personal\",\"residency\":[\"EU\"],"
		"\"replicas\":{\"bucket\":\"bucket/lake\",\"refresh\":\"hourly\"}}");
	memory_cloud_poke(&w->memory[0], "raw", "in/first.jsonl", S("{}\n"));
	show(sim, w);
	change_source(w);
	return w;
}

static void check_copy(struct sim *sim, struct world *w, size_t cloud)
{
	size_t wanted = 1;
	for (size_t i = 0; i < FILES; i++) {
		const char *key = arena_printf(&w->f.arena, COPIES "f%zu.jsonl", i).p;
		struct str copy = memory_cloud_peek(&w->memory[cloud], "fashion-lake", key);
		wanted += w->files[i][0] != '\0';
		SIM_NEED(sim, w->files[i][0] ? str_eq(copy, str_of(w->files[i])) : !copy.p, "%s on %s is \"%.*s\" and should be \"%s\"", key,
			names[cloud][0], STR(copy), w->files[i]);
	}
	size_t there = memory_cloud_count(&w->memory[cloud], "fashion-lake", COPIES);
	SIM_NEED(sim, there == wanted, "%zu copies of %zu files on %s", there, wanted, names[cloud][0]);
}

static void check_replicas(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	check_copy(sim, w, 0);
	check_copy(sim, w, 1);
	SIM_NEED(sim, memory_cloud_count(&w->memory[2], "fashion-lake", "") == 0, "personal data of the EU lies in the US");
	change_source(w);
}

const struct sim_world sim_replicas = {
	.name = "replicas", .open = open_replicas, .attempt = attempt, .check = check_replicas, .goals = CHANGES, .close = close_world};
