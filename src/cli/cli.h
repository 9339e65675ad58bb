// SPDX-License-Identifier: Apache-2.0
// The commands that people type. Each one is a request or two to the control plane through client/, and a way to print
// the answer: a table for people, JSON for programs (-o). Results go to standard output; what is told on the way, and
// errors, to standard error.
#ifndef ISOBAR_CLI_CLI_H
#define ISOBAR_CLI_CLI_H

#include "base/kind.h"
#include "base/options.h"
#include "client/client.h"

struct cli_target {             // which workspace a command is about
	const char *path;       // folder or file
	struct str environment; // --env, else ISOBAR_ENV; "" when neither says
	struct option_texts variables, variable_files; // --var, --var-file
	bool untrusted;
	const char *operator_file; // --operator; NULL: where it usually is
};

struct cli {                             // what main.c passes to every command; arguments.app
	const struct kind *const *kinds; // NULL-ended, for explain and schema
	const struct kind *top_kind;     // keys of a workspace that are no kinds, for schema
	const struct kind *const *files; // NULL-ended, files beside the workspace, for explain; NULL: none
	void *app;
	// A control plane inside this process, for when no `isobar up` runs; closed by close_local.
	int (*open_local)(struct call *c, void *app, const struct cli_target *target, struct client_local *out);
	void (*close_local)(void *app, struct client_local *local);
	// Where the environment keeps its state; "" when that is not known.
	int (*find_state_folder)(struct call *c, void *app, const struct cli_target *target, struct str *folder);
	// Lines of addresses that begin with prefix, from the files alone.
	int (*list_addresses)(
		struct call *c, void *app, const struct cli_target *target, struct str prefix, struct buf *out);
	void (*write_api_reference)(FILE *out);
	int (*write_support)(const char *folder, struct buf *out, struct err *e); // docs/support.md from records
	int (*prices)(struct call *c, const json_t *request, json_t **result); // cloud/catalog_request.h; *result is owned
	const struct command *const *commands; // all of the program, for the manual
	size_t command_count;
};

extern const struct command *const cli_commands[];
extern const size_t cli_command_count;

#endif
