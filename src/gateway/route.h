// SPDX-License-Identifier: Apache-2.0
// Path patterns of routes: "/v2/models/classify/**". Literal segments, "*" for exactly one segment, "**" at the end for
// the path itself and everything below. Matched against normalised paths only (url_normalise_path). Pure.
#ifndef ISOBAR_GATEWAY_ROUTE_H
#define ISOBAR_GATEWAY_ROUTE_H

#include <stdbool.h>

#include "base/str.h"

enum { ROUTE_PATTERN_MAX = 1024 };

bool route_pattern_valid(struct str pattern);
bool route_pattern_matches(struct str pattern, struct str path);
// > 0 when a is the more specific of two patterns that match the same path: literal segments before "*", "*" before
// "**".
int route_pattern_compare(struct str a, struct str b);
bool route_method_valid(struct str method);

#endif
