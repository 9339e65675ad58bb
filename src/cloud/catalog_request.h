// SPDX-License-Identifier: Apache-2.0
// What `isobar prices` asks, as one request of JSON: {"do": "list" | "check" | "import", ...}. No workspace and no control
// plane are needed: rows are constant data, a file beside them is the user's own, and an import goes to one public
// address, the only one that the outbound guard then lets through.
#ifndef ISOBAR_CLOUD_CATALOG_REQUEST_H
#define ISOBAR_CLOUD_CATALOG_REQUEST_H

#include "base/call.h"
#include "base/json.h"

// list: cloud, region, accelerator, count, cpu, memory_gib, spot, prices (a file) -> {"rows": [...]}, cheapest first.
// check: prices (a file; without: the shipped rows) -> {"rows": N, "findings": [{"fault", "text"}]}.
// import: cloud, region, out, url ("": the provider's), key_file -> {"rows": N, "refused": [...], "refused_count": N}.
// *result is owned. ERR_INVALID, and what reading, asking and writing say.
MUST_CHECK int catalog_request(struct call *c, const json_t *request, json_t **result);

#endif
