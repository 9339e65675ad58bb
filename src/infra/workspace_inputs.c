// SPDX-License-Identifier: Apache-2.0
// `inputs:`: outputs of other people's states, read only. A pocket environment, and a workspace that is not trusted, read
// stand-ins from pocket/inputs/NAME.json. A stand-in is a state of Terraform or a plain map of outputs.
#include "base/file.h"
#include "base/json.h"
#include "infra/workspace_language_impl.h"
#include "infra/workspace_top.h"

enum { TERRAFORM_VERSION = 4 };

struct reading { // of one input
	struct language *l;
	const struct node *n;
	const struct input *input;
};

static void complain(const struct reading *r, struct str suggestion, const char *what, const char *why)
{
	const struct node *at = node_member(r->n, S("terraform"));
	at = at ? at : r->n;
	findings_add(r->l->f, at->at, node_path(at, r->l->f->arena), suggestion, "%s: %s", what, why);
}

// ---------------------------------------------------------------- what a state says
static void add_output(const struct reading *r, struct node *map, const char *name, const json_t *value)
{
	struct node *n = node_of_json(value, r->l->arena);
	if (!n)
		return;
	n->key = arena_str(r->l->arena, str_of(name));
	n->parent = map;
	n->next = map->first;
	map->first = n;
	map->count++;
}

static struct node *outputs_of(const struct reading *r, json_t *state, const char *what)
{
	bool terraform = json_object_get(state, "terraform_version") || json_object_get(state, "lineage");
	struct node *map = arena_new(r->l->arena, struct node);
	json_t *outputs = terraform ? json_object_get(state, "outputs") : state, *value;
	const char *name;
	if (!map)
		return NULL;
	if (terraform && json_int(state, "version", 0) != TERRAFORM_VERSION) {
		complain(r, S("write it again with a newer Terraform"), what, "is no state of version 4");
		return NULL;
	}
	*map = (struct node){.type = NODE_MAP, .at = r->n->at};
	json_object_foreach(outputs, name, value)
	{
		if (!terraform)
			add_output(r, map, name, value);
		else if (!json_flag(value, "sensitive", false)) // secrets are only named: secret/NAME
			add_output(r, map, name, json_object_get(value, "value"));
	}
	return map;
}

static struct node *parse(const struct reading *r, const char *path, const char *what)
{
	AUTO(json) state = NULL;
	struct err e = {0};
	if (json_parse_file(path, JSON_DEFAULT_LIMIT, &state, &e) < 0)
		complain(r, (struct str){0}, what, e.message);
	else if (!json_is_object(state))
		complain(r, (struct str){0}, what, "is no JSON object");
	else
		return outputs_of(r, state, what);
	return NULL;
}

// ---------------------------------------------------------------- where it lies
static struct node *read_below(const struct reading *r, struct str relative, struct str hint)
{
	struct str folder = r->l->w->folder, path = arena_printf(r->l->arena, "%.*s/%.*s", STR(folder), STR(relative));
	struct err e = {0};
	const char *what = arena_cstr(r->l->arena, relative);
	if (!what || !path.p)
		return NULL;
	if (file_check_relative(relative, &e) < 0)
		complain(r, S("write file:PATH, inside the folder"), what, e.message);
	else if (workspace_has_link(folder, path))
		complain(r, (struct str){0}, what, "leads through a link, which may point outside of the workspace");
	else if (!file_exists(path.p))
		complain(r, hint, what, "does not exist");
	else
		return parse(r, path.p, what);
	return NULL;
}

static struct node *read_stand_in(const struct reading *r)
{
	struct str relative = arena_printf(r->l->arena, "pocket/inputs/%.*s.json", STR(r->input->name));
	return read_below(r, relative,
		S("write the outputs that stand in for it on pocket clouds: {\"NAME\": \"value\"}"));
}

static bool has_stand_in(const struct reading *r)
{
	const char *path = arena_printf(
		r->l->arena, "%.*s/pocket/inputs/%.*s.json", STR(r->l->w->folder), STR(r->input->name)).p;
	return path && file_exists(path);
}

// From a store; only who acts has the hook that reaches one.
static struct node *fetch(const struct reading *r)
{
	const struct workspace_options *o = r->l->w->options;
	AUTO(json) state = NULL;
	struct buf text = {0};
	struct err e = {0};
	struct node *map = NULL;
	if (!o->read_input && !o->check_only) {
		complain(r, S("copy the state to a file: path of the workspace"), "it cannot be read here",
			"it lies in a store, and there are no credentials");
		return NULL;
	}
	if (!o->read_input) {
		r->l->w->guessed = true;
		return has_stand_in(r) ? read_stand_in(r) : &r->l->broken;
	}
	if (o->read_input(o->read_input_ctx, r->input->cloud.name, r->input->terraform, &text, &e) < 0 ||
		json_parse(buf_str(&text), &state, &e) < 0)
		complain(r, (struct str){0}, "it cannot be read", e.message);
	else
		map = outputs_of(r, state, "it");
	buf_free(&text);
	return map;
}

static struct node *read_input(const struct reading *r)
{
	if (r->l->stand_ins)
		return read_stand_in(r);
	if (str_starts(r->input->terraform, S("file:")))
		return read_below(r, str_drop(r->input->terraform, 5), (struct str){0});
	return fetch(r);
}

void language_inputs(struct language *l, struct scope *scope)
{
	struct node *map = node_member(l->root, S("inputs"));
	if (!str_map_init(&scope->inputs, l->arena, 8) || !map || map->type != NODE_MAP)
		return;
	for (struct node *n = map->first; n; n = n->next) {
		struct input input;
		language_fill(l, scope, n);
		if (kind_decode(&input_kind, n, l->f->arena, &input, l->f) < 0) {
			(void)str_map_put(&scope->inputs, n->key, &l->broken);
			continue;
		}
		const struct reading r = {.l = l, .n = n, .input = &input};
		struct node *outputs = read_input(&r);
		(void)str_map_put(&scope->inputs, n->key, outputs ? outputs : &l->broken);
	}
}
