// SPDX-License-Identifier: Apache-2.0
// Images and archives: the same folder gives the same bytes, what cannot be packed is refused by name, and a failure leaves no file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

#include "base/file.h"
#include "models/image_command.h"
#include "models/oci_image.h"
#include "models/tar_archive.h"

static const char *const entrypoint[] = {"/bin/sh", NULL};

static void make_root(struct fixture *f)
{
	assert_ok(f, file_make_dirs(fixture_path(f, "root/bin"), 0755, &f->call.err));
	assert_ok(f, file_write_atomic(fixture_path(f, "root/bin/sh"), S("#!\n"), 0755, &f->call.err));
	assert_ok(f, file_write_atomic(fixture_path(f, "root/z.txt"), S("last"), 0600, &f->call.err));
	assert_int_equal(symlink("bin/sh", fixture_path(f, "root/link")), 0);
}

static struct oci_image image_of(struct fixture *f, const char *out)
{
	return (struct oci_image){.root = fixture_path(f, "root"),
		.out = fixture_path(f, out),
		.architecture = "amd64",
		.name = "toy:1",
		.entrypoint = entrypoint,
		.seconds = 1000};
}

static void test_same_bytes(UNUSED void **state)
{
	struct fixture f;
	char digest[HEX_SHA256_SIZE], again[HEX_SHA256_SIZE];
	fixture_open(&f);
	make_root(&f);
	struct oci_image image = image_of(&f, "a.tar");
	assert_ok(&f, oci_image_write(&image, digest, &f.call.err));
	image.out = fixture_path(&f, "b.tar");
	assert_ok(&f, oci_image_write(&image, again, &f.call.err));
	assert_string_equal(digest, again);
	struct str bytes = fixture_read(&f, "a.tar");
	assert_true(bytes.n > 4096 && str_eq(bytes, fixture_read(&f, "b.tar")));
	assert_true(str_find(bytes, S("{\"imageLayoutVersion\":\"1.0.0\"}")) > 0);
	assert_true(str_find(bytes, S("\"org.opencontainers.image.ref.name\":\"toy:1\"")) > 0);
	assert_true(str_find(bytes, str_of(digest)) > 0);
	assert_false(file_exists(fixture_path(&f, "a.tar.part")) || file_exists(fixture_path(&f, "a.tar.layer")));

	assert_ok(&f, file_write_atomic(fixture_path(&f, "root/z.txt"), S("more"), 0600, &f.call.err));
	assert_ok(&f, oci_image_write(&image, again, &f.call.err));
	assert_string_not_equal(digest, again);
	fixture_close(&f);
}

static void test_failures_leave_nothing(UNUSED void **state)
{
	struct fixture f;
	char digest[HEX_SHA256_SIZE];
	fixture_open(&f);
	make_root(&f);
	assert_int_equal(mkfifo(fixture_path(&f, "root/pipe"), 0600), 0);
	struct oci_image image = image_of(&f, "a.tar");
	assert_int_equal(oci_image_write(&image, digest, &f.call.err), ERR_UNSUPPORTED);
	assert_non_null(strstr(f.call.err.message, "root/pipe is neither a file, a folder nor a link"));
	assert_false(file_exists(image.out) || file_exists(fixture_path(&f, "a.tar.part")) ||
		file_exists(fixture_path(&f, "a.tar.layer")));
	image.root = fixture_path(&f, "nowhere");
	assert_int_equal(oci_image_write(&image, digest, &f.call.err), ERR_NOT_FOUND);
	image.out = fixture_path(&f, "no/folder/a.tar");
	assert_int_equal(oci_image_write(&image, digest, &f.call.err), ERR_NOT_FOUND);
	fixture_close(&f);
}

struct full { // a target that takes so many bytes
	size_t left;
};
static int full_write(void *ctx, struct str data, struct err *e)
{
	struct full *full = ctx;
	if (data.n > full->left)
		return err_set(e, ERR_NO_SPACE, "the disk is full");
	full->left -= data.n;
	return 0;
}

static void test_the_targets_error_is_told(UNUSED void **state)
{
	struct fixture f;
	fixture_open(&f);
	for (size_t left = 0; left < 2048; left += 512) {
		struct full full = {left};
		AUTO(tar) tar = NULL;
		struct err e = {0};
		int rc = tar_begin(&(struct tar_target){&full, full_write}, 0, &tar, &e);
		if (rc == 0)
			rc = tar_add_data(tar, "name", S("contents"), &e);
		if (rc == 0)
			rc = tar_end(tar, &e);
		assert_int_equal(rc, ERR_NO_SPACE);
		assert_string_equal(e.message, "the disk is full");
	}
	fixture_close(&f);
}

static void test_command(UNUSED void **state)
{
	struct fixture f;
	fixture_open(&f);
	make_root(&f);
	const struct command *const commands[] = {&image_command};
	char *argv[] = {(char[]){"isobar"}, (char[]){"image"}, arena_cstr(&f.arena, str_of(fixture_path(&f, "nowhere"))), (char[]){"--out"},
		arena_cstr(&f.arena, str_of(fixture_path(&f, "a.tar"))), NULL};
	assert_int_equal(command_main(commands, 1, 5, argv, NULL), 3);
	argv[2] = arena_cstr(&f.arena, str_of(fixture_path(&f, "root")));
	assert_int_equal(command_main(commands, 1, 5, argv, NULL), 0);
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "yesterday", 1), 0);
	assert_int_equal(command_main(commands, 1, 5, argv, NULL), 2);
	assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_failures_leave_nothing),
		cmocka_unit_test(test_the_targets_error_is_told),
		cmocka_unit_test(test_command),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
