// SPDX-License-Identifier: Apache-2.0
// Typed variables: what `variables:` declares, and the values for them. The strongest source wins: --var, then
// ISOBAR_VAR_NAME, then --var-file, then the overlay of the environment, then the default. A module's variables are its
// inputs: their values come from the `with:` of its use alone. Values are checked where they were written.
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "infra/workspace_language_impl.h"
#include "infra/workspace_top.h"

enum { MAX_VALUE = 4096, MAX_VALUE_FILE = 1 << 20 };

static const struct {
	const char *name;
	enum field_type type;
	bool plain; // written without quotes where it is put in
} types[] = {
	{"text", FIELD_TEXT, false},
	{"integer", FIELD_INTEGER, true},
	{"number", FIELD_NUMBER, true},
	{"boolean", FIELD_BOOL, true},
	{"duration", FIELD_DURATION, false},
	{"size", FIELD_SIZE, false},
	{"money", FIELD_MONEY, false},
	{"percent", FIELD_PERCENT, false},
	{"accelerator", FIELD_ACCELERATOR, false},
	{"choice", FIELD_CHOICE, false},
};

struct reader { // of all variables of one map
	struct language *l;
	const struct node *declared; // the map; NULL: none
	struct str_map names;        // of it
	struct str_map given;        // name -> struct node, of the strongest source so far
};

// ---------------------------------------------------------------- where values come from
static struct node *text_node(struct arena *a, struct str text, const char *from)
{
	struct node *n = arena_new(a, struct node);
	if (n)
		*n = (struct node){.type = NODE_SCALAR, .text = text, .at = {.file = from}};
	return n && text.p ? n : NULL;
}

static struct str declared_name_at(const void *ctx, size_t i)
{
	const struct node *n = ((const struct node *)ctx)->first;
	for (; n && i; i--)
		n = n->next;
	return n ? n->key : (struct str){0};
}

static void unknown(const struct reader *r, struct position at, struct str name)
{
	enum { MOST = 300 }; // names that are looked through
	struct str meant = r->declared && r->declared->count <= MOST ? kind_suggest(name, declared_name_at, r->declared, r->declared->count)
				       : (struct str){0};
	findings_add(r->l->f, at, S("variables"),
		meant.n ? arena_printf(r->l->f->arena, "did you mean \"%.*s\"?", STR(meant)) : S("declare it in `variables:`"),
		"there is no variable \"%.*s\"", STR(str_clip(name, 100)));
}

static void give(struct reader *r, struct str name, struct node *value)
{
	if (!str_map_get(&r->names, name))
		unknown(r, value->key_at.line ? value->key_at : value->at, name);
	else if (value->type != NODE_NULL && !str_map_put(&r->given, name, value))
		findings_add(r->l->f, value->at, name, S(""), "out of memory");
}

// A map of values: an overlay's `variables:`, a file, a `with:`. Null means: as if it were not there.
static void give_map(struct reader *r, const struct node *map)
{
	if (map->type != NODE_MAP && map->type != NODE_NULL)
		findings_add(r->l->f, map->at, S("variables"), S(""), "expected a map: names of variables, each with its value");
	for (struct node *n = map->type == NODE_MAP ? map->first : NULL; n; n = n->next)
		give(r, n->key, n);
}

static void give_file(struct reader *r, const char *path)
{
	struct arena *a = r->l->arena;
	AUTO(buf) text = {0};
	struct err e = {0};
	struct node *map = NULL;
	struct position at = {.file = arena_cstr(a, str_of(path)), .line = 1, .column = 1};
	if (file_read(path, MAX_VALUE_FILE, &text, &e) < 0)
		findings_add(r->l->f, at, S("variables"), S(""), "%s", e.message);
	else if (node_parse_yaml(buf_str(&text), path, r->l->f, &map) == 0 && map)
		give_map(r, map);
}

// ISOBAR_VAR_NAME; what a shell cannot have in a name is '_' there.
static void give_environment(struct reader *r)
{
	for (const struct node *n = r->declared ? r->declared->first : NULL; n; n = n->next) {
		char *variable = arena_cstr(r->l->arena, arena_printf(r->l->arena, "ISOBAR_VAR_%.*s", STR(n->key)));
		for (char *p = variable; p && *p; p++)
			*p = *p == '-' || *p == '.' ? '_' : *p;
		const char *value = variable ? getenv(variable) : NULL;
		struct node *node = value ? text_node(r->l->arena, arena_str(r->l->arena, str_of(value)), variable) : NULL;
		if (node)
			give(r, n->key, node);
	}
}

