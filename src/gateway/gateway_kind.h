// SPDX-License-Identifier: Apache-2.0
// The kinds `gateway` and `route` of a workspace, and the handlers that make gateways real. Tables are constant. What
// the structs hold lives in the arena of the decoding.
#ifndef ISOBAR_GATEWAY_GATEWAY_KIND_H
#define ISOBAR_GATEWAY_GATEWAY_KIND_H

#include "base/kind.h"
#include "state/resource.h"

// `tls: automatic` (a certificate of the workspace's own CA), `tls: none` (plain http, loopback only), or files.
struct gateway_tls {
	bool automatic;
	struct str certificate; // path; empty: none
	struct str key;
};
struct gateway {
	struct str listen; // "127.0.0.1:8443"
	struct gateway_tls tls;
	struct str audit; // "strict" | "none"
};
extern const struct kind gateway_kind;
extern const struct resource_handler gateway_handler; // ctx: const struct gateway_ctx * (gateway/gateway_ctx.h)

struct route_match {
	struct str path;           // "/v2/models/classify/**"
	struct field_list methods; // of struct str; empty: GET and POST
};
struct route_retry {
	int64_t attempts; // at most so many in all, each on another target
	bool idempotent;  // a request may be sent to another target after one had it and failed before its answer began
};
struct route_require {
	struct field_list any; // of struct str: "api-key"; empty: nobody needs to identify himself
};
struct route {
	struct field_ref gateway;
	struct route_match match;
	struct field_ref to; // endpoint/NAME
	struct str balance;  // "lowest latency"
	struct route_retry retry;
	struct route_require require;
	int64_t timeout_ns; // of one attempt, until its answer begins
};
extern const struct kind route_kind;
extern const struct resource_handler route_handler;

#endif
