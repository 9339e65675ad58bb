// SPDX-License-Identifier: Apache-2.0
// Where the state of a workspace lies, found without loading it: what `state:` says at its top and in the overlay of
// the environment in force. Read before everything else, so that ${env} and ${workspace} are all that may stand in its
// URL. In an environment with `pocket: true` the state stays on this machine: SQLite, unless the URL names a server here.
// Texts lie in the caller's arena. Thread-safe.
#ifndef ISOBAR_INFRA_WORKSPACE_STATE_H
#define ISOBAR_INFRA_WORKSPACE_STATE_H

#include "infra/workspace_place.h"

struct workspace_state_place {
	struct str url;         // "postgresql://..."; "": SQLite in the place's state folder
	struct str credentials; // "secret/NAME" or ""
	struct str schema;      // of the URL, or made of the names of workspace and environment
	struct str host;        // "HOST:PORT" that the secret is sent to; of the first server
	struct str shown;       // for people: "host:port/database (schema x)"
};

// ERR_INVALID, ERR_DENIED: what is wrong with `state:`.
MUST_CHECK int workspace_state_find(const char *path, const struct workspace_place *place, struct arena *a,
	struct workspace_state_place *out, struct err *e);

#endif
