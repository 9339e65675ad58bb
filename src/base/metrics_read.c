// SPDX-License-Identifier: Apache-2.0
// Reading Prometheus text 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): see metrics.h. A line is blank,
// a comment, or NAME[{LABELS}] VALUE [TIMESTAMP].
#include <math.h>
#include <string.h>

#include "base/metrics.h"

static bool is_name_char(char c, bool first)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
	return letter || (!first && c >= '0' && c <= '9');
}

static struct str take_name(struct str *rest)
{
	size_t n = 0;
	while (n < rest->n && is_name_char(rest->p[n], n == 0))
		n++;
	struct str name = str_take(*rest, n);
	*rest = str_drop(*rest, n);
	return name;
}

static void skip_blanks(struct str *rest)
{
	while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		*rest = str_drop(*rest, 1);
}

static bool take_char(struct str *rest, char c)
{
	if (rest->n == 0 || rest->p[0] != c)
		return false;
	*rest = str_drop(*rest, 1);
	return true;
}

// The raw inside of a quoted value; the opening quote is taken already, the closing one is taken here.
static bool take_quoted(struct str *rest, struct str *raw)
{
	size_t n = 0;
	while (n < rest->n && rest->p[n] != '"')
		n += rest->p[n] == '\\' ? 2 : 1;
	if (n >= rest->n)
		return false;
	*raw = str_take(*rest, n);
	*rest = str_drop(*rest, n + 1);
	return true;
}

// One name="value" and the comma behind it. false at the end of the labels or where there is no label; both are told
// apart by what is left.
static bool take_label(struct str *rest, struct str *name, struct str *raw)
{
	struct str at = *rest;
	skip_blanks(&at);
	*name = take_name(&at);
	skip_blanks(&at);
	if (name->n == 0 || !take_char(&at, '='))
		return false;
	skip_blanks(&at);
	if (!take_char(&at, '"') || !take_quoted(&at, raw))
		return false;
	skip_blanks(&at);
	take_char(&at, ',');
	*rest = at;
	return true;
}

static bool take_labels(struct str *rest, struct str *labels)
{
	struct str start = *rest, name, raw;
	while (take_label(rest, &name, &raw))
		;
	skip_blanks(rest);
	*labels = str_take(start, start.n - rest->n);
	return take_char(rest, '}');
}

static bool read_value(struct str text, double *value)
{
	if (str_eq_nocase(text, S("NaN")))
		*value = (double)NAN;
	else if (str_eq_nocase(text, S("+Inf")) || str_eq_nocase(text, S("Inf")))
		*value = (double)INFINITY;
	else if (str_eq_nocase(text, S("-Inf")))
		*value = -(double)INFINITY;
	else
		return str_to_f64(text, value) == 0;
	return true;
}

// NULL, or what is wrong with the line.
static const char *read_line(struct str line, struct metrics_sample_read *s)
{
	*s = (struct metrics_sample_read){.name = take_name(&line), .labels = S("")};
	if (s->name.n == 0)
		return "no metric name";
	skip_blanks(&line);
	if (take_char(&line, '{') && !take_labels(&line, &s->labels))
		return "labels are not of the form {name=\"value\",...}";
	skip_blanks(&line);
	struct str value, stamp;
	int64_t ignored;
	line = str_trim(line);
	str_cut(line, ' ', &value, &stamp);
	stamp = str_trim(stamp);
	if (!read_value(value, &s->value))
		return "the value is no number";
	if (stamp.n && str_to_i64(stamp, &ignored) < 0)
		return "the time stamp is no number";
	return NULL;
}

int metrics_parse(
	struct str text, void (*each)(void *ctx, const struct metrics_sample_read *s), void *ctx, struct err *e)
{
	struct str line;
	for (size_t number = 1; str_next(&text, '\n', &line); number++) {
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		struct metrics_sample_read s;
		const char *problem = read_line(line, &s);
		if (problem)
			return err_set(e, ERR_INVALID, "metrics, line %zu: %s: %.*s", number, problem,
				STR(str_clip(line, 120)));
		each(ctx, &s);
	}
	return 0;
}

struct str metrics_label_get(struct str labels, const char *name, struct arena *a)
{
	struct str found, raw;
	while (take_label(&labels, &found, &raw)) {
		if (!str_eq(found, str_of(name)))
			continue;
		char *text = arena_alloc(a, raw.n + 1);
		size_t n = 0;
		for (size_t i = 0; text && i < raw.n; i++) {
			bool escaped = raw.p[i] == '\\' && i + 1 < raw.n;
			i += escaped;
			text[n++] = escaped && raw.p[i] == 'n' ? '\n' : raw.p[i];
		}
		return str_bytes(text, n);
	}
	return S("");
}
