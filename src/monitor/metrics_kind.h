// SPDX-License-Identifier: Apache-2.0
// metrics: where metrics are kept beside Isobar's own day of them, and the rules that are evaluated there. One map at the
// top of the workspace, metrics/workspace. Declared and recorded in this release; a later one writes to it.
#ifndef ISOBAR_MONITOR_METRICS_KIND_H
#define ISOBAR_MONITOR_METRICS_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct metrics_target {
	struct str prometheus;   // URL
	struct field_list rules; // of struct str: paths inside the workspace, "*" in the last part
	struct str credentials;  // "secret/NAME"; empty: none
};
extern const struct kind metrics_kind;
extern const struct resource_handler metrics_handler;

#endif
