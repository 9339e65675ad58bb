// SPDX-License-Identifier: Apache-2.0
// Overrides: what a person or a monitor changed at run time on top of what the workspace declares. Each is journaled
// with author, reason and expiry; plan shows it, apply never undoes it silently. It ends by a person, by its expiry, or
// by the monitor that made it. One override a field: "endpoint/classify on azure-eu" field "traffic". Records
// "override/ADDRESS#FIELD".
#ifndef ISOBAR_STATE_OVERRIDE_H
#define ISOBAR_STATE_OVERRIDE_H

#include "state/state.h"

struct override {
	struct str address; // of the resource
	struct str field;   // "traffic"
	json_t *value;      // borrowed: lives as long as the call's arena
	struct str author;  // "user/root", "monitor/cloud-lost"
	struct str reason;
	int64_t made_ns, expires_ns; // wall clock; expires 0: until it is ended
};

// Sets or replaces; an equal one that stands already changes nothing and journals nothing. Event override.set.
MUST_CHECK int override_set(struct call *c, const struct state *s, const struct override *o);
// Expired ones that nobody ended: each gets its event override.ended with by "system" and is forgotten. *count: how
// many.
MUST_CHECK int override_expire(struct call *c, const struct state *s, size_t *count);
// Event override.ended with who and why. ERR_NOT_FOUND when there is none; ERR_DENIED when `by` is a monitor and
// another made it.
MUST_CHECK int override_end(
	struct call *c, const struct state *s, const struct override *which, struct str by, struct str why);
// All that hold now (expired ones are left out), in order of address.
MUST_CHECK int override_list(struct call *c, const struct state *s, struct override **out, size_t *count);
// NULL when none holds for that field.
MUST_CHECK int override_find(
	struct call *c, const struct state *s, struct str address, struct str field, const struct override **out);

#endif
