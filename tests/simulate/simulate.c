// SPDX-License-Identifier: Apache-2.0
// Plays every world once for each seed: simulate [--world NAME] [--seeds FIRST:COUNT]. Prints what was played; a seed that breaks a law
// is printed with the command that plays it again, and ends the program with 1.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler.h"
#include "sim.h"

enum { MOST_ROUGH = 12, MOST_CALM = 6 };
static const struct sim_world *const worlds[] = {&sim_apply, &sim_make, &sim_ingest, &sim_replicas, &sim_deploy};

// Rough attempts, some of which may reach the goal; then calm ones, of which one must.
static void reach_goal(struct sim *sim, const struct sim_world *world, void *state)
{
	bool reached = false;
	uint64_t rough = scheduler_draw(MOST_ROUGH);
	for (uint64_t i = 0; i < rough && !reached; i++) {
		sim_weather(sim, false);
		reached = world->attempt(sim, state) == 0 && !sim->dead;
	}
	for (int i = 0; i < MOST_CALM && !reached; i++) {
		sim_weather(sim, true);
		reached = world->attempt(sim, state) == 0;
	}
	SIM_NEED(sim, reached, "the goal is not reached in %d calm attempts", MOST_CALM);
	sim_weather(sim, true);
	world->check(sim, state);
}

struct totals {
	uint64_t played, faults, deaths, commits;
};

static void play(const struct sim_world *world, uint64_t seed, struct totals *t)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	if (!sim)
		exit(1);
	sim->world = world->name;
	sim->seed = seed;
	void *state = world->open(sim);
	for (size_t goal = 0; goal < world->goals; goal++)
		reach_goal(sim, world, state);
	t->played++;
	t->faults += sim->faults;
	t->deaths += sim->deaths;
	t->commits += sim->commits;
	world->close(sim, state);
	free(sim);
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	unsigned long long first = 1, count = 100;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--world") == 0)
			only = argv[i + 1];
		else if (strcmp(argv[i], "--seeds") == 0)
			(void)!sscanf(argv[i + 1], "%llu:%llu", &first, &count);
	}
	for (size_t i = 0; i < COUNT_OF(worlds); i++) {
		struct totals t = {0};
		if (only && strcmp(only, worlds[i]->name) != 0)
			continue;
		for (unsigned long long seed = first; seed < first + count; seed++)
			play(worlds[i], seed, &t);
		printf("world %-9s %llu seeds from %llu: %llu commits, %llu calls failed, %llu deaths, every law held\n", worlds[i]->name,
			(unsigned long long)t.played, first, (unsigned long long)t.commits, (unsigned long long)t.faults,
			(unsigned long long)t.deaths);
		fflush(stdout);
	}
	return 0;
}
