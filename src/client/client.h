// SPDX-License-Identifier: Apache-2.0
// The client of the control plane. Every request is one method, path and JSON body; it goes over HTTP to the `isobar
// up` that runs for the environment (found by control.json in its state folder, with the token of control.token),
// else to a control plane inside this process when the caller brought one. Routes, bodies and results: docs/api.md. A
// request may report events while it runs; the result comes last. One request at a time a client.
#ifndef ISOBAR_CLIENT_CLIENT_H
#define ISOBAR_CLIENT_CLIENT_H

#include "base/call.h"
#include "base/json.h"

struct client_request {
	const char *method;                               // "POST"
	const char *path;                                 // "/v1/plan?x=y"
	const json_t *body;                               // object, borrowed; NULL: none
	void (*on_event)(void *ctx, const json_t *event); // {"event": "progress", ...}; NULL: not wanted
	void *ctx;
};

struct client_local { // a control plane inside this process
	void *ctx;
	int (*dispatch)(struct call *c, void *ctx, const struct client_request *request, json_t **result);
};

struct client_options {
	struct str state_folder;          // of the environment: FOLDER/.isobar as a rule; "": the local one is asked
	const struct client_local *local; // NULL: only a running control plane; ERR_UNAVAILABLE without one
};

struct client;
MUST_CHECK int client_open(struct call *c, const struct client_options *options, struct client **out);
// *result is owned by the caller (json_decref). The error is the control plane's own: code, message, retryable.
MUST_CHECK int client_call(
	struct call *c, struct client *client, const struct client_request *request, json_t **result);
bool client_is_remote(const struct client *client); // talks to a running `isobar up`
struct str client_url(const struct client *client); // "http://127.0.0.1:PORT", or "" in-process
void client_close(struct client *client);           // NULL is allowed
// Text as part of a path or query: "endpoint/classify on aws-us" -> "endpoint%2Fclassify%20on%20aws-us". In the arena;
// .p NULL without memory.
struct str client_escape(struct arena *a, struct str text);

#endif
