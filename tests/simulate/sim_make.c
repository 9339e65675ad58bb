// SPDX-License-Identifier: Apache-2.0
// A training in three rounds on three clouds, then a version of its model: every round is accepted and aggregated once, every job runs
// to its end once at most, and all clouds hold the same bytes in the end, those that the record names, and nothing of the rounds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/registry.h"
#include "scheduler.h"
#include "sim.h"
#include "../unit/train/toy_world.h"
#include "state/reconcile.h"
#include "train/model_step.h"

static const char model_declared[] =
	"{\"from\":\"training/classifier\",\"bucket\":\"bucket/lake\",\"input\":{\"image\":{\"type\":\"fp32\",\"shape\":[6]}},"
	"\"output\":{\"class\":{\"type\":\"int64\",\"shape\":[1]}},\"aliases\":{\"any\":{}}}";

struct world {
	struct toy_world toy;
	struct resource training, model;
	struct cloud shown[SIM_CLOUDS];
	struct clouds clouds;
	bool trained;
	json_t *training_outputs;
};

static void *open_world(struct sim *sim)
{
	struct world *w = calloc(1, sizeof(*w));
	toy_open(&w->toy);
	scheduler_begin(&w->toy.edges, sim->seed);
	toy_declare(&w->toy, "model/classifier", model_declared, &w->model);
	toy_declare_federated(&w->toy, "2h", &w->training);
	sim_begin(sim, &w->toy.edges, &w->toy.s, w->toy.list);
	for (size_t i = 0; i < SIM_CLOUDS; i++)
		w->shown[i] = sim->clouds[i].shown;
	w->clouds = (struct clouds){.items = w->shown, .count = SIM_CLOUDS};
	w->toy.step.state = &sim->state;
	w->toy.step.clouds = &w->clouds;
	return w;
}

static int train(struct world *w, struct call *c)
{
	struct step step = w->toy.step;
	json_t *outputs = NULL;
	step.resource = &w->training;
	step.address = S("training/classifier");
	int rc = training_make(c, NULL, &step, &outputs);
	if (rc == 0)
		w->training_outputs = json_in_arena(&w->toy.f.arena, outputs);
	w->trained = rc == 0;
	return rc;
}

static int version(struct world *w, struct call *c)
{
	struct step step = w->toy.step;
	struct step_input inputs[4];
	json_t *outputs = NULL;
	memcpy(inputs, w->toy.inputs, sizeof(inputs));
	inputs[2] = (struct step_input){.address = S("training/classifier"), .run = step.run, .outputs = w->training_outputs};
	step.resource = &w->model;
	step.address = S("model/classifier");
	step.inputs = inputs;
	step.input_count = 3;
	step.alias = S("any");
	int rc = model_make(c, NULL, &step, &outputs);
	json_decref(outputs);
	return rc;
}

static int attempt(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	AUTO(arena) arena = {0};
	struct call c;
	(void)sim;
	call_init(&c, &arena, &w->toy.edges.edges, S("user/simulation"));
	int rc = w->trained ? 0 : train(w, &c);
	return rc == 0 ? version(w, &c) : rc;
}

static void check_counts(struct sim *sim, struct world *w)
{
	static const char *const types[] = {"round.accepted", "round.aggregated"};
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		size_t n = fixture_events(&w->toy.f, &w->toy.s, types[i], NULL);
		SIM_NEED(sim, n == 3, "%zu times %s in 3 rounds", n, types[i]);
	}
	SIM_NEED(sim, fixture_events(&w->toy.f, &w->toy.s, "model.registered", NULL) == 1, "not one version");
	for (size_t i = 0; i < SIM_CLOUDS; i++)
		for (size_t k = 0; k < w->toy.engines[i].count; k++)
			SIM_NEED(sim, w->toy.engines[i].jobs[k].ran == 1, "job %s ran %d times", w->toy.engines[i].jobs[k].name,
				w->toy.engines[i].jobs[k].ran);
}

// A cloud that could not be asked at the end is swept by the next run.
static bool is_swept(struct world *w, struct str cloud)
{
	json_t *output;
	struct str name = arena_printf(&w->toy.f.arena, "train/classifier/3fa2c1d20b6e/final/%.*s/sweep", STR(cloud));
	int rc = reconcile_result(&w->toy.f.call, &w->toy.s, name, &output);
	err_clear(&w->toy.f.call.err);
	return rc == 0;
}

static void check(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	struct str wanted = json_str(w->training_outputs, "sha256");
	check_counts(sim, w);
	for (size_t i = 0; i < SIM_CLOUDS; i++) {
		char digest[HEX_SHA256_SIZE];
		struct str final = memory_cloud_peek(&w->toy.memory[i], "fashion-lake", "models/classifier/1/weights.safetensors");
		struct sha256 sum = sha256_of(final);
		hex_encode(str_bytes(sum.bytes, SHA256_SIZE), digest);
		SIM_NEED(sim, str_eq(str_of(digest), wanted), "%.*s holds other weights than the record names", STR(w->toy.list[i].name));
		size_t rounds = memory_cloud_count(&w->toy.memory[i], "fashion-lake", "trainings/classifier/3fa2c1d20b6e/round-");
		SIM_NEED(sim, rounds == 0 || !is_swept(w, w->toy.list[i].name), "%zu objects of rounds are left on %.*s", rounds, STR(w->toy.list[i].name));
	}
}

static void close_world(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	sim_end(sim);
	scheduler_end();
	toy_close(&w->toy);
	free(w);
}

const struct sim_world sim_make = {
	.name = "make", .open = open_world, .attempt = attempt, .check = check, .goals = 1, .close = close_world};
