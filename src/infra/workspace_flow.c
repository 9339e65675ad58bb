// SPDX-License-Identifier: Apache-2.0
// Residency by lineage at validate (rule 9): what data/flow.h finds in the resolved resources, as findings that stand where
// the user wrote the cause. Plan and whoever moves bytes ask the same graph again.
#include "base/edges.h"
#include "data/dataset_kind.h"
#include "data/flow.h"
#include "infra/workspace_impl.h"

// The member that a path such as "partition.clouds" leads to, and in a list the item with this text; where something was not
// written, what it would stand in.
static const struct node *node_at(const struct node *n, struct str path, struct str item)
{
	struct str name;
	while (path.n && str_next(&path, '.', &name)) {
		const struct node *member = node_member(n, name);
		if (!member)
			return n;
		n = member;
	}
	for (const struct node *one = n->type == NODE_LIST ? n->first : NULL; one; one = one->next)
		if (str_eq(one->text, item))
			return one;
	return n;
}

static void report(const struct workspace *w, const struct flow_finding *found, struct findings *f)
{
	struct str kind, name, cloud;
	const struct workspace_entry *e = NULL;
	if (resource_parse_address(found->address, &kind, &name, &cloud) == 0)
		e = workspace_find(w, kind, name);
	if (!e)
		return;
	const struct node *n = node_at(e->node, found->path, found->item);
	findings_add(f, n == e->node ? n->key_at : n->at, node_path(n, f->arena), found->suggestion, "%.*s", STR(found->problem));
}

void workspace_check_flow(const struct workspace *w, struct findings *f)
{
	struct flow *flow;
	struct flow_finding *found = NULL;
	size_t count = 0;
	struct err e = {0};
	const struct edges *edges = edges_real();
	if (workspace_kind(w, S("dataset")) != &dataset_kind)
		return; // a language of a test's own
	AUTO(arena) scratch = {0};
	int rc = flow_new(&scratch, w->resources, w->resource_count, edges->wall_ns(edges->ctx), &flow, &e);
	if (rc == 0)
		rc = flow_check(flow, &found, &count, &e);
	if (rc < 0) // not for what a user wrote: the tables have read it before
		findings_add(f, (struct position){0}, S("residency"), S(""), "%s", e.message);
	for (size_t i = 0; i < count; i++)
		report(w, &found[i], f);
}
