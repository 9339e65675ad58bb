// SPDX-License-Identifier: Apache-2.0
// Nodes, edges and lookups of the graph behind `isobar why`: see why.h.
#include <string.h>

#include "api/why.h"

enum { SHORTEST_PREFIX = 6, MOST_CANDIDATES = 8 };

struct why_node *why_node(struct why_graph *g, struct str id, const char *kind)
{
	struct why_node *node = str_map_get(&g->nodes, id);
	if (node && strcmp(node->kind, "resource") == 0)
		node->kind = kind; // by now it is known what it is
	if (node)
		return node;
	node = arena_new(g->arena, struct why_node);
	struct str kept = arena_str(g->arena, id);
	if (!node || !kept.p || !str_map_put(&g->nodes, kept, node)) {
		g->failed = true;
		return NULL;
	}
	*node = (struct why_node){.id = kept, .kind = kind};
	return node;
}

void why_alias(struct why_graph *g, struct str other, struct why_node *node)
{
	if (!node || !other.n || str_map_get(&g->aliases, other))
		return;
	struct str kept = arena_str(g->arena, other);
	if (!kept.p || !str_map_put(&g->aliases, kept, node))
		g->failed = true;
}

static bool add_edge(struct why_graph *g, struct why_edge **list, struct why_node *to, const char *label)
{
	for (const struct why_edge *e = *list; e; e = e->next)
		if (e->node == to)
			return true;
	struct why_edge *e = arena_new(g->arena, struct why_edge);
	if (!e) {
		g->failed = true;
		return false;
	}
	*e = (struct why_edge){.node = to, .label = label, .next = *list};
	*list = e;
	return true;
}

void why_edge(struct why_graph *g, struct why_node *cause, const char *label, struct why_node *effect)
{
	if (!cause || !effect || cause == effect)
		return;
	if (add_edge(g, &effect->causes, cause, label))
		(void)add_edge(g, &cause->effects, effect, label);
}

void why_say(struct why_graph *g, struct why_node *node, int64_t time_ns, struct str who, struct str text)
{
	if (!node || !text.p)
		return;
	struct why_line *line = arena_new(g->arena, struct why_line);
	if (!line) {
		g->failed = true;
		return;
	}
	*line = (struct why_line){.time_ns = time_ns, .text = text, .who = who};
	if (node->last_line)
		node->last_line->next = line;
	else
		node->lines = line;
	node->last_line = line;
	if (!node->time_ns)
		node->time_ns = time_ns;
	if (!node->who.n)
		node->who = who;
}

// ---------------------------------------------------------------- finding
struct str why_object_owner(struct arena *a, struct str place)
{
	static const struct {
		const char *folder, *kind;
	} folders[] = {
		{"datasets/", "dataset"},
		{"transforms/", "transform"},
		{"trainings/", "training"},
		{"models/", "model"},
	};
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		ptrdiff_t at = str_find(place, str_of(folders[i].folder));
		struct str name, rest, run;
		if (at < 0 || (at > 0 && place.p[at - 1] != '/'))
			continue;
		if (!str_cut(str_drop(place, (size_t)at + strlen(folders[i].folder)), '/', &name, &rest))
			continue;
		if (!str_cut(rest, '/', &run, &rest))
			run = rest;
		if (name.n && run.n)
			return arena_printf(a, "%s/%.*s/%.*s", folders[i].kind, STR(name), STR(run));
	}
	return S("");
}

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef", s.p[i]))
			return false;
	return s.n >= SHORTEST_PREFIX;
}

struct candidates {
	struct why_node *nodes[MOST_CANDIDATES];
	size_t count;
};

static void add_candidate(struct candidates *all, struct why_node *node)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->nodes[i] == node)
			return;
	if (all->count < MOST_CANDIDATES)
		all->nodes[all->count++] = node;
}

// All that one of whose aliases begins so.
static int find_prefix(struct why_graph *g, struct str prefix, struct candidates *all)
{
	struct str *keys = arena_new_array(g->arena, g->aliases.count + 1, struct str);
	if (!keys)
		return -1;
	size_t count = str_map_keys(&g->aliases, keys);
	for (size_t i = 0; i < count; i++)
		if (str_starts(keys[i], prefix))
			add_candidate(all, str_map_get(&g->aliases, keys[i]));
	return 0;
}

static struct why_node *find_exact(struct why_graph *g, struct str thing)
{
	struct why_node *node = str_map_get(&g->nodes, thing);
	if (!node)
		node = str_map_get(&g->aliases, thing);
	if (!node)
		node = str_map_get(&g->nodes, why_object_owner(g->arena, thing));
	return node;
}

static int say_candidates(struct call *c, struct str thing, const struct candidates *all)
{
	AUTO(buf) names = {0};
	for (size_t i = 0; i < all->count; i++)
		buf_printf(&names, "%s%.*s", i ? ", " : "", STR(all->nodes[i]->id));
	return call_fail(c, ERR_CONFLICT, "\"%.*s\" may be one of several things: %s; write one of them out", STR(thing),
		buf_cstr(&names));
}

int why_find(struct call *c, struct why_graph *g, struct str thing, struct why_node **out)
{
	struct candidates all = {0};
	*out = find_exact(g, thing);
	if (*out)
		return 0;
	if (is_hex(thing) && find_prefix(g, thing, &all) < 0)
		return call_no_memory(c);
	if (all.count > 1)
		return say_candidates(c, thing, &all);
	if (all.count == 1) {
		*out = all.nodes[0];
		return 0;
	}
	return call_fail(c, ERR_NOT_FOUND,
		"nothing is known of \"%.*s\": it is no address, run, job, version, alert, override, trace, object, cost "
		"line or audit record (gateway/NAME#INDEX) of this workspace's journal; isobar events lists what there is",
		STR(thing));
}
