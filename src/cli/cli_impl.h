// SPDX-License-Identifier: Apache-2.0
// What commands share: options, the connection to the control plane, errors, tables, progress.
#ifndef ISOBAR_CLI_CLI_IMPL_H
#define ISOBAR_CLI_CLI_IMPL_H

#include "cli/cli.h"

// ---- options that every command has
struct common {
	const char *workspace, *environment, *output;
	struct option_texts variables, variable_files;
	bool untrusted;
	const char *operator_file;
};
extern const char *const output_choices[]; // table, json
#define COMMON_OPTIONS(owner)                                                                                          \
	{.name = "workspace",                                                                                          \
		.letter = 'w',                                                                                         \
		.type = OPTION_TEXT,                                                                                   \
		.offset = offsetof(owner, common.workspace),                                                           \
		.argument = "PATH",                                                                                    \
		.help = "folder or file of the workspace; else ISOBAR_WORKSPACE, else the current folder"},            \
		{.name = "env",                                                                                        \
			.letter = 'e',                                                                                 \
			.type = OPTION_TEXT,                                                                           \
			.offset = offsetof(owner, common.environment),                                                 \
			.argument = "NAME",                                                                            \
			.help = "environment; else ISOBAR_ENV, else the only one"},                                    \
		{.name = "var",                                                                                        \
			.type = OPTION_REPEAT,                                                                         \
			.offset = offsetof(owner, common.variables),                                                   \
			.argument = "NAME=VALUE",                                                                      \
			.help = "value of a variable; else ISOBAR_VAR_NAME, --var-file, the environment's overlay"},   \
		{.name = "var-file",                                                                                   \
			.type = OPTION_REPEAT,                                                                         \
			.offset = offsetof(owner, common.variable_files),                                              \
			.argument = "FILE",                                                                            \
			.help = "YAML map of values of variables"},                                                    \
		{.name = "untrusted",                                                                                  \
			.type = OPTION_FLAG,                                                                           \
			.offset = offsetof(owner, common.untrusted),                                                   \
			.help = "somebody else's workspace: no secrets, programs, network or files outside it"},       \
		{.name = "operator",                                                                                   \
			.type = OPTION_TEXT,                                                                           \
			.offset = offsetof(owner, common.operator_file),                                               \
			.argument = "FILE",                                                                            \
			.help = "the operator's file; else ISOBAR_OPERATOR, else ~/.config/isobar/operator.yaml"},     \
	{                                                                                                              \
		.name = "output", .letter = 'o', .type = OPTION_CHOICE, .offset = offsetof(owner, common.output),      \
		.argument = "FORM", .otherwise = "table", .choices = output_choices,                                   \
		.help = "table for people, json for programs"                                                          \
	}

// ---- one command's connection
struct session {
	const struct arguments *arguments;
	const struct common *common;
	const struct cli *cli;
	struct arena arena;
	struct call call;
	struct client_local local;
	struct client *client;
	struct cli_target target;
	struct str state_folder;
	const char *shown; // the workspace's path as the user wrote it, for findings; "" for the current folder
	bool json;
	bool here; // the control plane is in this process, also when one runs
	void (*on_event)(struct session *s, const json_t *event); // instead of progress_event(); NULL: that
	void *on_event_ctx;
	size_t findings; // reported so far
	struct progress_view *progress;
};
// folder: a positional argument that overrides --workspace; NULL: none. Prints what fails; returns 0 or a negative
// code.
int session_open(struct session *s, const struct arguments *a, const struct common *common, const char *folder);
// The same for commands whose bytes move where they run: no control plane that runs is asked.
int session_open_here(struct session *s, const struct arguments *a, const struct common *common);
// Ends the session and gives the exit code for rc; prints the error of a failed call (once).
int session_end(struct session *s, int rc);
// *result is owned. Events are shown as they come.
int session_request(struct session *s, const char *method, const char *path, const json_t *body, json_t **result);
// "/v1/overrides/" + encoded text, and so on; in the session's arena.
const char *session_path(struct session *s, const char *before, struct str encoded, const char *after);
void session_print_json(struct session *s, const json_t *value);
bool stream_is_terminal(FILE *stream);
bool stream_has_color(FILE *stream); // a terminal, and no NO_COLOR

// ---- tables
struct table_column {
	const char *title;
	bool right; // numbers
};
struct table;
struct table *table_new(struct arena *a, const struct table_column *columns, size_t count);
void table_add(struct table *t, const struct str *cells); // count cells, borrowed
void table_write(const struct table *t, FILE *out);       // "nothing" when empty
struct str cell_bytes(struct arena *a, double bytes);     // "9.8 MB"

// ---- progress (progress.c): shows events on standard error, bars on a terminal, lines elsewhere
struct progress_view *progress_new(struct arena *a, FILE *out);
void progress_event(struct progress_view *p, const json_t *event);
void progress_end(struct progress_view *p); // leaves the last state of the bars on the screen

extern const struct command addresses_command, validate_command, explain_command, schema_command, plan_command, apply_command,
	destroy_command;
extern const struct command override_command, adopt_command, approve_command;
extern const struct command run_command, status_command, down_command, deploy_command, rollback_command;
extern const struct command models_command, endpoints_command, alerts_command, overrides_command, overrides_end_command,
	events_command, cost_command, audit_verify_command, report_command;
extern const struct command data_ls_command, data_cp_command, data_sync_command, data_mv_command, data_rm_command,
	data_du_command, data_cat_command, data_verify_command;
extern const struct command guards_command, permissions_command, check_command, init_command;
extern const struct command backup_command, restore_command;
extern const struct command reference_command, completion_command;
extern const struct command why_command;
extern const struct command prices_list_command, prices_check_command, prices_import_command;

#endif
