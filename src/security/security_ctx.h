// SPDX-License-Identifier: Apache-2.0
// What the handlers of this room need from the workspace; built by main.c, borrowed by the handlers' rows, read-only.
#ifndef ISOBAR_SECURITY_SECURITY_CTX_H
#define ISOBAR_SECURITY_SECURITY_CTX_H

#include "cloud/cloud.h"
#include "state/state.h"

struct security_ctx {
	const struct clouds *clouds;
	const struct state *state;
	const char *folder;           // of the workspace: files are delivered below it
	const char *state_folder;     // of the environment; `.isobar/` in paths of delivery means it. NULL: FOLDER/.isobar
	const char *hash_secret_path; // key-hash.secret in it
};

#endif
