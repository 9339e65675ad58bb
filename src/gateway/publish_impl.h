// SPDX-License-Identifier: Apache-2.0
// Shared by publish.c, publish_targets.c and upstream_renewal.c.
#ifndef ISOBAR_GATEWAY_PUBLISH_IMPL_H
#define ISOBAR_GATEWAY_PUBLISH_IMPL_H

#include "gateway/publish.h"

// Appends the targets of one endpoint, from the status records of its clouds.
MUST_CHECK int publish_targets(struct call *c, const struct gateway_ctx *g, struct str endpoint, json_t *targets);

// act at every change of the journal and every second, until it or the call ends; never 0.
MUST_CHECK int publish_at_changes(
	struct call *c, const struct gateway_ctx *g, int (*act)(struct call *c, void *ctx), void *ctx);

#endif
