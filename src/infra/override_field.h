// SPDX-License-Identifier: Apache-2.0
// The fields that may change while things run: the row of the kind's table says who may, and reads the value. Pure.
#ifndef ISOBAR_INFRA_OVERRIDE_FIELD_H
#define ISOBAR_INFRA_OVERRIDE_FIELD_H

#include "base/json.h"
#include "base/kind.h"

// *value: a new reference: numbers for counts, numbers and percentages (5% is 0.05), true or false, else the text as
// written. ERR_NOT_FOUND: the kind has no such field (says which may be overridden); ERR_DENIED: nobody, or only a
// monitor, may change it while it runs; ERR_INVALID: the value is not what the row takes.
MUST_CHECK int override_field_read(
	const struct kind *kind, struct str path, struct str text, json_t **value, struct err *e);

#endif
