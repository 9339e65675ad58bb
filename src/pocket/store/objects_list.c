// SPDX-License-Identifier: Apache-2.0
// Pages of a listing, straight from the index. A folder (common prefix) costs one step, however much lies in it: no key
// in UTF-8 has the byte 0xff, so "prefix 0xff" lies behind all of them.
#include <string.h>

#include "pocket/store/objects_impl.h"

struct listing {
	const struct objects_query *q;
	struct arena *a;
	struct objects_page page;
	const struct index_node *node;
};

// prefix + 0xff in the arena; empty without memory.
static struct str behind_all(struct arena *a, struct str prefix)
{
	char *p = arena_alloc(a, prefix.n + 1);
	if (!p)
		return S("");
	memcpy(p, prefix.p, prefix.n);
	p[prefix.n] = '\xff';
	return (struct str){.p = p, .n = prefix.n + 1};
}

// The part of key up to and with the first delimiter behind the prefix; empty when there is none.
static struct str common_prefix(const struct objects_query *q, struct str key)
{
	if (q->delimiter.n == 0)
		return S("");
	ptrdiff_t at = str_find(str_drop(key, q->prefix.n), q->delimiter);
	return at < 0 ? S("") : str_take(key, q->prefix.n + (size_t)at + q->delimiter.n);
}

static void start(const struct bucket *b, struct listing *l)
{
	const struct objects_query *q = l->q;
	struct str from = q->prefix;
	if (str_cmp(q->from, from) > 0)
		from = q->from;
	if (str_cmp(q->after, from) > 0)
		from = q->after;
	l->node = index_seek(&b->objects, from);
	if (q->after.n && l->node && str_eq(l->node->key, q->after))
		l->node = index_next(l->node);
}

static bool in_range(const struct listing *l)
{
	const struct objects_query *q = l->q;
	return l->node && str_starts(l->node->key, q->prefix) &&
	       (q->until.n == 0 || str_cmp(l->node->key, q->until) < 0);
}

// Takes the entry at the node and moves behind it; false without memory.
static bool take(const struct bucket *b, struct listing *l)
{
	struct objects_entry *entry = &l->page.entries[l->page.count];
	struct str prefix = common_prefix(l->q, l->node->key);
	if (prefix.n == 0) {
		const struct object *object = l->node->value;
		*entry = (struct objects_entry){.record = object->record};
		l->page.count++;
		l->node = index_next(l->node);
		return true;
	}
	struct str end = behind_all(l->a, prefix);
	if (end.n == 0)
		return false;
	// A page that starts "after" a common prefix itself (S3's first listing does so) has had it already.
	if (!str_eq(prefix, l->q->after)) {
		entry->record = NULL;
		entry->prefix = str_take(end, prefix.n);
		l->page.count++;
	}
	l->node = index_seek(&b->objects, end);
	return true;
}

// What was taken last says where the next page begins.
static bool finish(struct listing *l)
{
	if (!in_range(l) || l->page.count == 0)
		return true;
	const struct objects_entry *last = &l->page.entries[l->page.count - 1];
	l->page.next = last->record ? arena_str(l->a, last->record->key) : behind_all(l->a, last->prefix);
	return l->page.next.n > 0;
}

int objects_list_page(
	const struct bucket *b, const struct objects_query *q, struct arena *a, struct objects_page *out, struct err *e)
{
	struct listing l = {.q = q, .a = a};
	size_t most = MIN(q->limit, b->objects.count);
	l.page.entries = arena_new_array(a, most + 1, struct objects_entry);
	bool ok = l.page.entries != NULL;
	start(b, &l);
	while (ok && l.page.count < q->limit && in_range(&l))
		ok = take(b, &l);
	if (!ok || !finish(&l))
		return err_set(e, ERR_NO_MEMORY, "no memory for a page of a listing");
	*out = l.page;
	return 0;
}
