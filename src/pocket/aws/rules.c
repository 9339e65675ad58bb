// SPDX-License-Identifier: Apache-2.0
// Tables of what a service takes: see rules.h.
#include "pocket/aws/rules.h"

#include <regex.h>
#include <stdio.h>

enum { MAX_FAULTS = 10, VALUE_SHOWN = 100, PATTERN_SIZE = 256 };

struct check {
	struct front_request *r;
	struct buf text; // of the faults
	int faults;
	const char *odd; // type of a member that cannot be read; NULL: none
};

static void fault(struct check *c, struct str where, const json_t *value, const char *constraint)
{
	struct str text = str_clip(json_value_str(value), VALUE_SHOWN);
	if (c->faults++ >= MAX_FAULTS)
		return;
	buf_printf(&c->text, "%sValue ", c->faults > 1 ? "; " : "");
	if (!value || json_is_null(value))
		buf_add(&c->text, S("null"));
	else if (json_is_string(value))
		buf_printf(&c->text, "'%.*s'", STR(text));
	else if (json_is_integer(value))
		buf_printf(&c->text, "'%lld'", (long long)json_integer_value(value));
	else
		buf_add(&c->text, S("'...'"));
	buf_printf(&c->text, " at '%.*s' failed to satisfy constraint: %s", STR(where), constraint);
}

// ---------------------------------------------------------------- one value
static bool matches(const char *pattern, struct str text)
{
	regex_t compiled;
	char whole[PATTERN_SIZE];
	AUTO(buf) copy = {0};
	if (snprintf(whole, sizeof(whole), "^(%s)$", pattern) >= PATTERN_SIZE)
		return false;
	if (regcomp(&compiled, whole, REG_EXTENDED | REG_NOSUB))
		return false;
	buf_add(&copy, text);
	bool ok = regexec(&compiled, buf_cstr(&copy), 0, NULL, 0) == 0;
	regfree(&compiled);
	return ok;
}

static bool among(const char *values, struct str text)
{
	struct str rest = str_of(values), one;
	while (str_next(&rest, ' ', &one))
		if (str_eq(one, text))
			return true;
	return false;
}

static bool type_fits(enum aws_type type, const json_t *value)
{
	switch (type) {
	case AWS_TEXT:
		return json_is_string(value);
	case AWS_WHOLE:
		return json_is_integer(value);
	case AWS_NUMBER:
		return json_is_number(value);
	case AWS_FLAG:
		return json_is_boolean(value);
	case AWS_LIST:
		return json_is_array(value);
	case AWS_OBJECT:
		return json_is_object(value);
	}
	return false;
}

static void check_bounds(struct check *c, const struct aws_rule *rule, struct str where, const json_t *value)
{
	bool text = rule->type == AWS_TEXT, sized = text || rule->type == AWS_LIST || rule->type == AWS_OBJECT;
	double n = text ? (double)json_value_str(value).n
		   : rule->type == AWS_LIST ? (double)json_array_size(value)
		   : rule->type == AWS_OBJECT ? (double)json_object_size(value)
					      : json_number_value(value);
	char words[160];
	const char *what = sized ? "length" : "value";
	if (rule->least == 0 && rule->most == 0)
		return;
	if (rule->most && n > (double)rule->most) {
		snprintf(words, sizeof(words), "Member must have %s less than or equal to %lld", what,
			(long long)rule->most);
		fault(c, where, value, words);
	}
	if (n < (double)rule->least) {
		snprintf(words, sizeof(words), "Member must have %s greater than or equal to %lld", what,
			(long long)rule->least);
		fault(c, where, value, words);
	}
}

static void check_value(struct check *c, const struct aws_rule *rule, struct str where, const json_t *value)
{
	char words[PATTERN_SIZE + 80];
	if (!value || json_is_null(value)) {
		if (rule->required)
			fault(c, where, NULL, "Member must not be null");
		return;
	}
	if (!type_fits(rule->type, value)) {
		c->odd = rule->path;
		return;
	}
	check_bounds(c, rule, where, value);
	if (rule->pattern && !matches(rule->pattern, json_value_str(value))) {
		snprintf(words, sizeof(words), "Member must satisfy regular expression pattern: %s", rule->pattern);
		fault(c, where, value, words);
	}
	if (rule->values && !among(rule->values, json_value_str(value))) {
		AUTO(buf) set = {0};
		struct str rest = str_of(rule->values), one;
		buf_add(&set, S("Member must satisfy enum value set: ["));
		for (bool more = false; str_next(&rest, ' ', &one); more = true)
			buf_printf(&set, "%s%.*s", more ? ", " : "", STR(one));
		buf_add_char(&set, ']');
		fault(c, where, value, buf_cstr(&set));
	}
}

// ---------------------------------------------------------------- along a path
static struct str step_into(struct check *c, struct str where, struct str name)
{
	char *text = arena_cstr(c->r->arena,
		arena_printf(c->r->arena, "%.*s%s%.*s", STR(where), where.n ? "." : "", STR(name)));
	size_t at = where.n ? where.n + 1 : 0;
	if (text && text[at] >= 'A' && text[at] <= 'Z')
		text[at] = (char)(text[at] - 'A' + 'a');
	return str_of(text);
}

static void walk(struct check *c, const struct aws_rule *rule, struct str path, struct str where, const json_t *in)
{
	struct str name, rest;
	bool more = str_cut(path, '.', &name, &rest), list = str_ends(name, S("[]"));
	struct str bare = list ? str_take(name, name.n - 2) : name;
	struct str here = step_into(c, where, bare);
	const char *key = arena_cstr(c->r->arena, bare);
	const json_t *value = key ? json_object_get(in, key) : NULL, *one;
	size_t i;
	if (!more && !list) {
		check_value(c, rule, here, value);
		return;
	}
	if (!list) {
		if (json_is_object(value))
			walk(c, rule, rest, here, value);
		return;
	}
	json_array_foreach(value, i, one)
	{
		struct str at = arena_printf(c->r->arena, "%.*s.%zu.member", STR(here), i + 1);
		if (more)
			walk(c, rule, rest, at, one);
		else
			check_value(c, rule, at, one);
	}
}

int aws_rules_check(struct front_request *r, const json_t *in, const struct aws_rule *rules, size_t count)
{
	struct check c = {.r = r};
	int rc = 0;
	for (size_t i = 0; i < count; i++)
		walk(&c, &rules[i], str_of(rules[i].path), S(""), in);
	if (c.odd)
		rc = aws_refuse(r, "SerializationException", "the member %s has a value of another type", c.odd);
	else if (c.faults)
		rc = aws_refuse(r, "ValidationException", "%d validation error%s detected: %s", c.faults,
			c.faults > 1 ? "s" : "", buf_cstr(&c.text));
	buf_free(&c.text);
	return rc;
}
