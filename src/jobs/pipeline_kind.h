// SPDX-License-Identifier: Apache-2.0
// The kind `pipeline`: goals that are made together, what is out of date first. Only recorded by apply.
#ifndef ISOBAR_JOBS_PIPELINE_KIND_H
#define ISOBAR_JOBS_PIPELINE_KIND_H

#include "state/resource.h"

struct pipeline {
	struct field_list make; // of struct field_ref: model/classifier@champion
	struct str approve;     // "none"
};
extern const struct kind pipeline_kind;
extern const struct resource_handler pipeline_handler;

#endif
