// SPDX-License-Identifier: Apache-2.0
// Optional libraries: one that is always there (libm), absent ones, and files that others may change.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/library.h"

struct math_table {
	double (*cosine)(double);
	double (*size)(double);
};
static const struct library_symbol symbols[] = {
	{"cos", offsetof(struct math_table, cosine)},
	{"fabs", offsetof(struct math_table, size)},
};
static const char *const places[] = {"/no/such/libm.so.6", "/lib/x86_64-linux-gnu/libm.so.6",
	"/lib/aarch64-linux-gnu/libm.so.6", "/usr/lib64/libm.so.6", NULL};
static const struct library_spec math_spec = {
	.name = "libm", .package = "libc6", .paths = places, .symbols = symbols, .symbol_count = COUNT_OF(symbols)};

static void test_load(UNUSED void **state)
{
	struct math_table table = {0};
	struct err e = {0};
	if (library_load(&math_spec, &table, &e) < 0)
		fail_msg("%s", e.message);
	assert_true(table.cosine(0) == 1);
	assert_true(table.size(-3) == 3);
}

static void test_absent(UNUSED void **state)
{
	struct math_table table = {0};
	struct err e = {0};
	struct library_spec spec = math_spec;
	spec.paths = (const char *const[]){"/no/such/libm.so.6", "libm.so.6", NULL};
	assert_int_equal(library_load(&spec, &table, &e), ERR_UNSUPPORTED);
	assert_string_equal(e.message, "libm is not installed; apt-get install libc6 brings it");
	assert_null(table.cosine);
}

static void test_missing_symbol_changes_nothing(UNUSED void **state)
{
	struct math_table table = {0};
	struct err e = {0};
	const struct library_symbol wanted[] = {symbols[0], {"no_such_function", offsetof(struct math_table, size)}};
	struct library_spec spec = math_spec;
	spec.symbols = wanted;
	assert_int_equal(library_load(&spec, &table, &e), ERR_UNSUPPORTED);
	assert_string_equal(e.message, "libm has no function no_such_function; a newer libc6 is needed");
	assert_null(table.cosine);
}

// A file in a folder under /tmp, which everybody may write.
static void test_unsafe_place(UNUSED void **state)
{
	char folder[] = "/tmp/isobar-test-library-XXXXXX", path[64];
	struct err e = {0};
	struct math_table table = {0};
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/libm.so.6", folder);
	assert_int_equal(file_write_atomic(path, S("x"), 0755, &e), 0);
	struct library_spec spec = math_spec;
	spec.paths = (const char *const[]){path, NULL};
	assert_int_equal(library_load(&spec, &table, &e), ERR_DENIED);
	assert_non_null(strstr(e.message, "may be changed by others than root"));
	// A link to a safe file is followed to that file, and only that counts.
	assert_int_equal(unlink(path), 0);
	for (size_t i = 1; places[i]; i++)
		if (file_exists(places[i]))
			assert_int_equal(symlink(places[i], path), 0);
	assert_int_equal(library_load(&spec, &table, &e), 0);
	assert_int_equal(file_remove_tree(folder, &e), 0);
}

static void test_no_library(UNUSED void **state)
{
	struct err e = {0};
	struct math_table table = {0};
	struct library_spec spec = math_spec;
	spec.paths = (const char *const[]){"/etc/passwd", NULL};
	assert_int_equal(library_load(&spec, &table, &e), ERR_UNSUPPORTED);
	assert_true(str_starts(str_of(e.message), S("load libm: /etc/passwd")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_missing_symbol_changes_nothing),
		cmocka_unit_test(test_unsafe_place),
		cmocka_unit_test(test_no_library),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
