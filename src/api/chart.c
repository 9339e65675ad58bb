// SPDX-License-Identifier: Apache-2.0
// Charts as SVG. See chart.h.
#include "api/chart.h"

#include <math.h>

enum {
	WIDTH = 760,
	HEIGHT = 260,
	LEFT = 64,
	RIGHT = 16,
	TOP = 12,
	BOTTOM = 44,
	ROW_HEIGHT = 30,
	ROW_LABEL = 190,
	TICKS = 5
};

struct scale {
	double low, high; // of the data
	double from, to;  // on the page
};

void html_escape(struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '&':
			buf_add(out, S("&amp;"));
			break;
		case '<':
			buf_add(out, S("&lt;"));
			break;
		case '>':
			buf_add(out, S("&gt;"));
			break;
		case '"':
			buf_add(out, S("&quot;"));
			break;
		case '\'':
			buf_add(out, S("&#39;"));
			break;
		default:
			buf_add_char(out, text.p[i]);
		}
	}
}

static double place(const struct scale *s, double value)
{
	double share = s->high > s->low ? (value - s->low) / (s->high - s->low) : 0.5;
	return s->from + share * (s->to - s->from);
}

// 1, 2 or 5 times a power of ten: the distance of ticks that people read.
static double tick_step(double range)
{
	if (!(range > 0))
		return 1;
	double rough = range / TICKS, power = pow(10, floor(log10(rough))), share = rough / power;
	return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
}

static void widen(struct scale *s, double value)
{
	s->low = fmin(s->low, value);
	s->high = fmax(s->high, value);
}

// ---------------------------------------------------------------- axes
static void write_y_axis(const struct scale *y, const char *label, struct buf *out)
{
	double step = tick_step(y->high - y->low);
	for (double v = ceil(y->low / step) * step; v <= y->high + step * 1e-6; v += step) {
		double at = place(y, v);
		buf_printf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
			WIDTH - RIGHT, at, at);
		buf_printf(out, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>", LEFT - 6,
			at + 4, fabs(v) < step * 1e-6 ? 0 : v);
	}
	buf_printf(out,
		"<text class=\"label\" transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>",
		(HEIGHT - BOTTOM + TOP) / 2, label);
}

static void write_x_axis(const struct scale *x, const char *label, int bottom, struct buf *out)
{
	double step = tick_step(x->high - x->low);
	for (double v = ceil(x->low / step) * step; v <= x->high + step * 1e-6; v += step)
		buf_printf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>",
			place(x, v), bottom + 16, fabs(v) < step * 1e-6 ? 0 : v);
	buf_printf(out, "<text class=\"label\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
		(x->from + x->to) / 2, bottom + 34, label);
}

static void write_legend(const struct chart *c, struct buf *out)
{
	buf_add(out, S("<p class=\"legend\">"));
	for (size_t i = 0; i < c->series_count; i++) {
		buf_printf(out, "<span class=\"key c%zu\"></span>", i % CHART_COLORS);
		html_escape(c->series[i].name, out);
		buf_add_char(out, ' ');
	}
	buf_add(out, S("</p>\n"));
}

// ---------------------------------------------------------------- series
static void measure(const struct chart *c, struct scale *x, struct scale *y)
{
	*x = (struct scale){.low = INFINITY, .high = -INFINITY, .from = LEFT, .to = WIDTH - RIGHT};
	*y = (struct scale){.low = INFINITY, .high = -INFINITY, .from = HEIGHT - BOTTOM, .to = TOP};
	size_t points = c->series_count ? c->series[0].count : 0;
	for (size_t i = 0; i < c->series_count; i++) {
		for (size_t j = 0; j < c->series[i].count; j++) {
			widen(x, c->series[i].x[j]);
			widen(y, c->series[i].y[j]);
		}
	}
	for (size_t j = 0; c->stacked && j < points; j++) {
		double sum = 0;
		for (size_t i = 0; i < c->series_count; i++)
			sum += c->series[i].y[j];
		widen(y, sum);
	}
	if (c->from_zero || c->stacked)
		widen(y, 0);
	if (!(y->high > y->low)) {
		y->low -= 0.5;
		y->high += 0.5;
	}
}

