// SPDX-License-Identifier: Apache-2.0
// Rolling back: an alias, or the endpoints of one name, go to an earlier version of the model by an override, so that
// plan shows it and nothing undoes it silently: "aliases.ALIAS" on "model/NAME", "version" on "endpoint/NAME on CLOUD".
// What "earlier" is goes by the alias' own record, so that the same again (after a kill, say) changes nothing more.
// Ending the override goes forward again. Errors: state's, ERR_NOT_FOUND, ERR_INVALID.
#ifndef ISOBAR_DEPLOY_ROLLBACK_H
#define ISOBAR_DEPLOY_ROLLBACK_H

#include "state/state.h"

struct rollback {
	struct str target;  // "endpoint/classify", "model/classifier@champion" or "classifier@champion"
	struct str version; // ""; the one before that which the alias names
	struct str reason;  // "": says from which version to which
	int64_t expires_ns; // wall clock; 0: until it is ended
};
struct rolled_back { // in c->arena
	struct str model, alias, from, to;
	struct str *addresses; // what has an override now
	size_t count;
};
MUST_CHECK int rollback_make(struct call *c, const struct state *s, const struct rollback *r, struct rolled_back *out);

#endif
