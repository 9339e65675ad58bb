// SPDX-License-Identifier: Apache-2.0
// `${...}` in values. A text that is nothing but one `${...}` becomes the value itself, with its type: a number stays a
// number, a list a list. Inside a longer text the value's text is put in. `$${` stands for `${`. What is put in is never
// looked at again, so that nothing can grow by itself.
#include "infra/workspace_language_impl.h"

#include <string.h>

// ---------------------------------------------------------------- budgets
void language_exhausted(struct language *l, const struct node *n, const char *what)
{
	if (!l->exhausted)
		findings_add(l->f, n->at.line ? n->at : n->key_at, node_path(n, l->f->arena), S("declare less at once"),
			"the workspace grows past what is read: %s", what);
	l->exhausted = true;
}

bool language_is_over(const struct language *l)
{
	return l->exhausted || l->f->count > FINDINGS_MAX;
}

struct node *language_copy(struct language *l, const struct node *n, struct node *parent)
{
	if (l->copies_left == 0) {
		language_exhausted(l, n, "too many values made by for_each and modules");
		return NULL;
	}
	struct node *copy = arena_new(l->arena, struct node), **end = copy ? &copy->first : NULL;
	if (!copy)
		return NULL;
	l->copies_left--;
	*copy = *n;
	copy->parent = parent;
	copy->first = copy->next = NULL;
	for (const struct node *m = n->first; m; m = m->next) {
		struct node *child = language_copy(l, m, copy);
		if (!child)
			return NULL;
		*end = child;
		end = &child->next;
	}
	return copy;
}

// ---------------------------------------------------------------- names
struct place { // a `${...}` and where it stands
	struct language *l;
	const struct scope *scope;
	struct node *n;
};

static void complain(const struct place *p, struct str suggestion, const char *problem, struct str what)
{
	findings_add(p->l->f, p->n->at, node_path(p->n, p->l->f->arena), suggestion, "${%.*s}: %s", STR(str_clip(what, 100)),
		problem);
}

static struct str name_at(const void *ctx, size_t i)
{
	return ((const struct str *)ctx)[i];
}

static struct str suggest(const struct place *p, const struct str_map *map, struct str name)
{
	struct str *names = arena_new_array(p->l->arena, map->count + 1, struct str);
	size_t count = names ? str_map_keys(map, names) : 0;
	struct str meant = kind_suggest(name, name_at, names, count);
	if (meant.n)
		return arena_printf(p->l->arena, "did you mean \"%.*s\"?", STR(meant));
	return count ? (struct str){0} : S("none is declared");
}

// "a.b.c" of a value of maps.
static const struct node *member_of(const struct node *n, struct str path)
{
	struct str name;
	while (n && path.n && str_next(&path, '.', &name))
		n = node_member(n, name);
	return n;
}

// Names may have dots in them, so the longest one that is there is meant.
static const struct node *longest(const struct str_map *map, struct str path, struct str *rest)
{
	for (size_t n = path.n; n > 0; n--) {
		if (n < path.n && path.p[n] != '.')
			continue;
		const struct node *found = str_map_get(map, str_take(path, n));
		*rest = str_drop(path, n + 1);
		if (found)
			return found;
	}
	return NULL;
}

static const struct node *of_map(const struct place *p, const struct str_map *map, struct str path, struct str expression)
{
	struct str rest, first, ignored;
	const struct node *n = longest(map, path, &rest);
	str_cut(path, '.', &first, &ignored);
	if (!n) {
		complain(p, suggest(p, map, first), "there is no such name", expression);
		return NULL;
	}
	n = n == &p->l->broken ? n : member_of(n, rest);
	if (!n)
		complain(p, (struct str){0}, "has no such output", expression);
	return n;
}

static const struct node *of_each(const struct place *p, struct str path, struct str expression)
{
	struct str head, rest;
	str_cut(path, '.', &head, &rest);
	bool key = str_eq(head, S("key")), value = str_eq(head, S("value"));
	if (!p->scope->each_key) {
		complain(p, S("write for_each: [a, b] into the entry"), "is only there inside for_each", expression);
		return NULL;
	}
	const struct node *n = key ? p->scope->each_key : value ? member_of(p->scope->each_value, rest) : NULL;
	if (!n)
		complain(p, S("write ${each.key} or ${each.value}"), "there is no such name", expression);
	return n;
}

