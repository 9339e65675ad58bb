// SPDX-License-Identifier: Apache-2.0
// What most tests need: a call with memory, and a folder of their own that goes away afterwards. Include after
// cmocka.h.
#ifndef ISOBAR_TESTS_FIXTURE_H
#define ISOBAR_TESTS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/call.h"
#include "base/file.h"

struct fixture {
	struct arena arena;
	struct call call;
	char folder[64];
};

static inline void fixture_open(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	call_init(&f->call, &f->arena, edges_real(), S("user/test"));
	f->call.workspace = S("fashion");
	const char *base = getenv("TMPDIR");
	snprintf(f->folder, sizeof(f->folder), "%s/isobar-test-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
	assert_non_null(mkdtemp(f->folder));
}

static inline void fixture_close(struct fixture *f)
{
	assert_int_equal(file_remove_tree(f->folder, NULL), 0);
	arena_free(&f->arena);
}

// assert that an act succeeded, and say why it did not
#define assert_ok(f, act)                                                                                              \
	do {                                                                                                           \
		if ((act) != 0)                                                                                        \
			fail_msg("%s: %s", #act, (f)->call.err.message);                                               \
	} while (0)
// assert that it failed with a code, and forget the error
#define assert_fails(f, act, wanted)                                                                                   \
	do {                                                                                                           \
		int got_code = (act);                                                                                  \
		if (got_code != (wanted))                                                                              \
			fail_msg("%s: %s (%s) instead of %s", #act, err_name(got_code), (f)->call.err.message,         \
				err_name(wanted));                                                                     \
		err_clear(&(f)->call.err);                                                                             \
	} while (0)

static inline const char *fixture_path(struct fixture *f, const char *name)
{
	return arena_printf(&f->arena, "%s/%s", f->folder, name).p;
}

static inline void fixture_write(struct fixture *f, const char *name, struct str text)
{
	char *path = arena_cstr(&f->arena, str_of(fixture_path(f, name)));
	char *slash = strrchr(path, '/');
	*slash = '\0';
	assert_ok(f, file_make_dirs(path, 0755, &f->call.err));
	*slash = '/';
	assert_ok(f, file_write_atomic(path, text, 0644, &f->call.err));
}

static inline struct str fixture_read(struct fixture *f, const char *name)
{
	struct buf text = {0};
	assert_ok(f, file_read(fixture_path(f, name), 64 << 20, &text, &f->call.err));
	struct str copy = arena_str(&f->arena, buf_str(&text));
	buf_free(&text);
	return copy;
}

#define assert_str(a, b)                                                                                               \
	do {                                                                                                           \
		struct str got_str = (a), want_str = (b);                                                              \
		if (!str_eq(got_str, want_str))                                                                        \
			fail_msg("%s is \"%.*s\" instead of \"%.*s\"", #a, STR(got_str), STR(want_str));               \
	} while (0)

#endif
