// SPDX-License-Identifier: Apache-2.0
// `file:` paths (rule 11 of the workspace language): inside the workspace's folder without links, or below a root that
// the operator's file lists: without one, the folder where the distribution keeps data sets. Every scalar that begins
// with "file:" is one, whichever field holds it.
#include "infra/workspace_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_below(struct str path, struct str root)
{
	return str_starts(path, root) && (path.n == root.n || path.p[root.n] == '/' || root.p[root.n - 1] == '/');
}

static bool has_dots(struct str path)
{
	struct str rest = path, part;
	while (str_next(&rest, '/', &part)) {
		if (str_eq(part, S("..")) || str_eq(part, S(".")))
			return true;
	}
	return false;
}

// What does not exist yet is no link.
bool workspace_has_link(struct str folder, struct str path)
{
	char copy[PATH_MAX];
	if (!str_copy(copy, sizeof(copy), path))
		return true;
	for (size_t i = folder.n + 1; i <= path.n; i++) {
		if (copy[i] != '/' && copy[i] != '\0')
			continue;
		char kept = copy[i];
		copy[i] = '\0';
		struct stat st;
		if (lstat(copy, &st) < 0)
			return errno != ENOENT && errno != EACCES; // whoever opens it is told that they may not
		if (S_ISLNK(st.st_mode))
			return true;
		copy[i] = kept;
	}
	return false;
}

// "file:///abs", "file:rel" -> a path without the scheme; empty when the form is none of these.
static struct str path_of(struct str text, struct str folder, struct arena *a)
{
	struct str path = str_drop(text, 5);
	if (str_starts(path, S("///")))
		return str_drop(path, 2);
	if (str_starts(path, S("//")) || path.n == 0)
		return (struct str){0};
	if (path.p[0] == '/')
		return path;
	return arena_printf(a, "%.*s/%.*s", STR(folder), STR(path));
}

static const char data_root[] = "/usr/share/datasets";

static bool is_below_root(const struct workspace *w, struct str path)
{
	const struct operator_file *op = w->options->op;
	return op ? operator_allows_path(op, path) : is_below(path, str_of(data_root));
}

static void check_path(const struct workspace *w, const struct node *n, struct findings *f)
{
	struct str path = path_of(n->text, w->folder, f->arena);
	if (!path.n || str_find_char(path, '\0') >= 0) {
		findings_add(f, n->at, node_path(n, f->arena), S("write file:///ABSOLUTE/PATH or file:PATH"), "is no file: path");
		return;
	}
	if (has_dots(path)) {
		findings_add(f, n->at, node_path(n, f->arena), (struct str){0}, "a file: path may not have \".\" or \"..\" parts");
	} else if (is_below(path, w->folder)) {
		if (workspace_has_link(w->folder, path))
			findings_add(f, n->at, node_path(n, f->arena), (struct str){0},
				"leads through a link, which may point outside of the workspace");
	} else if (!is_below_root(w, path)) {
		findings_add(f, n->at, node_path(n, f->arena),
			S("move it there, or list its folder under roots: in the operator's file"),
			"a file: path must be inside the workspace's folder or below %s",
			w->options->op ? "a root of the operator's file" : data_root);
	}
}

static void check_node(const struct workspace *w, const struct node *n, struct findings *f)
{
	if (n->type == NODE_SCALAR && str_starts(n->text, S("file:")))
		check_path(w, n, f);
	for (const struct node *m = n->first; m; m = m->next)
		check_node(w, m, f);
}

void workspace_check_paths(struct workspace *w, struct findings *f)
{
	for (size_t i = 0; i < w->entry_count; i++)
		check_node(w, w->entries[i].node, f);
}
