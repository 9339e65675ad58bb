// SPDX-License-Identifier: Apache-2.0
// The plan: what apply would do. plan_make is a pure function of what is written, what is recorded and what was
// observed (a three-way diff): it tells what the user changed from what changed outside. Rendered as text in
// Terraform's manner and as JSON. Everything lives in the arena given; JSON values of the inputs are borrowed and must
// outlive the plan. Not thread-safe.
#ifndef ISOBAR_INFRA_PLAN_H
#define ISOBAR_INFRA_PLAN_H

#include "base/json.h"
#include "base/kind.h"
#include "infra/address_index.h"
#include "state/override.h"
#include "state/resource.h"

enum plan_action {
	PLAN_NOTHING,
	PLAN_CREATE,
	PLAN_UPDATE,
	PLAN_REPLACE,
	PLAN_DELETE,
	PLAN_USE,     // `existing: keep`, noted for the first time: nothing is changed
	PLAN_ADOPT,   // `existing: adopt`: ours from now on, and changed in place where it differs
	PLAN_MOVE,    // `moved:` gave it another address: uid and cloud id stay
	PLAN_FORGET,  // the record goes, the thing stays: it was only used, or is gone already
	PLAN_REFRESH, // the record takes over what was observed (refresh_only)
	PLAN_ACTIONS,
};

struct plan_observed { // what a handler's read found
	struct str address;
	bool gone;             // recorded or said to exist, but not there
	bool unseen;           // its cloud did not answer
	struct str why;        // unseen, and the cloud did answer: what it said, on one line
	const json_t *outputs; // NULL: not read
};
struct plan_waiting { // why a resource cannot be made yet
	struct str address, reason;
};
struct plan_input {
	const struct resource_handler *handlers; // say which fields change in place, and what is only recorded
	size_t handler_count;
	const struct resource *desired; // in order of needs
	size_t desired_count;
	const struct address_index *desired_index; // of desired; NULL: made here, and so are pairs
	const struct resource *recorded; // light only those whose inputs are the same as the desired ones
	size_t recorded_count;
	const uint32_t *pairs; // of each record its index in desired + 1; 0: no longer wanted
	const struct plan_observed *observed;
	size_t observed_count;
	const struct plan_waiting *waiting;
	size_t waiting_count;
	const struct override *overrides; // in force: shown, never undone by apply
	size_t override_count;
	bool protect;      // of the environment: nothing that lies at a provider is destroyed or replaced
	bool refresh_only; // only what changed outside: apply takes it into the records and changes nothing else
};

struct plan_field {
	struct str path;              // "federated.rounds"
	const json_t *before, *after; // NULL: absent
	bool replaces;                // cannot be changed in place
};
struct plan_change {
	enum plan_action action;
	int refused_code; // enum err_code
	struct str address;
	const struct resource *desired;  // NULL: to be deleted
	const struct resource *recorded; // NULL: not there yet; of moved_from when that is set
	struct plan_field *fields;       // what differs: written against recorded (ADOPT: against observed)
	size_t field_count;
	struct plan_field *drift; // what changed outside: recorded outputs against observed ones
	size_t drift_count;
	struct str moved_from;    // its address in state; "": the same
	const json_t *observed;   // outputs as read; NULL: not read
	bool reverts;             // the drift: `drift: revert`
	bool unseen;              // its cloud did not answer when it was asked
	struct str waiting;       // why it waits; "": it does not
	struct str note;          // "gone outside of Isobar", "the last apply failed: ..."
	struct str refused;       // why apply may not do it: protected, overridden, somebody else's; "": it may
};

struct plan {
	struct plan_change
		*changes; // creates, updates, replacements in order of needs, then deletes in the reverse order
	size_t count;
	size_t totals[PLAN_ACTIONS]; // changes by action
	size_t waits, refusals;
	const struct override *overrides;
	size_t override_count;
	bool refresh_only;
	char digest[65]; // of all that it would do: approving means approving this
};

// ERR_INVALID: a `moved:` whose two addresses both have records.
MUST_CHECK int plan_make(const struct plan_input *in, struct arena *a, struct plan *out, struct err *e);
bool plan_is_empty(const struct plan *p); // nothing to do; waiting is not doing
// 0, or the first refusal as an error that counts the others: what apply asks before it does anything.
MUST_CHECK int plan_check_refusals(const struct plan *p, struct err *e);
void plan_write(const struct plan *p, bool color, struct buf *out);
json_t *plan_to_json(const struct plan *p);            // docs/api.md
const char *plan_action_word(enum plan_action action); // "create"

#endif
