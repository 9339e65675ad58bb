// SPDX-License-Identifier: Apache-2.0
// The API over HTTP: loopback only, with a bearer token (mode 0600 beside the workspace). A request runs on a thread of
// its own, since provider calls block; its answer is written by the loop. Accept: application/x-ndjson gives a line for
// each event and the result (or the error) as the last one; anything else gives the result alone, or the error with its
// status. Owned; all functions are the loop's thread's.
#ifndef ISOBAR_API_SERVER_H
#define ISOBAR_API_SERVER_H

#include "api/api.h"
#include "net/loop.h"

struct api_server_options {
	struct loop *loop;
	struct control *control;
	struct str listen; // "127.0.0.1:0"
	struct str token;  // what "Authorization: Bearer" must carry
	const struct edges *edges;
};

struct api_server;
MUST_CHECK int api_server_new(const struct api_server_options *options, struct api_server **out, struct err *e);
const char *api_server_url(const struct api_server *s);
// Accepts nothing more, cancels what runs, and calls done (on the loop) when every request has ended.
void api_server_drain(struct api_server *s, void (*done)(void *ctx), void *ctx);
void api_server_free(struct api_server *s); // after the drain; NULL is allowed

#endif
