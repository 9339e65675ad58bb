// SPDX-License-Identifier: Apache-2.0
// The lines of a text and what they are; see format.h.
#ifndef ISOBAR_INFRA_FORMAT_IMPL_H
#define ISOBAR_INFRA_FORMAT_IMPL_H

#include "base/arena.h"
#include "infra/format.h"

struct format_line {
	struct str text; // without the end of the line
	bool structural; // a key or an item begins here
	int indent;      // new one, in blanks
	int dashes;      // "- " before what follows
	size_t content;  // byte where what follows begins; text.n: nothing does
	bool member;     // "key: ..." follows
	size_t pad;      // blanks behind the ':' when values are lined up; 0: one
};

struct format_lines {
	struct format_line *items;
	size_t count;
	struct arena *arena;
};

// Cuts the text into lines. false without memory.
bool format_cut(struct str text, struct arena *a, struct format_lines *out);
// Marks the lines on which keys and items of block style begin.
void format_mark(struct format_lines *lines, const struct node *root);
// Values that stand in one column over several lines stay so.
void format_line_up(struct format_lines *lines);
// Bytes of "key:" at the start of a member's content.
size_t format_key_length(struct str content);

#endif
