// SPDX-License-Identifier: Apache-2.0
// The control plane's side of a gateway's configuration: built from state (routes, endpoint statuses, traffic
// overrides, API keys, roles), written when it differs, read by the running gateway when the file changes. Blocking;
// any thread.
#ifndef ISOBAR_GATEWAY_PUBLISH_H
#define ISOBAR_GATEWAY_PUBLISH_H

#include "gateway/gateway_ctx.h"
#include "state/resource.h"

// The configuration of one gateway resource, without a generation; a new reference. Endpoints that never had a URL are
// left out; those that are down stay, so that the gateway sees them come back. An override of "traffic" becomes the
// target's weight.
MUST_CHECK int gateway_snapshot_build(
	struct call *c, const struct gateway_ctx *g, const struct resource *gateway, json_t **out);
// Builds and, when it differs from the file, writes it with the next generation. *changed (may be NULL) tells.
MUST_CHECK int gateway_publish_one(
	struct call *c, const struct gateway_ctx *g, const struct resource *gateway, bool *changed);
// Every gateway of the workspace: publishes, starts a process that died again (and notes its new address in the
// resource), and copies the head of its audit log to "audit-head/NAME". What the control plane calls every second or at
// a change. One gateway's trouble does not keep the others from being tended; the first error is returned.
MUST_CHECK int gateway_publish(struct call *c, const struct gateway_ctx *g);
// The same at every change of the journal and every second, until the call ends: what routes, keys and roles say,
// endpoints that came and went, and traffic that was shifted reach the gateways within a moment.
MUST_CHECK int gateway_publish_run(struct call *c, const struct gateway_ctx *g);
// A file of a gateway's folder, in c's arena; name "" for the folder itself. NULL without memory.
const char *gateway_path(struct call *c, const struct gateway_ctx *g, struct str gateway, const char *name);

#endif
