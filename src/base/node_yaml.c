// SPDX-License-Identifier: Apache-2.0
// Trees from YAML: see node.h. Only libfyaml's events are used: they come in order and cost a constant each, and what
// they build here is bounded. All faults of a text are found in one go where the grammar allows it: duplicates,
// aliases, tags and the like are noted and reading goes on; the first syntax error ends it.
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/node.h"

struct yaml {
	struct fy_parser *parser;
	struct fy_diag *diag;
	struct findings *f;
	const char *file;
	struct node *root, *current;           // current: the innermost open list or map
	struct node *last[NODE_MAX_DEPTH + 2]; // youngest child of each open one, by depth
	int depth;                             // open ones
	struct str key;                        // of a map's member, read and waiting for its value
	struct position key_at;
	bool has_key;
	size_t count, documents;
	struct str known[256]; // short texts that came before, by a hash of them: keys and words repeat
	bool stop; // a fault after which nothing sensible follows
};

static struct position position_of(const struct yaml *y, const struct fy_mark *mark)
{
	if (!mark)
		return (struct position){.file = y->file};
	return (struct position){.file = y->file, .line = mark->line + 1, .column = mark->column + 1};
}

// A token begins behind its quote or '*'; people look for that character.
static struct position before(struct position at)
{
	at.column -= at.column > 1;
	return at;
}

// The path of what is being read, for a finding.
static struct str here(const struct yaml *y)
{
	struct str path = y->current ? node_path(y->current, y->f->arena) : S("");
	if (!y->has_key)
		return path;
	return arena_printf(y->f->arena, "%.*s%s%.*s", STR(path), path.n ? "." : "", STR(y->key));
}

#define REFUSE(y, at, ...) findings_add((y)->f, (at), here(y), S(""), __VA_ARGS__)

static void no_memory(struct yaml *y)
{
	REFUSE(y, position_of(y, NULL), "out of memory");
	y->stop = true;
}

// A new node where the reader stands: the root, an item, or the value of the waiting key.
static struct node *add_node(struct yaml *y, enum node_type type, struct position at)
{
	struct node *n = y->count < NODE_MAX_COUNT ? arena_new(y->f->arena, struct node) : NULL;
	if (!n && y->count >= NODE_MAX_COUNT) {
		REFUSE(y, at, "more than %d values in one text", NODE_MAX_COUNT);
		y->stop = true;
		return NULL;
	}
	if (!n) {
		no_memory(y);
		return NULL;
	}
	y->count++;
	n->type = type;
	n->at = at;
	n->parent = y->current;
	if (y->has_key) {
		n->key = y->key;
		n->key_at = y->key_at;
		y->has_key = false;
	}
	if (!y->current) {
		y->root = n;
		return n;
	}
	y->current->count++;
	struct node **youngest = &y->last[y->depth];
	if (*youngest)
		(*youngest)->next = n;
	else
		y->current->first = n;
	*youngest = n;
	return n;
}

static void open_container(struct yaml *y, enum node_type type, struct position at)
{
	if (y->depth >= NODE_MAX_DEPTH) {
		REFUSE(y, at, "nested deeper than %d", NODE_MAX_DEPTH);
		y->stop = true;
		return;
	}
	struct node *n = add_node(y, type, at);
	if (!n)
		return;
	y->current = n;
	y->depth++;
	y->last[y->depth] = NULL;
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;
	int order = str_cmp((*x)->key, (*y)->key);
	if (order)
		return order;
	// The same name: by place, so that the later one is blamed.
	const struct position *p = &(*x)->key_at, *q = &(*y)->key_at;
	return p->line != q->line ? (p->line > q->line) - (p->line < q->line) : p->column - q->column;
}

// Whether a longer look is needed: of a few names each is compared with each.
static bool may_repeat(const struct node *map)
{
	enum { FEW = 12 };
	if (map->count > FEW)
		return true;
	for (const struct node *one = map->first; one; one = one->next)
		for (const struct node *other = one->next; other; other = other->next)
			if (str_eq(one->key, other->key))
				return true;
	return false;
}

static void check_duplicates(struct yaml *y, const struct node *map)
{
	if (!may_repeat(map))
		return;
	const struct node **members = malloc(map->count * sizeof(const struct node *));
	size_t n = 0;
	if (!members) {
		no_memory(y);
		return;
	}
	for (const struct node *child = map->first; child; child = child->next)
		members[n++] = child;
	qsort(members, n, sizeof(const struct node *), compare_keys);
	const struct node *first = members[0];
	for (size_t i = 1; i < n; i++) {
		if (!str_eq(members[i]->key, first->key)) {
			first = members[i];
			continue;
		}
		findings_add(y->f, members[i]->key_at, node_path(members[i], y->f->arena),
			S("rename or remove one of them"), "\"%.*s\" is declared twice; first at %s:%d:%d",
			STR(str_clip(first->key, 100)), y->file, first->key_at.line, first->key_at.column);
	}
	free(members);
}

