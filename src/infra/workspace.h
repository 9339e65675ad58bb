// SPDX-License-Identifier: Apache-2.0
// A workspace: what a user declared, read from one file or from the *.yaml files of a folder as one map, decoded by the
// tables of kinds, checked as a whole and resolved into resources. Loading makes no call and changes nothing; it reads
// files below the workspace's folder. All findings are collected, never only the first. Everything lives in the arena
// of the findings. One thread at a time.
#ifndef ISOBAR_INFRA_WORKSPACE_H
#define ISOBAR_INFRA_WORKSPACE_H

#include "base/json.h"
#include "base/kind.h"
#include "infra/environment_kind.h"
#include "state/resource.h"

struct workspace_given { // what the command line says beside the files
	const char *const *variables; // "name=value"
	size_t variable_count;
	const char *const *variable_files; // YAML maps of values
	size_t variable_file_count;
	bool untrusted; // somebody else's workspace: no secrets, no programs, no network, no file outside the folder
};

struct workspace_options {
	const char *path;                        // a folder, or one file; NULL: "."
	struct str environment;                  // --env or ISOBAR_ENV; "": the only one there is
	struct workspace_given given;
	bool check_all;     // no environment is chosen: check the workspace in each of them
	bool keep_document; // what was read, as JSON, before anything is filled in
	const struct kind *const *kinds;         // NULL-ended
	const struct resource_handler *handlers; // tell which kinds are one resource a cloud
	size_t handler_count;
};

struct workspace_entry { // one declared thing
	const struct kind *kind;
	struct str name;
	struct node *node;
	void *value;  // the kind's C struct
	struct resource_common common;
	bool decoded; // without findings
};

struct workspace {
	struct arena *arena;
	struct str folder;                       // absolute, without links
	struct str name;                         // "fashion"
	const struct workspace_options *options; // borrowed
	struct node *root;                       // all files as one map
	struct workspace_entry *entries;         // in the order of the files
	size_t entry_count;
	struct environment *environments;
	size_t environment_count;
	const struct environment *environment; // the one in force; NULL: several, and none was chosen
	struct resource *resources;            // what each entry needs stands before it
	size_t resource_count;
};

// Reads, decodes, checks, resolves. ERR_INVALID: the findings say what is wrong (e has the count); ERR_NOT_FOUND,
// ERR_IO, ERR_LIMIT: the files cannot be read. The resources are there only when it returns 0.
MUST_CHECK int workspace_load(
	const struct workspace_options *options, struct findings *f, struct workspace *out, struct err *e);
// The environment in force, or ERR_INVALID that lists the choices: for commands that act on one.
MUST_CHECK int workspace_need_environment(const struct workspace *w, const struct environment **out, struct err *e);
struct workspace_entry *workspace_find(
	const struct workspace *w, struct str singular, struct str name); // NULL when absent
// Where the workspace of a path keeps its state and secrets: FOLDER/.isobar; folder as in struct workspace.
MUST_CHECK int workspace_folder(const char *path, struct arena *a, struct str *folder, struct err *e);
// "file:line:column: field: problem (suggestion)", one line each; paths relative to the folder where they are below it.
void findings_write(const struct findings *f, struct buf *out);
json_t *findings_to_json(const struct findings *f); // [{file, line, column, field, problem, suggestion}]

#endif
