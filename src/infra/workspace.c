// SPDX-License-Identifier: Apache-2.0
// Loading a workspace, step by step, and its findings as text and JSON. See workspace.h.
#include "infra/workspace.h"

#include <stdlib.h>
#include <string.h>

#include "infra/workspace_impl.h"

// ---------------------------------------------------------------- findings
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

static bool is_repeated(const struct finding *last, const struct finding *next)
{
	return last && compare_places(last, next) == 0 && str_eq(last->problem, next->problem) &&
	       str_eq(last->field, next->field);
}

static void relink(struct findings *f, const struct ranked *sorted, size_t count)
{
	f->first = f->last = NULL;
	f->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (is_repeated(f->last, sorted[i].finding))
			continue; // one mistake, seen by two checks
		sorted[i].finding->next = NULL;
		*(f->last ? &f->last->next : &f->first) = sorted[i].finding;
		f->last = sorted[i].finding;
		f->count++;
	}
}

// In the order of the text, each once: the checks find them in an order of their own.
static void sort_findings(struct findings *f)
{
	struct ranked *sorted = arena_new_array(f->arena, f->count + 1, struct ranked);
	if (!sorted)
		return;
	size_t n = 0;
	for (struct finding *p = f->first; p; p = p->next, n++)
		sorted[n] = (struct ranked){.finding = p, .rank = n};
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

// ---------------------------------------------------------------- environments
static const struct environment no_environment = {.name = S_INIT("default")};

static struct str environment_name_at(const void *ctx, size_t i)
{
	return ((const struct workspace *)ctx)->environments[i].name;
}

static int choose_environment(struct workspace *w, struct err *e)
{
	struct str wanted = w->options->environment;
	if (!wanted.n) {
		w->environment = w->environment_count == 0   ? &no_environment
				 : w->environment_count == 1 ? &w->environments[0]
							     : NULL;
		return 0;
	}
	for (size_t i = 0; i < w->environment_count; i++) {
		if (str_eq(w->environments[i].name, wanted))
			w->environment = &w->environments[i];
	}
	if (w->environment)
		return 0;
	struct str meant = kind_suggest(wanted, environment_name_at, w, w->environment_count);
	return err_set(e, ERR_INVALID, "the workspace has no environment \"%.*s\"%s%.*s%s", STR(wanted),
		meant.n ? ": did you mean \"" : "", STR(meant), meant.n ? "\"?" : "");
}

int workspace_need_environment(const struct workspace *w, const struct environment **out, struct err *e)
{
	if (w->environment) {
		*out = w->environment;
		return 0;
	}
	AUTO(buf) names = {0};
	for (size_t i = 0; i < w->environment_count; i++)
		buf_printf(&names, "%s%.*s", i ? ", " : "", STR(w->environments[i].name));
	return err_set(
		e, ERR_INVALID, "which environment? say --env NAME (or ISOBAR_ENV) with one of: %s", buf_cstr(&names));
}

// ---------------------------------------------------------------- loading
int workspace_load(const struct workspace_options *options, struct findings *f, struct workspace *out, struct err *e)
{
	struct workspace w = {.arena = f->arena, .options = options};
	struct node *root = NULL;
	int rc = workspace_read(options->path, f, &w, &root, e);
	if (rc < 0)
		return rc;
	w.root = root;
	if (root) {
		workspace_decode(&w, root, f);
		workspace_check_references(&w, f);
		workspace_check_paths(&w, f);
		workspace_resolve(&w, f);
	}
	sort_findings(f);
	if (f->count)
		return err_set(e, ERR_INVALID, "the workspace in %.*s has %zu mistake%s", STR(w.folder), f->count,
			f->count == 1 ? "" : "s");
	rc = choose_environment(&w, e);
	if (rc < 0)
		return rc;
	*out = w;
	return 0;
}
