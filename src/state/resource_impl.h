// SPDX-License-Identifier: Apache-2.0
// What resource.c and resource_scan.c share.
#ifndef ISOBAR_STATE_RESOURCE_IMPL_H
#define ISOBAR_STATE_RESOURCE_IMPL_H

#include "state/resource.h"

// Texts are borrowed from the record's key and value.
MUST_CHECK int resource_decode(struct call *c, const struct record *record, struct resource *out);
MUST_CHECK int resource_sum_read(struct str hex, uint64_t out[2]); // ERR_INVALID

#endif
