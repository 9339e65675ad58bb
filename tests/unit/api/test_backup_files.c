// SPDX-License-Identifier: Apache-2.0
// The files of a backup: which there are, what may come back, and what a crash between state and files leaves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "api/backup_files.h"
#include "fixture_state.h"

static int take(struct fixture *f, struct backup_stage *s, const char *name, const char *data)
{
	AUTO(json) file = json_pack("{s:s, s:s}", "name", name, "data", data);
	return backup_stage_take(&f->call, s, file);
}

static void test_only_known_files_come_back(UNUSED void **out)
{
	struct fixture f;
	fixture_open(&f);
	struct str folder = str_of(f.folder);
	struct backup_stage s = {.state_folder = folder, .id = S("restore/1")};
	assert_ok(&f, backup_stage_begin(&f.call, &s));
	static const char *const bad[] = {"../ca.key", "/etc/passwd", "ca.key/x", "control.token",
		"local/a/keys/../x.json", "local/a/keys/b/c.json", "local/a/jobs/x.json", "local/a/keys/x.txt", ""};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_fails(&f, take(&f, &s, bad[i], "aGk="), ERR_CORRUPT);
	assert_fails(&f, take(&f, &s, "ca.key", "a%"), ERR_CORRUPT);
	assert_ok(&f, take(&f, &s, "ca.key", "aGk="));
	assert_ok(&f, take(&f, &s, "local/aws/keys/lake.json", "e30="));
	assert_int_equal(s.count, 2);
	assert_false(file_exists(fixture_path(&f, "ca.key")));
	assert_ok(&f, backup_stage_install(&f.call, folder));
	assert_str(fixture_read(&f, "ca.key"), S("hi"));
	assert_str(fixture_read(&f, "local/aws/keys/lake.json"), S("{}"));
	struct stat st;
	assert_int_equal(stat(fixture_path(&f, "ca.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(file_exists(fixture_path(&f, "restoring")));
	assert_true(backup_files_have_keys(&f.call, folder));
	// The same again is fine, another is not, unless it may be replaced.
	assert_ok(&f, backup_stage_begin(&f.call, &s));
	assert_ok(&f, take(&f, &s, "ca.key", "aGk="));
	assert_fails(&f, take(&f, &s, "ca.key", "aG8="), ERR_EXISTS);
	s.replace = true;
	assert_ok(&f, take(&f, &s, "ca.key", "aG8="));
	backup_stage_remove(&f.call, folder);
	assert_str(fixture_read(&f, "ca.key"), S("hi"));
	fixture_close(&f);
}

static void test_keys_are_sealed_plain_or_left_out(UNUSED void **out)
{
	static const enum backup_keys modes[] = {BACKUP_SEALED, BACKUP_PLAIN, BACKUP_WITHOUT};
	struct fixture f;
	AUTO(secret) phrase = {0};
	AUTO(passphrase_key) key = {0};
	fixture_open(&f);
	assert_int_equal(secret_set(&phrase, S("correct horse battery"), NULL), 0);
	assert_ok(&f, passphrase_new(&f.call, &phrase, &key));
	fixture_write(&f, "ca.pem", S("public"));
	assert_false(backup_files_have_keys(&f.call, str_of(f.folder)));
	fixture_write(&f, "ca.key", S("private"));
	assert_int_equal(chmod(fixture_path(&f, "ca.key"), 0600), 0);
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		struct archive_writer *w;
		struct archive_counts counts;
		const char *path = arena_printf(&f.arena, "%s/backup-%zu", f.folder, i).p;
		assert_ok(&f, archive_create(&f.call, path, NULL, &w));
		assert_ok(&f, backup_files_write(&f.call, str_of(f.folder), modes[i], &key, w));
		assert_ok(&f, archive_finish(&f.call, w, &counts));
		assert_int_equal(counts.files, modes[i] == BACKUP_WITHOUT ? 1 : 2);
		struct str text = fixture_read(&f, strrchr(path, '/') + 1);
		assert_int_equal(str_find(text, S("cHJpdmF0ZQ==")) >= 0, modes[i] == BACKUP_PLAIN); // "private"
		assert_int_equal(str_find(text, S("\"sealed\"")) >= 0, modes[i] == BACKUP_SEALED);
	}
	fixture_close(&f);
}

static void test_a_crash_in_between_is_settled(UNUSED void **out)
{
	struct fixture f;
	struct state state;
	fixture_open_state(&f, &state);
	struct str folder = str_of(f.folder);
	struct backup_stage s = {.state_folder = folder, .id = S("restore/1")};
	AUTO(json) last = json_pack("{s:s}", "id", "restore/1");
	for (int committed = 0; committed <= 1; committed++) {
		assert_ok(&f, backup_stage_begin(&f.call, &s));
		assert_ok(&f, take(&f, &s, "ca.key", "aGk="));
		if (committed)
			assert_ok(&f, state_put(&f.call, &state, S("restore/last"), last, 0, NULL));
		int lock = backup_lock(&f.call, folder);
		assert_true(lock >= 0);
		assert_ok(&f, backup_settle(&f.call, folder, &state)); // another's restore is under way
		assert_true(file_exists(fixture_path(&f, "restoring/ca.key")));
		fd_close(&lock);
		assert_ok(&f, backup_settle(&f.call, folder, &state));
		assert_false(file_exists(fixture_path(&f, "restoring")));
		assert_int_equal(file_exists(fixture_path(&f, "ca.key")), committed);
	}
	assert_ok(&f, backup_settle(&f.call, folder, &state)); // nothing to do
	fixture_close_state(&f, &state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_known_files_come_back),
		cmocka_unit_test(test_keys_are_sealed_plain_or_left_out),
		cmocka_unit_test(test_a_crash_in_between_is_settled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
