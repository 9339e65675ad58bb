// SPDX-License-Identifier: Apache-2.0
// Filters as trees: see filter.h. A recursive descent with bounds on depth and size.
#include "pocket/gcp/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

enum filter_op { FILTER_EQ, FILTER_NE, FILTER_LT, FILTER_LE, FILTER_GT, FILTER_GE, FILTER_HAS };
enum filter_kind { FILTER_AND, FILTER_OR, FILTER_NOT, FILTER_COMPARE };
enum { FIELD_MAX = 128, STEPS_MAX = 8 };

struct google_filter {
	enum filter_kind kind;
	const struct google_filter *left, *right;
	struct str steps[STEPS_MAX]; // of a comparison: the path to the field
	size_t step_count;
	enum filter_op op;
	struct str value;
};

struct parser {
	struct str rest, all;
	struct arena *arena;
	struct err *e;
	size_t nodes;
	unsigned depth;
};

// ---------------------------------------------------------------- tokens

static void skip_space(struct parser *p)
{
	while (p->rest.n && strchr(" \t\r\n", p->rest.p[0]))
		p->rest = str_drop(p->rest, 1);
}

static int wrong(struct parser *p, const char *what)
{
	return err_set(p->e, ERR_INVALID, "the filter has %s at character %zu", what, p->all.n - p->rest.n + 1);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80) ||
		(c && strchr("_-./*+@~#%", c));
}

static size_t word_length(struct str s)
{
	size_t n = 0;
	while (n < s.n && is_word(s.p[n]))
		n++;
	return n;
}

static bool take_keyword(struct parser *p, const char *word)
{
	skip_space(p);
	struct str have = str_take(p->rest, word_length(p->rest));
	if (!str_is(have, word))
		return false;
	p->rest = str_drop(p->rest, have.n);
	return true;
}

// The inside of quotes, with \" and \\ undone.
static int take_quoted(struct parser *p, struct str *out)
{
	char quote = p->rest.p[0];
	char *text = arena_alloc(p->arena, p->rest.n + 1);
	size_t n = 0, i = 1;
	if (!text)
		return err_set(p->e, ERR_NO_MEMORY, "out of memory");
	for (; i < p->rest.n && p->rest.p[i] != quote; i++) {
		if (p->rest.p[i] == '\\' && i + 1 < p->rest.n)
			i++;
		text[n++] = p->rest.p[i];
	}
	if (i >= p->rest.n)
		return wrong(p, "a quote without its end");
	p->rest = str_drop(p->rest, i + 1);
	*out = str_bytes(text, n);
	return 0;
}

static int take_value(struct parser *p, struct str *out)
{
	skip_space(p);
	if (p->rest.n && (p->rest.p[0] == '"' || p->rest.p[0] == '\''))
		return take_quoted(p, out);
	// A bare value may hold ':' (times).
	size_t n = 0;
	while (n < p->rest.n && (is_word(p->rest.p[n]) || p->rest.p[n] == ':'))
		n++;
	if (!n)
		return wrong(p, "no value");
	*out = str_take(p->rest, n);
	p->rest = str_drop(p->rest, n);
	return 0;
}

// labels.team, resource.labels."job_id", labels."a.b": words between dots, each perhaps in quotes.
static int take_field(struct parser *p, struct google_filter *f)
{
	for (;;) {
		size_t n = 0;
		struct str step;
		int rc = 0;
		if (f->step_count == STEPS_MAX)
			return wrong(p, "a field that is too deep");
		if (p->rest.n && p->rest.p[0] == '"') {
			rc = take_quoted(p, &step);
		} else {
			while (n < p->rest.n && is_word(p->rest.p[n]) && p->rest.p[n] != '.')
				n++;
			step = str_take(p->rest, n);
			p->rest = str_drop(p->rest, n);
		}
		if (rc < 0)
			return rc;
		if (!step.n || step.n > FIELD_MAX)
			return wrong(p, "no field");
		f->steps[f->step_count++] = step;
		if (!p->rest.n || p->rest.p[0] != '.')
			return 0;
		p->rest = str_drop(p->rest, 1);
	}
}

