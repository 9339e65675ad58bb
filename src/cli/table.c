// SPDX-License-Identifier: Apache-2.0
// Tables for people: columns as wide as their widest cell, two spaces apart, nothing drawn around them.
#include <string.h>

#include "cli/cli_impl.h"

struct table_row {
	struct str *cells;
	struct table_row *next;
};
struct table {
	struct arena *arena;
	const struct table_column *columns;
	size_t count;
	size_t *widths;
	struct table_row *first, *last;
};

// Characters on the screen: continuation bytes of UTF-8 take no room.
static size_t shown_width(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

struct table *table_new(struct arena *a, const struct table_column *columns, size_t count)
{
	struct table *t = arena_new(a, struct table);
	if (!t)
		return NULL;
	*t = (struct table){
		.arena = a, .columns = columns, .count = count, .widths = arena_new_array(a, count, size_t)};
	for (size_t i = 0; t->widths && i < count; i++)
		t->widths[i] = strlen(columns[i].title);
	return t->widths ? t : NULL;
}

void table_add(struct table *t, const struct str *cells)
{
	struct table_row *row = t ? arena_new(t->arena, struct table_row) : NULL;
	if (!row || !(row->cells = arena_new_array(t->arena, t->count, struct str)))
		return;
	for (size_t i = 0; i < t->count; i++) {
		row->cells[i] = arena_str(t->arena, cells[i]);
		t->widths[i] = MAX(t->widths[i], shown_width(row->cells[i]));
	}
	*(t->last ? &t->last->next : &t->first) = row;
	t->last = row;
}

static void write_cell(const struct table *t, size_t i, struct str text, FILE *out)
{
	size_t pad = t->widths[i] - MIN(t->widths[i], shown_width(text));
	bool last = i + 1 == t->count;
	if (t->columns[i].right)
		fprintf(out, "%*s", (int)pad, "");
	fprintf(out, "%.*s", STR(text));
	if (!t->columns[i].right && !last)
		fprintf(out, "%*s", (int)pad, "");
	fputs(last ? "\n" : "  ", out);
}

void table_write(const struct table *t, FILE *out)
{
	if (!t || !t->first) {
		fputs("nothing\n", out);
		return;
	}
	for (size_t i = 0; i < t->count; i++)
		write_cell(t, i, str_of(t->columns[i].title), out);
	for (const struct table_row *row = t->first; row; row = row->next) {
		for (size_t i = 0; i < t->count; i++)
			write_cell(t, i, row->cells[i], out);
	}
}

struct str cell_bytes(struct arena *a, double bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	size_t unit = 0;
	while (bytes >= 1000 && unit + 1 < COUNT_OF(units)) {
		bytes /= 1000;
		unit++;
	}
	return arena_printf(a, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}
