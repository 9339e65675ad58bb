// SPDX-License-Identifier: Apache-2.0
// for_each: one entry becomes several, NAME.KEY for each item of a list of names or each member of a map. Then every
// entry's `${...}` is filled in, with ${each.key} and ${each.value} where they are known.
#include "infra/workspace_language_impl.h"

struct expansion {
	struct language *l;
	const struct scope *outer;
	struct node *map, *entry; // the entry with for_each
	struct node **end;        // where copies go
};

static void complain(const struct expansion *x, const struct node *n, struct str suggestion, const char *problem)
{
	findings_add(x->l->f, n->at.line ? n->at : n->key_at, node_path(n, x->l->f->arena), suggestion, "%s", problem);
}

static void take_out(struct node *entry, const struct node *member)
{
	struct node **at = &entry->first;
	while (*at && *at != member)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = member->next;
	entry->count--;
}

static bool add_one(struct expansion *x, struct node *key, struct node *value)
{
	struct node *copy = language_copy(x->l, x->entry, x->map);
	if (!copy)
		return false;
	copy->key = arena_printf(x->l->arena, "%.*s.%.*s", STR(x->entry->key), STR(key->text));
	struct scope inner = *x->outer;
	inner.each_key = key;
	inner.each_value = value;
	*x->end = copy;
	x->end = &copy->next;
	x->map->count++;
	language_fill(x->l, &inner, copy);
	return copy->key.p != NULL;
}

static bool add_item(struct expansion *x, struct node *item)
{
	if (item->type == NODE_SCALAR)
		return add_one(x, item, item);
	complain(x, item, S("write for_each: {NAME: {...}} for values that are more than a name"), "expected a name");
	return true;
}

static bool add_member(struct expansion *x, struct node *member)
{
	struct node *key = arena_new(x->l->arena, struct node);
	if (!key)
		return false;
	*key = (struct node){.type = NODE_SCALAR, .quoted = true, .text = member->key, .at = member->key_at};
	return add_one(x, key, member);
}

// Returns whether it may go on; the entry itself is gone afterwards.
static bool expand_entry(struct expansion *x, struct node *each)
{
	take_out(x->entry, each);
	each->parent = x->entry; // for paths of findings
	language_fill(x->l, x->outer, each);
	if (each->type != NODE_LIST && each->type != NODE_MAP) {
		complain(x, each, S("write for_each: [a, b] or {a: ..., b: ...}"), "expected a list or a map");
		return true;
	}
	for (struct node *n = each->first; n; n = n->next) {
		bool more = each->type == NODE_LIST ? add_item(x, n) : add_member(x, n);
		if (!more)
			return false;
	}
	return true;
}

void language_expand(struct language *l, const struct scope *scope, struct node *map)
{
	struct expansion x = {.l = l, .outer = scope, .map = map, .end = &map->first};
	struct node *next;
	if (map->type != NODE_MAP) {
		language_fill(l, scope, map);
		return;
	}
	for (struct node *n = map->first; n && !language_is_over(l); n = next) {
		struct node *each = node_member(n, S("for_each"));
		next = n->next;
		if (!each) {
			language_fill(l, scope, n);
			*x.end = n;
			x.end = &n->next;
			continue;
		}
		x.entry = n;
		map->count--;
		if (!expand_entry(&x, each))
			return;
	}
	*x.end = NULL;
}
