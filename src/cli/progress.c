// SPDX-License-Identifier: Apache-2.0
// What a running request tells: on a terminal one bar for each thing under way, redrawn in place; elsewhere a line when
// something began, ended, or has something to say.
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/cli_impl.h"

enum { MAX_BARS = 12, BAR_WIDTH = 24, REDRAW_MS = 60, LABEL_WIDTH = 44 };

struct bar {
	char step[64], label[96], unit[16];
	double done, total;
	bool used, ended;
};

struct progress_view {
	FILE *out;
	bool terminal, color;
	struct bar bars[MAX_BARS];
	size_t drawn; // lines of bars on the screen
	int64_t drawn_ns;
};

struct progress_view *progress_new(struct arena *a, FILE *out)
{
	struct progress_view *p = arena_new(a, struct progress_view);
	if (p)
		*p = (struct progress_view){
			.out = out, .terminal = stream_is_terminal(out), .color = stream_has_color(out)};
	return p;
}

// ---------------------------------------------------------------- bars
static void erase(struct progress_view *p)
{
	if (p->drawn)
		fprintf(p->out, "\033[%zuA\r\033[J", p->drawn);
	p->drawn = 0;
}

static void print_amount(const struct progress_view *p, const struct bar *bar)
{
	bool bytes = strcmp(bar->unit, "bytes") == 0;
	double scale = bytes ? 1e6 : 1;
	const char *unit = bytes ? "MB" : bar->unit;
	if (bar->total > 0)
		fprintf(p->out, " %.*f/%.*f %s", bytes, bar->done / scale, bytes, bar->total / scale, unit);
	else
		fprintf(p->out, " %.*f %s", bytes, bar->done / scale, unit);
}

static void draw_bar(const struct progress_view *p, const struct bar *bar)
{
	double share = bar->total > 0 ? MIN(bar->done / bar->total, 1.0) : 0;
	int full = (int)(share * BAR_WIDTH);
	fprintf(p->out, "%-*.*s [", LABEL_WIDTH, LABEL_WIDTH, bar->label);
	fputs(p->color ? "\033[36m" : "", p->out);
	for (int i = 0; i < BAR_WIDTH; i++)
		fputc(i < full ? '=' : i == full && share < 1 ? '>' : ' ', p->out);
	fputs(p->color ? "\033[0m]" : "]", p->out);
	print_amount(p, bar);
	fputc('\n', p->out);
}

static void draw(struct progress_view *p)
{
	erase(p);
	for (size_t i = 0; i < MAX_BARS; i++) {
		if (!p->bars[i].used)
			continue;
		draw_bar(p, &p->bars[i]);
		p->drawn++;
	}
	fflush(p->out);
}

static void draw_sometimes(struct progress_view *p)
{
	const struct edges *edges = edges_real();
	int64_t now = edges->mono_ns(edges->ctx);
	if (now - p->drawn_ns < REDRAW_MS * NS_PER_MS)
		return;
	p->drawn_ns = now;
	draw(p);
}

// Bars that ended move up into the scrolled text, so that the room below is for what is under way.
static void retire(struct progress_view *p)
{
	bool any = false;
	for (size_t i = 0; i < MAX_BARS; i++)
		any = any || (p->bars[i].used && p->bars[i].ended);
	if (!any)
		return;
	erase(p);
	for (size_t i = 0; i < MAX_BARS; i++) {
		if (!p->bars[i].used || !p->bars[i].ended)
			continue;
		draw_bar(p, &p->bars[i]);
		p->bars[i] = (struct bar){0};
	}
	draw(p);
}

// Steps are made one after the other: what an earlier one left unfinished on the screen says nothing any more.
static void drop_other_steps(struct progress_view *p, const char *step)
{
	for (size_t i = 0; i < MAX_BARS; i++) {
		if (p->bars[i].used && strcmp(p->bars[i].step, step) != 0)
			p->bars[i] = (struct bar){0};
	}
}

