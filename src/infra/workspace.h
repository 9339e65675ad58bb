// SPDX-License-Identifier: Apache-2.0
// A workspace: what a user declared, read from one file or from the *.yaml files of a folder as one map, decoded by the
// tables of kinds, checked as a whole and resolved into resources. Loading makes no call and changes nothing; it reads
// files below the workspace's folder. All findings are collected, never only the first. Everything lives in the arena
// of the findings. One thread at a time.
#ifndef ISOBAR_INFRA_WORKSPACE_H
#define ISOBAR_INFRA_WORKSPACE_H

#include "base/json.h"
#include "base/kind.h"
#include "base/str_map.h"
#include "infra/environment_kind.h"
#include "infra/workspace_top.h"
#include "security/operator.h"
#include "state/resource.h"

struct workspace_given {              // what the command line says beside the files
	const char *const *variables; // "name=value"
	size_t variable_count;
	const char *const *variable_files; // YAML maps of values
	size_t variable_file_count;
	bool untrusted; // somebody else's workspace: no secrets, no programs, no network, no file outside the folder
};

struct workspace_options {
	const char *path;       // a folder, or one file; NULL: "."
	struct str environment; // --env or ISOBAR_ENV; "": the only one there is
	struct workspace_given given;
	const struct operator_file *op; // whose roots file: paths may lead to; NULL: the default ones
	bool check_only;    // nothing will be done: with no environment chosen, check all of them; inputs that lie in a
			    // store are not read
	bool keep_document; // what was read, as JSON, before anything is filled in
	// Reads the state that `inputs:` names from a store: "s3://bucket/key" by the cloud's credentials. NULL: such
	// inputs are refused.
	int (*read_input)(void *ctx, struct str cloud, struct str url, struct buf *out, struct err *e);
	void *read_input_ctx;
	const struct kind *const *kinds;         // NULL-ended
	const struct resource_handler *handlers; // tell which kinds are one resource a cloud
	size_t handler_count;
};

struct workspace_entry { // one declared thing
	const struct kind *kind;
	struct str name;
	struct node *node;
	const struct resource_common *common; // NULL: declares no resource, or was not decoded
	bool decoded; // without findings
	size_t first_resource, resource_count; // its resources, before they are ordered
	const struct resource *needed_by;      // the one that last said so
};

struct workspace_checked { // one of several environments that were checked
	struct str environment;
	size_t resources;
};

struct workspace_index;
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
	const struct environment *environment; // the one in force; NULL: several, and all were checked
	struct workspace_checked *checked;     // then: each of them
	size_t checked_count;
	struct field_ref owner;       // of what names none; name "": nobody
	struct workspace_state state; // `state:`
	const struct resource_common *common; // of what says nothing about it
	struct field_list moved;      // of struct moved
	struct str_map moved_to;      // new address without cloud -> struct moved
	json_t *document;             // with keep_document
	bool guessed;                 // inputs were not read: good for checking only
	struct workspace_index *index;
	struct distrust *distrusted; // places of values that are wrong already
	size_t bytes_read;
	bool cut_short; // a file could not be read to its end: what seems to be missing may stand there
	struct resource *resources; // what each entry needs stands before it
	size_t resource_count;
};

// Reads, decodes, checks, resolves. Several environments and none chosen: ERR_INVALID that lists them, or with
// check_only all of them are checked. ERR_INVALID: the findings say what is wrong (e has the count); ERR_NOT_FOUND,
// ERR_IO, ERR_LIMIT: the files cannot be read. The resources are there only when it returns 0.
MUST_CHECK int workspace_load(
	const struct workspace_options *options, struct findings *f, struct workspace *out, struct err *e);
// The environment in force, or ERR_INVALID that lists the choices: for commands that act on one.
MUST_CHECK int workspace_need_environment(const struct workspace *w, const struct environment **out, struct err *e);
struct workspace_entry *workspace_find(
	const struct workspace *w, struct str singular, struct str name); // NULL when absent
// Fills r->written, the canonical written form of its entry: what is recorded beside the resolved form. A declared resource
// has none until then: most of them change nothing. Any thread, each with an arena of its own.
void workspace_write_inputs(const struct workspace *w, struct arena *a, struct resource *r);
// Where the workspace of a path keeps its state and secrets: FOLDER/.isobar; folder as in struct workspace.
MUST_CHECK int workspace_folder(const char *path, struct arena *a, struct str *folder, struct err *e);
// "file:line:column: field: problem (suggestion)", one line each; paths relative to the folder where they are below it.
void findings_write(const struct findings *f, struct buf *out);
json_t *findings_to_json(const struct findings *f); // [{file, line, column, field, problem, suggestion}]

#endif
