// SPDX-License-Identifier: Apache-2.0
// One line per record on standard error: time, level, message, key=value pairs with control characters escaped. Only the
// boundary logs (a request handler, a job step, a command); library code returns errors instead. Thread-safe (one write(2) a line).
#ifndef ISOBAR_BASE_LOG_H
#define ISOBAR_BASE_LOG_H

#include "base/attr.h"
#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

// The least severe level that is written: from ISOBAR_LOG (error, warning, info, debug); warning by default.
enum log_level log_level_from_environment(void);
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
void log_err(enum log_level level, const struct err *e, const char *doing); // the whole chain, with file and line

#endif