static struct bar *find_bar(struct progress_view *p, const char *label)
{
	struct bar *unused = NULL;
	for (size_t i = 0; i < MAX_BARS; i++) {
		if (p->bars[i].used && strcmp(p->bars[i].label, label) == 0)
			return &p->bars[i];
		if (!p->bars[i].used && !unused)
			unused = &p->bars[i];
	}
	if (!unused)
		return NULL;
	*unused = (struct bar){.used = true};
	snprintf(unused->label, sizeof(unused->label), "%s", label);
	return unused;
}

// ---------------------------------------------------------------- events
static void say(struct progress_view *p, const char *text)
{
	erase(p);
	fprintf(p->out, "%s\n", text);
	if (p->terminal)
		draw(p);
}

static void show_progress(struct progress_view *p, const json_t *event)
{
	char label[96];
	struct str what = json_str(event, "what"), text = json_str(event, "text");
	snprintf(label, sizeof(label), "%s%s%.*s", json_text(event, "step"), what.n ? ": " : "", STR(what));
	double done = json_num(event, "done", 0), total = json_num(event, "total", 0);
	if (text.n) {
		char line[512];
		bool said = what.n && str_find(text, what) >= 0; // the text names it already
		snprintf(line, sizeof(line), "%s: %.*s", said ? json_text(event, "step") : label, STR(text));
		say(p, line);
	}
	const char *unit = json_text(event, "unit");
	drop_other_steps(p, json_text(event, "step"));
	if (strcmp(unit, "rounds") == 0) // of the whole step, whichever round it was
		snprintf(label, sizeof(label), "%s", json_text(event, "step"));
	struct bar *bar = *unit ? find_bar(p, label) : NULL;
	if (!bar)
		return;
	bool ended = total > 0 && done >= total, fresh = ended && !bar->ended;
	snprintf(bar->step, sizeof(bar->step), "%s", json_text(event, "step"));
	snprintf(bar->unit, sizeof(bar->unit), "%s", unit);
	bar->done = done;
	bar->total = total;
	bar->ended = ended;
	if (p->terminal && fresh)
		retire(p);
	else if (p->terminal)
		draw_sometimes(p);
	else if (fresh)
		fprintf(p->out, "%s: %.0f %s\n", label, total, unit);
}

static void show_change(struct progress_view *p, const json_t *event)
{
	static const char *const past[][2] = {
		{"create", "created"}, {"update", "changed"}, {"replace", "replaced"}, {"delete", "deleted"}};
	struct str state = json_str(event, "state"), waiting = json_str(event, "waiting");
	const char *action = json_text(event, "action"), *done = action;
	for (size_t i = 0; i < COUNT_OF(past); i++)
		done = strcmp(action, past[i][0]) == 0 ? past[i][1] : done;
	char line[1024];
	if (str_eq(state, S("started")))
		return;
	if (waiting.n)
		snprintf(line, sizeof(line), "%s: waiting: %.*s", json_text(event, "address"), STR(waiting));
	else if (str_eq(state, S("done")))
		snprintf(line, sizeof(line), "%s: %s (%.2f s)", json_text(event, "address"), done,
			json_num(event, "seconds", 0));
	else
		snprintf(line, sizeof(line), "%s: %s: %s", json_text(event, "address"), json_text(event, "state"),
			json_text(event, "error"));
	say(p, line);
}

static void show_run(struct progress_view *p, const json_t *event)
{
	size_t i;
	const json_t *step;
	char line[512];
	snprintf(line, sizeof(line), "%s is made of:", json_text(event, "goal"));
	say(p, line);
	json_array_foreach(json_object_get(event, "steps"), i, step)
	{
		snprintf(line, sizeof(line), "  %-40s %s", json_text(step, "step"), json_text(step, "need"));
		say(p, line);
	}
}

void progress_event(struct progress_view *p, const json_t *event)
{
	struct str name = json_str(event, "event");
	if (str_eq(name, S("progress")))
		show_progress(p, event);
	else if (str_eq(name, S("change")))
		show_change(p, event);
	else if (str_eq(name, S("run")))
		show_run(p, event);
}

void progress_end(struct progress_view *p)
{
	if (p->terminal)
		draw(p);
	memset(p->bars, 0, sizeof(p->bars));
	p->drawn = 0;
}
