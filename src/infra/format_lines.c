// SPDX-License-Identifier: Apache-2.0
// Where keys and items begin, from the tree of the text, and which values were lined up. See format.h.
#include <string.h>

#include "infra/format_impl.h"

bool format_cut(struct str text, struct arena *a, struct format_lines *out)
{
	size_t count = 1;
	for (size_t i = 0; i < text.n; i++)
		count += text.p[i] == '\n';
	*out = (struct format_lines){.arena = a, .items = arena_new_array(a, count, struct format_line)};
	struct str line;
	while (out->items && str_next(&text, '\n', &line)) {
		if (str_ends(line, S("\r")))
			line = str_take(line, line.n - 1);
		out->items[out->count++].text = line;
	}
	return out->items != NULL;
}

// Columns count characters.
static size_t byte_of(struct str line, int column)
{
	size_t i = 0;
	for (int at = 1; i < line.n && at < column; at++) {
		i++;
		while (i < line.n && ((unsigned char)line.p[i] & 0xc0) == 0x80)
			i++;
	}
	return i;
}

static struct format_line *line_at(const struct format_lines *lines, int number)
{
	return number > 0 && (size_t)number <= lines->count ? &lines->items[number - 1] : NULL;
}

static bool is_block(const struct format_lines *lines, const struct node *n)
{
	const struct format_line *line = line_at(lines, n->at.line);
	size_t i = line ? byte_of(line->text, n->at.column) : 0;
	return (n->type == NODE_MAP || n->type == NODE_LIST) && n->first && line && i < line->text.n &&
	       line->text.p[i] != '{' && line->text.p[i] != '[';
}

static void mark_node(struct format_lines *lines, const struct node *n, int indent);

static void mark_map(struct format_lines *lines, const struct node *map, int indent)
{
	for (const struct node *n = map->first; n; n = n->next) {
		struct format_line *line = line_at(lines, n->key_at.line);
		if (line && !line->structural)
			*line = (struct format_line){.text = line->text, .structural = true, .indent = indent,
				.content = byte_of(line->text, n->key_at.column)};
		if (line)
			line->member = line->content == byte_of(line->text, n->key_at.column);
		mark_node(lines, n, indent + 2);
	}
}

// The line of the dash of an item that begins at line and column: the same, or one above that ends in it.
static struct format_line *dash_line(struct format_lines *lines, const struct node *item, bool *same)
{
	struct format_line *line = line_at(lines, item->at.line);
	struct str before = line ? str_trim(str_take(line->text, byte_of(line->text, item->at.column))) : (struct str){0};
	*same = str_ends(before, S("-"));
	if (*same)
		return line;
	for (int i = item->at.line - 1; i > 0; i--) {
		struct str text = str_trim(lines->items[i - 1].text);
		if (text.n && text.p[0] != '#')
			return str_ends(text, S("-")) ? &lines->items[i - 1] : NULL;
	}
	return NULL;
}

static void mark_list(struct format_lines *lines, const struct node *list, int indent)
{
	for (const struct node *n = list->first; n; n = n->next) {
		bool same;
		struct format_line *line = n->at.line ? dash_line(lines, n, &same) : NULL;
		if (line && !line->structural)
			*line = (struct format_line){.text = line->text, .structural = true, .indent = indent};
		if (line) {
			line->dashes++;
			line->content = same ? byte_of(line->text, n->at.column) : line->text.n;
		}
		mark_node(lines, n, indent + 2);
	}
}

static void mark_node(struct format_lines *lines, const struct node *n, int indent)
{
	if (!is_block(lines, n))
		return;
	if (n->type == NODE_MAP)
		mark_map(lines, n, indent);
	else
		mark_list(lines, n, indent);
}

void format_mark(struct format_lines *lines, const struct node *root)
{
	if (root)
		mark_node(lines, root, 0);
}

// ---------------------------------------------------------------- lining up
size_t format_key_length(struct str content)
{
	size_t i = 0;
	char quote = content.n ? content.p[0] : 0;
	if (quote == '"' || quote == '\'') {
		for (i = 1; i < content.n && content.p[i] != quote; i++)
			i += content.p[i] == '\\' && quote == '"';
		i++;
	}
	while (i < content.n && !(content.p[i] == ':' && (i + 1 == content.n || content.p[i + 1] == ' ' || content.p[i + 1] == '\t')))
		i++;
	return i < content.n ? i + 1 : content.n;
}

static size_t characters(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

// Blanks between ':' and the value on the same line; 0: there is none.
static size_t gap_of(const struct format_line *line)
{
	struct str content = str_drop(line->text, line->content);
	struct str rest = str_drop(content, format_key_length(content));
	size_t gap = 0;
	while (gap < rest.n && rest.p[gap] == ' ')
		gap++;
	return gap == rest.n || rest.p[gap] == '#' || rest.p[gap] == '\t' ? 0 : gap;
}

static size_t key_width(const struct format_line *line)
{
	struct str content = str_drop(line->text, line->content);
	return characters(str_take(content, format_key_length(content)));
}

static bool may_line_up(const struct format_line *line)
{
	return line->structural && line->member && line->dashes == 0 && gap_of(line) > 0;
}

static bool stands_below(const struct format_line *a, const struct format_line *b)
{
	return may_line_up(b) && b->indent == a->indent && b->content == a->content &&
	       key_width(b) + gap_of(b) == key_width(a) + gap_of(a);
}

void format_line_up(struct format_lines *lines)
{
	for (size_t i = 0, end; i < lines->count; i = end) {
		size_t widest = 0;
		bool wide = false;
		end = i + 1;
		if (!may_line_up(&lines->items[i]))
			continue;
		while (end < lines->count && stands_below(&lines->items[end - 1], &lines->items[end]))
			end++;
		for (size_t j = i; j < end; j++) {
			size_t width = key_width(&lines->items[j]);
			widest = width > widest ? width : widest;
			wide = wide || gap_of(&lines->items[j]) > 1;
		}
		for (size_t j = i; wide && end - i > 1 && j < end; j++)
			lines->items[j].pad = widest + 1 - key_width(&lines->items[j]);
	}
}
