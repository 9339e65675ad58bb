// SPDX-License-Identifier: Apache-2.0
// Files of backups: what is written is read, and any change of a byte is noticed before anything is loaded.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "fixture_state.h"
#include "state/archive.h"

struct bench {
	struct fixture f;
	struct state state, other;
	const char *path;
	int files;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct lease lease;
	fixture_open_state(&b->f, &b->state);
	assert_ok(&b->f, state_open_sqlite(&b->f.call, fixture_path(&b->f, "other.db"), &b->other));
	b->path = fixture_path(&b->f, "backup");
	AUTO(json) v = json_pack("{s:s, s:[i, f, n]}", "text", "gr\xc3\xbc\xc3\x9f \"\n", "list", 1, 0.1);
	for (int i = 0; i < 3; i++)
		assert_ok(&b->f,
			state_append_one(&b->f.call, &b->state, S("some.event"), S("a/b"), json_deep_copy(v), NULL));
	assert_ok(&b->f, state_put(&b->f.call, &b->state, S("k/1"), v, 0, NULL));
	assert_ok(&b->f, b->state.ops->lease(&b->f.call, b->state.ctx, S("l"), S("me"), 1000, &lease));
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	state_close(&b->other);
	fixture_close_state(&b->f, &b->state);
	free(b);
	return 0;
}

static void back_up(struct bench *b)
{
	struct archive_writer *w;
	struct archive_counts counts;
	AUTO(json) head = json_pack("{s:s}", "workspace", "fashion");
	AUTO(json) file = json_pack("{s:s, s:s}", "name", "ca.pem", "data", "aGk=");
	assert_ok(&b->f, archive_create(&b->f.call, b->path, head, &w));
	const struct state_sink sink = archive_sink(w);
	assert_ok(&b->f, archive_put_file(&b->f.call, w, file));
	assert_ok(&b->f, state_dump(&b->f.call, &b->state, &sink));
	assert_ok(&b->f, archive_finish(&b->f.call, w, &counts));
	assert_int_equal(counts.files, 1);
	assert_int_equal(counts.leases, 1);
	assert_int_equal(counts.events, 3);
	assert_int_equal(counts.records, 1);
}

static int take_file(struct call *c, void *ctx, const json_t *file)
{
	struct bench *b = ctx;
	(void)c;
	b->files += strcmp(json_text(file, "name"), "ca.pem") == 0;
	return 0;
}

static int restore(struct bench *b)
{
	struct archive_reader *r;
	const json_t *head;
	int rc = archive_open(&b->f.call, b->path, &r, &head);
	if (rc < 0)
		return rc;
	const struct state_source source = archive_source(r, take_file, b);
	rc = state_load(&b->f.call, &b->other, &source, true);
	if (rc == 0)
		assert_string_equal(json_text(head, "workspace"), "fashion");
	if (rc == 0)
		assert_int_equal(archive_read_so_far(r).events, 3);
	archive_close(r);
	return rc;
}

static void test_what_is_written_is_read(void **out)
{
	struct bench *b = *out;
	struct stat st;
	struct event *one, *two;
	struct record r, s;
	struct archive_writer *w;
	back_up(b);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(file_exists(fixture_path(&b->f, "backup.partial")));
	assert_ok(&b->f, restore(b));
	assert_int_equal(b->files, 1);
	assert_int_equal(fixture_events(&b->f, &b->state, "", &one), 3);
	assert_int_equal(fixture_events(&b->f, &b->other, "", &two), 3);
	assert_true(json_equal(one[2].data, two[2].data));
	assert_true(one[2].time_ns == two[2].time_ns && str_eq(one[2].trace, two[2].trace));
	assert_ok(&b->f, state_get(&b->f.call, &b->state, S("k/1"), &r));
	assert_ok(&b->f, state_get(&b->f.call, &b->other, S("k/1"), &s));
	assert_true(r.revision == s.revision && json_equal(r.value, s.value));
	assert_fails(&b->f, archive_create(&b->f.call, b->path, NULL, &w), ERR_EXISTS);
}

static void test_any_change_is_noticed(void **out)
{
	struct bench *b = *out;
	back_up(b);
	struct str whole = fixture_read(&b->f, "backup");
	char *copy = arena_cstr(&b->f.arena, whole);
	uint64_t head = 9;
	for (size_t i = 0; i < whole.n; i += 7) { // each cut, and each changed byte, in turn
		fixture_write(&b->f, "backup", str_take(whole, i));
		assert_true(restore(b) < 0);
		char was = copy[i];
		copy[i] = (char)(was ^ 1);
		fixture_write(&b->f, "backup", str_bytes(copy, whole.n));
		copy[i] = was;
		int rc = restore(b);
		if (rc == 0)
			fail_msg("byte %zu of the backup was changed, and nobody noticed", i);
		err_clear(&b->f.call.err);
	}
	assert_ok(&b->f, state_watch(&b->f.call, &b->other, UINT64_MAX, 0, &head));
	assert_int_equal(head, 0);
}

static void test_other_files_are_refused(void **out)
{
	struct bench *b = *out;
	static const struct {
		const char *text;
		int code;
		const char *says;
	} cases[] = {
		{"", ERR_CORRUPT, "no backup that Isobar made"},
		{"{\"isobar\": 1}\n", ERR_CORRUPT, "no backup"},
		{"{\"isobar_backup\": 2, \"program\": \"9.0.0\"}\n", ERR_UNSUPPORTED, "was made by Isobar 9.0.0"},
		{"{\"isobar_backup\": 1}\n", ERR_CORRUPT, "the end is missing"},
		{"{\"isobar_backup\": 1}\n[]\n", ERR_CORRUPT, "is no object"},
		{"{\"isobar_backup\": 1}\n{\"x\": 1}\n", ERR_CORRUPT, "is of no known sort"},
		{"{\"isobar_backup\": 1}\n{\"record\": {\"key\": \"k\"}}\n", ERR_CORRUPT, "is no record"},
		{"{\"isobar_backup\": 1}\n{\"event\": {\"schema\": 0}}\n", ERR_CORRUPT, "is no event"},
		{"{\"isobar_backup\": 1}\n{\"end\": {}}\n", ERR_CORRUPT, "counts other lines"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		fixture_write(&b->f, "backup", str_of(cases[i].text));
		int rc = restore(b);
		if (rc != cases[i].code || !strstr(b->f.call.err.message, cases[i].says))
			fail_msg("%s: %s", cases[i].text, b->f.call.err.message);
		err_clear(&b->f.call.err);
	}
	b->path = fixture_path(&b->f, "absent");
	assert_fails(&b->f, restore(b), ERR_NOT_FOUND);
}

static void test_an_abandoned_one_leaves_nothing(void **out)
{
	struct bench *b = *out;
	struct archive_writer *w;
	assert_ok(&b->f, archive_create(&b->f.call, b->path, NULL, &w));
	assert_true(file_exists(fixture_path(&b->f, "backup.partial")));
	archive_abandon(w);
	assert_false(file_exists(fixture_path(&b->f, "backup.partial")));
	assert_false(file_exists(b->path));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_written_is_read),
		TEST(test_any_change_is_noticed),
		TEST(test_other_files_are_refused),
		TEST(test_an_abandoned_one_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
