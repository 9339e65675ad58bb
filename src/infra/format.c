// SPDX-License-Identifier: Apache-2.0
// Writing the lines anew: see format.h. A scanner goes along that knows whether a line begins inside quotes, brackets or
// a block of text; what it does not touch is copied as it is.
#include "infra/format.h"

#include <string.h>

#include "infra/format_impl.h"

struct scanner {
	struct buf *out;
	size_t depth;     // of brackets
	char quote;       // open one; 0: none
	bool literal;     // inside a block of text: '|' or '>'
	int block;        // old indentation of the line that the block's header is on
	int shift;        // of lines that go on with the last structural one
	bool blank;       // an empty line is due before the next one
	bool after_colon; // inside brackets: what was written last is ": "
};

static size_t blanks(struct str s)
{
	size_t n = 0;
	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'))
		n++;
	return n;
}

static void add_blanks(struct buf *out, size_t n)
{
	for (; n; n--)
		buf_add_char(out, ' ');
}

// Characters since the last end of a line.
static size_t width(const struct buf *out)
{
	size_t n = 0;
	for (size_t i = out->n; i > 0 && out->p[i - 1] != '\n'; i--)
		n += ((unsigned char)out->p[i - 1] & 0xc0) != 0x80;
	return n;
}

static void trim_end(struct buf *out)
{
	while (out->n && out->p[out->n - 1] == ' ')
		out->n--;
}

// ---------------------------------------------------------------- values
// Inside brackets and outside of quotes: one blank behind ',' and ':', none beside brackets.
static size_t add_bracketed(struct scanner *s, struct str rest)
{
	char c = rest.p[0];
	size_t skip = blanks(rest);
	if (skip) {
		char next = skip < rest.n ? rest.p[skip] : 0;
		char last = s->out->n ? s->out->p[s->out->n - 1] : 0;
		bool inner = last == '{' || last == '[' || next == ',' || next == '}' || next == ']' || !next || last == ' ';
		if (!inner && !s->after_colon)
			buf_add(s->out, str_take(rest, skip));
		return skip;
	}
	s->after_colon = false;
	buf_add_char(s->out, c);
	s->depth += c == '{' || c == '[';
	s->depth -= (c == '}' || c == ']') && s->depth;
	bool behind = rest.n > 1 && (rest.p[1] == ' ' || rest.p[1] == '\t');
	if (c == ',' && rest.n > blanks(str_drop(rest, 1)) + 1)
		buf_add_char(s->out, ' ');
	if (c == ':' && behind) {
		buf_add_char(s->out, ' ');
		s->after_colon = true;
	}
	return 1;
}

static size_t add_quoted(struct scanner *s, struct str rest)
{
	bool escape = s->quote == '"' && rest.p[0] == '\\' && rest.n > 1;
	bool twice = s->quote == '\'' && rest.p[0] == '\'' && rest.n > 1 && rest.p[1] == '\'';
	size_t n = escape || twice ? 2 : 1;
	if (n == 1 && rest.p[0] == s->quote)
		s->quote = 0;
	buf_add(s->out, str_take(rest, n));
	return n;
}

// Whether a quote here opens a text, and is not a character of a plain one ("it's").
static bool may_open(const struct scanner *s, size_t start)
{
	if (s->out->n == start)
		return true;
	char last = s->out->p[s->out->n - 1];
	if (s->depth == 0)
		return false;
	return strchr(" {[,", last) != NULL || last == ':';
}

