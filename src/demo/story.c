// SPDX-License-Identifier: Apache-2.0
// The demo's lines and bars: see story.h.
#include "demo/story.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/edges.h"
#include "base/str.h"

// A bar of fewer steps than this says nothing on paper that the line after it does not say.
enum { BAR_WIDTH = 40, FEW_STEPS = 10 };

static int64_t now_ns(void)
{
	return edges_real()->mono_ns(edges_real()->ctx);
}

void story_begin(struct story *s, FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	*s = (struct story){.out = out, .terminal = isatty(fileno(out)), .started_ns = now_ns()};
	s->color = s->terminal && !(no_color && *no_color);
}

double story_seconds(const struct story *s)
{
	return (double)(now_ns() - s->started_ns) / 1e9;
}

static void head(struct story *s, const char *chapter)
{
	fprintf(s->out, "%s%7.1f s  %s%-10s%s ", s->terminal ? "\r\033[K" : "", story_seconds(s), s->color ? "\033[1;36m" : "", chapter,
		s->color ? "\033[0m" : "");
}

void story_say(struct story *s, const char *chapter, const char *format, ...)
{
	va_list args;
	head(s, chapter);
	va_start(args, format);
	vfprintf(s->out, format, args);
	va_end(args);
	fputc('\n', s->out);
	fflush(s->out);
	s->bar[0] = '\0';
}

static void draw_bar(struct story *s, double share)
{
	int filled = (int)(share * BAR_WIDTH);
	for (int i = 0; i < BAR_WIDTH; i++)
		fputs(i < filled ? "█" : "░", s->out);
	fprintf(s->out, " %3.0f%%", share * 100);
}

void story_progress(struct story *s, const char *chapter, double done, double total)
{
	double share = total > 0 ? MIN(done / total, 1.0) : 0;
	int quarter = (int)(share * 4);
	if (strcmp(s->bar, chapter) != 0) {
		str_copy(s->bar, sizeof(s->bar), str_of(chapter));
		s->quarter = 0;
	}
	if (s->terminal) {
		head(s, chapter);
		draw_bar(s, share);
		fflush(s->out);
	} else if (quarter > s->quarter && total >= FEW_STEPS) {
		char label[sizeof(s->bar)];
		memcpy(label, s->bar, sizeof(label));
		story_say(s, chapter, "%d%%", quarter * 25);
		memcpy(s->bar, label, sizeof(label));
	}
	s->quarter = MAX(s->quarter, quarter);
}
