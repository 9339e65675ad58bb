// SPDX-License-Identifier: Apache-2.0
// One error type for the whole program. Functions return 0 or a negative code of ERR_CODES. What can block or fail
// remotely reports through struct call (base/call.h); pure code takes struct err * last. An error says what was tried,
// on what, what came back; callers add context on the way up. struct err is a plain value: no ownership.
#ifndef ISOBAR_BASE_ERR_H
#define ISOBAR_BASE_ERR_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"

// X(NAME, number, word users see, HTTP status the API answers, exit code of the command line)
#define ERR_CODES(X) \
	X(INVALID, 1, "invalid", 400, 2) \
	X(UNAUTHENTICATED, 2, "unauthenticated", 401, 4) \
	X(DENIED, 3, "denied", 403, 4) \
	X(NOT_FOUND, 4, "not found", 404, 3) \
	X(EXISTS, 5, "already exists", 409, 5) \
	X(CONFLICT, 6, "conflict", 412, 5) \
	X(LIMIT, 7, "limit exceeded", 413, 6) \
	X(THROTTLED, 8, "throttled", 429, 7) \
	X(UNSUPPORTED, 9, "unsupported", 501, 8) \
	X(UNAVAILABLE, 10, "unavailable", 503, 7) \
	X(TIMEOUT, 11, "timed out", 504, 7) \
	X(CANCELLED, 12, "cancelled", 499, 130) \
	X(CORRUPT, 13, "corrupt", 502, 9) \
	X(PROTOCOL, 14, "protocol error", 502, 9) \
	X(IO, 15, "input/output error", 500, 10) \
	X(NO_SPACE, 16, "no space left", 507, 10) \
	X(NO_MEMORY, 17, "out of memory", 503, 10) \
	X(IN_USE, 18, "in use", 409, 5) \
	X(WAITING, 19, "waiting", 409, 5) \
	X(FAILED, 20, "failed", 500, 1) \
	X(INTERNAL, 21, "internal error", 500, 1)

enum err_code {
	ERR_NONE = 0,
#define X(name, number, word, http, exit) ERR_##name = -(number),
	ERR_CODES(X)
#undef X
};

struct err {
	int code;                // enum err_code; 0: no error
	bool retryable;          // the same call may succeed later
	int http_status;         // what a remote side answered; 0: none
	char provider_code[64];  // e.g. "NoSuchKey"; empty: none
	const char *file;        // where it was raised
	int line;
	char message[768];
};

// Sets *e (NULL is allowed) and returns the code: return err_set(e, ERR_INVALID, "port %d is out of range", port);
#define err_set(e, code, ...) err_set_at((e), (code), __FILE__, __LINE__, __VA_ARGS__)
int err_set_at(struct err *e, int code, const char *file, int line, const char *format, ...) PRINTF_LIKE(5, 6);
// Puts "context: " before the message; returns e->code. Never changes the code.
int err_context(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);
// The code for an errno value (ENOSPC gives ERR_NO_SPACE, EADDRINUSE gives ERR_IN_USE and so on).
int err_code_of_errno(int number);
// Sets "<what>: <strerror>" with the code of errno.
#define err_errno(e, ...) err_errno_at((e), __FILE__, __LINE__, __VA_ARGS__)
int err_errno_at(struct err *e, const char *file, int line, const char *format, ...) PRINTF_LIKE(4, 5);
void err_clear(struct err *e);

const char *err_word(int code);     // "not found"
const char *err_name(int code);     // "NOT_FOUND"
int err_code_of_name(struct str name); // 0 when unknown
int err_http_status(int code);      // status that our own API answers
int err_exit_code(int code);        // exit code of the command line
bool err_is_retryable(int code);    // the default for the code: THROTTLED, UNAVAILABLE, TIMEOUT

#endif
