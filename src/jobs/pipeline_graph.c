// SPDX-License-Identifier: Apache-2.0
// Building the graph, depth first from the goals: a resource's needs that some maker makes are its inputs. Digests
// follow the same way up: of the address, the resolved resource, what the maker adds, the contents of its code, and the
// digests of its inputs.
#include "jobs/pipeline_graph.h"

#include <string.h>

#include "data/digest_file.h"

struct address { // "model/classifier@champion", "transform/prepared/train", "bucket/lake on aws-us"
	struct str kind, name, alias;
};

static struct address parse_address(struct str text)
{
	struct address a = {0};
	struct str rest, tail;
	str_cut(text, '/', &a.kind, &rest);
	ptrdiff_t on = str_find(rest, S(" on "));
	if (on >= 0)
		rest = str_take(rest, (size_t)on);
	str_cut(rest, '@', &a.name, &a.alias);
	str_cut(a.name, '/', &a.name, &tail); // a part of it is made with the whole
	return a;
}

static const struct step_maker *find_maker(const struct pipeline_env *env, struct str kind)
{
	for (size_t i = 0; i < env->maker_count; i++)
		if (str_eq(kind, str_of(env->makers[i].kind)))
			return &env->makers[i];
	return NULL;
}

// ---------------------------------------------------------------- digests
static int code_digest(struct call *c, const struct pipeline_graph *g, const struct pipeline_node *n, json_t *made_of)
{
	struct str code = json_str(n->resource.resolved, "code");
	char hex[HEX_SHA256_SIZE];
	if (!code.n)
		return 0;
	const char *path = code.p[0] == '/' ? arena_cstr(c->arena, code)
					    : arena_printf(c->arena, "%s/%.*s", g->env->folder, STR(code)).p;
	if (!path)
		return call_no_memory(c);
	if (digest_tree(path, hex, &c->err))
		return call_context(c, "%.*s: its code", STR(n->step.address));
	json_object_set_new(made_of, "code", json_string(hex));
	return 0;
}

static int fingerprint(struct call *c, const struct pipeline_graph *g, const struct pipeline_node *n, json_t *made_of)
{
	struct str text = {0};
	if (!n->maker || !n->maker->fingerprint)
		return 0;
	const struct step_look look = {
		.state = g->env->state, .clouds = g->env->clouds, .resource = &n->resource, .folder = g->env->folder};
	if (n->maker->fingerprint(c, n->maker->ctx, &look, &text))
		return call_context(c, "%.*s", STR(n->step.address));
	if (text.n)
		json_set_str(made_of, "fingerprint", text);
	return 0;
}

static json_t *inputs_to_json(const struct pipeline_graph *g, const struct pipeline_node *n)
{
	json_t *inputs = json_object(); // members are written sorted: the order of needs does not matter
	for (size_t i = 0; i < n->input_count; i++) {
		const struct pipeline_step *in = &g->nodes[n->inputs[i]].step;
		json_object_setn_new(inputs, in->address.p, in->address.n, json_of_str(in->digest));
	}
	return inputs;
}

static int compute_digest(struct call *c, const struct pipeline_graph *g, struct pipeline_node *n)
{
	AUTO(json) made_of = json_object();
	AUTO(buf) text = {0};
	char *hex = arena_alloc(c->arena, HEX_SHA256_SIZE);
	if (!made_of || !hex)
		return call_no_memory(c);
	json_set_str(made_of, "address", n->step.address);
	json_object_set_new(made_of, "resolved", json_deep_copy(n->resource.resolved));
	json_object_set_new(made_of, "inputs", inputs_to_json(g, n));
	if (code_digest(c, g, n, made_of) || fingerprint(c, g, n, made_of) || json_write(made_of, &text, &c->err))
		return c->err.code;
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	n->step.digest = str_of(hex);
	n->step.run = str_take(n->step.digest, 12);
	return 0;
}

// ---------------------------------------------------------------- what is out of date
static void judge(const struct pipeline_graph *g, struct pipeline_node *n)
{
	bool upstream = false;
	for (size_t i = 0; i < n->input_count; i++)
		upstream = upstream || g->nodes[n->inputs[i]].step.need != PIPELINE_UP_TO_DATE;
	if (!n->made)
		n->step.need = PIPELINE_NEVER_MADE;
	else if (str_eq(json_str(n->made, "digest"), n->step.digest))
		n->step.need = PIPELINE_UP_TO_DATE;
	else
		n->step.need = upstream ? PIPELINE_UPSTREAM : PIPELINE_CHANGED;
}