static void close_container(struct yaml *y)
{
	struct node *n = y->current;
	if (!n)
		return;
	if (n->type == NODE_MAP)
		check_duplicates(y, n);
	y->current = n->parent;
	y->depth--;
}

static bool is_null(struct str s)
{
	return s.n == 0 || str_eq(s, S("~")) || str_eq(s, S("null")) || str_eq(s, S("Null")) || str_eq(s, S("NULL"));
}

// They stand before the value that they belong to; a mark of an anchor is behind its '&'.
static void refuse_extras(struct yaml *y, struct fy_token *tag, struct fy_token *anchor)
{
	if (tag)
		REFUSE(y, position_of(y, fy_token_start_mark(tag)), "tags (!name) are not read");
	if (anchor)
		REFUSE(y, before(position_of(y, fy_token_start_mark(anchor))),
			"anchors (&name) are not read; write the value out where it is needed");
}

static bool wants_key(const struct yaml *y)
{
	return y->current && y->current->type == NODE_MAP && !y->has_key;
}

// A copy, or an equal text of before: of a hundred thousand entries most keys and many values are the same few.
static struct str keep_text(struct yaml *y, struct str text)
{
	enum { SHORT = 24 };
	uint32_t hash = 2166136261u;
	if (text.n == 0 || text.n > SHORT)
		return arena_str(y->f->arena, text);
	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ (unsigned char)text.p[i]) * 16777619u;
	struct str *known = &y->known[(hash ^ hash >> 16) % COUNT_OF(y->known)];
	if (!str_eq(*known, text))
		*known = arena_str(y->f->arena, text);
	return *known;
}

static void read_scalar(struct yaml *y, struct fy_event *event)
{
	struct fy_token *token = event->scalar.value;
	size_t n = 0;
	const char *p = token ? fy_token_get_text(token, &n) : "";
	enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
	struct position at = position_of(y, fy_event_start_mark(event));
	if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
		at = before(at);
	refuse_extras(y, event->scalar.tag, event->scalar.anchor);
	struct str text = keep_text(y, str_bytes(p, n));
	if (!text.p) {
		no_memory(y);
		return;
	}
	// By escapes such as "\0"; what stands in the text itself was looked at before.
	if (style == FYSS_DOUBLE_QUOTED && (memchr(text.p, '\0', text.n) || !str_utf8_valid(text)))
		REFUSE(y, at, "a text with a NUL character or half a character");
	if (wants_key(y)) {
		y->key = text;
		y->key_at = at;
		y->has_key = true;
		return;
	}
	bool quoted = style != FYSS_PLAIN;
	struct node *node = add_node(y, !quoted && is_null(text) ? NODE_NULL : NODE_SCALAR, at);
	if (!node)
		return;
	node->quoted = quoted;
	node->text = text;
}

static void read_container(struct yaml *y, struct fy_event *event)
{
	bool map = event->type == FYET_MAPPING_START;
	struct position at = position_of(y, fy_event_start_mark(event));
	if (map)
		refuse_extras(y, event->mapping_start.tag, event->mapping_start.anchor);
	else
		refuse_extras(y, event->sequence_start.tag, event->sequence_start.anchor);
	if (wants_key(y)) {
		REFUSE(y, at, "a name must be text, not a list or a map");
		y->stop = true;
		return;
	}
	open_container(y, map ? NODE_MAP : NODE_LIST, at);
}

static void read_alias(struct yaml *y, struct fy_event *event)
{
	struct position at = before(position_of(y, fy_event_start_mark(event)));
	REFUSE(y, at, "aliases (*name) are not read; write the value out");
	if (wants_key(y)) {
		y->key = S("*");
		y->key_at = at;
		y->has_key = true;
		return;
	}
	add_node(y, NODE_NULL, at);
}

static void read_event(struct yaml *y, struct fy_event *event)
{
	switch (event->type) {
	case FYET_DOCUMENT_START:
		if (++y->documents > 1) {
			REFUSE(y, position_of(y, fy_event_start_mark(event)),
				"a second document (---) begins; one file is one map");
			y->stop = true;
		}
		return;
	case FYET_MAPPING_START:
	case FYET_SEQUENCE_START:
		read_container(y, event);
		return;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		close_container(y);
		return;
	case FYET_SCALAR:
		read_scalar(y, event);
		return;
	case FYET_ALIAS:
		read_alias(y, event);
		return;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END:
	default:
		return;
	}
}