static bool begins_comment(struct str line, size_t i)
{
	return line.p[i] == '#' && (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t');
}

// In its old column when there is room for it.
static void add_comment(struct scanner *s, struct str line, size_t i, size_t column)
{
	trim_end(s->out);
	size_t now = width(s->out);
	bool fresh = s->out->n == 0 || s->out->p[s->out->n - 1] == '\n';
	if (!fresh)
		add_blanks(s->out, column > now ? column - now : 2);
	buf_add(s->out, str_trim(str_drop(line, i)));
}

static size_t column_of(struct str line, size_t byte)
{
	size_t n = 0;
	for (size_t i = 0; i < byte; i++)
		n += ((unsigned char)line.p[i] & 0xc0) != 0x80;
	return n;
}

// What stands from byte `from` of the line on.
static void add_rest(struct scanner *s, struct str line, size_t from)
{
	size_t start = s->out->n;
	for (size_t i = from; i < line.n;) {
		struct str rest = str_drop(line, i);
		if (s->quote) {
			i += add_quoted(s, rest);
			continue;
		}
		if (begins_comment(line, i)) {
			add_comment(s, line, i, column_of(line, i));
			break;
		}
		bool opens = (rest.p[0] == '"' || rest.p[0] == '\'') && may_open(s, start);
		bool bracket = (rest.p[0] == '{' || rest.p[0] == '[') && (s->depth || s->out->n == start);
		if (opens)
			s->quote = rest.p[0];
		if (!opens && (s->depth || bracket)) {
			i += add_bracketed(s, rest);
			continue;
		}
		s->after_colon = false;
		buf_add_char(s->out, rest.p[0]);
		i++;
	}
	if (!s->quote)
		trim_end(s->out);
}

// ---------------------------------------------------------------- lines
static bool is_block_header(struct str value)
{
	if (!value.n || (value.p[0] != '|' && value.p[0] != '>'))
		return false;
	size_t i = 1;
	while (i < value.n && strchr("+-123456789", value.p[i]))
		i++;
	value = str_trim(str_drop(value, i));
	return !value.n || value.p[0] == '#';
}

static void begin_line(struct scanner *s)
{
	if (s->blank && s->out->n)
		buf_add_char(s->out, '\n');
	s->blank = false;
}

static void add_structural(struct scanner *s, const struct format_line *line)
{
	struct str content = str_drop(line->text, line->content);
	size_t key = line->member ? format_key_length(content) : 0;
	size_t gap = blanks(str_drop(content, key));
	size_t old = blanks(line->text);
	begin_line(s);
	add_blanks(s->out, (size_t)line->indent);
	for (int i = 0; i < line->dashes; i++)
		buf_add(s->out, S("- "));
	if (line->content == line->text.n)
		trim_end(s->out);
	buf_add(s->out, str_take(content, key));
	struct str value = str_drop(content, key + gap);
	if (key && value.n && value.p[0] != '#')
		add_blanks(s->out, line->pad ? line->pad : 1);
	s->shift = line->indent - (int)old;
	s->literal = is_block_header(value);
	s->block = (int)old;
	add_rest(s, line->text, line->content + key + gap);
	buf_add_char(s->out, '\n');
}

static void add_shifted(struct scanner *s, struct str line)
{
	long indent = (long)blanks(line) + s->shift;
	begin_line(s);
	add_blanks(s->out, indent > 0 ? (size_t)indent : 0);
	if (s->literal)
		buf_add(s->out, str_drop(line, blanks(line)));
	else
		add_rest(s, line, blanks(line));
	buf_add_char(s->out, '\n');
}

// A comment on a line of its own goes with what follows, or with what stands above when it is written as that is.
static int comment_indent(const struct format_lines *lines, size_t at)
{
	size_t own = blanks(lines->items[at].text);
	const struct format_line *next = NULL, *last = NULL;
	for (size_t i = at + 1; i < lines->count && !next; i++)
		next = lines->items[i].structural ? &lines->items[i] : NULL;
	for (size_t i = at; i > 0 && !last; i--)
		last = lines->items[i - 1].structural ? &lines->items[i - 1] : NULL;
	if (last && own == blanks(last->text) && (!next || own != blanks(next->text)))
		return last->indent;
	return next ? next->indent : own && last ? last->indent : 0;
}

static void add_line(struct scanner *s, const struct format_lines *lines, size_t i)
{
	const struct format_line *line = &lines->items[i];
	struct str trimmed = str_trim(line->text);
	bool open = s->quote || s->depth;
	if (s->literal && trimmed.n && (int)blanks(line->text) <= s->block)
		s->literal = false;
	if (!trimmed.n && (s->literal || s->quote)) {
		begin_line(s); // part of the text
		buf_add(s->out, s->literal ? line->text : (struct str){0});
		buf_add_char(s->out, '\n');
	} else if (!trimmed.n) {
		s->blank = true;
	} else if (line->structural && !open) {
		add_structural(s, line);
	} else if (trimmed.p[0] == '#' && !open && !s->literal) {
		begin_line(s);
		add_blanks(s->out, (size_t)comment_indent(lines, i));
		buf_add(s->out, trimmed);
		buf_add_char(s->out, '\n');
	} else {
		add_shifted(s, line->text);
	}
}

// Blank lines at the end of a file belong to a block of text only when it keeps them.
static void write_lines(const struct format_lines *lines, struct buf *out)
{
	struct scanner s = {.out = out};
	for (size_t i = 0; i < lines->count; i++) {
		if (i + 1 == lines->count && !lines->items[i].text.n)
			break; // behind the last end of a line
		add_line(&s, lines, i);
	}
}

// ---------------------------------------------------------------- the same meaning
bool format_same(const struct node *a, const struct node *b)
{
	if (!a || !b)
		return a == b;
	if (a->type != b->type || a->count != b->count || a->quoted != b->quoted || !str_eq(a->key, b->key) ||
		!str_eq(a->text, b->text))
		return false;
	const struct node *m = a->first, *n = b->first;
	for (; m && n; m = m->next, n = n->next) {
		if (!format_same(m, n))
			return false;
	}
	return m == n;
}

int format_yaml(struct str text, const char *file, struct findings *f, struct buf *out, struct err *e)
{
	struct node *root = NULL, *again = NULL;
	struct format_lines lines;
	AUTO(buf) made = {0};
	struct findings ignored = {.arena = f->arena};
	if (node_parse_yaml(text, file, f, &root) < 0)
		return findings_err(f, ERR_INVALID, e);
	if (!format_cut(text, f->arena, &lines))
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	format_mark(&lines, root);
	format_line_up(&lines);
	write_lines(&lines, &made);
	if (buf_check(&made, e) < 0)
		return e->code;
	if (node_parse_yaml(buf_str(&made), file, &ignored, &again) < 0 || !format_same(root, again))
		return err_set(e, ERR_UNSUPPORTED, "%s: is written in a way that cannot be moved without a change of what it says", file);
	buf_add(out, buf_str(&made));
	return buf_check(out, e);
}
