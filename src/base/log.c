// SPDX-License-Identifier: Apache-2.0
// Log lines: see log.h.
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/edges.h"
#include "base/time.h"

enum { LINE_SIZE = 4096 };

static const char *const level_words[] = {"error", "warning", "info", "debug"};

enum log_level log_level_from_environment(void)
{
	struct str wanted = str_of(getenv("ISOBAR_LOG"));
	for (size_t i = 0; i < COUNT_OF(level_words); i++)
		if (str_eq(wanted, str_of(level_words[i])))
			return (enum log_level)i;
	return LOG_WARNING;
}

// A line under construction; what does not fit is cut, and room for the newline is kept.
struct line {
	char text[LINE_SIZE];
	size_t n;
};

static void add_char(struct line *line, char c)
{
	if (line->n < LINE_SIZE - 1)
		line->text[line->n++] = c;
}

static void add_text(struct line *line, const char *text)
{
	for (; *text; text++)
		add_char(line, *text);
}

// Outside text must not start lines of its own or steer a terminal: control characters are written as \xNN. Bytes of
// UTF-8 stay, but for the C1 controls (U+0080 to U+009F, in UTF-8 C2 80 to C2 9F).
static void add_escaped(struct line *line, const char *text)
{
	for (const unsigned char *u = (const unsigned char *)text; *u; u++) {
		char code[8];
		bool c1 = u[0] == 0xc2 && u[1] >= 0x80 && u[1] <= 0x9f;
		if (*u >= ' ' && *u != 0x7f && !c1) {
			add_char(line, (char)*u);
			continue;
		}
		snprintf(code, sizeof(code), "\\x%02x", c1 ? u[1] : u[0]);
		add_text(line, code);
		u += c1;
	}
}

static void begin(struct line *line, enum log_level level)
{
	char when[TIME_TEXT_SIZE];
	const struct edges *real = edges_real();
	time_rfc3339(real->wall_ns(real->ctx), 3, when);
	line->n = 0;
	add_text(line, when);
	add_char(line, ' ');
	add_text(line, level_words[level]);
	add_char(line, ' ');
}

static void end(struct line *line)
{
	line->text[line->n++] = '\n';
	// One write a line, so that lines of several threads and processes do not mix. A log that cannot be written has
	// no one to be told to.
	while (write(STDERR_FILENO, line->text, line->n) < 0 && errno == EINTR)
		;
}

void log_line(enum log_level level, const char *format, ...)
{
	if (level > log_level_from_environment())
		return;
	struct line line;
	char message[LINE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	begin(&line, level);
	add_escaped(&line, message);
	end(&line);
}

void log_err(enum log_level level, const struct err *e, const char *doing)
{
	if (level > log_level_from_environment())
		return;
	struct line line;
	char facts[160];
	begin(&line, level);
	add_escaped(&line, doing);
	add_text(&line, ": ");
	add_escaped(&line, e->message);
	snprintf(facts, sizeof(facts), " code=%s at=%s:%d", err_name(e->code), e->file ? e->file : "?", e->line);
	add_text(&line, facts);
	if (e->http_status) {
		snprintf(facts, sizeof(facts), " status=%d", e->http_status);
		add_text(&line, facts);
	}
	if (e->provider_code[0]) {
		add_text(&line, " provider_code=");
		add_escaped(&line, e->provider_code);
	}
	end(&line);
}
