// SPDX-License-Identifier: Apache-2.0
// What replica.c (the reconciler) and replica_act.c (what lies there, putting, finishing) share.
#ifndef ISOBAR_DATA_REPLICA_IMPL_H
#define ISOBAR_DATA_REPLICA_IMPL_H

#include "base/time.h"
#include "data/passage.h"
#include "data/replica.h"
#include "state/reconcile.h"

enum {
	REPLICA_BATCH = 64,         // files of one action: few enough that a crash repeats little
	REPLICA_INCOMPLETE_MAX = 2, // finishes of one run that find something missing, before it gives up
};
#define REPLICA_AGAIN_NS (500 * NS_PER_MS)

struct replica_run { // ctx of the reconciler
	const struct replica *r;
	const char *name;  // of the reconciler: "replica/returns/gcp-eu"
	struct str key;    // of its record
	struct str prefix; // of its objects
	char watched[256]; // action whose failures are counted
	int64_t failures;  // as attempts_check keeps them
	int incomplete;    // finishes that found the source changed
	int looks;         // that failed in a row
	struct replica_result result;
};
struct replica_there {        // what lies at the copy's place, and what we know of it
	const json_t *record; // NULL: none yet
	uint64_t revision;
	struct object *objects; // in order of key
	size_t count;
	size_t skip; // bytes of the prefix before a file's name
};
int replica_look(struct call *c, const struct replica_run *run, struct replica_there *out);
bool replica_has(
	const struct replica_there *there, const struct source_file *f); // this very version, unchanged since we put it
struct str replica_pass(struct arena *a, const struct replica_run *run, const struct replica_there *there);
int replica_put(struct call *c, struct replica_run *run, const struct action *action, json_t **output);
int replica_finish(struct call *c, struct replica_run *run, const struct action *action, json_t **output);
int replica_result_of(struct call *c, const struct replica_run *run, struct replica_result *out); // from the record

#endif
