// SPDX-License-Identifier: Apache-2.0
// Filters of Google's list methods (AIP-160) and of Cloud Logging: comparisons of fields with AND, OR (which binds
// tighter, as Google has it), NOT and parentheses; `=`, `!=`, `<`, `<=`, `>`, `>=` and `:` (has). Sources: AIP-160;
// "Logging query language". Pure; a filter lives in the arena that it was parsed in and borrows the text.
#ifndef ISOBAR_POCKET_GCP_FILTER_H
#define ISOBAR_POCKET_GCP_FILTER_H

#include "base/json.h"

enum { FILTER_MAX_NODES = 200, FILTER_MAX_DEPTH = 20, FILTER_MAX_SIZE = 20000 };

struct google_filter;
// An empty text gives NULL, which everything matches. ERR_INVALID says where it went wrong; ERR_LIMIT.
MUST_CHECK int google_filter_parse(struct str text, struct arena *a, const struct google_filter **out, struct err *e);
// Fields are members of the resource, written as it writes them or with '_' ("display_name"). Times compare as times,
// severities in their order, numbers as numbers, texts without regard to case; an absent field matches only `!=`.
bool google_filter_matches(const struct google_filter *f, const json_t *resource);
// The text that a field must equal whatever else holds, so that a list need not look elsewhere; .p NULL when it is free.
// field: as written with dots, "resource.labels.job_id".
struct str google_filter_equal(const struct google_filter *f, struct str field);

#endif
