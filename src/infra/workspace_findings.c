// SPDX-License-Identifier: Apache-2.0
// The findings about a workspace: in the order of the text, each once, without those that only follow from another; as
// text and as JSON.
#include <stdlib.h>
#include <string.h>

#include "infra/workspace_impl.h"

struct ranked { // a finding and when it was found
	struct finding *finding;
	size_t rank;
};

static int compare_places(const struct finding *x, const struct finding *y)
{
	int by_file = strcmp(x->at.file ? x->at.file : "", y->at.file ? y->at.file : "");
	if (by_file)
		return by_file;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	return x->at.column < y->at.column ? -1 : x->at.column > y->at.column;
}

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int by_place = compare_places(x->finding, y->finding);
	return by_place ? by_place : x->rank < y->rank ? -1 : x->rank > y->rank;
}

// "colour" of "transforms.t.colour"; copies of one thing differ in what stands before.
static struct str last_name(struct str field)
{
	size_t n = field.n;
	while (n && field.p[n - 1] != '.')
		n--;
	return str_drop(field, n);
}

static bool is_repeated(const struct finding *last, const struct finding *next)
{
	return last && compare_places(last, next) == 0 && str_eq(last->problem, next->problem) &&
	       str_eq(last_name(last->field), last_name(next->field));
}

// ---------------------------------------------------------------- values that are wrong already
struct distrust {
	struct position at;
	size_t rank; // findings from here on are about what follows from it
	struct distrust *next;
};

void workspace_distrust(struct workspace *w, struct position at, const struct findings *f)
{
	struct distrust *d = arena_new(w->arena, struct distrust);
	if (!d)
		return;
	*d = (struct distrust){.at = at, .rank = f->count, .next = w->distrusted};
	w->distrusted = d;
}

static bool is_distrusted(const struct workspace *w, const struct ranked *r)
{
	for (const struct distrust *d = w->distrusted; d; d = d->next) {
		const struct finding at = {.at = d->at};
		if (r->rank >= d->rank && compare_places(r->finding, &at) == 0)
			return true;
	}
	return false;
}

static void relink(struct findings *f, const struct ranked *sorted, size_t count)
{
	f->first = f->last = NULL;
	f->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (is_repeated(f->last, sorted[i].finding))
			continue; // one mistake, seen by two checks or in several copies
		sorted[i].finding->next = NULL;
		*(f->last ? &f->last->next : &f->first) = sorted[i].finding;
		f->last = sorted[i].finding;
		f->count++;
	}
}

// In the order of the text, each once: the checks find them in an order of their own.
void workspace_sort_findings(const struct workspace *w, struct findings *f)
{
	struct ranked *sorted = arena_new_array(f->arena, (f->count < FINDINGS_MAX ? f->count : FINDINGS_MAX) + 1, struct ranked);
	if (!sorted)
		return;
	size_t n = 0;
	size_t rank = 0;
	for (struct finding *p = f->first; p; p = p->next, rank++) {
		sorted[n] = (struct ranked){.finding = p, .rank = rank};
		n += !is_distrusted(w, &sorted[n]);
	}
	qsort(sorted, n, sizeof(*sorted), compare_ranked);
	relink(f, sorted, n);
}

void findings_write(const struct findings *f, struct buf *out)
{
	for (const struct finding *p = f->first; p; p = p->next) {
		buf_printf(out, "%s:%d:%d: ", p->at.file ? p->at.file : "-", p->at.line, p->at.column);
		if (p->field.n)
			buf_printf(out, "%.*s: ", STR(p->field));
		buf_add(out, p->problem);
		if (p->suggestion.n)
			buf_printf(out, " (%.*s)", STR(p->suggestion));
		buf_add_char(out, '\n');
	}
}

json_t *findings_to_json(const struct findings *f)
{
	json_t *list = json_array();
	for (const struct finding *p = f->first; p; p = p->next) {
		json_t *one = json_object();
		json_object_set_new(one, "file", json_string(p->at.file ? p->at.file : ""));
		json_object_set_new(one, "line", json_integer(p->at.line));
		json_object_set_new(one, "column", json_integer(p->at.column));
		json_set_str(one, "field", p->field);
		json_set_str(one, "problem", p->problem);
		json_set_str(one, "suggestion", p->suggestion);
		json_array_append_new(list, one);
	}
	return list;
}
