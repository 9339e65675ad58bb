// SPDX-License-Identifier: Apache-2.0
// A JSON Schema (draft 2020-12) of a workspace file, from the tables of kinds: for editors, which complete and mark
// while one writes. It says what one file may hold; references and checks across fields remain `isobar validate`'s.
#ifndef ISOBAR_BASE_KIND_SCHEMA_H
#define ISOBAR_BASE_KIND_SCHEMA_H

#include "base/json.h"
#include "base/kind.h"

// kinds: NULL-ended; each plural becomes a property. top: table of the other keys of a file (isobar, workspace, ...);
// NULL: none. A new reference; NULL without memory.
json_t *kind_schema(const struct kind *const *kinds, const struct kind *top);

#endif
