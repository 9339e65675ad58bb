// SPDX-License-Identifier: Apache-2.0
// Charts as SVG text: lines, stacked areas, and a timeline of spans. Colours come from the page's style sheet (classes
// c0 .. c5), so that they follow light and dark. Pure; everything is escaped, since names come from users.
#ifndef ISOBAR_API_CHART_H
#define ISOBAR_API_CHART_H

#include "base/buf.h"

enum { CHART_COLORS = 6 };

struct chart_series {
	struct str name;
	const double *x, *y; // count points, x ascending; stacked series share their x
	size_t count;
};
struct chart {
	const char *x_label, *y_label;
	const struct chart_series *series;
	size_t series_count;
	bool stacked;
	bool from_zero; // the y axis begins at 0
};
void chart_write(const struct chart *c, struct buf *out);

struct chart_span { // a thing that held from .. to on one row
	size_t row;
	double from, to; // to < from: a moment
	struct str text;
	int color; // 0 .. CHART_COLORS - 1
};
struct chart_timeline {
	const struct str *rows;
	size_t row_count;
	const struct chart_span *spans;
	size_t span_count;
	double from, to; // seconds
};
void chart_write_timeline(const struct chart_timeline *t, struct buf *out);

void html_escape(struct str text, struct buf *out); // & < > " '

#endif
