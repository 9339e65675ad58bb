// SPDX-License-Identifier: Apache-2.0
// Files and folders that fields name (`sql:`, `code:`, `card:`, rules of Prometheus) are there, inside the workspace's
// folder, and no link leads out of it. Their content is the business of who reads them.
#include "infra/workspace_impl.h"

#include <sys/stat.h>

struct naming {
	const struct workspace *w;
	struct findings *f;
};

static void check_table(const struct naming *g, const struct kind *k, const struct node *map);

static bool has_paths(const struct kind *k)
{
	for (size_t i = 0; i < k->field_count; i++) {
		const struct field *field = &k->fields[i];
		if (field->type == FIELD_PATH || field->item == FIELD_PATH || (field->block && has_paths(field->block)))
			return true;
	}
	return false;
}

// "prometheus/*.yml" names no file but a folder of some.
static struct str named_part(struct str path)
{
	while (str_find_char(path, '*') >= 0) {
		size_t n = path.n;
		while (n > 0 && path.p[n - 1] != '/')
			n--;
		path = str_take(path, n ? n - 1 : 0);
	}
	return path;
}

static void check_path(const struct naming *g, const struct node *n)
{
	struct str path = n->type == NODE_SCALAR ? n->text : S(""), whole;
	struct stat st;
	while (str_starts(path, S("./")))
		path = str_drop(path, 2);
	path = named_part(path);
	whole = arena_printf(g->f->arena, "%.*s/%.*s", STR(g->w->folder), STR(path));
	if (!path.n || !whole.p)
		return;
	if (workspace_has_link(g->w->folder, whole))
		findings_add(g->f, n->at, node_path(n, g->f->arena), S("put the file itself there"),
			"leads through a link, which may point outside of the workspace");
	else if (lstat(whole.p, &st) < 0)
		findings_add(g->f, n->at, node_path(n, g->f->arena), S("make it, or correct the path"),
			"there is no \"%.*s\" in the workspace's folder", STR(str_clip(path, 200)));
}

static void check_field(const struct naming *g, const struct field *field, const struct node *n)
{
	if (field->type == FIELD_PATH)
		check_path(g, n);
	else if (field->type == FIELD_BLOCK)
		check_table(g, field->block, n);
	for (const struct node *m = n->first; m; m = m->next) {
		if (field->type == FIELD_LIST && field->item == FIELD_PATH)
			check_path(g, m);
		else if (field->type == FIELD_BLOCKS || field->type == FIELD_NAMED)
			check_table(g, field->block, m);
	}
}

static void check_table(const struct naming *g, const struct kind *k, const struct node *map)
{
	for (const struct node *n = map->type == NODE_MAP ? map->first : NULL; n; n = n->next) {
		const struct field *field = kind_field(k, n->key);
		if (field)
			check_field(g, field, n);
	}
}

void workspace_check_named(const struct workspace *w, struct findings *f)
{
	const struct naming g = {.w = w, .f = f};
	for (size_t i = 0; i < w->entry_count; i++) {
		const struct workspace_entry *e = &w->entries[i];
		if (e->decoded && has_paths(e->kind))
			check_table(&g, e->kind, e->node);
	}
}
