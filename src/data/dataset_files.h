// SPDX-License-Identifier: Apache-2.0
// Datasets whose records are files as they are: source, hashes, copies. Without `bucket:` a dataset whose source is a
// bucket lies where it is, and nothing is written there; with it, and on each cloud of `replicas.bucket:` where its
// bounds let it lie, there is a copy (data/replica.h). One run a dataset at a time on this machine: a lock beside the
// scratch folders.
#ifndef ISOBAR_DATA_DATASET_FILES_H
#define ISOBAR_DATA_DATASET_FILES_H

#include "data/ingest.h"

// By hand: waits a minute for a run that is under way, then ERR_IN_USE; all copies, each tried; then the first that failed is the step's error. *outputs as jobs/step.h says.
MUST_CHECK int dataset_files_ingest(struct call *c, const struct ingest *in, const struct dataset *d, json_t **outputs);
// Periodic: brings the copies up to date, notes those that fail (record, event replica.failed) and goes on. ERR_IN_USE:
// a run is under way; the source's errors, which are noted at each copy, too.
MUST_CHECK int dataset_files_refresh(struct call *c, const struct ingest *in, const struct dataset *d);
// Of names, sizes and versions at the source: what a step is made from besides its resource. hex.
MUST_CHECK int dataset_files_fingerprint(
	struct call *c, const struct ingest *in, const struct dataset *d, struct str *out);

#endif
