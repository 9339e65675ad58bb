// SPDX-License-Identifier: Apache-2.0
// "METRIC COMPARISON NUMBER on DATA[/PART]" and "demographic parity by COLUMN within NUMBER [on DATA]", read word by word.
#include "models/need.h"

#include <math.h>
#include <stdlib.h>

static const char need_form[] = "expected METRIC >= NUMBER on DATA, such as \"accuracy >= 0.87 on prepared/test\"";

static bool comparison_of(struct str s, enum need_comparison *out)
{
	static const struct {
		struct str word;
		enum need_comparison comparison;
	} words[] = {
		{S_INIT(">="), NEED_AT_LEAST},
		{S_INIT(">"), NEED_MORE},
		{S_INIT("<="), NEED_AT_MOST},
		{S_INIT("<"), NEED_LESS},
	};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_eq(s, words[i].word)) {
			*out = words[i].comparison;
			return true;
		}
	return false;
}

static bool next_word(struct str *rest, struct str *word)
{
	*rest = str_trim(*rest);
	if (!rest->n)
		return false;
	str_cut(*rest, ' ', word, rest);
	return true;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && (i == 0 || (c != '-' && c != '_' && c != '.')))
			return false;
	}
	return s.n > 0 && s.n <= 63;
}

static int read_data(struct str word, struct need *n, struct err *e)
{
	struct str name, part;
	bool has_part = str_cut(word, '/', &name, &part);
	if (!is_name(name) || (has_part && !is_name(part)))
		return err_set(e, ERR_INVALID, "%s; \"%.*s\" names no data set or transform", need_form, STR(word));
	n->on = (struct field_ref){.name = name, .qualifier = part};
	return 0;
}

static const char parity_form[] =
	"expected demographic parity by COLUMN within NUMBER, such as \"demographic parity by age_band within 0.05\"";
static const struct str parity = S_INIT("demographic parity");

// Behind "demographic parity".
static int parse_parity(struct str rest, struct need *n, struct err *e)
{
	struct str word;
	n->metric = parity;
	n->comparison = NEED_AT_MOST;
	if (!next_word(&rest, &word) || !str_eq(word, S("by")) || !next_word(&rest, &n->by) || !is_name(n->by))
		return err_set(e, ERR_INVALID, "%s; by which column?", parity_form);
	if (!next_word(&rest, &word) || !str_eq(word, S("within")))
		return err_set(e, ERR_INVALID, "%s; \"within\" must follow \"%.*s\"", parity_form, STR(n->by));
	if (!next_word(&rest, &word) || str_to_f64(word, &n->bound) < 0 || n->bound < 0 || n->bound > 1)
		return err_set(e, ERR_INVALID, "%s; a number from 0 to 1 must follow \"within\"", parity_form);
	if (!next_word(&rest, &word))
		return 0;
	struct str data;
	if (!str_eq(word, S("on")) || !next_word(&rest, &data))
		return err_set(e, ERR_INVALID, "%s; \"%.*s\" is too much", parity_form, STR(word));
	int rc = read_data(data, n, e);
	if (rc == 0 && next_word(&rest, &word))
		return err_set(e, ERR_INVALID, "%s; \"%.*s\" is too much", parity_form, STR(word));
	return rc;
}

int need_parse(struct str text, struct need *out, struct err *e)
{
	struct need n = {.text = str_trim(text)};
	struct str rest = n.text, word;
	if (str_starts(n.text, parity)) {
		int rc = parse_parity(str_drop(n.text, parity.n), &n, e);
		if (rc == 0)
			*out = n;
		return rc;
	}
	if (!next_word(&rest, &n.metric) || !is_name(n.metric))
		return err_set(e, ERR_INVALID, "%s; got \"%.*s\"", need_form, STR(text));
	if (!next_word(&rest, &word) || !comparison_of(word, &n.comparison))
		return err_set(e, ERR_INVALID, "%s; >=, >, <= or < must follow \"%.*s\"", need_form, STR(n.metric));
	if (!next_word(&rest, &word) || str_to_f64(word, &n.bound) < 0)
		return err_set(e, ERR_INVALID, "%s; a number must follow the comparison in \"%.*s\"", need_form, STR(text));
	if (!next_word(&rest, &word) || !str_eq(word, S("on")) || !next_word(&rest, &word))
		return err_set(e, ERR_INVALID, "%s; \"%.*s\" does not say on which data", need_form, STR(text));
	int rc = read_data(word, &n, e);
	if (rc < 0)
		return rc;
	if (next_word(&rest, &word))
		return err_set(e, ERR_INVALID, "%s; \"%.*s\" is too much", need_form, STR(word));
	*out = n;
	return 0;
}

bool need_holds(const struct need *n, double measured)
{
	switch (n->comparison) {
	case NEED_AT_LEAST:
		return measured >= n->bound;
	case NEED_MORE:
		return measured > n->bound;
	case NEED_AT_MOST:
		return measured <= n->bound;
	case NEED_LESS:
		return measured < n->bound;
	}
	return false;
}

static void add_finding(const struct node *node, struct findings *f, const char *problem)
{
	findings_add(f, node->at, node_path(node, f->arena), (struct str){0}, "%s", problem);
}

bool need_list_is_measured(const struct node *node)
{
	for (const struct node *item = node->first; item; item = item->next) {
		struct need n;
		struct err e = {0};
		if (need_parse(item->text, &n, &e) < 0 || !str_eq(n.metric, S("accuracy")))
			return false;
	}
	return true;
}

bool need_parse_list(const struct node *node, void *out, struct findings *f)
{
	size_t before = f->count;
	struct field_list list = {0};
	if (node->type != NODE_LIST) {
		add_finding(node, f, "expected a list of needs, such as [accuracy >= 0.87 on prepared/test]");
		return false;
	}
	struct need *needs = arena_new_array(f->arena, node->count ? node->count : 1, struct need);
	if (!needs)
		return false;
	for (const struct node *item = node->first; item; item = item->next) {
		struct err e = {0};
		if (item->type != NODE_SCALAR)
			add_finding(item, f, need_form);
		else if (need_parse(item->text, &needs[list.count], &e) < 0)
			add_finding(item, f, e.message);
		else
			list.count++;
	}
	list.items = needs;
	*(struct field_list *)out = list;
	return f->count == before;
}
