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
