// SPDX-License-Identifier: Apache-2.0
// The language of a workspace: what stands between its files and the entries that tables decode. All of it works on
// nodes, in place, so that every value keeps the position where somebody wrote it. The steps, in order, for one
// environment: overlay, variables, inputs, modules, for-each with `${...}`, defaults, groups and selectors of clouds.
// Findings are collected; what is hostile is bounded: copies and texts that `${...}` makes come out of a budget.
#ifndef ISOBAR_INFRA_WORKSPACE_LANGUAGE_IMPL_H
#define ISOBAR_INFRA_WORKSPACE_LANGUAGE_IMPL_H

#include "base/str_map.h"
#include "infra/workspace_impl.h"

enum {
	LANGUAGE_MAX_COPIES = 4 << 20,       // nodes that for_each and modules may make
	LANGUAGE_MAX_FILLED = 64 << 20,      // bytes of text that ${...} may make, all together
	LANGUAGE_MAX_TEXT = 1 << 20,         // and one of them
	LANGUAGE_MAX_MODULES = 1000,         // uses of modules
	LANGUAGE_MAX_MODULE_DEPTH = 8,       // of modules in modules
	LANGUAGE_UNTRUSTED_COPIES = 1 << 18, // the same for a workspace of somebody else
	LANGUAGE_UNTRUSTED_FILLED = 8 << 20,
};

// What `${...}` may name where a value stands.
struct scope {
	struct str_map variables;             // name -> struct node: a value of the variable's type
	struct str_map modules;               // name -> struct node: the map of its outputs
	struct str_map inputs;                // name -> struct node: the map of its outputs
	struct node *each_key, *each_value;   // inside for_each; else NULL
};

struct language {
	struct workspace *w;
	struct arena *arena;
	struct findings *f;
	struct node *root;
	struct node *environment, *workspace; // values of ${env} and ${workspace}
	struct node broken;                   // stands for a value that was found wrong where it was declared
	struct node empty;                    // a map of nothing
	const struct node *use;               // of the module that is being read
	bool stand_ins;                       // inputs are read from pocket/inputs
	bool in_module;
	size_t copies_left, bytes_left, modules_left;
	bool exhausted; // a budget is used up, and that was said
};

// ---- workspace_merge.c
// Files into one map: members of kinds are merged by name; a name declared twice is a finding.
struct merger {
	struct arena *arena, *scratch; // the tree's; what dies with the merging
	struct findings *f;
	struct node *root;       // NULL before the first file
	struct str_map members;  // of root: name -> struct merged
	struct node *last;
};
bool merge_file(struct merger *m, struct node *file); // false without memory
// An overlay into the base, in place.
void language_overlay(struct language *l, struct node *overlay, struct str environment);
// What nulls take away inside of fields, such as one label: of `defaults:` before they fill entries, of entries after that.
// overlay: NULL without one.
void language_drop_nulls(struct language *l, const struct node *overlay, bool of_defaults);

// ---- workspace_variables.c
// Declared variables of `map` (NULL: none) with the values given for them, into scope. given: a module's `with:`, whose
// values are taken instead of the command line's; NULL at the top.
void language_variables(struct language *l, const struct node *map, const struct node *given, struct scope *scope);

// ---- workspace_interpolate.c
void language_fill(struct language *l, const struct scope *scope, struct node *n); // n and all below it, in place
// A copy with everything below it; NULL when the budget is used up (a finding says so).
struct node *language_copy(struct language *l, const struct node *n, struct node *parent);
bool language_is_over(const struct language *l); // a budget is used up, or there are more findings than are kept
void language_exhausted(struct language *l, const struct node *n, const char *what);

// ---- workspace_each.c
// Every entry of a map of names: `for_each` makes several of one, and all are filled in.
void language_expand(struct language *l, const struct scope *scope, struct node *map);

// ---- workspace_modules.c
void language_modules(struct language *l, struct node *root, struct scope *scope, int depth);

// ---- workspace_inputs.c
void language_inputs(struct language *l, struct scope *scope);

// ---- workspace_defaults.c: `defaults:` of root into the entries of all kinds in `into`
void language_defaults(struct language *l, const struct node *root, struct node *into);

// ---- workspace_clouds.c: groups and selectors become lists of clouds
void language_clouds(struct language *l);

// Reads a file of the workspace beside those of its folder: an overlay, a module's. The path is relative, inside the
// folder, without links. at: where it is named, for findings. NULL when it cannot be read (a finding says why) or is
// empty.
struct node *language_read(struct language *l, struct str path, const struct node *at);
// The .yaml files of a folder of the workspace, by the same rules; *folder is then without "./" and "/" at its ends.
bool language_list(struct language *l, struct str *folder, const struct node *at, struct workspace_files *out);

#endif
