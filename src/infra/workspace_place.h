// SPDX-License-Identifier: Apache-2.0
// Where a workspace lies and where its environment keeps state and secrets, found without loading it: commands ask
// before they talk to anybody. A workspace of at most one environment keeps them in FOLDER/.isobar. With several, each
// has FOLDER/.isobar/env/NAME, but for the one named in the file FOLDER/.isobar/environment: its state was there while
// it was alone, and stays. All texts lie in the caller's arena. Thread-safe.
#ifndef ISOBAR_INFRA_WORKSPACE_PLACE_H
#define ISOBAR_INFRA_WORKSPACE_PLACE_H

#include "base/arena.h"
#include "base/err.h"

struct workspace_place {
	struct str folder;       // absolute, without links
	struct str environment;  // the one in force: as asked for, else the only one, "default" without any
	struct str state_folder; // ""; then `problem` says why there is none
	struct str problem;      // "which environment? ..."
	bool several;            // environments are declared
	bool missing;            // when it was found the folder had no file of a workspace
};

// path: a folder or a file of it; NULL: ".". environment: --env or ISOBAR_ENV; "": the only one there is.
MUST_CHECK int workspace_place_find(
	const char *path, struct str environment, struct arena *a, struct workspace_place *out, struct err *e);
// ERR_INVALID with the problem when there is no state folder. Makes nothing.
MUST_CHECK int workspace_place_need(const struct workspace_place *p, struct err *e);
// Makes the state folder (0700), unless the folder has neither a workspace nor a state (ERR_NOT_FOUND), and notes whose it is when it is the one of an environment that is alone.
MUST_CHECK int workspace_place_make(const struct workspace_place *p, struct err *e);

#endif
