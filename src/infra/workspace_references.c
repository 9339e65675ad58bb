// SPDX-License-Identifier: Apache-2.0
// Every reference names something that exists and is of a kind that the field allows; every cloud in a list is
// declared. The walk follows the tables of kinds through the nodes, so that a finding stands where the name was
// written.
#include "infra/workspace_impl.h"

#include <string.h>

struct walk {
	const struct workspace *w;
	struct findings *f;
};

static void check_table(const struct walk *k, const struct kind *table, const struct node *node);

// kinds "": the field may name any.
static bool kinds_have(struct str kinds, struct str singular)
{
	struct str piece;
	if (!kinds.n)
		return true;
	while (str_next(&kinds, '|', &piece)) {
		if (str_eq(piece, singular))
			return true;
	}
	return false;
}

// The part of "name@alias", "name/part" or "name on cloud" that is the name.
static struct str reference_name(struct str text)
{
	size_t n = 0;
	while (n < text.n && text.p[n] != '@' && text.p[n] != '/' && text.p[n] != ' ')
		n++;
	return str_take(text, n);
}

struct reference workspace_reference(const struct workspace *w, const struct field *field, struct str text)
{
	struct str head, tail, kinds = str_of(field->refers);
	if (str_cut(text, '/', &head, &tail) && ((kinds.n && kinds_have(kinds, head)) || workspace_kind(w, head)))
		return (struct reference){.kind = head, .name = reference_name(tail)};
	struct reference out = {.name = reference_name(text)};
	struct str piece;
	while (str_next(&kinds, '|', &piece)) {
		if (workspace_find(w, piece, out.name))
			out.kind = piece;
	}
	return out;
}

// ---------------------------------------------------------------- suggestions
// "dataset|transform" as people say it.
static struct str kinds_text(struct arena *a, struct str kinds)
{
	AUTO(buf) text = {0};
	struct str piece;
	while (str_next(&kinds, '|', &piece))
		buf_printf(&text, "%s%.*s", text.n ? " or " : "", STR(piece));
	return arena_str(a, buf_str(&text));
}

struct names {
	struct str *items;
	size_t count;
};

static struct str name_at(const void *ctx, size_t i)
{
	return ((const struct names *)ctx)->items[i];
}

struct str workspace_suggest_name(const struct workspace *w, struct str kinds, struct str written)
{
	AUTO(arena) scratch = {0};
	if (!workspace_may_compare(w, w->entry_count))
		return (struct str){0};
	struct names names = {.items = arena_new_array(&scratch, w->entry_count + 1, struct str)};
	for (size_t i = 0; names.items && i < w->entry_count; i++) {
		if (kinds_have(kinds, str_of(w->entries[i].kind->singular)))
			names.items[names.count++] = w->entries[i].name;
	}
	struct str meant = kind_suggest(written, name_at, &names, names.count);
	if (meant.n)
		return arena_printf(w->arena, "did you mean \"%.*s\"?", STR(meant));
	if (names.count == 0)
		return arena_printf(w->arena, "no %.*s is declared", STR(kinds_text(w->arena, kinds)));
	if (names.count > 5)
		return (struct str){0};
	AUTO(buf) list = {0};
	for (size_t i = 0; i < names.count; i++)
		buf_printf(&list, "%s\"%.*s\"", i ? ", " : "there is ", STR(names.items[i]));
	return arena_str(w->arena, buf_str(&list));
}

// ---------------------------------------------------------------- one reference
static void missing(const struct walk *k, const struct node *at, struct str kinds, struct str name)
{
	findings_add(k->f, at->at, node_path(at, k->f->arena), workspace_suggest_name(k->w, kinds, name),
		"there is no %.*s \"%.*s\"", STR(kinds_text(k->f->arena, kinds)), STR(name));
}

