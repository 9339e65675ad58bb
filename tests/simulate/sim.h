// SPDX-License-Identifier: Apache-2.0
// What simulated worlds share: a seed, a state that dies at a commit, clouds whose calls fail before or after they act, and the laws
// of the journal, checked at every commit. A world fails by failing: its message and seed are printed, and the seed plays it again.
#ifndef ISOBAR_TESTS_SIM_H
#define ISOBAR_TESTS_SIM_H

#include <stdint.h>

#include "base/str_map.h"
#include "cloud/cloud.h"
#include "state/state.h"

enum { SIM_CLOUDS = 3 };
struct sim;
struct sim_cloud { // a cloud of the world, seen through faults
	struct sim *sim;
	struct cloud real;
	struct cloud shown; // hand this out
};
struct sim {
	const char *world;
	uint64_t seed;
	struct edges_fake *edges;
	struct state real;  // what is durable
	struct state state; // hand this out
	int die_in;         // at which commit from now the process dies; 0: it does not
	bool die_after;     // when that commit is durable
	bool dead;
	unsigned trouble;   // one call of a cloud in so many fails; 0: none
	int64_t cut_until_ns[SIM_CLOUDS]; // virtual time until which a cloud cannot be reached
	struct sim_cloud clouds[SIM_CLOUDS];
	struct arena arena; // of the laws
	struct str_map acts; // action name -> what the journal says of it
	uint64_t sequence;
	uint64_t faults, deaths, commits;
	// The world's own law, looked at before each commit; NULL: none.
	void (*law)(struct sim *sim, void *world);
	void *ctx;
};

_Noreturn void sim_fail(const struct sim *sim, const char *format, ...) PRINTF_LIKE(2, 3);
#define SIM_NEED(sim, condition, ...)                                                                                              \
	do {                                                                                                                       \
		if (!(condition))                                                                                                  \
			sim_fail((sim), __VA_ARGS__);                                                                              \
	} while (0)

// Over a state and clouds that the world has opened and closes.
void sim_begin(struct sim *sim, struct edges_fake *edges, const struct state *real, const struct cloud *clouds);
void sim_end(struct sim *sim);
// Draws what goes wrong during the next attempt; with calm nothing does.
void sim_weather(struct sim *sim, bool calm);
// Whether this call of a cloud fails, and when: worlds ask it in acts of their own.
enum sim_fault { SIM_FINE, SIM_BEFORE, SIM_AFTER };
enum sim_fault sim_draw(struct sim *sim, struct call *c, size_t cloud); // sets the error of the two faults

// A world is played by attempts, each a process that may die; it must come to its goal within so many calm ones.
struct sim_world {
	const char *name;
	void *(*open)(struct sim *sim);              // a new world; *sim has its seed
	int (*attempt)(struct sim *sim, void *world); // 0: the goal is reached
	void (*check)(struct sim *sim, void *world);  // after the goal: what must hold; may set the next goal
	size_t goals;                                 // how many times attempt and check are played
	void (*close)(struct sim *sim, void *world);
};
extern const struct sim_world sim_apply, sim_make, sim_ingest, sim_replicas, sim_deploy;

#endif
