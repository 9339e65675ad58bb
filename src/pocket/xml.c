// SPDX-License-Identifier: Apache-2.0
// XML in and out: see xml.h.
#include "pocket/xml.h"

#include <expat.h>
#include <string.h>

struct reader {
	XML_Parser parser;
	struct arena *a;
	struct xml_node *root, *current;
	size_t depth, elements;
	const char *problem; // why reading was stopped; NULL: well so far
};

static void stop(struct reader *r, const char *problem)
{
	if (!r->problem)
		r->problem = problem;
	XML_StopParser(r->parser, XML_FALSE);
}

static void on_doctype(void *ctx, UNUSED const XML_Char *name, UNUSED const XML_Char *system,
	UNUSED const XML_Char *public, UNUSED int internal)
{
	stop(ctx, "a document type is not allowed");
}

static void append_child(struct xml_node *parent, struct xml_node *node)
{
	node->parent = parent;
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
}

static void on_start(void *ctx, const XML_Char *name, UNUSED const XML_Char **attributes)
{
	struct reader *r = ctx;
	if (r->problem)
		return;
	if (++r->depth > XML_MAX_DEPTH || ++r->elements > XML_MAX_ELEMENTS) {
		stop(r, "too deep, or too many elements");
		return;
	}
	struct xml_node *node = arena_new(r->a, struct xml_node);
	const char *colon = strrchr(name, ':');
	struct str local = node ? arena_str(r->a, str_of(colon ? colon + 1 : name)) : (struct str){0};
	if (!local.p) {
		stop(r, NULL);
		return;
	}
	if (local.n == 0) {
		stop(r, "an element has a prefix and no name");
		return;
	}
	node->name = local;
	if (r->current)
		append_child(r->current, node);
	else
		r->root = node;
	r->current = node;
}

static void on_text(void *ctx, const XML_Char *text, int n)
{
	struct reader *r = ctx;
	if (!r->problem && r->current)
		buf_add_bytes(&r->current->collected, text, (size_t)n);
}

static void on_end(void *ctx, UNUSED const XML_Char *name)
{
	struct reader *r = ctx;
	struct xml_node *node = r->current;
	if (r->problem || !node)
		return;
	node->text = arena_str(r->a, str_trim(buf_str(&node->collected)));
	bool failed = node->collected.failed || !node->text.p;
	buf_free(&node->collected);
	r->current = node->parent;
	r->depth--;
	if (failed)
		stop(r, NULL);
}

static void free_collected(struct reader *r)
{
	for (struct xml_node *node = r->current; node; node = node->parent)
		buf_free(&node->collected);
}

int pocket_xml_parse(struct str text, struct arena *a, struct xml_node **root, struct err *e)
{
	if (text.n > INT32_MAX)
		return err_set(e, ERR_INVALID, "the XML is too large");
	struct reader r = {.parser = XML_ParserCreate("UTF-8"), .a = a};
	if (!r.parser)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	enum XML_Status status = XML_Parse(r.parser, text.p ? text.p : "", (int)text.n, 1);
	enum XML_Error code = XML_GetErrorCode(r.parser);
	unsigned long line = XML_GetCurrentLineNumber(r.parser);
	XML_ParserFree(r.parser);
	free_collected(&r);
	if (status == XML_STATUS_OK && !r.problem) {
		*root = r.root;
		return 0;
	}
	if (code == XML_ERROR_NO_MEMORY || (code == XML_ERROR_ABORTED && !r.problem))
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	return err_set(e, ERR_INVALID, "the XML is not well-formed: line %lu: %s", line,
		r.problem ? r.problem : XML_ErrorString(code));
}

const struct xml_node *pocket_xml_child(const struct xml_node *parent, const char *name)
{
	for (const struct xml_node *n = parent ? parent->first : NULL; n; n = n->next)
		if (str_eq(n->name, str_of(name)))
			return n;
	return NULL;
}

struct str pocket_xml_child_text(const struct xml_node *parent, const char *name)
{
	const struct xml_node *child = pocket_xml_child(parent, name);
	return child ? child->text : S("");
}

// ---------------------------------------------------------------- writing

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\r':
		return "&#13;"; // else a reader would make a line feed of it
	default:
		return NULL;
	}
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

void xml_text(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		const char *name = entity(text.p[i]);
		if (name)
			buf_add(out, str_of(name));
		else if (is_control(text.p[i]))
			buf_printf(out, "&#x%x;", (unsigned)(unsigned char)text.p[i]);
		else
			buf_add_char(out, text.p[i]);
	}
}

void xml_element(struct buf *out, const char *name, struct str text)
{
	buf_printf(out, "<%s>", name);
	xml_text(out, text);
	buf_printf(out, "</%s>", name);
}

void xml_number(struct buf *out, const char *name, uint64_t value)
{
	buf_printf(out, "<%s>%llu</%s>", name, (unsigned long long)value, name);
}

bool xml_can_hold(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (is_control(text.p[i]))
			return false;
	return str_find(text, S("\xef\xbf\xbe")) < 0 && str_find(text, S("\xef\xbf\xbf")) < 0;
}
