// SPDX-License-Identifier: Apache-2.0
// The fields that every resource takes (base/kind.h: struct resource_common) as records keep them, and what they mean
// for a plan. NULL common counts as one in which nothing was written. Pure; JSON lives in the arena given.
#ifndef ISOBAR_STATE_RESOURCE_COMMON_H
#define ISOBAR_STATE_RESOURCE_COMMON_H

#include "base/json.h"
#include "state/resource.h"

bool resource_is_protected(const struct resource *r); // `protect: true`: no plan may destroy or replace it
bool resource_is_kept(const struct resource *r);      // `existing: keep`: used, never changed, never destroyed
bool resource_is_adopted(const struct resource *r);   // `existing: adopt`
bool resource_reverts_drift(const struct resource *r); // `drift: revert`

bool resource_common_equal(const struct resource_common *a, const struct resource_common *b);
// Only what differs from the default: {"labels": {...}, "protect": true, "existing", "drift", "owner"}. NULL without
// memory.
json_t *resource_common_to_json(struct arena *a, const struct resource_common *common);
// Of a record; texts are borrowed from j. j NULL or {}: NULL, with 0. ERR_NO_MEMORY.
MUST_CHECK int resource_common_of_json(const json_t *j, struct arena *a, const struct resource_common **out);
// labels as an object of texts. NULL without memory.
json_t *resource_labels(struct arena *a, const struct resource_common *common);

#endif