static int finish_node(struct call *c, struct pipeline_graph *g, size_t place)
{
	struct pipeline_node *n = &g->nodes[place];
	if (compute_digest(c, g, n))
		return c->err.code;
	int code = pipeline_made(c, g->env->state, n->step.address, &n->made);
	if (code && code != ERR_NOT_FOUND)
		return code;
	err_clear(&c->err);
	judge(g, n);
	n->mark = NODE_CLOSED;
	g->order[g->order_count++] = place;
	return 0;
}

// ---------------------------------------------------------------- depth first
static int visit(struct call *c, struct pipeline_graph *g, struct str address, size_t *place);

static int visit_inputs(struct call *c, struct pipeline_graph *g, size_t place)
{
	size_t *inputs = arena_new_array(c->arena, g->nodes[place].resource.need_count + 1, size_t);
	size_t count = 0;
	if (!inputs)
		return call_no_memory(c);
	for (size_t i = 0; i < g->nodes[place].resource.need_count; i++) {
		struct str need = g->nodes[place].resource.needs[i];
		if (!find_maker(g->env, parse_address(need).kind))
			continue;
		if (visit(c, g, need, &inputs[count]))
			return c->err.code;
		bool again = false; // two parts of one thing are one input
		for (size_t j = 0; j < count; j++)
			again = again || inputs[j] == inputs[count];
		count += !again;
	}
	g->nodes[place].inputs = inputs;
	g->nodes[place].input_count = count;
	return 0;
}

static int add_node(struct call *c, struct pipeline_graph *g, const struct address *a, struct str address)
{
	struct pipeline_node *n = &g->nodes[g->count];
	if (g->count == PIPELINE_MAX_STEPS)
		return call_fail(c, ERR_LIMIT, "a pipeline has at most %d steps", PIPELINE_MAX_STEPS);
	*n = (struct pipeline_node){.step = {.address = address},
		.alias = a->alias,
		.maker = find_maker(g->env, a->kind),
		.mark = NODE_OPEN};
	if (!n->maker)
		return call_fail(c, ERR_INVALID, "%.*s is nothing that a pipeline makes", STR(address));
	if (resource_get(c, g->env->state, resource_address(c->arena, a->kind, a->name, S("")), &n->resource))
		return call_context(c, "%.*s", STR(address));
	if (n->resource.waits_for.n)
		return call_fail(c, ERR_WAITING, "%.*s waits on a later release: %.*s", STR(address),
			STR(n->resource.waits_for));
	g->count++;
	return 0;
}

static int visit(struct call *c, struct pipeline_graph *g, struct str text, size_t *place)
{
	struct address a = parse_address(text);
	struct str address =
		arena_printf(c->arena, "%.*s/%.*s%s%.*s", STR(a.kind), STR(a.name), a.alias.n ? "@" : "", STR(a.alias));
	if (!address.p)
		return call_no_memory(c);
	for (size_t i = 0; i < g->count; i++) {
		if (!str_eq(g->nodes[i].step.address, address))
			continue;
		*place = i;
		return g->nodes[i].mark == NODE_CLOSED
			       ? 0
			       : call_fail(c, ERR_INVALID, "%.*s is made from itself", STR(address));
	}
	*place = g->count;
	if (add_node(c, g, &a, address) || visit_inputs(c, g, *place))
		return c->err.code;
	return finish_node(c, g, *place);
}

static int visit_pipeline(struct call *c, struct pipeline_graph *g, struct str goal)
{
	struct resource r = {0};
	size_t i, ignored;
	json_t *one = NULL;
	if (resource_get(c, g->env->state, goal, &r))
		return call_context(c, "%.*s", STR(goal));
	const json_t *make = json_object_get(r.resolved, "make");
	json_array_foreach(make, i, one) if (visit(c, g, arena_str(c->arena, str_of(json_string_value(one))),
						     &ignored)) return call_context(c, "%.*s", STR(goal));
	return 0;
}

int pipeline_graph_build(struct call *c, const struct pipeline_env *env, struct str goal, struct pipeline_graph *out)
{
	size_t ignored = 0;
	struct pipeline_graph g = {
		.env = env,
		.nodes = arena_new_array(c->arena, PIPELINE_MAX_STEPS, struct pipeline_node),
		.order = arena_new_array(c->arena, PIPELINE_MAX_STEPS, size_t),
	};
	if (!g.nodes || !g.order)
		return call_no_memory(c);
	int code = str_starts(goal, S("pipeline/")) ? visit_pipeline(c, &g, goal) : visit(c, &g, goal, &ignored);
	if (code)
		return code;
	*out = g;
	return 0;
}
