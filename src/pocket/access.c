// SPDX-License-Identifier: Apache-2.0
// Policies, decided: see access.h.
#include "pocket/access.h"

#include <string.h>

#include "pocket/front.h"

// ---------------------------------------------------------------- patterns

static char lower(char c, bool any_case)
{
	return any_case && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

// One '*' is remembered at a time: the last, which is enough.
bool access_pattern_fits(struct str pattern, struct str text, bool any_case)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.n &&
			   (pattern.p[p] == '?' || lower(pattern.p[p], any_case) == lower(text.p[t], any_case))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

// A text or a list of texts.
static bool any_fits(const json_t *patterns, struct str text, bool any_case)
{
	const json_t *one;
	size_t i;
	if (json_is_string(patterns))
		return access_pattern_fits(json_value_str(patterns), text, any_case);
	json_array_foreach(patterns, i, one)
	{
		if (json_is_string(one) && access_pattern_fits(json_value_str(one), text, any_case))
			return true;
	}
	return false;
}

// ---------------------------------------------------------------- conditions

enum truth { NO, YES, UNKNOWN };

static enum truth condition_holds(const char *operator, const json_t * wanted, struct str value)
{
	bool like = strcmp(operator, "StringLike") == 0 || strcmp(operator, "ArnLike") == 0;
	bool equals = strcmp(operator, "StringEquals") == 0 || strcmp(operator, "ArnEquals") == 0;
	bool differs = strcmp(operator, "StringNotEquals") == 0;
	const json_t *one;
	size_t i;
	bool found = false;
	if (like)
		return any_fits(wanted, value, false) ? YES : NO;
	if (!equals && !differs)
		return UNKNOWN;
	if (json_is_string(wanted))
		found = str_eq(json_value_str(wanted), value);
	json_array_foreach(wanted, i, one) found = found || (json_is_string(one) && str_eq(json_value_str(one), value));
	return found == equals ? YES : NO;
}

// All of all operators must hold.
static enum truth conditions_hold(const json_t *condition, const json_t *context)
{
	const char *operator, * key;
	const json_t *keys, *wanted;
	enum truth all = YES;
	json_object_foreach((json_t *)(uintptr_t)condition, operator, keys)
	{
		json_object_foreach((json_t *)(uintptr_t)keys, key, wanted)
		{
			const json_t *value = json_object_get(context, key);
			enum truth one = value ? condition_holds(operator, wanted, json_value_str(value))
					 : strcmp(operator, "StringNotEquals") == 0 ? YES
										    : NO;
			if (one == NO)
				return NO;
			all = one == UNKNOWN ? UNKNOWN : all;
		}
	}
	return all;
}

// ---------------------------------------------------------------- documents

static bool names(const json_t *statement, const char *is, const char *is_not, struct str text, bool any_case)
{
	const json_t *in = json_object_get(statement, is), *out = json_object_get(statement, is_not);
	return in ? any_fits(in, text, any_case) : out && !any_fits(out, text, any_case);
}

static enum access of_statement(const json_t *statement, const struct access_question *q)
{
	bool allow = str_eq(json_str(statement, "Effect"), S("Allow"));
	bool resource = json_object_get(statement, "Resource") || json_object_get(statement, "NotResource");
	if (!names(statement, "Action", "NotAction", q->action, true) ||
		(resource && !names(statement, "Resource", "NotResource", q->resource, false)))
		return ACCESS_NONE;
	enum truth holds = conditions_hold(json_object_get(statement, "Condition"), q->context);
	if (holds == NO || (holds == UNKNOWN && allow))
		return ACCESS_NONE;
	return allow ? ACCESS_ALLOW : ACCESS_DENY;
}

enum access access_of_document(const json_t *document, const struct access_question *q)
{
	const json_t *statements = json_object_get(document, "Statement"), *one;
	enum access found = ACCESS_NONE;
	size_t i;
	if (json_is_object(statements))
		return of_statement(statements, q);
	json_array_foreach(statements, i, one)
	{
		enum access here = of_statement(one, q);
		if (here == ACCESS_DENY)
			return here;
		found = here == ACCESS_ALLOW ? here : found;
	}
	return found;
}

bool access_allowed(const struct pocket_principal *who, const struct access_question *q)
{
	const json_t *document;
	size_t i;
	enum access found = who->owner ? ACCESS_ALLOW : ACCESS_NONE;
	json_array_foreach(who->policies, i, document)
	{
		enum access here = access_of_document(document, q);
		if (here == ACCESS_DENY)
			return false;
		found = here == ACCESS_ALLOW ? here : found;
	}
	return found == ACCESS_ALLOW && (!who->limit || access_of_document(who->limit, q) == ACCESS_ALLOW);
}

int pocket_authorise(struct front_request *r, struct str action, struct str resource)
{
	struct access_question q = {.action = action, .resource = resource};
	if (r->who && access_allowed(r->who, &q))
		return 0;
	return err_set(&r->err, ERR_DENIED, "%.*s is not authorized to perform: %.*s on resource: %.*s",
		STR(str_clip(r->who ? r->who->name : S("nobody"), 200)), STR(str_clip(action, 100)),
		STR(str_clip(resource, 300)));
}
