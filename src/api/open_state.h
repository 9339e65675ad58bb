// SPDX-License-Identifier: Apache-2.0
// Opening the state of a workspace where its `state:` says: SQLite in the environment's state folder, or PostgreSQL
// with the operator's secret. A file state.place in the folder remembers which server was used last, so that a state is
// never left behind unseen: an empty one in another place than before is refused with what to do.
#ifndef ISOBAR_API_OPEN_STATE_H
#define ISOBAR_API_OPEN_STATE_H

#include "infra/workspace_place.h"
#include "state/state.h"

struct open_state_options {
	const char *path; // of the workspace
	const struct workspace_place *place;
	const char *operator_file; // --operator; NULL: where it lies else
	bool untrusted;            // makes no connection: a state on a server is as if nothing were there yet
	bool moving;               // an empty state in a new place is what is wanted (restore)
};
// *shared: other control planes may use the same state. ERR_CONFLICT: the state so far lies elsewhere; what
// workspace_state_find, operator_secret_read and state_open say.
MUST_CHECK int open_state(struct call *c, const struct open_state_options *options, struct state *out, bool *shared);

#endif
