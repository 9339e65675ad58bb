// SPDX-License-Identifier: Apache-2.0
// Patterns: see select.h. Matching goes back to the last star, or to the last double one where a single one cannot
// help, so that its time stays bounded.
#include "data/select.h"

struct star {
	size_t pattern, name; // behind the star, and what it has swallowed up to
	bool set;
};

static bool is_deep(struct str pattern, size_t at)
{
	return at + 1 < pattern.n && pattern.p[at + 1] == '*';
}

// Lets a star swallow one byte more; false when none can.
static bool swallow(struct str name, struct star *single, struct star *deep, size_t *p, size_t *n)
{
	struct star *star = single->set && name.p[single->name] != '/' ? single : deep;
	if (!star->set)
		return false;
	if (star == deep)
		single->set = false;
	*p = star->pattern;
	*n = ++star->name;
	return true;
}

static bool glob(struct str pattern, struct str name)
{
	size_t p = 0, n = 0;
	struct star single = {0}, deep = {0};
	while (n < name.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			struct star *star = is_deep(pattern, p) ? &deep : &single;
			p += star == &deep ? 2 : 1;
			*star = (struct star){p, n, true};
			single.set = single.set && star == &single;
		} else if (p < pattern.n && (pattern.p[p] == name.p[n] || (pattern.p[p] == '?' && name.p[n] != '/'))) {
			p++;
			n++;
		} else if (!swallow(name, &single, &deep, &p, &n)) {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static struct str last_part(struct str name)
{
	for (size_t i = name.n; i-- > 0;) {
		if (name.p[i] == '/')
			return str_drop(name, i + 1);
	}
	return name;
}

bool select_matches(struct str pattern, struct str name)
{
	if (str_find_char(pattern, '/') < 0)
		return glob(pattern, last_part(name));
	return glob(str_starts(pattern, S("/")) ? str_drop(pattern, 1) : pattern, name);
}

bool select_takes(const struct select *s, struct str name)
{
	for (size_t i = 0; i < s->exclude_count; i++) {
		if (select_matches(s->exclude[i], name))
			return false;
	}
	for (size_t i = 0; i < s->include_count; i++) {
		if (select_matches(s->include[i], name))
			return true;
	}
	return s->include_count == 0;
}
