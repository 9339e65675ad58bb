// SPDX-License-Identifier: Apache-2.0
// The objects of buckets that a plan deletes: no provider removes them by itself, and Isobar only ever does on an
// explicit wish. All buckets are looked at before the first is touched.
#ifndef ISOBAR_INFRA_BUCKETS_H
#define ISOBAR_INFRA_BUCKETS_H

#include "cloud/cloud.h"
#include "infra/plan.h"

// ERR_CONFLICT names the buckets to be deleted or replaced that hold objects. One whose cloud does not answer is left
// out: its provider refuses to delete what is not empty, and Isobar asks before.
MUST_CHECK int buckets_check_empty(struct call *c, const struct clouds *clouds, const struct plan *plan);

struct buckets_emptied {
	uint64_t objects; // removed
};
// Removes all objects of the buckets that the plan deletes. A bucket that is gone already is fine; a cloud that does not
// answer keeps no other from being emptied.
MUST_CHECK int buckets_empty(
	struct call *c, const struct clouds *clouds, const struct plan *plan, struct buckets_emptied *out);

#endif
