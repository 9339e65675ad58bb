// SPDX-License-Identifier: Apache-2.0
// What only the resolved form shows: that the clouds which `all` stands for agree with the rest of a resource.
#include "infra/workspace_impl.h"

// The member that a path such as "federated.quorum" is about; where it was not written, what it would stand in.
static const struct node *node_at(const struct node *n, struct str path)
{
	struct str name;
	while (str_next(&path, '.', &name)) {
		const struct node *member = node_member(n, name);
		if (!member)
			break;
		n = member;
	}
	return n;
}

static void report(const struct workspace_entry *e, struct str path, const struct finding *found, struct findings *f)
{
	const struct node *n = node_at(e->node, path);
	findings_add(f, n->at.line ? n->at : n->key_at, node_path(n, f->arena), found->suggestion, "%.*s", STR(found->problem));
}

static bool table_says_all(const struct kind *table, const struct node *map);

static bool field_says_all(const struct field *field, const struct node *n)
{
	if (field->type == FIELD_CLOUDS)
		return n->type == NODE_SCALAR;
	for (const struct node *m = n->first; m && field->block && field->type != FIELD_BLOCK; m = m->next) {
		if (table_says_all(field->block, m))
			return true;
	}
	return field->type == FIELD_BLOCK && table_says_all(field->block, n);
}

// Whether `clouds: all` stands anywhere in it: only this means more once it is resolved.
static bool table_says_all(const struct kind *table, const struct node *map)
{
	for (size_t i = 0; i < table->field_count; i++) {
		const struct field *field = &table->fields[i];
		if (field->type != FIELD_CLOUDS && !field->block)
			continue;
		const struct node *n = node_member(map, str_of(field->name));
		if (n ? field_says_all(field, n) : field->otherwise && field->type == FIELD_CLOUDS)
			return true;
	}
	return false;
}

static void check_again(const struct workspace_entry *e, const struct resource *r, struct findings *f)
{
	struct findings again = {.arena = f->arena};
	const struct node *map = node_of_json(r->resolved, f->arena);
	void *value = arena_alloc(f->arena, e->kind->size);
	if (!map || !value || kind_decode(e->kind, map, f->arena, value, &again) == 0)
		return;
	for (const struct finding *one = again.first; one; one = one->next)
		report(e, one->field, one, f);
}

void workspace_check_resolved(const struct workspace *w, const struct workspace_entry *e, const struct resource *r, struct findings *f)
{
	(void)w;
	if (!r->cloud.n && table_says_all(e->kind, e->node)) // else it says no more than the entry did
		check_again(e, r, f);
}
