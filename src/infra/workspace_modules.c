// SPDX-License-Identifier: Apache-2.0
// Modules: a folder of declarations, used under a name with values for its variables. What it declares becomes part of
// the workspace as NAME.its-name; inside, names mean the module's own things first. Its outputs are what the user of the
// module sees: ${module.NAME.OUTPUT}. Modules may use modules; depth and number are bounded.
#include "infra/workspace_language_impl.h"
#include "infra/workspace_top.h"

static const char *const module_keys[] = {"variables", "outputs", "modules", "defaults"};

struct use { // of a module
	struct language *l;
	struct node *n;      // where it is used
	struct node *root;   // the module's own map
	struct node *into;   // the user's map
	struct str_map own;  // "kind/name" -> anything: what the module declares
	struct str name;
};

static void complain(const struct use *u, const struct node *at, struct str suggestion, const char *problem)
{
	findings_add(u->l->f, at->at.line ? at->at : at->key_at, node_path(at, u->l->f->arena), suggestion, "%s", problem);
}

// ---------------------------------------------------------------- what the module declares
static bool is_module_key(struct str key)
{
	for (size_t i = 0; i < COUNT_OF(module_keys); i++) {
		if (str_eq(key, str_of(module_keys[i])))
			return true;
	}
	return false;
}

static const struct kind *kind_of(const struct use *u, struct str plural)
{
	const struct kind *k = kind_find(u->l->w->options->kinds, plural);
	return k && !k->single && str_eq(str_of(k->plural), plural) ? k : NULL;
}

static void note_own(struct use *u)
{
	for (struct node *map = u->root->first; map; map = map->next) {
		const struct kind *k = kind_of(u, map->key);
		if (!k && !is_module_key(map->key))
			findings_add(u->l->f, map->key_at, map->key, (struct str){0},
				"is nothing that a module may declare: kinds, variables, outputs, modules, defaults");
		for (struct node *n = k && map->type == NODE_MAP ? map->first : NULL; n; n = n->next)
			(void)str_map_put(&u->own,
				arena_printf(u->l->arena, "%s/%.*s", k->singular, STR(n->key)), n);
	}
}

// ---------------------------------------------------------------- references get the module's name
static bool is_own(const struct use *u, struct str kind, struct str name)
{
	char key[160];
	size_t n = kind.n + name.n + 1;
	if (n > sizeof(key) || !kind.n || !name.n)
		return false;
	struct buf text = {0};
	buf_printf(&text, "%.*s/%.*s", STR(kind), STR(name));
	bool own = str_map_get(&u->own, buf_str(&text)) != NULL;
	buf_free(&text);
	return own;
}

static size_t name_length(struct str text)
{
	size_t n = 0;
	while (n < text.n && text.p[n] != '@' && text.p[n] != '/' && text.p[n] != ' ')
		n++;
	return n;
}

// "kind/name..." of the module's own; false when it is none.
static bool prefix_address(const struct use *u, struct str word, struct buf *out)
{
	struct str kind, rest;
	if (!str_cut(word, '/', &kind, &rest) || !is_own(u, kind, str_take(rest, name_length(rest))))
		return false;
	buf_printf(out, "%.*s/%.*s.%.*s", STR(kind), STR(u->name), STR(rest));
	return true;
}

// "name..." by the kinds that a row allows.
static bool prefix_name(const struct use *u, const char *refers, struct str word, struct buf *out)
{
	struct str kinds = str_of(refers), kind, name = str_take(word, name_length(word));
	while (str_next(&kinds, '|', &kind)) {
		if (!is_own(u, kind, name))
			continue;
		buf_printf(out, "%.*s.%.*s", STR(u->name), STR(word));
		return true;
	}
	return false;
}

static void set_text(const struct use *u, struct node *n, const struct buf *text)
{
	struct str copy = arena_str(u->l->arena, buf_str(text));
	if (copy.p)
		n->text = copy;
}

static void prefix_reference(const struct use *u, const char *refers, struct node *n)
{
	AUTO(buf) text = {0};
	if (n->type == NODE_SCALAR && (prefix_address(u, n->text, &text) || prefix_name(u, refers, n->text, &text)))
		set_text(u, n, &text);
}

