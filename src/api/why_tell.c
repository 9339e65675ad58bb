// SPDX-License-Identifier: Apache-2.0
// The story of one thing, told from the graph: see why.h.
#include "api/why.h"
#include "base/time.h"

enum { MOST_TOLD = 200, DEEPEST = 12 }; // a story longer than that says that there is more

static void set_time(json_t *object, int64_t time_ns)
{
	char text[TIME_TEXT_SIZE];
	if (!time_ns)
		return;
	time_rfc3339(time_ns, 3, text);
	json_object_set_new(object, "at", json_string(text));
}

// Members of what is empty are left out.
static void set_text(json_t *object, const char *name, struct str text)
{
	if (text.n)
		json_set_str(object, name, text);
}

static json_t *line_json(const struct why_line *line)
{
	json_t *one = json_object();
	set_time(one, line->time_ns);
	set_text(one, "by", line->who);
	set_text(one, "text", line->text);
	return one;
}

static json_t *node_json(const struct why_node *node, const char *label, int depth)
{
	json_t *one = json_pack("{s:s, s:i}", "kind", node->kind, "depth", depth);
	json_set_str(one, "id", node->id);
	json_object_set_new(one, "label", json_string(label));
	set_time(one, node->time_ns);
	set_text(one, "by", node->who);
	if (node->last_line)
		set_text(one, "text", node->last_line->text);
	return one;
}

struct told {
	json_t *list;
	bool causes; // which way
	double price;
	uint64_t bytes;
	bool more;
};

// Depth first, so that each thing stands below what it is the cause or the effect of; each once.
static void tell_from(struct told *t, struct why_node *node, int depth)
{
	for (struct why_edge *e = t->causes ? node->causes : node->effects; e; e = e->next) {
		if (e->node->seen)
			continue;
		if (json_array_size(t->list) >= MOST_TOLD || depth > DEEPEST) {
			t->more = true;
			return;
		}
		e->node->seen = true;
		t->price += e->node->price;
		t->bytes += e->node->bytes;
		json_array_append_new(t->list, node_json(e->node, e->label, depth));
		tell_from(t, e->node, depth + 1);
	}
}

static void forget(struct why_graph *g)
{
	struct str *keys = arena_new_array(g->arena, g->nodes.count + 1, struct str);
	if (!keys) {
		g->failed = true;
		return;
	}
	size_t count = str_map_keys(&g->nodes, keys);
	for (size_t i = 0; i < count; i++)
		((struct why_node *)str_map_get(&g->nodes, keys[i]))->seen = false;
}

static struct told walk(struct why_graph *g, struct why_node *node, bool causes)
{
	struct told t = {.list = json_array(), .causes = causes};
	forget(g);
	node->seen = true;
	tell_from(&t, node, 1);
	return t;
}

// What moved for the thing itself, and for it with all that it was made from.
static json_t *cost_json(const struct why_node *node, const struct told *because)
{
	json_t *cost = json_pack("{s:I, s:f, s:{s:I, s:f}}", "bytes", (json_int_t)node->bytes, "amount", node->price,
		"of_all", "bytes", (json_int_t)(node->bytes + because->bytes), "amount", node->price + because->price);
	json_set_str(cost, "currency", node->currency.n ? node->currency : S("USD"));
	return cost;
}

json_t *why_tell(struct why_graph *g, struct why_node *node)
{
	struct told because = walk(g, node, true), then = walk(g, node, false);
	json_t *history = json_array();
	for (const struct why_line *line = node->lines; line; line = line->next)
		json_array_append_new(history, line_json(line));
	json_t *story = json_pack("{s:s, s:o, s:o, s:o, s:o, s:b}", "kind", node->kind, "history", history, "because",
		because.list, "then", then.list, "cost", cost_json(node, &because), "more",
		(int)(because.more || then.more));
	json_set_str(story, "thing", node->id);
	set_time(story, node->time_ns);
	set_text(story, "by", node->who);
	set_text(story, "trace", node->trace);
	return story;
}
