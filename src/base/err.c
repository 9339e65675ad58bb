// SPDX-License-Identifier: Apache-2.0
// Errors: see err.h. One table gives each code its word, HTTP status and exit code.
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int code;
	const char *name, *word;
	int http, exit;
} codes[] = {
#define X(name, number, word, http, exit) {ERR_##name, #name, word, http, exit},
	ERR_CODES(X)
#undef X
};

int err_set_at(struct err *e, int code, const char *file, int line, const char *format, ...)
{
	if (!e)
		return code;
	// The arguments may point into the old message, so it is formatted aside.
	char message[sizeof(e->message)];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	memset(e, 0, sizeof(*e));
	memcpy(e->message, message, sizeof(message));
	e->code = code;
	e->retryable = err_is_retryable(code);
	e->file = file;
	e->line = line;
	return code;
}

int err_context(struct err *e, const char *format, ...)
{
	if (!e)
		return ERR_INTERNAL;
	char message[sizeof(e->message)];
	va_list args;
	va_start(args, format);
	int used = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	size_t n = MIN((size_t)MAX(used, 0), sizeof(message) - 1);
	snprintf(message + n, sizeof(message) - n, ": %s", e->message);
	memcpy(e->message, message, sizeof(message));
	return e->code;
}

int err_code_of_errno(int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	case ENOSPC:
	case EDQUOT:
		return ERR_NO_SPACE;
	case ENOMEM:
		return ERR_NO_MEMORY;
	case EADDRINUSE:
	case ETXTBSY:
		return ERR_IN_USE;
	case EMFILE:
	case ENFILE:
	case EFBIG:
		return ERR_LIMIT;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EPIPE:
		return ERR_UNAVAILABLE;
	case EINVAL:
	case ENAMETOOLONG:
	case ELOOP:
		return ERR_INVALID;
	default:
		return ERR_IO;
	}
}

// What whoever runs the program can do about it; "": nothing that holds everywhere.
static const char *advice_of(int number)
{
	switch (number) {
	case ENOSPC:
	case EDQUOT:
		return ": free some space and try again";
	case EROFS:
		return ": mount it for writing, or work in another folder";
	case EMFILE:
		return ": raise the limit on open files (ulimit -n) and try again";
	case ENFILE:
		return ": the whole system has too many files open; end something and try again";
	case ENOMEM:
		return ": free some memory, or raise the limit (ulimit -v), and try again";
	default:
		return "";
	}
}

int err_errno_at(struct err *e, const char *file, int line, const char *format, ...)
{
	int number = errno;
	char what[sizeof(e->message)];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return err_set_at(e, err_code_of_errno(number), file, line, "%s: %s%s", what, strerror(number), advice_of(number));
}

void err_clear(struct err *e)
{
	memset(e, 0, sizeof(*e));
}

const char *err_word(int code)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (codes[i].code == code)
			return codes[i].word;
	return "unknown error";
}

const char *err_name(int code)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (codes[i].code == code)
			return codes[i].name;
	return "UNKNOWN";
}

int err_code_of_name(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (str_eq(name, str_of(codes[i].name)))
			return codes[i].code;
	return 0;
}

int err_http_status(int code)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (codes[i].code == code)
			return codes[i].http;
	return 500;
}

int err_exit_code(int code)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (codes[i].code == code)
			return codes[i].exit;
	return 1;
}

bool err_is_retryable(int code)
{
	return code == ERR_THROTTLED || code == ERR_UNAVAILABLE || code == ERR_TIMEOUT;
}