// Addresses inside other text: "run pipeline/retrain", "accuracy >= 0.9 on prepared/test".
static void prefix_words(const struct use *u, struct node *n)
{
	AUTO(buf) text = {0};
	struct str rest = n->text, word;
	bool after_on = false, changed = false;
	while (n->type == NODE_SCALAR && str_next(&rest, ' ', &word)) {
		if (text.n || word.p != n->text.p)
			buf_add_char(&text, ' ');
		bool one = prefix_address(u, word, &text) ||
			   (after_on && prefix_name(u, "transform|dataset", word, &text));
		if (!one)
			buf_add(&text, word);
		changed = changed || one;
		after_on = str_eq(word, S("on"));
	}
	if (changed)
		set_text(u, n, &text);
	for (struct node *m = n->first; m; m = m->next)
		prefix_words(u, m);
}

static void prefix_table(const struct use *u, const struct kind *table, struct node *map);

static void prefix_value(const struct use *u, const struct field *field, enum field_type type, struct node *n)
{
	for (struct node *m = type == FIELD_REFS ? n->first : NULL; m; m = m->next)
		prefix_value(u, field, type, m);
	if (type == FIELD_REF || type == FIELD_REFS)
		prefix_reference(u, field->refers, n);
	else if (type == FIELD_CLOUD || (type == FIELD_CLOUDS && n->type == NODE_SCALAR))
		prefix_reference(u, "cloud", n);
	else if (type == FIELD_CUSTOM || type == FIELD_TEXT)
		prefix_words(u, n);
	for (struct node *m = type == FIELD_CLOUDS && n->type == NODE_LIST ? n->first : NULL; m; m = m->next)
		prefix_reference(u, "cloud", m);
}

static void prefix_field(const struct use *u, const struct field *field, struct node *n)
{
	if (field->type == FIELD_BLOCK)
		prefix_table(u, field->block, n);
	else if (field->type == FIELD_LIST)
		for (struct node *m = n->first; m; m = m->next)
			prefix_value(u, field, field->item, m);
	else if (field->type == FIELD_BLOCKS || field->type == FIELD_NAMED)
		for (struct node *m = n->first; m; m = m->next)
			prefix_table(u, field->block, m);
	else
		prefix_value(u, field, field->type, n);
	// A custom form may name things bare, too ("{returns: returns}"): its row says of which kinds.
	if (field->type == FIELD_CUSTOM && field->refers)
		for (struct node *m = n->type == NODE_SCALAR ? n : n->first; m; m = m == n ? NULL : m->next)
			prefix_reference(u, field->refers, m);
}

static void prefix_table(const struct use *u, const struct kind *table, struct node *map)
{
	for (struct node *n = map->type == NODE_MAP ? map->first : NULL; n; n = n->next) {
		const struct field *field = kind_field(table, n->key);
		if (field)
			prefix_field(u, field, n);
	}
}

// ---------------------------------------------------------------- into the workspace
static struct node *map_of(struct node *root, const struct node *like, struct arena *a)
{
	struct node *map = node_member(root, like->key), **end = &root->first;
	if (map)
		return map;
	map = arena_new(a, struct node);
	if (!map)
		return NULL;
	*map = (struct node){.type = NODE_MAP, .key = like->key, .key_at = like->key_at, .at = like->at, .parent = root};
	while (*end)
		end = &(*end)->next;
	*end = map;
	root->count++;
	return map;
}

static void move_entries(struct use *u, const struct kind *k, struct node *from)
{
	struct node *map = map_of(u->into, from, u->l->arena), **end = &from->first;
	if (!map || !from->first)
		return;
	if (map->type == NODE_NULL)
		map->type = NODE_MAP;
	for (struct node *n = from->first; n; n = n->next) {
		prefix_table(u, k, n);
		n->key = arena_printf(u->l->arena, "%.*s.%.*s", STR(u->name), STR(n->key));
		n->parent = map;
		end = &n->next;
	}
	*end = map->first;
	map->first = from->first;
	map->count += from->count;
	from->first = NULL;
	from->count = 0;
}

