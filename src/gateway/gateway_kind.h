// SPDX-License-Identifier: Apache-2.0
// The kinds `gateway` and `route` of a workspace, and the handlers that make gateways real. Tables are constant. What
// the structs hold lives in the arena of the decoding.
#ifndef ISOBAR_GATEWAY_GATEWAY_KIND_H
#define ISOBAR_GATEWAY_GATEWAY_KIND_H

#include "base/kind.h"
#include "state/resource.h"

// `tls: automatic` (a certificate of the workspace's own CA), `tls: none` (plain http, loopback only), or a certificate
// with its key in a file or a secret. With a secret, which this release does not fetch, it is automatic as well.
struct gateway_tls {
	bool automatic;
	struct str certificate; // path; empty: none
	struct str key;         // path, or "secret/NAME"
};
struct gateway {
	struct str listen; // "127.0.0.1:8443"
	struct field_list hosts; // of struct str; empty: any
	struct gateway_tls tls;
	struct str audit; // "strict" | "none"
};
extern const struct kind gateway_kind;
extern const struct resource_handler gateway_handler; // ctx: const struct gateway_ctx * (gateway/gateway_ctx.h)

struct route_match {
	struct str path;           // "/v2/models/classify/**"
	struct str model;          // of the request's body; empty: any
	struct field_list methods; // of struct str; empty: GET and POST
};
struct route_retry {
	int64_t attempts; // at most so many in all, each on another target
	bool idempotent;  // a request may be sent to another target after one had it and failed before its answer began
};
struct route_require {
	struct field_list any; // of struct str: "api-key"; empty: nobody needs to identify himself
	struct field_list all; // of struct str: "mtls", "identity-provider/staff"
};
struct route_record {
	double inputs;           // share of the requests whose inputs are recorded
	struct field_list redact; // of struct str: fields that are left out
	struct field_ref bucket; // name "": the only managed one
};
struct route_limits {
	struct str per; // "key" | "user" | "route"
	struct field_rate requests, tokens; // amount 0: no limit
	struct field_money money;           // currency empty: no limit
};
struct route_filter {
	struct str before, after; // URLs; empty: none
	struct str on_error;      // "refuse" | "pass"
};
struct route {
	struct field_ref gateway;
	struct route_match match;
	struct field_list to; // of struct field_named_ref: endpoint/NAME; several, named "in_order", are tried one after the other
	struct field_list residency; // FIELD_PLACES: where requests may go, beside what the model inherited
	struct route_record record;
	struct route_limits limits;
	struct route_filter filter;
	struct str balance;  // "lowest latency"
	struct route_retry retry;
	struct route_require require;
	int64_t timeout_ns; // of one attempt, until its answer begins
};
extern const struct kind route_kind;
struct field_ref route_first_target(const struct route *r);
extern const struct resource_handler route_handler;

#endif
