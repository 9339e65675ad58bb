// SPDX-License-Identifier: Apache-2.0
// What programs write: cut into lines, paged, bounded.
#include <fcntl.h>

#include "engine_fixture.h"

static int64_t tick(void)
{
	static int64_t now;
	return ++now;
}

static struct engine_writer writer;
static int ends[2];

static int setup(UNUSED void **state)
{
	struct err e = {0};
	snprintf(here.folder, sizeof(here.folder), "/tmp/isobar-test-log-XXXXXX");
	if (!mkdtemp(here.folder) || engine_writer_open(&writer, here.folder, &e) < 0 || pipe(ends) < 0)
		return -1;
	writer.wall_ns = tick;
	return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int teardown(UNUSED void **state)
{
	engine_writer_close(&writer);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	arena_free(&here.arena);
	return file_remove_tree(here.folder, NULL);
}

static struct engine_log read_log(uint64_t offset, size_t most)
{
	struct engine_log log = {0};
	struct err e = {0};
	const struct engine_log_from from = {.offset = offset, .most = most};
	if (engine_log_read(here.folder, &from, &here.arena, &log, &e) < 0)
		fail_msg("%s", e.message);
	return log;
}

static void write_pipe(const char *text, size_t n)
{
	assert_int_equal(write(ends[1], text, n), n);
}

static void test_lines(UNUSED void **state)
{
	struct engine_stream s = {.fd = ends[0], .error = true};
	write_pipe("one\ntw", 6);
	assert_true(engine_stream_read(&s, &writer));
	struct engine_log log = read_log(0, 1000);
	assert_int_equal(log.count, 1);
	assert_line(&log, 0, "one");
	assert_true(log.lines[0].error);
	write_pipe("o\n\nlast", 7);
	assert_true(engine_stream_read(&s, &writer));
	assert_true(engine_stream_read(&s, &writer)); // nothing there: more may come
	log = read_log(log.next, 1000);
	assert_int_equal(log.count, 2);
	assert_line(&log, 0, "two");
	assert_line(&log, 1, "");
	fd_close(&ends[1]);
	assert_false(engine_stream_read(&s, &writer)); // the line that was begun counts
	ends[0] = -1;
	log = read_log(log.next, 1000);
	assert_int_equal(log.count, 1);
	assert_line(&log, 0, "last");
	assert_int_equal(read_log(log.next, 1000).count, 0);
}

static void test_long_line(UNUSED void **state)
{
	struct engine_stream s = {.fd = ends[0]};
	char text[ENGINE_LINE_MAX + 5];
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	write_pipe(text, sizeof(text));
	assert_true(engine_stream_read(&s, &writer));
	struct engine_log log = read_log(0, 1 << 20);
	assert_int_equal(log.count, 2);
	assert_int_equal(log.lines[0].text.n, ENGINE_LINE_MAX);
	assert_int_equal(log.lines[1].text.n, 4);
	// One of exactly the most is one line.
	write_pipe(text + 4, ENGINE_LINE_MAX + 1);
	assert_true(engine_stream_read(&s, &writer));
	log = read_log(log.next, 1 << 20);
	assert_int_equal(log.count, 1);
	assert_int_equal(log.lines[0].text.n, ENGINE_LINE_MAX);
	buf_free(&s.line);
}

static void test_pages(UNUSED void **state)
{
	char text[1000];
	memset(text, 'y', sizeof(text));
	for (int i = 0; i < 100; i++)
		engine_writer_line(&writer, false, str_bytes(text, sizeof(text)));
	size_t count = 0, pages = 0;
	for (uint64_t offset = 0;;) {
		struct engine_log log = read_log(offset, 20000);
		if (!log.count)
			break;
		count += log.count;
		pages++;
		offset = log.next;
	}
	assert_int_equal(count, 100);
	assert_true(pages >= 5 && pages <= 8);
}

static void test_bounded(UNUSED void **state)
{
	static char text[ENGINE_LINE_MAX];
	memset(text, 'z', sizeof(text));
	for (size_t i = 0; i < ENGINE_LOG_MAX / sizeof(text) + 10; i++)
		engine_writer_line(&writer, false, str_bytes(text, sizeof(text)));
	assert_true(writer.full);
	assert_true(writer.size <= ENGINE_LOG_MAX + 200);
	struct engine_log log = {0};
	uint64_t offset = 0;
	for (;;) {
		struct engine_log page = read_log(offset, 1 << 20);
		if (!page.count)
			break;
		log = page;
		offset = page.next;
	}
	assert_true(contains(log.lines[log.count - 1].text, "this log is full"));
	engine_writer_close(&writer);
	struct err e = {0};
	assert_int_equal(engine_writer_open(&writer, here.folder, &e), 0); // it stays full
	assert_true(writer.full);
}

static void test_wrong_offsets(UNUSED void **state)
{
	struct engine_log log = {0};
	struct err e = {0};
	engine_writer_line(&writer, false, S("a line"));
	const uint64_t wrong[] = {1, 3, 1000, UINT64_MAX};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		const struct engine_log_from from = {.offset = wrong[i], .most = 100};
		assert_int_equal(engine_log_read(here.folder, &from, &here.arena, &log, &e), ERR_INVALID);
	}
	const struct engine_log_from start = {.most = 100}, later = {.offset = 5, .most = 100};
	assert_int_equal(engine_log_read("/nonexistent", &start, &here.arena, &log, &e), 0); // has said nothing yet
	assert_int_equal(log.count, 0);
	assert_int_equal(engine_log_read("/nonexistent", &later, &here.arena, &log, &e), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_offsets, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