static void check_reference(const struct walk *k, const struct field *field, const struct node *at)
{
	if (at->type != NODE_SCALAR || at->text.n == 0)
		return; // the kind's table complained already
	struct reference r = workspace_reference(k->w, field, at->text);
	struct str kinds = str_of(field->refers);
	if (!r.kind.n && !kinds.n) {
		findings_add(k->f, at->at, node_path(at, k->f->arena), (struct str){0},
			"expected an address such as endpoint/NAME");
	} else if (!r.kind.n) {
		missing(k, at, kinds, r.name);
	} else if (!kinds_have(kinds, r.kind)) {
		findings_add(k->f, at->at, node_path(at, k->f->arena), (struct str){0},
			"expected a reference to %.*s, got %.*s", STR(kinds_text(k->f->arena, kinds)), STR(r.kind));
	} else if (workspace_kind(k->w, r.kind) && !workspace_find(k->w, r.kind, r.name)) {
		missing(k, at, r.kind, r.name);
	}
}

static void check_cloud(const struct walk *k, const struct node *at)
{
	if (at->type == NODE_SCALAR && !workspace_find(k->w, S("cloud"), at->text))
		missing(k, at, S("cloud"), at->text);
}

static void check_clouds(const struct walk *k, const struct node *at)
{
	if (at->type != NODE_LIST) {
		if (at->type == NODE_SCALAR && !str_eq(at->text, S("all")))
			check_cloud(k, at);
		return;
	}
	for (const struct node *n = at->first; n; n = n->next)
		check_cloud(k, n);
}

// ---------------------------------------------------------------- addresses inside other text
// Fields that their rooms read ("accuracy >= 0.87 on prepared/test", "run pipeline/retrain") name things by address,
// too.
static void check_word(const struct walk *k, const struct node *at, struct str word, bool after_on)
{
	struct str head, tail;
	if (!str_cut(word, '/', &head, &tail) || tail.n == 0 || str_find_char(word, '*') >= 0)
		return;
	struct str name = reference_name(tail);
	if (workspace_kind(k->w, head)) {
		if (!workspace_find(k->w, head, name))
			missing(k, at, head, name);
	} else if (after_on && !workspace_find(k->w, S("transform"), head) &&
		   !workspace_find(k->w, S("dataset"), head)) {
		missing(k, at, S("dataset|transform"), head);
	}
}

static void check_words(const struct walk *k, const struct node *at)
{
	if (at->type == NODE_SCALAR) {
		struct str rest = at->text, word;
		bool after_on = false;
		while (str_next(&rest, ' ', &word)) {
			check_word(k, at, word, after_on);
			after_on = str_eq(word, S("on"));
		}
	}
	for (const struct node *n = at->first; n; n = n->next)
		check_words(k, n);
}

// The words of a program's arguments are its own.
static bool is_command(const struct field *field)
{
	return strcmp(field->name, "command") == 0;
}

// ---------------------------------------------------------------- the walk
static void check_field(const struct walk *k, const struct field *field, enum field_type type, const struct node *at)
{
	for (const struct node *n = type == FIELD_REFS ? at->first : NULL; n; n = n->next)
		check_field(k, field, type, n);
	if (type == FIELD_CLOUD)
		check_cloud(k, at);
	if (type == FIELD_REF || type == FIELD_REFS)
		check_reference(k, field, at);
	else if (type == FIELD_CLOUDS)
		check_clouds(k, at);
	else if (type == FIELD_CUSTOM || (type == FIELD_TEXT && field->type == FIELD_LIST && !is_command(field)))
		check_words(k, at);
}

static void check_children(const struct walk *k, const struct field *field, const struct node *at)
{
	for (const struct node *n = at->first; n; n = n->next) {
		if (field->type == FIELD_LIST)
			check_field(k, field, field->item, n);
		else
			check_table(k, field->block, n);
	}
}

static void check_table(const struct walk *k, const struct kind *table, const struct node *node)
{
	for (const struct node *n = node->type == NODE_MAP ? node->first : NULL; n; n = n->next) {
		const struct field *field = kind_field(table, n->key);
		if (!field)
			continue;
		if (field->type == FIELD_LIST || field->type == FIELD_BLOCKS || field->type == FIELD_NAMED)
			check_children(k, field, n);
		else if (field->type == FIELD_BLOCK)
			check_table(k, field->block, n);
		else
			check_field(k, field, field->type, n);
	}
}

void workspace_check_references(struct workspace *w, struct findings *f)
{
	struct walk k = {.w = w, .f = f};
	for (size_t i = 0; i < w->entry_count && f->count <= FINDINGS_MAX; i++)
		check_table(&k, w->entries[i].kind, w->entries[i].node);
}
