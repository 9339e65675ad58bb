// SPDX-License-Identifier: Apache-2.0
// The steps of workspace_load; see workspace.h. All add findings to w's arena through f and go on where they can.
#ifndef ISOBAR_INFRA_WORKSPACE_IMPL_H
#define ISOBAR_INFRA_WORKSPACE_IMPL_H

#include "infra/workspace.h"

enum {
	WORKSPACE_MAX_FILES = 1000,
	WORKSPACE_MAX_FILE = 16 << 20, // bytes of one file: far above what people write, far below what hurts
	WORKSPACE_MAX_TOTAL = 256 << 20,          // of all files
	WORKSPACE_UNTRUSTED_TOTAL = 16 << 20,     // of all files of a workspace that is not trusted
	WORKSPACE_MAX_ENTRIES = 1000000,
};

// workspace_files.c: the files of a workspace: isobar.yaml first, the others by name. ERR_NOT_FOUND with the folder
// filled: it has none.
struct workspace_files {
	struct str folder; // absolute, without links
	char **names;
	size_t count;
};
int workspace_list_files(const char *path, struct arena *a, struct workspace_files *out, struct err *e);
// The same of a folder, absolute.
int workspace_list_folder(const char *folder, struct arena *a, struct workspace_files *out, struct err *e);
// workspace_files.c: reads what path names and merges it into one map; *root is NULL when every file is empty.
int workspace_read(const char *path, struct findings *f, struct workspace *w, struct node **root, struct err *e);
// One file below the workspace's folder; *doc NULL when it is empty, or what is wrong is among the findings.
int workspace_read_file(struct workspace *w, struct str relative, struct findings *f, struct node **doc, struct err *e);
// workspace_environments.c: w in the environment in force, or in each of them: fills w and adds findings.
int workspace_build(struct workspace *w, struct findings *f, struct err *e);
// Entries with their names and clouds only, of the environment in force or the first; what is wrong is passed over.
int workspace_read_names(
	const struct workspace_options *options, struct findings *f, struct workspace *w, struct err *e);
void workspace_sort_findings(const struct workspace *w, struct findings *f);
// Later findings at this place would be about something that was found wrong already: they are left out.
void workspace_distrust(struct workspace *w, struct position at, const struct findings *f);

// workspace_index.c
bool workspace_index_make(struct workspace *w);
bool workspace_index_room(struct workspace *w, const struct kind *k, size_t names);
// NULL, or the entry that has the name already.
struct workspace_entry *workspace_index_add(struct workspace *w, struct workspace_entry *e);
// Whether so many names may still be looked through for what was meant: a bound on all mistakes together.
bool workspace_may_compare(const struct workspace *w, size_t names);
bool workspace_index_clouds(struct workspace *w); // once all entries are there
struct workspace_entry **workspace_clouds(const struct workspace *w, size_t *count);
bool workspace_names_cloud(const struct node *clouds, struct str cloud); // a list of names, one, or "all"; NULL: none
bool workspace_is_on(const struct workspace_entry *e, struct str cloud); // by its `clouds:`

// workspace_moved.c: `moved:` checked, and the address that a resource had before, "" when it was always this.
void workspace_check_moved(struct workspace *w, struct findings *f);
struct str workspace_moved_from(const struct workspace *w, const struct resource *r);
// workspace_order.c: needs of drafts as addresses, and resources in order of needs; a ring is a finding.
struct draft;
void workspace_order(struct workspace *w, struct draft *drafts, struct findings *f);
// workspace_paths.c: whether a part of the path below the folder is a link.
bool workspace_has_link(struct str folder, struct str path);

// workspace_decode.c: workspace-level keys, defaults, entries; environments, which come first.
void workspace_decode_environments(struct workspace *w, struct node *map, struct findings *f);
void workspace_decode(struct workspace *w, struct node *root, struct findings *f);
void workspace_decode_names(struct workspace *w, struct node *root, struct findings *f); // no more than that
// workspace_references.c: every reference and every cloud named must exist.
void workspace_check_references(struct workspace *w, struct findings *f);
// workspace_paths.c: file: paths stay inside the workspace's folder or below the data folder of the distribution (rule
// 11).
void workspace_check_paths(struct workspace *w, struct findings *f);
// workspace_resolve.c: resources, in order of needs.
void workspace_resolve(struct workspace *w, struct findings *f);
// workspace_check.c: what only the resolved form of an entry shows; all resources are there.
void workspace_check_resolved(
	const struct workspace *w, const struct workspace_entry *e, const struct resource *r, struct findings *f);
// workspace_flow.c: residency and operators by lineage; all resources are there.
void workspace_check_flow(const struct workspace *w, struct findings *f);

// Names of all entries of the kinds in "a|b", for suggestions.
struct str workspace_suggest_name(const struct workspace *w, struct str kinds, struct str written);
const struct kind *workspace_kind(const struct workspace *w, struct str singular); // NULL when there is none

// workspace_written.c: the canonical written form of an entry, defaults included. With a resolver, references become
// "kind/name" and clouds the explicit list.
struct written_resolver {
	const struct workspace *w;
	struct str cloud; // of a resource on one cloud; "": all of the entry's
	// Told of every address that the entry needs: kind, name, cloud.
	void (*needs)(void *ctx, struct str kind, struct str name);
	void *ctx;
};
json_t *workspace_resolved(
	const struct kind *k, const struct node *map, struct arena *a, const struct written_resolver *r);
// workspace_index.c: what a row's default becomes, made once. keep takes the reference over.
json_t *workspace_known_default(const struct workspace *w, const struct field *field);
void workspace_keep_default(const struct workspace *w, const struct field *field, json_t *value);

// The kind and name that a reference's text means, by the row's list of kinds; kind empty when none has the name.
struct reference {
	struct str kind, name;
};
struct reference workspace_reference(const struct workspace *w, const struct field *field, struct str text);

// workspace_follow.c: the bucket of what a thing without `bucket:` is made from; "" when that has none, too. And whether
// it needs none: it lies in a bucket already, or is made from nothing of ours.
struct str workspace_followed_bucket(const struct workspace *w, const struct kind *k, const struct node *map);
bool workspace_needs_no_place(const struct kind *k, const struct node *map);
// An entry that is made on several clouds (parts of a dataset, a training in rounds) has a bucket on each of them.
void workspace_check_parts(const struct workspace *w, const struct workspace_entry *e, struct findings *f);
// workspace_models.c: what endpoints serve, by the tables of both.
void workspace_check_models(const struct workspace *w, struct findings *f);
// workspace_named.c: files that fields name are there.
void workspace_check_named(const struct workspace *w, struct findings *f);
void workspace_check_state(const struct workspace *w, struct findings *f); // the address of its state
// workspace_when.c: rules that hold in one environment only name one that is there; and the resolved form without the
// rules of others.
void workspace_check_when(const struct workspace *w, struct findings *f);
void workspace_resolve_when(json_t *resolved, struct str environment);

// One bucket that things without a `bucket:` go to (rule 12); "" with *why filled when there is none or more than one.
const struct workspace_entry *workspace_bucket_on(
	const struct workspace *w, struct str cloud, const struct workspace_entry **second); // managed; NULL: none
struct str workspace_only_bucket(const struct workspace *w, struct str *why);

struct draft { // a resource in the making, and which entries it needs
	const struct workspace *w;
	struct resource *r;
	struct workspace_entry **needs; // in the arena of the drafts
	size_t need_count, room;
	struct arena *scratch;
	struct workspace_entry *entry;
	size_t *before; // indices of the resources that it needs: r->need_count of them
};

#endif
