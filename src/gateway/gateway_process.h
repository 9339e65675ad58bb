// SPDX-License-Identifier: Apache-2.0
// Gateways as processes of this machine: started apart from the control plane (it may end and come back), found again
// by their announce file, stopped gracefully. Blocking; one caller a gateway at a time (a lock in its folder sees to
// it).
#ifndef ISOBAR_GATEWAY_GATEWAY_PROCESS_H
#define ISOBAR_GATEWAY_GATEWAY_PROCESS_H

#include "gateway/gateway_ctx.h"
#include "state/resource.h"

// *outputs: {"url","admin_url","pid"}, a new reference. Starts nothing when one runs where it should; its configuration
// must be published. ERR_IN_USE: the port is taken (with free_port, another one is used instead and kept while it is
// free).
MUST_CHECK int gateway_process_ensure(
	struct call *c, const struct gateway_ctx *g, const struct resource *r, json_t **outputs);
MUST_CHECK int gateway_process_find(
	struct call *c, const struct gateway_ctx *g, const struct resource *r, json_t **outputs); // ERR_NOT_FOUND
MUST_CHECK int gateway_process_stop(struct call *c, const struct gateway_ctx *g, const struct resource *r);

#endif
