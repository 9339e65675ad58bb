// SPDX-License-Identifier: Apache-2.0
// Reading one entry by its table, for the tests of kinds: what is found wrong as exact text, and what waits.
#ifndef ISOBAR_TESTS_KIND_TEST_H
#define ISOBAR_TESTS_KIND_TEST_H

#include "base/kind.h"

static inline const struct node *kind_test_node(struct arena *a, const char *yaml)
{
	struct findings f = {.arena = a};
	struct node *root = NULL;
	if (node_parse_yaml(str_of(yaml), "x.yaml", &f, &root) < 0)
		fail_msg("%.*s", STR(f.first->problem));
	return root;
}

// Decodes into out; what is wrong must be these lines ("1:9: field: problem; suggestion").
static inline void kind_test_decode(
	const struct kind *k, const char *yaml, struct arena *a, void *out, const char *expected)
{
	struct findings f = {.arena = a};
	AUTO(buf) all = {0};
	int rc = kind_decode(k, kind_test_node(a, yaml), a, out, &f);
	for (struct finding *one = f.first; one; one = one->next) {
		AUTO(buf) line = {0};
		one->at.file = NULL;
		finding_text(one, &line);
		buf_printf(&all, "%s\n", buf_cstr(&line));
	}
	assert_string_equal(buf_cstr(&all), expected);
	assert_int_equal(rc, f.count ? ERR_INVALID : 0);
}

static inline void kind_test_wrong(const struct kind *k, const char *yaml, const char *expected)
{
	AUTO(arena) a = {0};
	void *out = arena_alloc(&a, k->size);
	kind_test_decode(k, yaml, &a, out, expected);
}

static inline void kind_test_later(const struct kind *k, const char *yaml, const char *later, const char *waits)
{
	AUTO(arena) a = {0};
	struct kind_later out;
	struct err e = {0};
	assert_int_equal(kind_later(k, kind_test_node(&a, yaml), &a, &out, &e), 0);
	assert_string_equal(arena_cstr(&a, out.later), later);
	assert_string_equal(arena_cstr(&a, out.waits), waits);
}

#endif
