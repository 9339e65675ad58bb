// SPDX-License-Identifier: Apache-2.0
// The kind `dataset`: records from a source that are brought into buckets, whole or partitioned over clouds. Only
// recorded by apply; a pipeline step (jobs/ingest_step.h) brings the bytes.
#ifndef ISOBAR_DATA_DATASET_KIND_H
#define ISOBAR_DATA_DATASET_KIND_H

#include "data/residency.h"
#include "state/resource.h"

struct dataset_partition {
	struct str by;            // "hash of record"; "": not partitioned
	struct field_list clouds; // of struct str; one part on each
};
struct dataset {
	struct str source; // "file:///usr/share/datasets/fashion-mnist": a folder
	struct str format; // "idx"
	struct field_ref bucket;
	struct str class; // public | internal | personal | special
	struct residency residency;
	struct dataset_partition partition;
};
extern const struct kind dataset_kind;
extern const struct resource_handler dataset_handler;

#endif
