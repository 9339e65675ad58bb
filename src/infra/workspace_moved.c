// SPDX-License-Identifier: Apache-2.0
// `moved:`: a thing that got another name is the same thing. `to` must be declared, `from` must not be any more, and
// both are of one kind. The resource keeps its uid; the plan only moves its record.
#include "infra/workspace_impl.h"

struct move {
	const struct workspace *w;
	struct findings *f;
	const struct node *n; // the item
};

static void complain(const struct move *m, const char *member, struct str suggestion, const char *problem)
{
	const struct node *at = node_member(m->n, str_of(member));
	findings_add(m->f, at->at, node_path(at, m->f->arena), suggestion, "%s", problem);
}

static bool cut_address(struct str address, struct str *kind, struct str *name)
{
	return str_cut(address, '/', kind, name) && kind->n && name->n && str_find_char(*name, '/') < 0 &&
	       str_find_char(*name, ' ') < 0;
}

static void check_one(const struct move *m, const struct moved *moved)
{
	struct str kind, name, old_kind, old_name;
	if (!cut_address(moved->to, &kind, &name) || !workspace_kind(m->w, kind)) {
		complain(m, "to", S("write bucket/NAME"), "expected an address");
		return;
	}
	if (!cut_address(moved->from, &old_kind, &old_name) || !workspace_kind(m->w, old_kind))
		complain(m, "from", S("write bucket/NAME"), "expected an address");
	else if (!str_eq(kind, old_kind))
		complain(m, "from", (struct str){0}, "a thing of another kind cannot become this one");
	else if (workspace_find(m->w, old_kind, old_name))
		complain(m, "from", S("take the old one away, or the line"), "is still declared, so it has not moved");
	else if (!workspace_find(m->w, kind, name))
		complain(m, "to", workspace_suggest_name(m->w, kind, name), "is not declared");
}

void workspace_check_moved(struct workspace *w, struct findings *f)
{
	const struct node *list = node_member(w->root, S("moved"));
	struct str_map from;
	struct moved *moves = w->moved.items;
	struct move m = {.w = w, .f = f, .n = list ? list->first : NULL};
	if (!str_map_init(&w->moved_to, w->arena, w->moved.count) || !str_map_init(&from, w->arena, w->moved.count))
		return;
	for (size_t i = 0; i < w->moved.count && m.n; i++, m.n = m.n->next) {
		if (str_map_get(&w->moved_to, moves[i].to) || str_map_get(&from, moves[i].from)) {
			complain(&m, "from", S("one line for each thing"), "an address is moved twice");
			continue;
		}
		(void)str_map_put(&w->moved_to, moves[i].to, &moves[i]);
		(void)str_map_put(&from, moves[i].from, &moves[i]);
		check_one(&m, &moves[i]);
	}
}

struct str workspace_moved_from(const struct workspace *w, const struct resource *r)
{
	if (!w->moved_to.count)
		return (struct str){0};
	const struct moved *moved =
		str_map_get(&w->moved_to, resource_address(w->arena, r->kind, r->name, (struct str){0}));
	if (!moved)
		return (struct str){0};
	return resource_address(w->arena, r->kind, str_drop(moved->from, r->kind.n + 1), r->cloud);
}
