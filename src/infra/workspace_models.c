// SPDX-License-Identifier: Apache-2.0
// What an endpoint serves: a model of our own by one of the aliases that it declares, a model of somebody else's by its
// name alone. It takes both tables to see that.
#include "infra/workspace_impl.h"

struct served { // `model:` of one endpoint
	const struct node *at;
	struct str name, alias;
};

static bool is_endpoint(const struct workspace_entry *e)
{
	return str_eq(str_of(e->kind->singular), S("endpoint"));
}

static struct served served_of(const struct workspace_entry *e)
{
	struct served s = {.at = node_member(e->node, S("model"))};
	struct str text = s.at && s.at->type == NODE_SCALAR ? s.at->text : S(""), prefix = S("model/");
	if (str_starts(text, prefix))
		text = str_drop(text, prefix.n);
	str_cut(text, '@', &s.name, &s.alias);
	return s;
}

static struct str alias_at(const void *ctx, size_t i)
{
	const struct node *n = ((const struct node *)ctx)->first;
	while (i--)
		n = n->next;
	return n->key;
}

static struct str suggest_alias(const struct node *aliases, struct str written, struct arena *a)
{
	struct str meant = aliases ? kind_suggest(written, alias_at, aliases, aliases->count) : S("");
	return meant.n ? arena_printf(a, "did you mean \"%.*s\"?", STR(meant)) : meant;
}

static void check_own(const struct served *s, const struct node *model, struct findings *f)
{
	const struct node *aliases = node_member(model, S("aliases"));
	if (!s->alias.n) {
		findings_add(f, s->at->at, node_path(s->at, f->arena), arena_printf(f->arena, "write %.*s@ALIAS", STR(s->name)),
			"expected a model and one of its aliases, such as %.*s@champion", STR(s->name));
		return;
	}
	if (!node_member(aliases, s->alias))
		findings_add(f, s->at->at, node_path(s->at, f->arena), suggest_alias(aliases, s->alias, f->arena),
			"model/%.*s declares no alias \"%.*s\"", STR(s->name), STR(s->alias));
}

static void check_foreign(const struct served *s, struct findings *f)
{
	if (s->alias.n)
		findings_add(f, s->at->at, node_path(s->at, f->arena), arena_printf(f->arena, "write %.*s", STR(s->name)),
			"a model with a source: has no aliases: it is one version");
}

void workspace_check_models(const struct workspace *w, struct findings *f)
{
	for (size_t i = 0; i < w->entry_count; i++) {
		const struct workspace_entry *e = &w->entries[i];
		struct served s = is_endpoint(e) ? served_of(e) : (struct served){0};
		const struct workspace_entry *model = s.name.n ? workspace_find(w, S("model"), s.name) : NULL;
		if (!model)
			continue; // said already
		if (node_member(model->node, S("source")))
			check_foreign(&s, f);
		else
			check_own(&s, model->node, f);
	}
}