static void give_option(struct reader *r, const char *text)
{
	struct str name, value;
	struct position at = {.file = "--var"};
	if (!str_cut(str_of(text), '=', &name, &value)) {
		findings_add(r->l->f, at, S("variables"), S("write --var NAME=VALUE"), "\"%s\" gives no value", text);
		return;
	}
	struct node *node = text_node(r->l->arena, arena_str(r->l->arena, value), "--var");
	if (node)
		give(r, arena_str(r->l->arena, name), node);
}

// The weakest first: a later value takes the place of an earlier one.
static void give_all(struct reader *r, const struct node *overlay)
{
	const struct workspace_given *g = &r->l->w->options->given;
	if (overlay)
		give_map(r, overlay);
	for (size_t i = 0; i < g->variable_file_count; i++)
		give_file(r, g->variable_files[i]);
	if (!g->untrusted) // whoever wrote it must not learn what the environment holds
		give_environment(r);
	for (size_t i = 0; i < g->variable_count; i++)
		give_option(r, g->variables[i]);
}

// ---------------------------------------------------------------- one variable
static size_t type_of(struct str name)
{
	size_t i = 0;
	while (i < COUNT_OF(types) - 1 && !str_eq(name, str_of(types[i].name)))
		i++;
	return i;
}

// A bound in the unit of the type's rows: seconds, bytes, fractions.
static bool read_bound(enum field_type type, struct str text, double *out)
{
	const struct field field = {.name = "bound", .type = type};
	const struct kind table = {.singular = "bound", .size = sizeof(double), .fields = &field, .field_count = 1};
	struct node value = {.type = NODE_SCALAR, .text = text, .key = S("bound")};
	struct node map = {.type = NODE_MAP, .first = &value, .count = 1};
	AUTO(arena) scratch = {0};
	struct findings f = {.arena = &scratch};
	union {
		int64_t whole;
		double real;
	} read = {0};
	if (kind_decode(&table, &map, &scratch, &read, &f) < 0)
		return false;
	bool whole = type == FIELD_INTEGER || type == FIELD_SIZE;
	*out = type == FIELD_DURATION ? (double)read.whole / (double)NS_PER_S : whole ? (double)read.whole : read.real;
	return true;
}

static bool has_bounds(enum field_type type)
{
	return type == FIELD_INTEGER || type == FIELD_NUMBER || type == FIELD_DURATION || type == FIELD_SIZE ||
	       type == FIELD_PERCENT;
}

// One bound against the value, which is of the type already.
static bool within(const struct reader *r, const struct node *bound, enum field_type type, const struct node *value)
{
	double limit = 0, is = 0;
	bool most = str_eq(bound->key, S("max"));
	if (!has_bounds(type) || bound->type != NODE_SCALAR || !read_bound(type, bound->text, &limit)) {
		findings_add(r->l->f, bound->at, node_path(bound, r->l->f->arena), S(""),
			"is no bound of a variable of this type");
		return false;
	}
	if (!value || !read_bound(type, value->text, &is) || (most ? is <= limit : is >= limit))
		return true;
	findings_add(r->l->f, value->at, arena_printf(r->l->f->arena, "variables.%.*s", STR(bound->parent->key)), S(""),
		"%.*s is %s than the variable's %.*s, which is %.*s", STR(value->text), most ? "more" : "less",
		STR(bound->key), STR(bound->text));
	return false;
}

static bool check_bounds(const struct reader *r, const struct node *n, enum field_type type, const struct node *value)
{
	const struct node *bounds[] = {node_member(n, S("min")), node_member(n, S("max"))};
	bool good = true;
	for (size_t i = 0; i < COUNT_OF(bounds); i++) {
		if (bounds[i] && bounds[i]->type != NODE_NULL)
			good = within(r, bounds[i], type, value) && good;
	}
	return good;
}

static bool take_choices(const struct reader *r, const struct node *n, const struct variable *v, struct field *field)
{
	const char **choices = arena_new_array(r->l->arena, v->choices.count + 1, const char *);
	const struct str *items = v->choices.items;
	if ((field->type == FIELD_CHOICE) != (v->choices.count > 0)) {
		findings_add(r->l->f, n->key_at, node_path(n, r->l->f->arena), S("write {type: choice, choices: [a, b]}"),
			"choices belong to the type choice, and the type choice needs some");
		return false;
	}
	for (size_t i = 0; choices && i < v->choices.count; i++)
		choices[i] = arena_cstr(r->l->arena, items[i]);
	field->choices = choices;
	return choices != NULL;
}

