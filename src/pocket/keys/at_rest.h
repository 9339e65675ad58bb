// SPDX-License-Identifier: Apache-2.0
// Secrets at rest in a pocket cloud: sealed with a key that the pocket makes for itself once and keeps among its
// documents ("keys/at-rest"), bound to the name of what they are the value of, so that a document that was copied or
// renamed does not open. Loop thread only. Errors: as material.h, and those of documents.
#ifndef ISOBAR_POCKET_KEYS_AT_REST_H
#define ISOBAR_POCKET_KEYS_AT_REST_H

#include "base/json.h"
#include "pocket/keys/material.h"

// Into doc's member "sealed" as base64 text. name: what it is bound to.
MUST_CHECK int at_rest_seal(struct pocket *p, json_t *doc, struct str name, struct str plain, struct err *e);
// Appends; wipe out->p after use.
MUST_CHECK int at_rest_open(struct pocket *p, const json_t *doc, struct str name, struct buf *out, struct err *e);

#endif
