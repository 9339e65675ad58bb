// SPDX-License-Identifier: Apache-2.0
// Private to permissions: the forms of the providers.
#ifndef ISOBAR_INFRA_PERMISSIONS_IMPL_H
#define ISOBAR_INFRA_PERMISSIONS_IMPL_H

#include "base/buf.h"
#include "base/json.h"
#include "infra/permissions.h"

typedef int permissions_form_fn(struct call *c, const struct permissions_request *r, struct buf *out);
permissions_form_fn *permissions_form(struct str provider); // NULL: none
permissions_form_fn permissions_write_aws, permissions_write_azure, permissions_write_gcp;

json_t *permissions_list(const struct str *items, size_t count);   // of texts
int permissions_print(struct call *c, json_t *j, struct buf *out); // takes the reference

#endif
