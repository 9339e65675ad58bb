// SPDX-License-Identifier: Apache-2.0
// What exists already elsewhere, played in a pocket environment: each bucket with `existing:` is made in its pocket
// cloud once and filled from the workspace's folder pocket/buckets/NAME/ (files keep their paths below it). Where the
// environment says `data: synthetic`, sources of datasets that have no file there get made-up records that fit their
// `schema` (PREFIX/ part-0.FORMAT). Done once a cloud: the marker STATE/pocket/CLOUD/stand-in-NAME is written last, so
// that a crash repeats it.
#ifndef ISOBAR_INFRA_STAND_INS_H
#define ISOBAR_INFRA_STAND_INS_H

#include "cloud/cloud.h"
#include "state/resource.h"

struct stand_ins { // borrowed
	struct str folder, state_folder, workspace;
	bool synthetic;
	const struct clouds *clouds;      // of the pocket environment, open
	const struct resource *resources; // kinds bucket and dataset are read
	size_t count;
};
// A cloud that is down is left for the next time. ERR_NOT_FOUND says which stand-in to write when a bucket has none,
// nothing is synthetic, and a dataset reads from it.
MUST_CHECK int stand_ins_place(struct call *c, const struct stand_ins *s);

#endif
