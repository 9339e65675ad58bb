// SPDX-License-Identifier: Apache-2.0
// Digests of files and folders, manifests, and what a manifest proves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "data/manifest.h"
#include "fixture.h"

#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_digest_file(void **state)
{
	(void)state;
	struct fixture f;
	struct file_digest d;
	fixture_open(&f);
	fixture_write(&f, "abc", S("abc"));
	fixture_write(&f, "digits", S("123456789"));
	assert_ok(&f, digest_file(fixture_path(&f, "abc"), &d, &f.call.err));
	assert_int_equal(d.size, 3);
	assert_string_equal(d.hex, ABC_SHA256);
	assert_ok(&f, digest_file(fixture_path(&f, "digits"), &d, &f.call.err));
	assert_int_equal(d.crc32c, 0xe3069283);
	struct file_digest alone = {.hex = "x"};
	int fd = open(fixture_path(&f, "digits"), O_RDONLY);
	assert_ok(&f, checksum_fd(fd, "digits", &alone, &f.call.err));
	assert_int_equal(alone.crc32c, 0xe3069283);
	assert_int_equal(alone.size, 9);
	assert_string_equal(alone.hex, "");
	close(fd);
	assert_fails(&f, digest_file(fixture_path(&f, "none"), &d, &f.call.err), ERR_NOT_FOUND);
	assert_fails(&f, digest_file(f.folder, &d, &f.call.err), ERR_INVALID);
	assert_int_equal(symlink("abc", fixture_path(&f, "link")), 0);
	assert_int_not_equal(digest_file(fixture_path(&f, "link"), &d, NULL), 0);
	fixture_close(&f);
}

static void test_digest_tree(void **state)
{
	(void)state;
	struct fixture f;
	char first[HEX_SHA256_SIZE], second[HEX_SHA256_SIZE];
	fixture_open(&f);
	fixture_write(&f, "code/train.py", S("print()"));
	fixture_write(&f, "code/lib/a.py", S("a"));
	assert_ok(&f, digest_tree(fixture_path(&f, "code"), first, &f.call.err));
	fixture_write(&f, "code/.hidden", S("x"));
	fixture_write(&f, "code/lib/__pycache__/a.pyc", S("x"));
	assert_ok(&f, digest_tree(fixture_path(&f, "code"), second, &f.call.err));
	assert_string_equal(first, second);
	assert_int_equal(rename(fixture_path(&f, "code/lib/a.py"), fixture_path(&f, "code/lib/b.py")), 0);
	assert_ok(&f, digest_tree(fixture_path(&f, "code"), second, &f.call.err));
	assert_string_not_equal(first, second);
	assert_int_equal(rename(fixture_path(&f, "code/lib/b.py"), fixture_path(&f, "code/lib/a.py")), 0);
	fixture_write(&f, "code/train.py", S("print(1)"));
	assert_ok(&f, digest_tree(fixture_path(&f, "code"), second, &f.call.err));
	assert_string_not_equal(first, second);
	assert_int_equal(symlink("/etc/passwd", fixture_path(&f, "code/link")), 0);
	assert_int_not_equal(digest_tree(fixture_path(&f, "code"), second, NULL), 0);
	fixture_close(&f);
}

static void write_manifest(struct fixture *f, const struct manifest *m)
{
	AUTO(json) j = manifest_to_json(m);
	AUTO(buf) text = {0};
	assert_ok(f, json_write(j, &text, &f->call.err));
	fixture_write(f, "part/" MANIFEST_FILE, buf_str(&text));
}

static void test_verify(void **state)
{
	(void)state;
	struct fixture f;
	struct manifest got;
	struct str clouds[] = {S("aws-us"), S("gcp-eu")};
	struct manifest_file files[] = {
		{.name = S("x-images-idx3-ubyte"), .sha256 = S(ABC_SHA256), .size = 3, .records = 2}};
	const struct manifest m = {.dataset = S("images"),
		.run = S("0123456789ab"),
		.source = S("file:data"),
		.files = files,
		.file_count = 1,
		.by = S("hash of record"),
		.clouds = clouds,
		.cloud_count = 2,
		.index = 1};
	fixture_open(&f);
	const char *part = fixture_path(&f, "part");
	fixture_write(&f, "part/x-images-idx3-ubyte", S("abc"));
	write_manifest(&f, &m);
	assert_ok(&f, manifest_verify(&f.arena, part, &got, &f.call.err));
	assert_str(got.dataset, S("images"));
	assert_str(got.by, S("hash of record"));
	assert_int_equal(got.index, 1);
	assert_int_equal(got.cloud_count, 2);
	assert_str(got.clouds[1], S("gcp-eu"));
	assert_int_equal(got.files[0].records, 2);

	fixture_write(&f, "part/x-images-idx3-ubyte", S("abd")); // same length, other bytes
	assert_fails(&f, manifest_verify(&f.arena, part, &got, &f.call.err), ERR_CORRUPT);
	fixture_write(&f, "part/x-images-idx3-ubyte", S("ab"));
	assert_fails(&f, manifest_verify(&f.arena, part, &got, &f.call.err), ERR_CORRUPT);
	assert_int_equal(unlink(fixture_path(&f, "part/x-images-idx3-ubyte")), 0);
	assert_fails(&f, manifest_verify(&f.arena, part, &got, &f.call.err), ERR_CORRUPT);
	fixture_close(&f);
}

static void test_hostile(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{}",
		"{\"dataset\":\"d\",\"files\":[]}",
		"{\"dataset\":\"d\",\"files\":[{\"name\":\"../x\",\"size\":1,\"records\":1,\"sha256\":\"" ABC_SHA256
		"\"}]}",
		"{\"dataset\":\"d\",\"files\":[{\"name\":\"a/b\",\"size\":1,\"records\":1,\"sha256\":\"" ABC_SHA256
		"\"}]}",
		"{\"dataset\":\"d\",\"files\":[{\"name\":\"x\",\"size\":-1,\"records\":1,\"sha256\":\"" ABC_SHA256
		"\"}]}",
		"{\"dataset\":\"d\",\"files\":[{\"name\":\"x\",\"size\":1,\"records\":1,\"sha256\":\"12\"}]}",
		"{\"dataset\":\"d\",\"files\":[7]}",
	};
	struct fixture f;
	struct manifest m;
	fixture_open(&f);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		AUTO(json) j = NULL;
		assert_ok(&f, json_parse(str_of(texts[i]), &j, &f.call.err));
		assert_fails(&f, manifest_of_json(&f.arena, j, &m, &f.call.err), ERR_CORRUPT);
	}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_file),
		cmocka_unit_test(test_digest_tree),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
