// SPDX-License-Identifier: Apache-2.0
// Where made things go that have no `bucket:` of their own (rule 12), before the only managed bucket is asked for: to the
// bucket of what they are made from, which the row of `bucket:` names ("a model follows its training"). What
// lies in a bucket already, and what is made from nothing of ours (a model of somebody else's), needs none.
#include "infra/workspace_impl.h"

enum { MOST_STEPS = 64 }; // of things made from things; longer chains, and rings, end in the only bucket

static const struct field *bucket_row(const struct kind *k)
{
	const struct field *row = kind_field(k, S("bucket"));
	return row && row->type == FIELD_REF && row->refers && str_eq(str_of(row->refers), S("bucket")) ? row : NULL;
}

// The first name that a member says: of one reference, a list of them or a map.
static struct str first_text(const struct node *n)
{
	while (n && n->type != NODE_SCALAR)
		n = n->first;
	return n ? n->text : S("");
}

static struct str own_bucket(const struct node *map)
{
	struct str text = first_text(node_member(map, S("bucket"))), prefix = S("bucket/");
	return str_starts(text, prefix) ? str_drop(text, prefix.n) : text;
}

bool workspace_needs_no_place(const struct kind *k, const struct node *map)
{
	const struct field *row = bucket_row(k);
	struct str from = row && row->follows ? first_text(node_member(map, str_of(row->follows))) : S("");
	return row && row->follows && (!from.n || str_starts(from, S("bucket/")));
}

struct str workspace_followed_bucket(const struct workspace *w, const struct kind *k, const struct node *map)
{
	for (int steps = 0; steps < MOST_STEPS; steps++) {
		const struct field *row = bucket_row(k);
		const struct field *from = row && row->follows ? kind_field(k, str_of(row->follows)) : NULL;
		struct str text = from ? first_text(node_member(map, str_of(row->follows))) : S("");
		if (!text.n || !from->refers)
			return S("");
		struct reference ref = workspace_reference(w, from, text);
		const struct workspace_entry *e = workspace_find(w, ref.kind, ref.name);
		struct str bucket = e ? own_bucket(e->node) : S("");
		if (!e || bucket.n)
			return bucket;
		k = e->kind;
		map = e->node;
	}
	return S("");
}

// ---------------------------------------------------------------- a place on each cloud
// The `bucket:` that holds on every cloud; "": each cloud's only one.
static struct str bucket_of(const struct workspace *w, const struct workspace_entry *e)
{
	struct str why, name = own_bucket(e->node);
	if (!name.n)
		name = workspace_followed_bucket(w, e->kind, e->node);
	return name.n ? name : workspace_only_bucket(w, &why);
}

// Why what is made on this cloud has no place there; "": it has one.
static struct str no_place(const struct workspace *w, struct str name, struct str cloud)
{
	const struct workspace_entry *second = NULL, *b = name.n ? workspace_find(w, S("bucket"), name) : NULL;
	if (name.n)
		return !b || workspace_is_on(b, cloud) ? S("")
						       : arena_printf(w->arena, "bucket/%.*s does not lie there", STR(name));
	b = workspace_bucket_on(w, cloud, &second);
	if (second)
		return arena_printf(w->arena, "several buckets lie there (%.*s and %.*s)", STR(b->name), STR(second->name));
	return b ? S("") : S("no bucket of ours lies there");
}

void workspace_check_parts(const struct workspace *w, const struct workspace_entry *e, struct findings *f)
{
	static const struct str parts[] = {S_INIT("partition"), S_INIT("federated")};
	size_t count;
	struct workspace_entry **clouds = workspace_clouds(w, &count);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		const struct node *where = bucket_row(e->kind) ? node_member(node_member(e->node, parts[i]), S("clouds")) : NULL;
		struct str name = where ? bucket_of(w, e) : S("");
		for (size_t k = 0; where && k < count; k++) {
			struct str cloud = clouds[k]->name;
			struct str why = workspace_names_cloud(where, cloud) ? no_place(w, name, cloud) : S("");
			if (why.n)
				findings_add(f, where->at, node_path(where, f->arena),
					S("leave the cloud out, or say with `bucket:` a bucket that lies on each"),
					"%.*s: what is made there has no place: %.*s", STR(cloud), STR(why));
		}
	}
}