static const struct node *find_value(const struct place *p, struct str expression)
{
	struct str head, rest;
	str_cut(expression, '.', &head, &rest);
	if (str_eq(expression, S("env")) && p->l->environment)
		return p->l->environment;
	if (str_eq(expression, S("workspace")) && p->l->workspace)
		return p->l->workspace;
	if (str_eq(head, S("var")))
		return of_map(p, &p->scope->variables, rest, expression);
	if (str_eq(head, S("inputs")))
		return of_map(p, &p->scope->inputs, rest, expression);
	if (str_eq(head, S("module")))
		return of_map(p, &p->scope->modules, rest, expression);
	if (str_eq(head, S("each")))
		return of_each(p, rest, expression);
	complain(p,
		S("write ${var.NAME}, ${env}, ${workspace}, ${inputs.NAME.OUTPUT}, ${module.NAME.OUTPUT} or ${each.value}; "
		  "$${ for the characters themselves"),
		"is not known", expression);
	return NULL;
}

static const struct node *value_of(const struct place *p, struct str expression)
{
	const struct node *value = find_value(p, expression);
	return value == &p->l->broken ? NULL : value; // that was said where it is declared
}

// ---------------------------------------------------------------- texts
static bool add_value(const struct place *p, struct str expression, struct buf *out)
{
	const struct node *value = value_of(p, expression);
	if (!value)
		return false;
	if (value->type == NODE_SCALAR) {
		buf_add(out, value->text);
		return true;
	}
	complain(p, S("let it stand alone"), value->type == NODE_NULL ? "has no value" : "is no text to put into another",
		expression);
	return false;
}

static bool add_pieces(const struct place *p, struct buf *out)
{
	struct str rest = p->n->text;
	bool good = true;
	ptrdiff_t at;
	while ((at = str_find(rest, S("${"))) >= 0 && out->n <= LANGUAGE_MAX_TEXT) {
		struct str before = str_take(rest, (size_t)at), inside, after;
		bool escaped = str_ends(before, S("$"));
		buf_add(out, before);
		if (escaped) { // "$${": the first dollar is there already
			buf_add_char(out, '{');
			rest = str_drop(rest, (size_t)at + 2);
			continue;
		}
		if (!str_cut(str_drop(rest, (size_t)at + 2), '}', &inside, &after)) {
			complain(p, S("write $${ for the characters themselves"), "the } is missing", str_drop(rest, (size_t)at + 2));
			return false;
		}
		good = add_value(p, str_trim(inside), out) && good;
		rest = after;
	}
	buf_add(out, rest);
	return good;
}

static bool fill_text(const struct place *p)
{
	AUTO(buf) text = {0};
	if (!add_pieces(p, &text))
		return false;
	if (text.failed || text.n > LANGUAGE_MAX_TEXT || text.n > p->l->bytes_left) {
		language_exhausted(p->l, p->n, "too much text made by ${...}");
		return false;
	}
	p->l->bytes_left -= text.n;
	struct str made = arena_str(p->l->arena, buf_str(&text));
	if (made.p)
		p->n->text = made;
	p->n->quoted = true;
	return true;
}

// The text between "${" and "}" when there is nothing else.
static bool is_whole(struct str text, struct str *expression)
{
	if (!str_starts(text, S("${")) || !str_ends(text, S("}")))
		return false;
	*expression = str_trim(str_take(str_drop(text, 2), text.n - 3));
	return str_find_char(*expression, '}') < 0 && str_find_char(*expression, '{') < 0;
}

static bool take_value(const struct place *p, struct str expression)
{
	const struct node *value = value_of(p, expression);
	struct node *n = p->n;
	if (!value)
		return false;
	n->type = value->type;
	n->text = value->text;
	n->quoted = value->quoted;
	n->count = 0;
	struct node **end = &n->first;
	for (const struct node *m = value->first; m; m = m->next) {
		struct node *child = language_copy(p->l, m, n);
		if (!child)
			return false;
		*end = child;
		end = &child->next;
		n->count++;
	}
	return true;
}

static void fill_scalar(const struct place *p)
{
	struct str expression;
	bool good = is_whole(p->n->text, &expression) ? take_value(p, expression) : fill_text(p);
	if (!good)
		workspace_distrust(p->l->w, p->n->at, p->l->f);
}

void language_fill(struct language *l, const struct scope *scope, struct node *n)
{
	if (n->type == NODE_SCALAR) {
		const struct place p = {.l = l, .scope = scope, .n = n};
		if (n->text.n > 2 && memchr(n->text.p, '$', n->text.n) && str_find(n->text, S("${")) >= 0)
			fill_scalar(&p);
		return;
	}
	for (struct node *m = n->first; m && !language_is_over(l); m = m->next)
		language_fill(l, scope, m);
}
