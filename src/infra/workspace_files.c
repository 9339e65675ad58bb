// SPDX-License-Identifier: Apache-2.0
// Reads the files of a workspace, isobar.yaml first and the others by name, into one map; and files that it names:
// overlays, modules. What is no plain file inside the folder is refused.
#include "infra/workspace_language_impl.h"

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
		rc = err_set(e, ERR_NOT_FOUND, "%s has no isobar.yaml: `isobar init` writes a first one; or name the folder that has it", folder);
	if (rc == 0)
		qsort(out->names, out->count, sizeof(*out->names), compare_names);
	return rc;
}

// ---------------------------------------------------------------- reading
// What is no plain file could keep us waiting for ever; a link could show what lies elsewhere to whoever wrote it.
static int check_file(const struct workspace *w, const char *path, struct err *e)
{
	struct stat st;
	bool untrusted = w->options->given.untrusted;
	if ((untrusted ? lstat(path, &st) : stat(path, &st)) < 0)
		return err_errno(e, "cannot read %s", path);
	if (S_ISLNK(st.st_mode))
		return err_set(e, ERR_DENIED, "%s is a link: a workspace that is not trusted may have none", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is no file", path);
	return 0;
}

static int read_text(struct workspace *w, const char *path, struct buf *text, struct err *e)
{
	size_t most = w->options->given.untrusted ? WORKSPACE_UNTRUSTED_TOTAL : WORKSPACE_MAX_TOTAL;
	int rc = check_file(w, path, e);
	if (rc == 0)
		rc = file_read(path, WORKSPACE_MAX_FILE, text, e);
	if (rc < 0)
		return rc;
	w->bytes_read += text->n;
	if (w->bytes_read > most)
		return err_set(e, ERR_LIMIT, "the files of the workspace have more than %zu MiB", most >> 20);
	return 0;
}

int workspace_read_file(struct workspace *w, struct str relative, struct findings *f, struct node **doc, struct err *e)
{
	struct str path = arena_printf(f->arena, "%.*s/%.*s", STR(w->folder), STR(relative));
	const char *shown = arena_cstr(f->arena, relative);
	AUTO(buf) text = {0};
	*doc = NULL;
	if (!path.p || !shown)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int rc = read_text(w, path.p, &text, e);
	if (rc < 0)
		return rc;
	rc = node_parse_yaml(buf_str(&text), shown, f, doc);
	w->cut_short = w->cut_short || (!*doc && rc == ERR_INVALID);
	if (!*doc)
		return rc == ERR_INVALID ? 0 : rc; // its mistakes are among the findings
	if ((*doc)->type == NODE_MAP)
		return 0;
	findings_add(f, (*doc)->at, (struct str){0}, (struct str){0}, "expected a map of kinds, such as \"clouds:\"");
	*doc = NULL;
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

int workspace_list_folder(const char *folder, struct arena *a, struct workspace_files *out, struct err *e)
{
	out->folder = arena_str(a, str_of(folder));
	return out->folder.p ? list_folder(folder, a, out, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
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
	AUTO(arena) scratch = {0};
	struct merger merger = {.arena = f->arena, .scratch = &scratch, .f = f};
	int rc = workspace_list_files(path, f->arena, &files, e);
	w->folder = files.folder;
	*root = NULL;
	if (rc == 0 && !str_map_init(&merger.members, &scratch, 32))
		rc = err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; rc == 0 && i < files.count; i++) {
		struct node *doc;
		rc = workspace_read_file(w, str_of(files.names[i]), f, &doc, e);
		if (rc == 0 && doc && !merge_file(&merger, doc))
			rc = err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	*root = merger.root;
	if (rc == 0 && !*root && f->count == 0)
		findings_add(f, (struct position){.file = files.names[0], .line = 1, .column = 1}, (struct str){0},
			(struct str){0}, "the workspace is empty");
	return rc;
}

// ---------------------------------------------------------------- beside the folder's own files
// "./env/dev.yaml" -> "env/dev.yaml", when it stays inside the folder.
static bool check_inside(struct language *l, struct str *path, const struct node *at)
{
	struct err e = {0};
	if (str_starts(*path, S("./")))
		*path = str_drop(*path, 2);
	if (file_check_relative(*path, &e) < 0) {
		findings_add(l->f, at->at, node_path(at, l->f->arena), S("write a path below the workspace's folder"), "%s",
			e.message);
		return false;
	}
	struct str whole = arena_printf(l->arena, "%.*s/%.*s", STR(l->w->folder), STR(*path));
	if (!whole.p || workspace_has_link(l->w->folder, whole)) {
		findings_add(l->f, at->at, node_path(at, l->f->arena), (struct str){0},
			"leads through a link, which may point outside of the workspace");
		return false;
	}
	return true;
}

struct node *language_read(struct language *l, struct str path, const struct node *at)
{
	struct node *doc = NULL;
	struct err e = {0};
	if (!check_inside(l, &path, at))
		return NULL;
	if (workspace_read_file(l->w, path, l->f, &doc, &e) < 0)
		findings_add(l->f, at->at, node_path(at, l->f->arena), (struct str){0}, "%s", e.message);
	return doc;
}

bool language_list(struct language *l, struct str *folder, const struct node *at, struct workspace_files *out)
{
	struct err e = {0};
	if (str_ends(*folder, S("/")))
		*folder = str_take(*folder, folder->n - 1);
	if (!check_inside(l, folder, at))
		return false;
	struct str whole = arena_printf(l->arena, "%.*s/%.*s", STR(l->w->folder), STR(*folder));
	if (whole.p && workspace_list_folder(whole.p, l->arena, out, &e) == 0)
		return true;
	findings_add(l->f, at->at, node_path(at, l->f->arena), S("a module is a folder of .yaml files"), "%s", e.message);
	return false;
}
