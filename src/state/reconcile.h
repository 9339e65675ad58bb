// SPDX-License-Identifier: Apache-2.0
// The reconcile loop: the one way in which the control plane changes the world. A reconciler is a pure function
// (desired, recorded, observed, now) -> actions; the loop journals each action's intent, acts with a deterministic
// name, and journals the result. After a crash, intents without a result are acted on again under the same name, so
// that nothing is lost and nothing is done twice. Every boundary of the journal calls edges' crash hook, where tests
// kill the process.
#ifndef ISOBAR_STATE_RECONCILE_H
#define ISOBAR_STATE_RECONCILE_H

#include "state/state.h"

struct action {
	struct str name;     // deterministic and unique for ever: "train/classifier/1/round-3/aws-us/submit"
	struct str type;     // key of the actor table: "job.submit"
	struct str address;  // what it is about
	const json_t *input; // object; journaled with the intent
};
struct actions {
	struct action *items; // arena
	size_t count;
	bool finished;     // the desired state holds: nothing left to do
	int64_t again_ns;  // look again after this long; 0: at once when something happened, else the loop's pace
	struct err failed; // the goal cannot be reached (code != 0): the loop ends with it
};

struct reconciler {
	// Unique for the thing that is reconciled ("train/classifier/3fa2c1"), the same after a restart: by it the loop
	// finds the intents that a crash left open and acts on them again before it observes. One runner a name at a
	// time.
	const char *name;
	// c's arena dies with the pass (observe, decide) or the action (act): what lives longer needs memory of its
	// own. Reads desired and recorded from state, observed from the clouds; no change to the world. *view is the
	// reconciler's own.
	int (*observe)(struct call *c, void *ctx, void **view);
	// Pure: no call, no clock, no randomness. Actions in c's arena.
	int (*decide)(struct arena *a, const void *view, int64_t now_ns, struct actions *out);
	// Carries one action out; *output (new reference, owned by the loop; may stay NULL) is journaled. Must be
	// idempotent under action->name. A failure with err.retryable is journaled and, when decide asks for the action
	// again, repeated with a pause that grows within a run (a new run tries at once); any other failure ends the
	// loop with its error once the pass is done (a later run tries again). Runs on a thread of the pool when
	// parallel > 1.
	int (*act)(struct call *c, void *ctx, const struct action *action, json_t **output);
	void *ctx;
	size_t parallel; // most actions carried out at once on the pool; 0: one
};

// Events: action.intended {action, type, reconciler, input}, action.done {action, type, output}, action.failed {action,
// type, error, attempts}. Records: intent/NAME-OF-RECONCILER/ACTION while it is open, action/ACTION afterwards. One
// pass: observe, decide, carry out what is not done yet. *finished tells whether the goal holds.
MUST_CHECK int reconcile_once(struct call *c, const struct state *s, const struct reconciler *r, bool *finished);
// Passes until the goal holds, fails, or the call ends.
MUST_CHECK int reconcile_run(struct call *c, const struct state *s, const struct reconciler *r);
// The recorded output of an action by name, in c's arena; ERR_NOT_FOUND when it is not done.
MUST_CHECK int reconcile_result(struct call *c, const struct state *s, struct str action_name, json_t **output);

// How often an action failed in a row; 0 when it never did, or succeeded since.
struct reconcile_failures {
	int64_t attempts;
	int64_t at_ns;   // when it failed last
	struct err last; // and with what
};
MUST_CHECK int reconcile_failures(
	struct call *c, const struct state *s, struct str action_name, struct reconcile_failures *out);

// Journal boundary (before and after every durable write of state): counts, and sends SIGKILL to this process when
// ISOBAR_CRASH_AT=N names this one; ISOBAR_CRASH_LOG=FILE lists them (tests only; docs/testing.md).
void journal_boundary(const char *where);
uint64_t journal_boundary_count(void); // in this process so far

#endif
