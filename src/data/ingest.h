// SPDX-License-Identifier: Apache-2.0
// Brings a dataset into buckets: reads the whole source first (nothing is written anywhere when it is truncated or
// corrupt), splits it into parts, sends one part to each cloud in parallel and proves each object by checksum, manifest
// last:
//     datasets/NAME/RUN/FILE ... datasets/NAME/RUN/manifest.json
// RUN names what the dataset was made from, so objects are never overwritten with other contents. Journaled by a
// reconciler with one action a cloud, "dataset/NAME/RUN/CLOUD/put": after a crash only parts without a result are sent
// again, as the same bytes.
#ifndef ISOBAR_DATA_INGEST_H
#define ISOBAR_DATA_INGEST_H

#include "cloud/cloud.h"
#include "data/dataset_kind.h"
#include "data/progress.h"

struct ingest { // all borrowed
	const struct state *state;
	const struct clouds *clouds;
	const struct resource *resource; // dataset/NAME
	struct str run;
	const char *scratch;             // folder for the parts before they are sent; emptied at the end
	const char *folder;              // workspace folder
	const struct progress *progress; // may be NULL
};
// *outputs as jobs/step.h says; new reference.
MUST_CHECK int dataset_ingest(struct call *c, const struct ingest *in, json_t **outputs);
// Digest of the source's files (names and contents), so that changed data is a changed dataset. hex SHA-256 in c's
// arena.
MUST_CHECK int dataset_fingerprint(struct call *c, const struct resource *r, const char *folder, struct str *out);
// The folder that a source names: links resolved, inside the workspace's folder or below /usr/share/datasets, else
// ERR_DENIED.
MUST_CHECK int dataset_source_folder(struct call *c, struct str source, const char *folder, struct str *out);

#endif
