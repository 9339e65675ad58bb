// SPDX-License-Identifier: Apache-2.0
// `isobar up`: the control plane as a process. It holds the lock of the workspace, keeps the clouds open (pocket clouds
// are started), runs the API server on its loop and the services that main.c names (deploy, gateways, monitor), each on
// a thread of its own. SIGTERM and SIGINT end it gracefully: requests, services, then what it started. In .isobar:
// control.lock, control.token (0600), control.json {url, token_file, pid} while it runs, control.log when it runs in
// the background.
#ifndef ISOBAR_API_UP_H
#define ISOBAR_API_UP_H

#include "api/control.h"
#include "base/options.h"

struct up_options {
	const char *listen; // "127.0.0.1:0"
	struct control_options control;
};
// Runs until a signal ends it. ERR_IN_USE: another control plane holds the workspace. ERR_INVALID: the workspace has
// mistakes, which on_event has heard of.
MUST_CHECK int up_run(
	struct call *c, const struct up_options *options, void (*on_event)(void *ctx, json_t *event), void *ctx);

// The command: in the foreground, or as a process of its own that goes on in the background once it answers. Tells on
// out what happens, on error what went wrong; returns the exit code.
int up_main(const struct up_options *options, bool foreground, FILE *out, FILE *error);

#endif
