// SPDX-License-Identifier: Apache-2.0
// How the demo tells: plain lines without a terminal, bars only where they say something; and the memory of a run.
#include "demo/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "demo/memory.h"

static void lines_are_plain_without_a_terminal(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	struct story s;
	(void)state;
	story_begin(&s, out);
	s.started_ns = INT64_MAX / 2; // no time has passed: the clock is before it
	assert_false(s.terminal);
	story_say(&s, "plan", "%d to create", 25);
	fclose(out);
	assert_non_null(strstr(text, " s  plan       25 to create\n"));
	assert_null(strchr(text, '\033'));
	free(text);
}

static int count_lines(const char *text)
{
	int lines = 0;
	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void a_bar_is_a_line_a_quarter(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	struct story s;
	(void)state;
	story_begin(&s, out);
	for (int i = 0; i <= 100; i++)
		story_progress(&s, "serving", i, 100);
	for (int i = 0; i <= 3; i++)
		story_progress(&s, "training", i, 3);
	fclose(out);
	assert_int_equal(count_lines(text), 4);
	assert_non_null(strstr(text, "serving    25%\n"));
	assert_non_null(strstr(text, "serving    100%\n"));
	assert_null(strstr(text, "training"));
	free(text);
}

static void the_memory_of_a_run_is_that_of_its_processes(void **state)
{
	char folder[1024];
	struct memory_watch *w;
	(void)state;
	// This very process works in its folder, and is its own program.
	assert_non_null(getcwd(folder, sizeof(folder)));
	folder[511] = '\0';
	assert_int_equal(memory_watch_start(folder, &w, NULL), 0);
	usleep(100000);
	assert_true(memory_watch_stop(w) > 0.5);
	assert_int_equal(memory_watch_start("/nobody/works/here", &w, NULL), 0);
	usleep(100000);
	assert_true(memory_watch_stop(w) == 0);
	assert_true(memory_watch_stop(NULL) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_plain_without_a_terminal),
		cmocka_unit_test(a_bar_is_a_line_a_quarter),
		cmocka_unit_test(the_memory_of_a_run_is_that_of_its_processes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
