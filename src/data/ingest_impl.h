// SPDX-License-Identifier: Apache-2.0
// What reading a source, splitting it and sending the parts share.
#ifndef ISOBAR_DATA_INGEST_IMPL_H
#define ISOBAR_DATA_INGEST_IMPL_H

#include "data/ingest.h"
#include "data/manifest.h"

// ingest_source.c: pairs of idx files in a folder.
enum { SOURCE_MAX_PAIRS = 64 };
#define IMAGES_SUFFIX "-images-idx3-ubyte"
#define LABELS_SUFFIX "-labels-idx1-ubyte"
struct source_pair {
	struct str stem;             // "train"
	const char *images, *labels; // paths; plain or .gz
};
struct source_folder {
	const char *path;
	struct source_pair *pairs; // by stem
	size_t count;
};
MUST_CHECK int source_open(struct call *c, struct str source, const char *folder, struct source_folder *out);

// ingest_split.c: writes scratch/CLOUD/FILE and scratch/CLOUD/manifest.json for each cloud; nothing in the cloud is
// touched.
struct split {
	const struct source_folder *source;
	const struct ingest *in;
	const struct dataset *dataset;
	const struct cloud **clouds; // one part on each
	size_t cloud_count;
};
MUST_CHECK int split_source(struct call *c, const struct split *split);

#endif
