// SPDX-License-Identifier: Apache-2.0
// Secrets: their own memory, their files' modes, wiping.
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
#include "base/secret.h"

struct folder {
	char folder[64], path[96];
};

static int setup(void **out)
{
	struct folder *b = calloc(1, sizeof(*b));
	snprintf(b->folder, sizeof(b->folder), "/tmp/isobar-secret-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->path, sizeof(b->path), "%s/a.secret", b->folder);
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct folder *b = *out;
	struct err e = {0};
	assert_int_equal(file_remove_tree(b->folder, &e), 0);
	free(b);
	return 0;
}

static void test_a_secret_is_its_own(void **out)
{
	struct folder *b = *out;
	struct err e = {0};
	AUTO(secret) s = {0};
	AUTO(secret) read = {0};
	assert_int_equal(secret_str(&s).n, 0);
	assert_int_equal(secret_set(&s, S("hello"), &e), 0);
	assert_true(str_eq(secret_str(&s), S("hello")));
	assert_int_equal(s.p[5], 0);
	assert_int_equal(secret_write_file(&s, b->path, &e), 0);
	struct stat st;
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(secret_read_file(&read, b->path, &e), 0);
	assert_true(str_eq(secret_str(&read), S("hello")));
	assert_int_equal(chmod(b->path, 0640), 0);
	assert_int_equal(secret_read_file(&read, b->path, &e), ERR_DENIED);
	assert_non_null(strstr(e.message, "chmod 600"));
	assert_true(str_eq(secret_str(&read), S("hello"))); // untouched
	assert_int_equal(unlink(b->path), 0);
	assert_int_equal(secret_read_file(&read, b->path, &e), ERR_NOT_FOUND);
	assert_int_equal(symlink("/etc/hostname", b->path), 0);
	assert_true(secret_read_file(&read, b->path, &e) < 0);
	assert_int_equal(secret_alloc(&read, 1 << 20, &e), ERR_LIMIT);
	secret_free(&s);
	assert_null(s.p);
}

static void test_wiping(UNUSED void **out)
{
	char text[] = "secret";
	secret_wipe(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal(text[i], 0);
	secret_wipe(text, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_secret_is_its_own, setup, teardown),
		cmocka_unit_test(test_wiping),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
