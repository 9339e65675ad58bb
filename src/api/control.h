// SPDX-License-Identifier: Apache-2.0
// The control plane of one workspace: what every route acts on. It lives inside a command (then each request opens what
// it needs and closes it again) or inside `isobar up` (then the clouds stay open for its loops). main.c fills the parts
// that only it can see. A control may be used by several threads; requests that change things exclude each other. Owned
// by whoever opened it.
#ifndef ISOBAR_API_CONTROL_H
#define ISOBAR_API_CONTROL_H

#include "infra/prepare.h"
#include "infra/workspace.h"
#include "jobs/pipeline.h"

struct clouds;
struct operator_file;

struct control_parts;
struct binding {           // an open workspace, as contexts of handlers, makers and loops are built from; all borrowed
	struct str folder; // absolute
	struct str state_folder; // of the environment: FOLDER/.isobar as a rule
	struct str workspace;    // name
	bool pocket;
	const struct operator_file *op; // the operator's file; NULL for an untrusted workspace
	struct str plane; // this control plane's name, when others may share the state; "": it is alone
	const struct state *state;
	const struct clouds *clouds; // may be empty: then only what needs no cloud is asked for
	const struct control_parts *parts;
};

// A service of `isobar up`: runs on a thread of its own until the call is cancelled, and is started again when the
// clouds change. Where several control planes share a state, a lease decides which of them runs it, and its writes
// are fenced.
struct control_service {
	const char *name;
	int (*run)(struct call *c, const struct binding *b);
};

struct control_parts {
	const struct kind *const *kinds;         // NULL-ended
	const struct resource_handler *handlers; // rows without contexts
	size_t handler_count;
	const struct step_maker *makers;
	size_t maker_count;
	const struct control_service *services;
	size_t service_count;
	// Fills the contexts of rows (a copy of the handlers above) for a binding; memory in c->arena.
	int (*bind)(struct call *c, const struct binding *b, struct resource_handler *rows);
	// Endpoints brought to their declared state once, without the loop of `up`; pending: how many are not ready
	// yet.
	int (*deploy_once)(struct call *c, const struct binding *b, size_t *pending);
	// What state says by now about routes, endpoints, keys and roles, told to the gateways that run. Once, without
	// the service of `up`.
	int (*publish)(struct call *c, const struct binding *b);
	// Processes that run for a workspace beside the clouds (gateways): for `status`, and to end them for `down`.
	int (*describe)(struct call *c, const struct binding *b, json_t *into);
	int (*stop)(struct call *c, const struct binding *b);
};

struct control_options {
	const char *path;             // of the workspace; NULL: "."
	struct str environment;       // "": the only one
	const char *operator_file;    // --operator; NULL: where it usually is
	struct workspace_given given; // variables and trust, as the command line says
	const struct control_parts *parts;
	bool serving; // inside `isobar up`, which holds the lock of the workspace
};

struct control;
MUST_CHECK int control_open(struct call *c, const struct control_options *options, struct control **out);
void control_close(struct control *control); // NULL is allowed
struct str control_folder(const struct control *control);
MUST_CHECK int control_make_state_folder(struct call *c, const struct control *control); // ERR_INVALID as below
struct str control_state_folder(const struct control *control); // "": which environment is meant is not known

#endif
