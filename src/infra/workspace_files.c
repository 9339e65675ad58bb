// SPDX-License-Identifier: Apache-2.0
// Reads the files of a workspace and merges them into one map: isobar.yaml first, the others by name. What is a map in
// several files is merged member by member; a name declared twice is a finding that names both places.
#include "infra/workspace_impl.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

static int compare_names(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	bool x_main = strcmp(x, "isobar.yaml") == 0, y_main = strcmp(y, "isobar.yaml") == 0;
	if (x_main != y_main)
		return x_main ? -1 : 1;
	return strcmp(x, y);
}

static int add_name(struct workspace_files *list, struct arena *a, const char *name, struct err *e)
{
	if (!list->names)
		list->names = arena_new_array(a, WORKSPACE_MAX_FILES, char *);
	if (!list->names)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (list->count == WORKSPACE_MAX_FILES)
		return err_set(e, ERR_LIMIT, "the folder has more than %d .yaml files", WORKSPACE_MAX_FILES);
	char *copy = arena_cstr(a, str_of(name));
	if (!copy)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	list->names[list->count++] = copy;
	return 0;
}

static int list_folder(const char *folder, struct arena *a, struct workspace_files *out, struct err *e)
{
	DIR *dir = opendir(folder);
	if (!dir)
		return err_errno(e, "cannot read the folder %s", folder);
	int rc = 0;
	struct dirent *entry;
	while (rc == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && str_ends(str_of(entry->d_name), S(".yaml")))
			rc = add_name(out, a, entry->d_name, e);
	}
	closedir(dir);
	if (rc == 0 && out->count == 0)
		rc = err_set(e, ERR_NOT_FOUND, "%s has no isobar.yaml: `isobar explain` shows what to write", folder);
	if (rc == 0)
		qsort(out->names, out->count, sizeof(*out->names), compare_names);
	return rc;
}

static void unlink_members(struct node *n)
{
	n->first = NULL;
	n->count = 0;
}

static void append_member(struct node *map, struct node *member)
{
	struct node **end = &map->first;
	while (*end)
		end = &(*end)->next;
	member->next = NULL;
	member->parent = map;
	*end = member;
	map->count++;
}

static void add_twice(struct findings *f, const struct node *again, const struct node *first)
{
	findings_add(f, again->key_at, node_path(again, f->arena), (struct str){0},
		"is declared twice; first at %s:%d:%d", first->key_at.file, first->key_at.line, first->key_at.column);
}

static void merge_members(struct node *into, struct node *from, int depth, struct findings *f)
{
	struct node *next;
	for (struct node *n = from->first; n; n = next) {
		next = n->next;
		struct node *first = node_member(into, n->key);
		if (!first)
			append_member(into, n);
		else if (depth == 0 && first->type == NODE_MAP && n->type == NODE_MAP)
			merge_members(first, n, depth + 1, f);
		else
			add_twice(f, n, first);
	}
	unlink_members(from);
}

static int read_one(const char *folder, const char *name, struct findings *f, struct node **root, struct err *e)
{
	struct str path = arena_printf(f->arena, "%s/%s", folder, name);
	struct str shown = arena_str(f->arena, str_of(name));
	if (!path.p || !shown.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	AUTO(buf) text = {0};
	int rc = file_read(path.p, WORKSPACE_MAX_FILE, &text, e);
	if (rc < 0)
		return rc;
	struct node *doc = NULL;
	rc = node_parse_yaml(buf_str(&text), shown.p, f, &doc);
	if (!doc)
		return rc == ERR_INVALID ? 0 : rc; // its mistakes are among the findings
	if (doc->type != NODE_MAP) {
		findings_add(
			f, doc->at, (struct str){0}, (struct str){0}, "expected a map of kinds, such as \"clouds:\"");
		return 0;
	}
	if (*root)
		merge_members(*root, doc, 0, f);
	else
		*root = doc;
	return 0;
}

static int split_path(const char *path, struct arena *a, struct str *folder, char **file, struct err *e)
{
	char real[PATH_MAX];
	struct stat st;
	if (!realpath(path, real) || stat(real, &st) < 0)
		return err_errno(e, "cannot open the workspace %s", path);
	*file = NULL;
	if (!S_ISDIR(st.st_mode)) {
		char *slash = strrchr(real, '/');
		*file = arena_cstr(a, str_of(slash + 1));
		*slash = '\0';
		if (!*file)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	*folder = arena_str(a, str_of(real[0] ? real : "/"));
	return folder->p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

int workspace_folder(const char *path, struct arena *a, struct str *folder, struct err *e)
{
	char *file;
	return split_path(path ? path : ".", a, folder, &file, e);
}

int workspace_list_files(const char *path, struct arena *a, struct workspace_files *out, struct err *e)
{
	char *file;
	int rc = split_path(path ? path : ".", a, &out->folder, &file, e);
	if (rc < 0)
		return rc;
	return file ? add_name(out, a, file, e) : list_folder(out->folder.p, a, out, e);
}

int workspace_read(const char *path, struct findings *f, struct workspace *w, struct node **root, struct err *e)
{
	struct workspace_files files = {0};
	int rc = workspace_list_files(path, f->arena, &files, e);
	w->folder = files.folder;
	*root = NULL;
	for (size_t i = 0; rc == 0 && i < files.count; i++)
		rc = read_one(w->folder.p, files.names[i], f, root, e);
	if (rc == 0 && !*root && f->count == 0)
		findings_add(f, (struct position){.file = files.names[0], .line = 1, .column = 1}, (struct str){0},
			(struct str){0}, "the workspace is empty");
	return rc;
}
