// SPDX-License-Identifier: Apache-2.0
// The control plane's API: one table of routes, each with a method, a pattern, the permission it needs and a handler.
// The same table answers inside a command (api_dispatch) and over HTTP (api/server.h); docs/api.md is written from it.
// Patterns: "/v1/overrides/{address}" takes the rest of the path, decoded, as the request's parameter.
#ifndef ISOBAR_API_API_H
#define ISOBAR_API_API_H

#include <stdio.h>

#include "api/control.h"

struct api_request {
	struct call *call;
	struct control *control;
	struct str parameter;                   // what {..} of the pattern stands for, decoded; "" without one
	struct str query;                       // "since=7&limit=100", still encoded
	const json_t *body;                     // an object; empty when none was sent
	void (*emit)(void *ctx, json_t *event); // steals the event; from any thread, one at a time
	void *emit_ctx;
};

// A permission is a literal that is not empty, so that a route without one does not compile.
#define PERMISSION(literal) (&("" literal)[0 * sizeof(char[sizeof(literal) > 1 ? 1 : -1])])
struct api_route {
	const char *method, *pattern;
	const char *permission; // action of the policy: "workspace.plan"
	int (*handle)(struct api_request *r, json_t **result);
	const char *summary;  // one line
	const char *request;  // members of the body or query, for docs/api.md; NULL: none
	const char *response; // members of the result
	const char *events;   // what it may report while it runs; NULL: nothing
};
#define ROUTE(method_, pattern_, permission_, handle_, ...)                                                            \
	{                                                                                                              \
		.method = method_, .pattern = pattern_, .permission = PERMISSION(permission_), .handle = handle_,      \
		__VA_ARGS__                                                                                            \
	}

extern const struct api_route api_routes[];
extern const size_t api_route_count;

struct api_call { // one request, from wherever it came
	struct str method;
	struct str target;  // path and query
	const json_t *body; // NULL: none
	void (*emit)(void *ctx, json_t *event);
	void *emit_ctx;
};
// Finds the route, decides on the permission of c->principal, and runs the handler. ERR_NOT_FOUND, ERR_UNSUPPORTED
// (another method), ERR_DENIED, and what the handler says. *result is owned by the caller.
MUST_CHECK int api_dispatch(struct call *c, struct control *control, const struct api_call *call, json_t **result);
json_t *api_error_json(const struct err *e); // {"error": {code, message, retryable}}

void api_write_reference(FILE *out); // docs/api.md

#endif
