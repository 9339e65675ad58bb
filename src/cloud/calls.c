// SPDX-License-Identifier: Apache-2.0
// Requests against the rows of tables of calls: see calls.h.
#include "cloud/calls.h"

const char *call_part_name(enum call_part part)
{
	static const char *const names[CALL_PART_COUNT] = {[CALL_PART_STORE] = "store",
		[CALL_PART_IDENTITY] = "identity",
		[CALL_PART_JOBS] = "jobs",
		[CALL_PART_ENDPOINTS] = "endpoints",
		[CALL_PART_KEYS] = "keys",
		[CALL_PART_SECRETS] = "secrets",
		[CALL_PART_RESOURCES] = "resources",
		[CALL_PART_LOGS] = "logs"};
	return (unsigned)part < CALL_PART_COUNT ? names[part] : "";
}

const char *call_async_text(enum call_async async)
{
	switch (async) {
	case CALL_SYNC:
		return "done with its answer";
	case CALL_POLLS:
		return "looked at until it is done";
	case CALL_OPERATION:
		return "an operation is asked until it is done";
	}
	return "";
}

const char *call_repeat_text(enum call_repeat repeat)
{
	switch (repeat) {
	case CALL_REPEAT_READS:
		return "changes nothing";
	case CALL_REPEAT_NAMED:
		return "same name, same content";
	case CALL_REPEAT_CONDITION:
		return "refused the second time, then looked at";
	case CALL_REPEAT_LOOKS:
		return "asked how far it got";
	case CALL_REPEAT_SPARE:
		return "a second one is abandoned";
	}
	return "";
}

// ---------------------------------------------------------------- paths

// Takes one name ({key}: all; any other: up to the next '/', or up to the ":verb" that follows it in the pattern) off
// the path; false when there is none.
static bool take_name(struct str name, bool verb, struct str *path)
{
	ptrdiff_t slash = str_eq(name, S("key")) ? -1 : str_find_char(*path, '/');
	size_t n = slash < 0 ? path->n : (size_t)slash;
	for (size_t i = n; verb && i > 0; i--) {
		if (path->p[i - 1] == ':') {
			n = i - 1;
			break;
		}
	}
	*path = str_drop(*path, n);
	return n > 0;
}

static bool path_fits(struct str pattern, struct str path)
{
	struct str fixed, name, rest;
	while (str_cut(pattern, '{', &fixed, &rest)) {
		if (!str_starts(path, fixed) || !str_cut(rest, '}', &name, &pattern))
			return false;
		path = str_drop(path, fixed.n);
		if (!take_name(name, str_starts(pattern, S(":")), &path))
			return false;
	}
	return str_eq(pattern, path);
}

static size_t fixed_text(struct str pattern)
{
	struct str fixed, name, rest;
	size_t n = 0;
	while (str_cut(pattern, '{', &fixed, &rest) && str_cut(rest, '}', &name, &pattern))
		n += fixed.n;
	return n + pattern.n;
}

// ---------------------------------------------------------------- queries

// "comp=list" must be there as it is; "uploads" with any value or none.
static bool query_has(struct str query, struct str wanted)
{
	bool with_value = str_find_char(wanted, '=') >= 0;
	struct str item, name, value;
	while (str_next(&query, '&', &item)) {
		if (with_value ? str_eq(item, wanted) : str_eq(str_cut(item, '=', &name, &value) ? name : item, wanted))
			return true;
	}
	return false;
}

static size_t parameters_of(const struct cloud_call *row)
{
	struct str rest = str_of(row->query), item;
	size_t n = 0;
	while (rest.n && str_next(&rest, '&', &item))
		n++;
	return n;
}

bool cloud_call_fits(const struct cloud_call *row, struct str method, struct str path, struct str query)
{
	struct str rest = str_of(row->query), wanted;
	if (!str_eq(method, str_of(row->method)) || !path_fits(str_of(row->path), path))
		return false;
	while (rest.n && str_next(&rest, '&', &wanted)) {
		if (!query_has(query, wanted))
			return false;
	}
	return true;
}

static bool says_more(const struct cloud_call *row, const struct cloud_call *than)
{
	size_t a = parameters_of(row), b = parameters_of(than);
	return a != b ? a > b : fixed_text(str_of(row->path)) > fixed_text(str_of(than->path));
}

const struct cloud_call *cloud_call_find(const struct cloud_calls *calls, const struct cloud_call_request *r)
{
	const struct cloud_call *found = NULL;
	for (size_t i = 0; i < calls->count; i++) {
		const struct cloud_call *row = &calls->rows[i];
		if ((!row->target || str_eq(str_of(row->target), r->target)) &&
			cloud_call_fits(row, r->method, r->path, r->query) && (!found || says_more(row, found)))
			found = row;
	}
	return found;
}