// ---------------------------------------------------------------- one use
static struct node *read_folder(struct use *u, const struct module *m)
{
	const struct node *at = node_member(u->n, S("source"));
	AUTO(arena) scratch = {0};
	struct merger merger = {.arena = u->l->arena, .scratch = &scratch, .f = u->l->f};
	struct str folder = m->source;
	struct workspace_files files = {0};
	if (!at || !str_map_init(&merger.members, &scratch, 16) || !language_list(u->l, &folder, at, &files))
		return NULL;
	for (size_t i = 0; i < files.count; i++) {
		struct str path = arena_printf(u->l->arena, "%.*s/%s", STR(folder), files.names[i]);
		struct node *file = language_read(u->l, path, at);
		if (file && !merge_file(&merger, file))
			return NULL;
	}
	return merger.root;
}

static void expand(struct use *u, const struct scope *scope)
{
	struct node *outputs = node_member(u->root, S("outputs")), *defaults = node_member(u->root, S("defaults"));
	for (struct node *map = u->root->first; map; map = map->next) {
		if (kind_of(u, map->key))
			language_expand(u->l, scope, map);
	}
	if (outputs)
		language_fill(u->l, scope, outputs);
	if (defaults) {
		language_fill(u->l, scope, defaults);
		language_defaults(u->l, u->root, u->root);
	}
}

static struct node *take_outputs(struct use *u)
{
	struct node *outputs = node_member(u->root, S("outputs"));
	if (!outputs || outputs->type == NODE_NULL)
		return &u->l->empty;
	if (outputs->type != NODE_MAP) {
		complain(u, outputs, (struct str){0}, "expected a map: names of outputs, each with its value");
		return &u->l->empty;
	}
	for (struct node *n = outputs->first; n; n = n->next)
		prefix_words(u, n);
	return outputs;
}

static struct node *use_module(struct use *u, const struct module *m, int depth)
{
	struct scope inner = {0};
	struct language *l = u->l;
	bool nested = l->in_module;
	u->root = read_folder(u, m);
	if (!u->root || !str_map_init(&u->own, l->arena, 16) || !str_map_init(&inner.inputs, l->arena, 0))
		return NULL;
	l->in_module = true;
	l->use = u->n;
	language_variables(l, node_member(u->root, S("variables")), m->with, &inner);
	language_modules(l, u->root, &inner, depth + 1);
	l->in_module = nested;
	expand(u, &inner);
	note_own(u);
	struct node *outputs = take_outputs(u);
	for (struct node *map = u->root->first; map; map = map->next) {
		const struct kind *k = kind_of(u, map->key);
		if (k && map->type == NODE_MAP)
			move_entries(u, k, map);
	}
	return outputs;
}

static void read_use(struct language *l, struct node *root, struct node *n, struct scope *scope, int depth)
{
	struct use u = {.l = l, .n = n, .into = root, .name = n->key};
	struct module m;
	struct node *outputs = NULL;
	if (depth >= LANGUAGE_MAX_MODULE_DEPTH || l->modules_left == 0) {
		language_exhausted(l, n, depth >= LANGUAGE_MAX_MODULE_DEPTH ? "modules use each other too deeply, or in a ring"
									    : "too many uses of modules");
	} else if (kind_decode(&module_kind, n, l->f->arena, &m, l->f) == 0) {
		l->modules_left--;
		outputs = use_module(&u, &m, depth);
	}
	(void)str_map_put(&scope->modules, n->key, outputs ? outputs : &l->broken);
}

void language_modules(struct language *l, struct node *root, struct scope *scope, int depth)
{
	struct node *map = node_member(root, S("modules")), *next;
	if (!str_map_init(&scope->modules, l->arena, 8) || !map || map->type == NODE_NULL)
		return;
	if (map->type != NODE_MAP) {
		findings_add(l->f, map->at, S("modules"), S("write modules: {NAME: {source: ./FOLDER}}"), "expected a map of modules");
		return;
	}
	for (struct node *n = map->first; n && !language_is_over(l); n = next) {
		next = n->next;
		struct node one = *map; // in order, so that a module may be given outputs of those before it
		one.first = n;
		one.count = 1;
		n->next = NULL;
		language_expand(l, scope, &one);
		for (struct node *use = one.first; use && !language_is_over(l); use = use->next) {
			use->parent = map;
			read_use(l, root, use, scope, depth);
		}
	}
}
