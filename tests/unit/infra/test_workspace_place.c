// SPDX-License-Identifier: Apache-2.0
// Where environments keep their state, and that no state is ever left behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "infra/workspace_place.h"

struct fixture {
	char folder[64];
	struct arena arena;
	struct err err;
	struct workspace_place place;
};

static void put(struct fixture *f, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	assert_int_equal(0, file_write_atomic(path, str_of(text), 0600, &f->err));
}

static void begin(struct fixture *f, const char *text)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->folder, sizeof(f->folder), "%s", "/tmp/isobar-place-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	put(f, "isobar.yaml", text);
}

static void end(struct fixture *f)
{
	assert_int_equal(0, file_remove_tree(f->folder, &f->err));
	arena_free(&f->arena);
}

static void find(struct fixture *f, const char *environment)
{
	f->place = (struct workspace_place){0};
	assert_int_equal(0, workspace_place_find(f->folder, str_of(environment), &f->arena, &f->place, &f->err));
	assert_string_equal(f->folder, arena_cstr(&f->arena, f->place.folder));
}

// The state folder below the workspace's; "" when there is none.
static void assert_state(struct fixture *f, const char *environment, const char *expected)
{
	find(f, environment);
	struct str below = str_drop(f->place.state_folder, strlen(f->folder));
	assert_string_equal(expected, arena_cstr(&f->arena, below));
	assert_int_equal(expected[0] ? 0 : ERR_INVALID, workspace_place_need(&f->place, &f->err));
	assert_true(expected[0] ? f->place.problem.n == 0 : f->place.problem.n > 0);
}

static void make(struct fixture *f, const char *environment)
{
	find(f, environment);
	assert_int_equal(0, workspace_place_make(&f->place, &f->err));
	assert_true(file_exists(arena_cstr(&f->arena, f->place.state_folder)));
}

#define HEAD "isobar: 1\nworkspace: w\n"

static void test_none_or_one(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, HEAD);
	assert_state(&f, "", "/.isobar");
	assert_true(str_eq(S("default"), f.place.environment));
	assert_state(&f, "none", "");
	put(&f, "more.yaml", "environments:\n  a: {pocket: true}\nbuckets:\n  b:\n");
	assert_state(&f, "", "/.isobar");
	assert_true(str_eq(S("a"), f.place.environment));
	assert_state(&f, "a", "/.isobar");
	assert_state(&f, "b", "");
	assert_non_null(strstr(f.err.message, "no environment \"b\"; there are: a"));
	end(&f);
}

static void test_several(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, HEAD "# comment\nenvironments:\n# another\n\n  a: {pocket: true}\n  b:\n    pocket: true\nbuckets: {environments: {}}\n");
	put(&f, "z.yaml", "{environments: {c: {}}}\n"); // not at the left edge
	assert_state(&f, "", "");
	assert_non_null(strstr(f.err.message, "which environment? say --env NAME (or ISOBAR_ENV) with one of: a, b, c"));
	assert_state(&f, "a", "/.isobar/env/a");
	assert_state(&f, "c", "/.isobar/env/c");
	make(&f, "c");
	assert_false(file_exists(arena_printf(&f.arena, "%s/.isobar/environment", f.folder).p));
	end(&f);
}

// The first one's state stays where it is when others come, when the others go again, and when it is renamed alone.
static void test_the_first_keeps_its_state(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, HEAD "environments:\n  a:\n");
	make(&f, "");
	put(&f, ".isobar/state.db", "x");
	put(&f, "isobar.yaml", HEAD "environments:\n  a:\n  b:\n");
	assert_state(&f, "a", "/.isobar");
	assert_state(&f, "b", "/.isobar/env/b");
	put(&f, "isobar.yaml", HEAD "environments:\n  a2:\n");
	assert_state(&f, "", "/.isobar");
	make(&f, ""); // renamed, and used under the new name
	put(&f, "isobar.yaml", HEAD "environments:\n  a2:\n  b:\n");
	assert_state(&f, "a2", "/.isobar");
	make(&f, "b");
	put(&f, "isobar.yaml", HEAD "environments:\n  b:\n"); // a2 is gone: b does not take its state over
	assert_state(&f, "", "/.isobar/env/b");
	put(&f, "isobar.yaml", HEAD "environments:\n  c:\n");
	assert_state(&f, "", "");
	assert_non_null(strstr(f.err.message, "was made by the environment \"a2\", which is not declared any more"));
	put(&f, ".isobar/environment", "c\n");
	assert_state(&f, "", "/.isobar");
	end(&f);
}

static void test_a_state_without_a_note(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, HEAD "environments:\n  a:\n  b:\n");
	assert_int_equal(0, file_make_dirs(arena_printf(&f.arena, "%s/.isobar", f.folder).p, 0700, &f.err));
	put(&f, ".isobar/state.db", "of an earlier release");
	assert_state(&f, "a", "");
	assert_non_null(strstr(f.err.message, "was made when there was only one environment: write the name"));
	put(&f, ".isobar/environment", "b");
	assert_state(&f, "a", "/.isobar/env/a");
	assert_state(&f, "b", "/.isobar");
	end(&f);
}

static void test_broken_files(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, HEAD "environments: {a: [\n");
	assert_state(&f, "", "/.isobar"); // as ever
	assert_int_equal(0, file_make_dirs(arena_printf(&f.arena, "%s/.isobar/env", f.folder).p, 0700, &f.err));
	assert_state(&f, "", "");
	assert_int_equal(ERR_NOT_FOUND, workspace_place_find("/tmp/isobar-no-such", S(""), &f.arena, &f.place, &f.err));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none_or_one),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_the_first_keeps_its_state),
		cmocka_unit_test(test_a_state_without_a_note),
		cmocka_unit_test(test_broken_files),
	};
	return cmocka_run_group_tests_name("infra-workspace_place", tests, NULL, NULL);
}
