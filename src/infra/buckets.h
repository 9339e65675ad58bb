// SPDX-License-Identifier: Apache-2.0
// Emptying buckets before they are deleted, which no provider does by itself: only ever on an explicit wish of the
// user.
#ifndef ISOBAR_INFRA_BUCKETS_H
#define ISOBAR_INFRA_BUCKETS_H

#include "cloud/cloud.h"
#include "infra/plan.h"

struct buckets_emptied {
	uint64_t objects; // removed
};
// Removes all objects of the buckets that the plan deletes. A bucket that is gone already is fine.
MUST_CHECK int buckets_empty(
	struct call *c, const struct clouds *clouds, const struct plan *plan, struct buckets_emptied *out);

#endif