static int take_operator(struct parser *p, enum filter_op *out)
{
	static const struct {
		struct str text;
		enum filter_op op;
	} operators[] = {{S_INIT("<="), FILTER_LE}, {S_INIT(">="), FILTER_GE}, {S_INIT("!="), FILTER_NE},
		{S_INIT("="), FILTER_EQ}, {S_INIT("<"), FILTER_LT}, {S_INIT(">"), FILTER_GT}, {S_INIT(":"), FILTER_HAS}};
	skip_space(p);
	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		if (!str_starts(p->rest, operators[i].text))
			continue;
		p->rest = str_drop(p->rest, operators[i].text.n);
		*out = operators[i].op;
		return 0;
	}
	return wrong(p, "no comparison");
}

// ---------------------------------------------------------------- trees

static struct google_filter *make(struct parser *p, enum filter_kind kind, const struct google_filter *left,
	const struct google_filter *right)
{
	struct google_filter *f = p->nodes < FILTER_MAX_NODES ? arena_new(p->arena, struct google_filter) : NULL;
	if (!f) {
		err_set(p->e, p->nodes < FILTER_MAX_NODES ? ERR_NO_MEMORY : ERR_LIMIT, "the filter is too long");
		return NULL;
	}
	p->nodes++;
	*f = (struct google_filter){.kind = kind, .left = left, .right = right};
	return f;
}

static const struct google_filter *parse_all(struct parser *p);

static const struct google_filter *parse_simple(struct parser *p)
{
	skip_space(p);
	if (!p->rest.n || p->rest.p[0] != '(') {
		struct google_filter *f = make(p, FILTER_COMPARE, NULL, NULL);
		bool fine = f && take_field(p, f) == 0 && take_operator(p, &f->op) == 0 && take_value(p, &f->value) == 0;
		return fine ? f : NULL;
	}
	if (++p->depth > FILTER_MAX_DEPTH) {
		err_set(p->e, ERR_LIMIT, "the filter has more than %d parentheses in each other", FILTER_MAX_DEPTH);
		return NULL;
	}
	p->rest = str_drop(p->rest, 1);
	const struct google_filter *f = parse_all(p);
	skip_space(p);
	if (f && (!p->rest.n || p->rest.p[0] != ')')) {
		wrong(p, "no closing parenthesis");
		return NULL;
	}
	p->rest = str_drop(p->rest, 1);
	p->depth--;
	return f;
}

static const struct google_filter *parse_term(struct parser *p)
{
	bool negated = take_keyword(p, "NOT");
	const struct google_filter *f = parse_simple(p);
	return f && negated ? make(p, FILTER_NOT, f, NULL) : f;
}

static const struct google_filter *parse_choice(struct parser *p)
{
	const struct google_filter *f = parse_term(p);
	while (f && take_keyword(p, "OR")) {
		const struct google_filter *other = parse_term(p);
		f = other ? make(p, FILTER_OR, f, other) : NULL;
	}
	return f;
}

// Terms that only stand beside each other are joined by AND, too.
static const struct google_filter *parse_all(struct parser *p)
{
	const struct google_filter *f = parse_choice(p);
	for (;;) {
		bool joined = f && take_keyword(p, "AND");
		if (!f || (!joined && (!p->rest.n || p->rest.p[0] == ')')))
			return f;
		const struct google_filter *other = parse_choice(p);
		f = other ? make(p, FILTER_AND, f, other) : NULL;
	}
}

int google_filter_parse(struct str text, struct arena *a, const struct google_filter **out, struct err *e)
{
	struct err own = {0};
	struct parser p = {.rest = str_trim(text), .all = str_trim(text), .arena = a, .e = e ? e : &own};
	*out = NULL;
	if (p.rest.n > FILTER_MAX_SIZE)
		return err_set(p.e, ERR_LIMIT, "a filter has at most %d characters", FILTER_MAX_SIZE);
	if (!p.rest.n)
		return 0;
	const struct google_filter *f = parse_all(&p);
	if (!f)
		return p.e->code;
	if (p.rest.n)
		return wrong(&p, "more than one expression");
	*out = f;
	return 0;
}

// ---------------------------------------------------------------- matching

// display_name finds displayName.
static bool same_name(const char *member, struct str step)
{
	size_t m = 0;
	for (size_t i = 0; i < step.n; i++, m++) {
		char want = step.p[i];
		if (want == '_' && i + 1 < step.n && member[m] != '_') {
			want = step.p[++i];
			want = (char)(want >= 'a' && want <= 'z' ? want - 'a' + 'A' : want);
		}
		if (member[m] != want)
			return false;
	}
	return member[m] == '\0';
}

