// SPDX-License-Identifier: Apache-2.0
// Pipelines work like make: the goal's graph comes from the resources in state (a model needs its training, that its
// transform, that its dataset), each step's digest from its resolved inputs and the digests upstream. A step whose
// record made/ADDRESS has the same digest is up to date; the others are made in order, and each is recorded when it is
// done. Killed and started again, a run goes on: what is recorded is skipped, what was begun is resumed by its maker's
// reconciler. Events: step.started, step.done, step.failed {run, digest, seconds | error}.
#ifndef ISOBAR_JOBS_PIPELINE_H
#define ISOBAR_JOBS_PIPELINE_H

#include "jobs/step.h"

struct pipeline_env { // all borrowed
	const struct state *state;
	const struct clouds *clouds;
	const struct step_maker *makers;
	size_t maker_count;
	const struct progress *progress; // may be NULL
	const char *scratch;             // folder for the makers: ".isobar/made"
	const char *folder;              // the workspace's
};

enum pipeline_need {
	PIPELINE_UP_TO_DATE,
	PIPELINE_NEVER_MADE,
	PIPELINE_CHANGED,  // its own inputs differ from when it was made
	PIPELINE_UPSTREAM, // something upstream will be made again
};
struct pipeline_step {
	struct str address, digest, run;
	enum pipeline_need need;
};
const char *pipeline_need_text(enum pipeline_need need);

// What a run would do, in order. goal: "model/classifier@champion", "training/classifier", "pipeline/retrain"...
MUST_CHECK int pipeline_plan(
	struct call *c, const struct pipeline_env *env, struct str goal, struct pipeline_step **steps, size_t *count);
// Does it. ERR_IN_USE while another process runs a pipeline of this workspace.
MUST_CHECK int pipeline_run(struct call *c, const struct pipeline_env *env, struct str goal);
// What a step last made: {digest, run, outputs, at}; ERR_NOT_FOUND when it was never made. In c's arena.
MUST_CHECK int pipeline_made(struct call *c, const struct state *s, struct str address, const json_t **made);

#endif
