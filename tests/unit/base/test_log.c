// SPDX-License-Identifier: Apache-2.0
// Log lines, caught by putting a pipe in the place of standard error.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"

static int saved, pipes[2];

static void catch_begin(void)
{
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	saved = dup(STDERR_FILENO);
	assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
}

// What was written since, as a C string in text.
static void catch_end(char *text, size_t size)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
	ssize_t got = read(pipes[0], text, size - 1);
	text[got > 0 ? got : 0] = '\0';
	close(pipes[0]);
	close(pipes[1]);
}

static void test_level(UNUSED void **state)
{
	unsetenv("ISOBAR_LOG");
	assert_int_equal(log_level_from_environment(), LOG_WARNING);
	setenv("ISOBAR_LOG", "debug", 1);
	assert_int_equal(log_level_from_environment(), LOG_DEBUG);
	setenv("ISOBAR_LOG", "error", 1);
	assert_int_equal(log_level_from_environment(), LOG_ERROR);
	setenv("ISOBAR_LOG", "LOUD", 1);
	assert_int_equal(log_level_from_environment(), LOG_WARNING);
}

static void test_line(UNUSED void **state)
{
	char text[512];
	setenv("ISOBAR_LOG", "info", 1);
	catch_begin();
	log_line(LOG_DEBUG, "unseen");
	log_line(LOG_INFO, "user=%s", "a\nb\x1b[2J\xc2\x9b\x7f\xc3\xbc");
	catch_end(text, sizeof(text));
	char *message = strchr(text, ' ');
	assert_non_null(message);
	assert_string_equal(message, " info user=a\\x0ab\\x1b[2J\\x9b\\x7f\xc3\xbc\n");
	int64_t when;
	assert_int_equal(time_parse_rfc3339(str_bytes(text, (size_t)(message - text)), &when), 0);
}

static void test_long_line_is_cut(UNUSED void **state)
{
	char text[8192], big[6000];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	catch_begin();
	log_line(LOG_ERROR, "%s", big);
	catch_end(text, sizeof(text));
	assert_int_equal(strlen(text), 4096);
	assert_int_equal(text[4095], '\n');
}

static void test_err(UNUSED void **state)
{
	char text[512];
	struct err e;
	err_set_at(&e, ERR_UNAVAILABLE, "cloud/retry.c", 12, "put: 503\r\n");
	e.http_status = 503;
	str_copy(e.provider_code, sizeof(e.provider_code), S("SlowDown"));
	catch_begin();
	log_err(LOG_ERROR, &e, "copy lake");
	log_err(LOG_DEBUG, &e, "unseen");
	catch_end(text, sizeof(text));
	assert_string_equal(strchr(text, ' '),
		" error copy lake: put: 503\\x0d\\x0a code=UNAVAILABLE at=cloud/retry.c:12 "
		"status=503 provider_code=SlowDown\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_long_line_is_cut),
		cmocka_unit_test(test_err),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
