// SPDX-License-Identifier: Apache-2.0
// Errors: messages grow by context, codes keep their words, errno becomes a code.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

static void test_set_and_context(UNUSED void **state)
{
	struct err e = {.http_status = 404, .provider_code = "NoSuchKey"};
	assert_int_equal(err_set(&e, ERR_TIMEOUT, "read %d bytes", 5), ERR_TIMEOUT);
	assert_string_equal(e.message, "read 5 bytes");
	assert_true(e.retryable);
	assert_int_equal(e.http_status, 0);
	assert_string_equal(e.provider_code, "");
	assert_non_null(strstr(e.file, "test_err.c"));
	assert_true(e.line > 0);
	int line = e.line;
	assert_int_equal(err_context(&e, "copy %s", "lake"), ERR_TIMEOUT);
	assert_string_equal(e.message, "copy lake: read 5 bytes");
	assert_int_equal(e.line, line);
	assert_int_equal(err_set(&e, ERR_INVALID, "again: %s", e.message), ERR_INVALID); // from its own message
	assert_string_equal(e.message, "again: copy lake: read 5 bytes");
	assert_false(e.retryable);
	err_clear(&e);
	assert_int_equal(e.code, 0);
	assert_string_equal(e.message, "");
	assert_int_equal(err_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
}

static void test_long_messages_are_cut(UNUSED void **state)
{
	struct err e = {0};
	char text[2000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&e, ERR_IO, "%s", text);
	assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
	err_context(&e, "%s", text);
	assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
	err_clear(&e);
	err_set(&e, ERR_IO, "inner");
	err_context(&e, "outer");
	assert_string_equal(e.message, "outer: inner");
}

static void test_errno(UNUSED void **state)
{
	static const struct {
		int number, code;
	} rows[] = {{ENOENT, ERR_NOT_FOUND}, {EEXIST, ERR_EXISTS}, {EACCES, ERR_DENIED}, {ENOSPC, ERR_NO_SPACE},
		{EDQUOT, ERR_NO_SPACE}, {ENOMEM, ERR_NO_MEMORY}, {EADDRINUSE, ERR_IN_USE}, {EMFILE, ERR_LIMIT},
		{EFBIG, ERR_LIMIT}, {ETIMEDOUT, ERR_TIMEOUT}, {ECONNREFUSED, ERR_UNAVAILABLE}, {EINVAL, ERR_INVALID},
		{EIO, ERR_IO}, {0, ERR_IO}};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(err_code_of_errno(rows[i].number), rows[i].code);
	struct err e = {0};
	errno = ENOSPC;
	assert_int_equal(err_errno(&e, "write %s", "/x"), ERR_NO_SPACE);
	assert_string_equal(e.message, "write /x: No space left on device: free some space and try again");
}

// Numbers and names are written into journals and answers: none may change or be given twice.
static void test_codes(UNUSED void **state)
{
	static const int codes[] = {
#define X(name, number, word, http, exit) ERR_##name,
		ERR_CODES(X)
#undef X
	};
	assert_int_equal(COUNT_OF(codes), 21);
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		assert_int_equal(codes[i], -(int)i - 1);
		assert_int_equal(err_code_of_name(str_of(err_name(codes[i]))), codes[i]);
		int http = err_http_status(codes[i]), exit = err_exit_code(codes[i]);
		assert_true(http >= 400 && http < 600);
		assert_true(exit > 0 && exit <= 130);
	}
	assert_string_equal(err_word(ERR_NOT_FOUND), "not found");
	assert_string_equal(err_name(ERR_NO_SPACE), "NO_SPACE");
	assert_int_equal(err_http_status(ERR_THROTTLED), 429);
	assert_int_equal(err_exit_code(ERR_DENIED), 4);
	assert_string_equal(err_word(-999), "unknown error");
	assert_string_equal(err_name(0), "UNKNOWN");
	assert_int_equal(err_http_status(-999), 500);
	assert_int_equal(err_exit_code(-999), 1);
	assert_int_equal(err_code_of_name(S("not_found")), 0);
	assert_true(
		err_is_retryable(ERR_UNAVAILABLE) && err_is_retryable(ERR_THROTTLED) && !err_is_retryable(ERR_DENIED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_context),
		cmocka_unit_test(test_long_messages_are_cut),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