static void write_line(
	const struct chart_series *s, size_t index, const struct scale *x, const struct scale *y, struct buf *out)
{
	buf_printf(out, "<polyline class=\"line c%zu\" points=\"", index % CHART_COLORS);
	for (size_t j = 0; j < s->count; j++)
		buf_printf(out, "%.1f,%.1f ", place(x, s->x[j]), place(y, s->y[j]));
	buf_add(out, S("\"/>"));
	for (size_t j = 0; s->count <= 40 && j < s->count; j++)
		buf_printf(out,
			"<circle class=\"dot c%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>%g: %g</title></circle>",
			index % CHART_COLORS, place(x, s->x[j]), place(y, s->y[j]), s->x[j], s->y[j]);
}

static double sum_below(const struct chart *c, size_t index, size_t point)
{
	double sum = 0;
	for (size_t i = 0; i < index; i++)
		sum += c->series[i].y[point];
	return sum;
}

static void write_area(
	const struct chart *c, size_t index, const struct scale *x, const struct scale *y, struct buf *out)
{
	const struct chart_series *s = &c->series[index];
	buf_printf(out, "<polygon class=\"area c%zu\" points=\"", index % CHART_COLORS);
	for (size_t j = 0; j < s->count; j++)
		buf_printf(out, "%.1f,%.1f ", place(x, s->x[j]), place(y, sum_below(c, index + 1, j)));
	for (size_t j = s->count; j-- > 0;)
		buf_printf(out, "%.1f,%.1f ", place(x, s->x[j]), place(y, sum_below(c, index, j)));
	buf_add(out, S("\"/>"));
}

void chart_write(const struct chart *c, struct buf *out)
{
	struct scale x, y;
	size_t points = 0;
	for (size_t i = 0; i < c->series_count; i++)
		points += c->series[i].count;
	if (points == 0) {
		buf_add(out, S("<p class=\"none\">Nothing was recorded.</p>\n"));
		return;
	}
	measure(c, &x, &y);
	buf_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDTH, HEIGHT);
	write_y_axis(&y, c->y_label, out);
	write_x_axis(&x, c->x_label, HEIGHT - BOTTOM, out);
	for (size_t i = 0; i < c->series_count; i++) {
		if (c->stacked)
			write_area(c, i, &x, &y, out);
		else
			write_line(&c->series[i], i, &x, &y, out);
	}
	buf_add(out, S("</svg>\n"));
	write_legend(c, out);
}

// ---------------------------------------------------------------- timeline
static void write_span(const struct chart_span *s, const struct scale *x, struct buf *out)
{
	double top = TOP + (double)s->row * ROW_HEIGHT + 5, from = place(x, s->from);
	if (s->to < s->from) {
		buf_printf(out, "<circle class=\"dot c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\">", s->color, from, top + 10);
	} else {
		double width = fmax(place(x, s->to) - from, 2);
		buf_printf(out, "<rect class=\"span c%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"20\" rx=\"3\">",
			s->color, from, top, width);
	}
	buf_add(out, S("<title>"));
	html_escape(s->text, out);
	buf_add(out, s->to < s->from ? S("</title></circle>") : S("</title></rect>"));
}

void chart_write_timeline(const struct chart_timeline *t, struct buf *out)
{
	struct scale x = {.low = t->from, .high = t->to, .from = ROW_LABEL, .to = WIDTH - RIGHT};
	int bottom = TOP + (int)t->row_count * ROW_HEIGHT;
	if (t->row_count == 0) {
		buf_add(out, S("<p class=\"none\">Nothing was recorded.</p>\n"));
		return;
	}
	buf_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDTH, bottom + BOTTOM);
	for (size_t i = 0; i < t->row_count; i++) {
		int at = TOP + (int)i * ROW_HEIGHT;
		buf_printf(out, "<line class=\"grid\" x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", WIDTH - RIGHT,
			at + ROW_HEIGHT, at + ROW_HEIGHT);
		buf_printf(out, "<text class=\"tick\" x=\"0\" y=\"%d\">", at + 19);
		html_escape(t->rows[i], out);
		buf_add(out, S("</text>"));
	}
	for (size_t i = 0; i < t->span_count; i++)
		write_span(&t->spans[i], &x, out);
	write_x_axis(&x, "seconds", bottom, out);
	buf_add(out, S("</svg>\n"));
}