static const json_t *member_of(const json_t *object, struct str step)
{
	void *at = json_object_iter((json_t *)(uintptr_t)object);
	const json_t *similar = NULL;
	for (; at; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
		const char *name = json_object_iter_key(at);
		if (str_is(step, name))
			return json_object_iter_value(at);
		if (same_name(name, step))
			similar = json_object_iter_value(at);
	}
	return similar;
}

static int severity_rank(struct str s)
{
	static const char *const ranks[] = {
		"DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"};
	for (size_t i = 0; i < COUNT_OF(ranks); i++)
		if (str_eq_nocase(s, str_of(ranks[i])))
			return (int)i;
	return -1;
}

static int compare_texts(struct str a, struct str b)
{
	int64_t left, right;
	int rank = severity_rank(a), other = severity_rank(b);
	if (rank >= 0 && other >= 0)
		return rank - other;
	if (time_parse_rfc3339(a, &left) == 0 && time_parse_rfc3339(b, &right) == 0)
		return left < right ? -1 : left > right;
	return str_eq_nocase(a, b) ? 0 : str_cmp(a, b);
}

static bool contains_nocase(struct str s, struct str part)
{
	for (size_t i = 0; i + part.n <= s.n; i++)
		if (str_eq_nocase(str_take(str_drop(s, i), part.n), part))
			return true;
	return false;
}

static int compare_values(const json_t *value, struct str wanted)
{
	double number;
	if (json_is_number(value) && str_to_f64(wanted, &number) == 0)
		return json_number_value(value) < number ? -1 : json_number_value(value) > number;
	if (json_is_boolean(value))
		return compare_texts(json_is_true(value) ? S("true") : S("false"), wanted);
	return compare_texts(json_value_str(value), wanted); // ids of digits are texts: too long for a double
}

static bool has(const json_t *value, struct str wanted)
{
	const json_t *item;
	size_t i;
	if (str_eq(wanted, S("*")))
		return true;
	if (json_is_object(value))
		return member_of(value, wanted) != NULL;
	json_array_foreach(value, i, item) if (str_eq_nocase(json_value_str(item), wanted)) return true;
	return json_is_string(value) && contains_nocase(json_value_str(value), wanted);
}

static bool compare(const struct google_filter *f, const json_t *resource)
{
	const json_t *value = resource;
	for (size_t i = 0; value && i < f->step_count; i++)
		value = json_is_object(value) ? member_of(value, f->steps[i]) : NULL;
	if (!value)
		return f->op == FILTER_NE;
	if (f->op == FILTER_HAS)
		return has(value, f->value);
	int order = compare_values(value, f->value);
	switch (f->op) {
	case FILTER_EQ:
		return order == 0;
	case FILTER_NE:
		return order != 0;
	case FILTER_LT:
		return order < 0;
	case FILTER_LE:
		return order <= 0;
	case FILTER_GT:
		return order > 0;
	case FILTER_GE:
		return order >= 0;
	case FILTER_HAS:
		break;
	}
	return false;
}

bool google_filter_matches(const struct google_filter *f, const json_t *resource)
{
	if (!f)
		return true;
	switch (f->kind) {
	case FILTER_AND:
		return google_filter_matches(f->left, resource) && google_filter_matches(f->right, resource);
	case FILTER_OR:
		return google_filter_matches(f->left, resource) || google_filter_matches(f->right, resource);
	case FILTER_NOT:
		return !google_filter_matches(f->left, resource);
	case FILTER_COMPARE:
		return compare(f, resource);
	}
	return false;
}

static bool is_field(const struct google_filter *f, struct str field)
{
	struct str step;
	for (size_t i = 0; i < f->step_count; i++)
		if (!str_next(&field, '.', &step) || !str_eq(step, f->steps[i]))
			return false;
	return !field.n;
}

struct str google_filter_equal(const struct google_filter *f, struct str field)
{
	struct str found = {0};
	if (f && f->kind == FILTER_COMPARE && f->op == FILTER_EQ && is_field(f, field))
		return f->value;
	if (f && f->kind == FILTER_AND)
		found = google_filter_equal(f->left, field);
	return !found.p && f && f->kind == FILTER_AND ? google_filter_equal(f->right, field) : found;
}
