// SPDX-License-Identifier: Apache-2.0
// The archive of a job's code: the same code gives the same bytes, tar reads them, and what is hostile is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "cloud/code_archive.h"
#include "fixture.h"

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	fixture_open(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

static const char *long_name(struct fixture *f)
{
	char part[121];
	memset(part, 'x', 120);
	part[120] = '\0';
	return arena_printf(&f->arena, "code/deep/%s/%s.py", part, part).p;
}

static void write_code(struct fixture *f)
{
	fixture_write(f, "code/train.py", S("print('trained')\n"));
	fixture_write(f, "code/lib/empty.py", S(""));
	fixture_write(f, "code/run.sh", S("#!/bin/sh\n"));
	fixture_write(f, "code/.git/config", S("hidden"));
	fixture_write(f, "code/__pycache__/train.pyc", S("compiled"));
	fixture_write(f, long_name(f), S("far away"));
	assert_int_equal(chmod(fixture_path(f, "code/run.sh"), 0755), 0);
}

static struct code_archive pack(struct fixture *f, const char *code, const char *to)
{
	struct code_archive made = {0};
	AUTO(fd) fd = open(fixture_path(f, to), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_ok(f, code_archive_write(&f->call, fixture_path(f, code), fd, &made));
	return made;
}

static int unpack(struct fixture *f, const char *from, const char *to)
{
	AUTO(fd) fd = open(fixture_path(f, from), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(mkdir(fixture_path(f, to), 0700), 0);
	return code_archive_read(&f->call, fd, fixture_path(f, to));
}

static void comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct stat s;
	write_code(f);
	struct code_archive made = pack(f, "code", "a.tar");
	assert_int_equal(made.size, fixture_read(f, "a.tar").n);
	struct sha256 sum = sha256_of(fixture_read(f, "a.tar"));
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(sum.bytes, sizeof(sum.bytes)), hex);
	assert_string_equal(made.sha256, hex);
	assert_ok(f, unpack(f, "a.tar", "out"));
	assert_str(fixture_read(f, "out/train.py"), S("print('trained')\n"));
	assert_str(fixture_read(f, "out/lib/empty.py"), S(""));
	assert_str(fixture_read(f, arena_printf(&f->arena, "out/%s", long_name(f) + 5).p), S("far away"));
	assert_false(file_exists(fixture_path(f, "out/.git")));
	assert_false(file_exists(fixture_path(f, "out/__pycache__")));
	assert_int_equal(stat(fixture_path(f, "out/run.sh"), &s), 0);
	assert_int_equal(s.st_mode & 0777, 0700);
	assert_int_equal(stat(fixture_path(f, "out/train.py"), &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
}

// A copy made later, its files written in another order.
static void same_code_same_bytes(void **state)
{
	struct fixture *f = *state;
	fixture_write(f, "one/a.py", S("a"));
	fixture_write(f, "one/b/c.py", S("c"));
	fixture_write(f, "two/b/c.py", S("c"));
	fixture_write(f, "two/a.py", S("a"));
	struct code_archive first = pack(f, "one", "1.tar"), second = pack(f, "two", "2.tar");
	assert_string_equal(first.sha256, second.sha256);
	fixture_write(f, "two/a.py", S("A"));
	assert_string_not_equal(pack(f, "two", "3.tar").sha256, first.sha256);
}

static void tar_reads_it(void **state)
{
	struct fixture *f = *state;
	struct process p;
	int status = 1;
	write_code(f);
	(void)pack(f, "code", "a.tar");
	assert_int_equal(mkdir(fixture_path(f, "tar"), 0700), 0);
	const char *const argv[] = {"/bin/tar", "-xf", fixture_path(f, "a.tar"), "-C", fixture_path(f, "tar"), NULL};
	const struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .error = -1};
	if (access("/bin/tar", X_OK) < 0)
		skip();
	assert_ok(f, process_start(&spec, &p, &f->call.err));
	assert_ok(f, process_wait(&p, 20 * INT64_C(1000000000), &status, &f->call.err));
	assert_int_equal(status, 0);
	assert_str(fixture_read(f, "tar/train.py"), S("print('trained')\n"));
	assert_str(fixture_read(f, arena_printf(&f->arena, "tar/%s", long_name(f) + 5).p), S("far away"));
}

static void links_are_refused(void **state)
{
	struct fixture *f = *state;
	struct code_archive made;
	fixture_write(f, "code/a.py", S("a"));
	assert_int_equal(symlink("/etc/passwd", fixture_path(f, "code/link")), 0);
	AUTO(fd) fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_fails(f, code_archive_write(&f->call, fixture_path(f, "code"), fd, &made), ERR_INVALID);
	assert_fails(f, code_archive_write(&f->call, fixture_path(f, "absent"), fd, &made), ERR_NOT_FOUND);
}

static void damage(struct fixture *f, const char *name, size_t at, const char *bytes, size_t n)
{
	struct str whole = fixture_read(f, "a.tar");
	char *copy = arena_cstr(&f->arena, whole);
	memcpy(copy + at, bytes, n);
	fixture_write(f, name, str_bytes(copy, whole.n));
}

static void damage_is_found(void **state)
{
	struct fixture *f = *state;
	fixture_write(f, "code/train.py", S("print('trained')\n"));
	(void)pack(f, "code", "a.tar");
	damage(f, "bit.tar", 0, "u", 1);
	assert_fails(f, unpack(f, "bit.tar", "bit"), ERR_CORRUPT);
	fixture_write(f, "cut.tar", str_take(fixture_read(f, "a.tar"), 1024));
	assert_fails(f, unpack(f, "cut.tar", "cut"), ERR_CORRUPT);
	fixture_write(f, "empty.tar", S(""));
	assert_fails(f, unpack(f, "empty.tar", "empty"), ERR_CORRUPT);
}

// A header that somebody else made, with a sum that fits.
static void make_header(struct fixture *f, const char *file, const char *name, char type)
{
	char block[512 * 3] = {0};
	unsigned sum = 0;
	snprintf(block, 100, "%s", name);
	memcpy(block + 100, "0000644", 8);
	memcpy(block + 124, "00000000000", 12);
	memcpy(block + 148, "        ", 8);
	block[156] = type;
	memcpy(block + 257, "ustar\0" "00", 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	fixture_write(f, file, str_bytes(block, sizeof(block)));
}

static void hostile_names_stay_outside(void **state)
{
	struct fixture *f = *state;
	make_header(f, "good.tar", "inside", '0');
	assert_ok(f, unpack(f, "good.tar", "good"));
	assert_true(file_exists(fixture_path(f, "good/inside")));
	make_header(f, "up.tar", "../outside", '0');
	assert_fails(f, unpack(f, "up.tar", "up"), ERR_INVALID);
	make_header(f, "root.tar", "/tmp/outside", '0');
	assert_fails(f, unpack(f, "root.tar", "root"), ERR_INVALID);
	make_header(f, "link.tar", "link", '2');
	assert_fails(f, unpack(f, "link.tar", "link"), ERR_CORRUPT);
	assert_false(file_exists(fixture_path(f, "outside")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(same_code_same_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(tar_reads_it, setup, teardown),
		cmocka_unit_test_setup_teardown(links_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_names_stay_outside, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