// What libfyaml had against the text. It collects several messages for one fault; the first says most.
static void report_syntax(struct yaml *y)
{
	void *at = NULL;
	y->stop = true;
	const struct fy_diag_error *error = fy_diag_errors_iterate(y->diag, &at);
	if (!error) {
		REFUSE(y, position_of(y, NULL), "the text cannot be read as YAML");
		return;
	}
	struct position position = {.file = y->file, .line = error->line, .column = error->column};
	findings_add(y->f, position, here(y), S(""), "not YAML: %s", error->msg);
}

static void read_events(struct yaml *y)
{
	for (;;) {
		struct fy_event *event = fy_parser_parse(y->parser);
		bool last = !event || event->type == FYET_STREAM_END;
		if (event && !y->stop)
			read_event(y, event);
		fy_parser_event_free(y->parser, event);
		if (y->stop)
			return;
		if (last)
			break;
	}
	if (fy_parser_get_stream_error(y->parser) || fy_diag_got_error(y->diag))
		report_syntax(y);
}

static void run_parser(struct yaml *y, struct str text)
{
	struct fy_diag_cfg quiet;
	fy_diag_cfg_default(&quiet);
	quiet.fp = NULL;
	y->diag = fy_diag_create(&quiet);
	if (y->diag)
		fy_diag_set_collect_errors(y->diag, true);
	struct fy_parse_cfg config = {
		.flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE | FYPCF_ALLOW_DUPLICATE_KEYS,
		.diag = y->diag};
	y->parser = y->diag ? fy_parser_create(&config) : NULL;
	if (!y->parser || fy_parser_set_string(y->parser, text.p, text.n) < 0)
		no_memory(y);
	else
		read_events(y);
	fy_parser_destroy(y->parser);
	fy_diag_destroy(y->diag);
}

// Line and column of the byte at `offset`, for faults that are found before parsing.
static struct position position_at(const struct yaml *y, struct str text, size_t offset)
{
	struct position at = {.file = y->file, .line = 1, .column = 1};
	for (size_t i = 0; i < offset; i++) {
		at.column++;
		if (text.p[i] == '\n') {
			at.line++;
			at.column = 1;
		}
	}
	return at;
}

// Bytes that YAML does not have: what is no UTF-8, and control characters but tab and the ends of lines.
static bool check_bytes(struct yaml *y, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
			REFUSE(y, position_at(y, text, i), "control character 0x%02x", c);
			return false;
		}
	}
	size_t good = str_utf8_prefix(text);
	if (good == text.n)
		return true;
	REFUSE(y, position_at(y, text, good), "bytes that are no UTF-8");
	return false;
}

// libfyaml's time in a block of text grows with the square of the blank lines in a row (16,000 take half a second).
static bool check_blank_lines(struct yaml *y, struct str text)
{
	enum { MOST = 100 };
	struct str rest = text, line;
	for (int blank = 0; str_next(&rest, '\n', &line);) {
		bool starts = line.n && line.p[0] > ' '; // most lines of a block begin with blanks, but not only
		blank = starts || str_trim(line).n ? 0 : blank + 1;
		if (blank > MOST) {
			REFUSE(y, position_at(y, text, (size_t)(line.p - text.p)), "more than %d blank lines in a row",
				MOST);
			return false;
		}
	}
	return true;
}

// "x\ " at the end of a line of quoted text: libfyaml 0.7 loses the blank and puts NULs behind the text.
static bool check_line_ends(struct yaml *y, struct str text)
{
	struct str rest = text, line;
	if (str_find_char(text, '\\') < 0)
		return true;
	while (str_next(&rest, '\n', &line)) {
		struct str cut = str_trim(line);
		bool blanks = cut.n && cut.p + cut.n < line.p + line.n && cut.p[cut.n] != '\r';
		if (!blanks || cut.p[cut.n - 1] != '\\')
			continue;
		REFUSE(y, position_at(y, text, (size_t)(cut.p + cut.n - 1 - text.p)),
			"blanks behind a backslash at the end of a line");
		return false;
	}
	return true;
}

static bool check_text(struct yaml *y, struct str text)
{
	return check_bytes(y, text) && check_blank_lines(y, text) && check_line_ends(y, text);
}

int node_parse_yaml(struct str text, const char *file, struct findings *f, struct node **root)
{
	size_t before = f->count;
	struct yaml y = {.f = f, .file = arena_cstr(f->arena, str_of(file))};
	if (!y.file)
		no_memory(&y);
	else if (text.n > NODE_MAX_BYTES)
		REFUSE(&y, position_of(&y, NULL), "%zu bytes; at most %d are read", text.n, NODE_MAX_BYTES);
	else if (check_text(&y, text) && str_trim(text).n)
		run_parser(&y, text);
	bool empty = y.stop || (y.root && y.root->type == NODE_NULL && y.root->text.n == 0);
	*root = empty ? NULL : y.root;
	return f->count > before ? ERR_INVALID : 0;
}
