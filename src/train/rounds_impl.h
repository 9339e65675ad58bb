// SPDX-License-Identifier: Apache-2.0
// Inside federated training: what a round knows, the pure decision, and the acts. One struct rounds lives as long as a run of
// training_make; acts run on the loop's pool, so what they share stands under its lock.
#ifndef ISOBAR_TRAIN_ROUNDS_IMPL_H
#define ISOBAR_TRAIN_ROUNDS_IMPL_H

#include <pthread.h>

#include "jobs/task.h"
#include "state/reconcile.h"
#include "train/parts.h"
#include "train/trainers.h"
#include "train/shape.h"
#include "train/training_kind.h"

// ---------------------------------------------------------------- what decide sees
enum site_state {
	SITE_IDLE,    // nothing asked of it yet in this round
	SITE_RUNNING, // its job is queued or runs
	SITE_LOST,    // its engine lost the job: it may be submitted again
	SITE_ENDED,   // its job is done, its weights are not fetched
	SITE_READY,   // fetched and good
	SITE_OUT,     // gone for this round
};
struct site_view {
	struct str name;
	enum site_state state;
	bool failing;        // what was asked of it last failed for now: the loop tries again after a growing pause
	int64_t again;       // times its job was submitted again, in all runs: the number in the action's name
	uint64_t samples;    // when READY
	struct str sha256;   // of its weights, when READY
	double loss;         // as its trainer measured it; NAN: not said
	double seconds; // that its training took; NAN: not told
	struct str reason;   // why it is OUT
	bool swept;          // at the end: nothing of its rounds lies there any more, or that was given up
};
struct round_view {
	struct str prefix;   // of names of actions: "train/classifier/3fa2c1d20b6e"
	struct str address;  // "training/classifier"
	bool begun;          // the weights of round 1 are known (or there are none to begin with)
	int64_t round, rounds; // round = rounds + 1: all are done, the result goes back
	int64_t deadline_ns; // of this round, wall clock
	int64_t allowed_ns;  // its length, for messages
	size_t need;         // sites that are enough
	bool accepted;
	const json_t *accepted_set; // {accepted, late, lost} when accepted
	int64_t pace_ns;     // until the next look
	struct site_view *sites;
	size_t count;
};
int rounds_decide(struct arena *a, const void *view, int64_t now_ns, struct actions *out);

// ---------------------------------------------------------------- the run
struct site {
	const struct cloud *cloud;
	struct part data;
	struct str bucket; // of the training's own objects there
	// Of the current round, under the lock:
	char out[512];        // why it is out; "": it is not
	int64_t again_before; // submitted again in earlier runs
	bool looked;          // again_before is known
};
struct rounds {
	const struct step *step;
	const struct training *training;
	struct mlp_settings settings; // of the built-in trainer
	bool builtin;
	json_t *with;            // of the training, owned
	struct str name, prefix; // "classifier"; "train/classifier/3fa2c1d20b6e"
	struct site *sites;      // in the order of their names
	size_t count, need;
	int64_t deadline_ns;     // of a round
	int64_t round;           // current one
	bool begun;              // the first one has its weights
	int64_t round_began_ns;  // monotonic, as this run saw it: after a restart sites get the whole time again
	pthread_mutex_t lock;    // sites' rounds, and the files of global weights
};
struct site *rounds_site(struct rounds *t, struct str name); // NULL: none of that name
void rounds_site_out(struct rounds *t, struct site *s, const struct err *e);
const char *rounds_path(const struct rounds *t, struct arena *a, const char *format, ...) PRINTF_LIKE(3, 4); // below scratch
struct str rounds_key(const struct rounds *t, struct arena *a, const char *format, ...) PRINTF_LIKE(3, 4);   // below trainings/NAME/RUN/
struct str rounds_record_key(const struct rounds *t, struct arena *a, int64_t round);                       // round/NAME/RUN/R
// A child of c until the round's deadline (at least a few seconds), and its error back in c.
void rounds_child(const struct rounds *t, struct call *c, struct call *child);

int rounds_observe(struct call *c, void *ctx, void **view);
int rounds_act(struct call *c, void *ctx, const struct action *action, json_t **output);

// rounds_site.c: what is done on one cloud.
int site_start(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output);
int site_submit(struct call *c, struct rounds *t, struct site *s, int64_t round);
int site_collect(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output);
int site_finish(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output);
// rounds_sweep.c: deletes there what rounds left behind.
int site_sweep(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output);
// Weights of a site for a round in a file below scratch, fetched unless they are there. sha256 "" takes any.
int site_fetch(struct call *c, struct rounds *t, struct site *s, int64_t round, struct str sha256);
struct str site_job_name(const struct rounds *t, struct arena *a, const struct site *s, int64_t round);

// rounds_global.c: the weights that rounds begin with. The lock must be held where t's files are touched.
int global_init(struct call *c, struct rounds *t, json_t **output); // {layers, samples, sha256}
// Samples that a site's data has, as begin counted them; 0: not known.
int global_samples(struct call *c, struct rounds *t, const struct site *s, uint64_t *out);
// The file of the weights that a round begins with, made again from the accepted sets where it is missing. *path NULL: round 1
// of a user's own trainer begins without.
int global_file(struct call *c, struct rounds *t, int64_t round, const char **path, struct str *sha256);
int global_accept(struct call *c, struct rounds *t, const struct action *action);
int global_aggregate(struct call *c, struct rounds *t, const struct action *action, json_t **output);

#endif
