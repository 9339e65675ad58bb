// SPDX-License-Identifier: Apache-2.0
// Lineage: what a made thing was made from, read from the records made/ADDRESS that pipelines keep:
// {"digest", "run", "at", "outputs", "inputs": [{"address", "digest", "run"}]}.
#ifndef ISOBAR_DATA_LINEAGE_H
#define ISOBAR_DATA_LINEAGE_H

#include "state/state.h"

struct lineage_link {
	struct str address, run, digest;
	bool current; // what lies there now is still this run
};
// Everything upstream of an address, nearest first, each once. ERR_NOT_FOUND when it was never made. In c's arena.
MUST_CHECK int lineage_upstream(
	struct call *c, const struct state *s, struct str address, struct lineage_link **out, size_t *count);

#endif
