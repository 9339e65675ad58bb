// SPDX-License-Identifier: Apache-2.0
// Clouds that are opened by name and not by a workspace, for `isobar data`: "s3", "gs" and "az" with the credentials of
// this machine, and whatever name the operator's file gives a provider. Each is opened once, when it is first asked
// for. Owned; one thread opens, any thread uses what was opened.
#ifndef ISOBAR_INFRA_NAMED_CLOUDS_H
#define ISOBAR_INFRA_NAMED_CLOUDS_H

#include "cloud/cloud.h"
#include "security/operator.h"

struct named_clouds;
// op is borrowed.
MUST_CHECK int named_clouds_new(struct call *c, const struct operator_file *op, struct named_clouds **out);
// ctx: a struct named_clouds. ERR_NOT_FOUND for a name that is neither; account_find's errors, cloud_open's.
MUST_CHECK int named_clouds_open(struct call *c, void *ctx, struct str name, const struct cloud **out);
void named_clouds_free(struct named_clouds *n); // NULL is allowed

#endif