// The value by the row that the declaration makes; its errors stand where the value was written.
static bool check_value(const struct reader *r, const struct field *field, const struct node *value, struct str name)
{
	const struct kind table = {.singular = "variables", .size = 256, .fields = field, .field_count = 1};
	struct node copy = *value, top = {.type = NODE_MAP};
	struct node map = {.type = NODE_MAP, .first = &copy, .count = 1, .at = value->at, .key = S("variables"), .parent = &top};
	max_align_t place[256 / sizeof(max_align_t)];
	copy.key = name;
	copy.next = NULL;
	copy.parent = &map;
	if (copy.type == NODE_SCALAR && str_find(copy.text, S("${")) >= 0) {
		findings_add(r->l->f, value->at, node_path(&copy, r->l->f->arena), S("write the value itself"), "a value of a variable may not have ${...} in it");
		return false;
	}
	if (copy.type == NODE_SCALAR && copy.text.n > MAX_VALUE) {
		findings_add(r->l->f, value->at, node_path(&copy, r->l->f->arena), S(""), "is longer than %d characters", MAX_VALUE);
		return false;
	}
	if (!value->at.line) // from the command line: there are no quotes to leave out
		copy.quoted = false;
	return kind_decode(&table, &map, r->l->f->arena, place, r->l->f) == 0;
}

static void lacks_value(const struct reader *r, const struct node *n)
{
	struct arena *a = r->l->f->arena;
	const struct node *use = r->l->in_module ? r->l->use : NULL;
	struct str hint = use ? arena_printf(a, "write with: {%.*s: VALUE}", STR(n->key))
			      : arena_printf(a, "say --var %.*s=VALUE, or declare a default", STR(n->key));
	findings_add(r->l->f, use ? use->key_at : n->key_at, node_path(use ? use : n, a), hint,
		"the variable \"%.*s\" has no value", STR(n->key));
}

static void read_one(const struct reader *r, const struct node *n, struct scope *scope)
{
	struct variable v;
	size_t before = r->l->f->count;
	struct node *value = arena_new(r->l->arena, struct node);
	if (!value || kind_decode(&variable_kind, n, r->l->f->arena, &v, r->l->f) < 0)
		return;
	size_t type = type_of(v.type);
	struct field field = {.name = arena_cstr(r->l->arena, n->key), .type = types[type].type};
	const struct node *given = str_map_get(&r->given, n->key), *from = given ? given : v.otherwise;
	if (!field.name || !take_choices(r, n, &v, &field))
		return;
	if (!from)
		lacks_value(r, n);
	if (v.otherwise && from != v.otherwise)
		(void)check_value(r, &field, v.otherwise, n->key); // wrong even where it is not used
	bool good = from && check_value(r, &field, from, n->key);
	if (check_bounds(r, n, field.type, good ? from : NULL) && good && r->l->f->count == before) {
		*value = *from;
		value->quoted = !types[type].plain;
		value->next = NULL;
		(void)str_map_put(&scope->variables, n->key, value);
	}
}

// A variable that is wrong still has a name, so that its uses are not reported, too.
static void keep_name(const struct reader *r, const struct node *n, struct scope *scope)
{
	if (!str_map_get(&scope->variables, n->key))
		(void)str_map_put(&scope->variables, n->key, &r->l->broken);
}

void language_variables(struct language *l, const struct node *map, const struct node *given, struct scope *scope)
{
	struct reader r = {.l = l, .declared = map && map->type == NODE_MAP ? map : NULL};
	if (map && map->type != NODE_MAP && map->type != NODE_NULL)
		findings_add(l->f, map->at, S("variables"), S(""), "expected a map: names of variables, each with its type");
	size_t count = r.declared ? r.declared->count : 0;
	if (!str_map_init(&r.given, l->arena, count) || !str_map_init(&scope->variables, l->arena, count) ||
		!str_map_init(&r.names, l->arena, count))
		return;
	for (struct node *n = r.declared ? r.declared->first : NULL; n; n = n->next)
		(void)str_map_put(&r.names, n->key, n);
	if (l->in_module) {
		if (given)
			give_map(&r, given);
	} else {
		give_all(&r, given);
	}
	for (const struct node *n = r.declared ? r.declared->first : NULL; n; n = n->next) {
		read_one(&r, n, scope);
		keep_name(&r, n, scope);
	}
}
