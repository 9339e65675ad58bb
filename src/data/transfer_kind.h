// SPDX-License-Identifier: Apache-2.0
// transfers: the only doors through which data may leave its residency: what may go where, on which legal basis, until
// when. Only recorded by apply; data/flow.h and whoever moves bytes read the records.
#ifndef ISOBAR_DATA_TRANSFER_KIND_H
#define ISOBAR_DATA_TRANSFER_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct data_transfer {
	struct field_ref what; // model/fraud
	struct field_list to;  // of struct str: places
	struct str basis, reference;
	int64_t until_ns; // wall clock: when the last day on which it holds begins, UTC
};
extern const struct kind transfer_kind;
extern const struct resource_handler transfer_handler;

#endif
