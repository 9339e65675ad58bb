// SPDX-License-Identifier: Apache-2.0
// Files between here and an object of a cloud: whole, atomic on both sides, counted as transfers.
#ifndef ISOBAR_TRAIN_CARRY_H
#define ISOBAR_TRAIN_CARRY_H

#include "cloud/cloud.h"
#include "state/state.h"

struct carry {
	const struct cloud *cloud;
	struct str bucket, key;
	const char *path;          // of the file here
	const struct state *state; // where the transfer is recorded
	struct str what, id;       // of struct transfer
};
MUST_CHECK int carry_there(struct call *c, const struct carry *f);
MUST_CHECK int carry_here(struct call *c, const struct carry *f); // the file appears whole or not at all; ERR_NOT_FOUND
// Is there such a file with this digest?
bool carry_is(const char *path, struct str sha256);

#endif
