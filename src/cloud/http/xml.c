// SPDX-License-Identifier: Apache-2.0
// XML on expat: see xml.h.
#include "cloud/http/xml.h"

#include <expat.h>
#include <string.h>

struct reader {
	XML_Parser parser;
	struct arena *arena;
	struct xml *root, *at;
	struct buf text; // of the element at hand; children's text is behind it and is cut off when they end
	size_t starts[XML_MAX_DEPTH];
	size_t depth, elements;
	int code; // 0, or why the reader stopped
	const char *why;
};

static void stop(struct reader *r, int code, const char *why)
{
	if (!r->code) {
		r->code = code;
		r->why = why;
	}
	XML_StopParser(r->parser, XML_FALSE);
}

static struct str local_name(const char *name)
{
	const char *colon = strrchr(name, ':');
	return str_of(colon ? colon + 1 : name);
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = ctx;
	if (r->code)
		return;
	if (r->depth == XML_MAX_DEPTH || ++r->elements > XML_MAX_ELEMENTS) {
		stop(r, ERR_LIMIT, "it is nested too deep or has too many elements");
		return;
	}
	struct xml *x = arena_new(r->arena, struct xml);
	if (!x || !(x->name = arena_str(r->arena, local_name(name))).p) {
		stop(r, ERR_NO_MEMORY, "out of memory");
		return;
	}
	for (size_t i = 0; attributes[i]; i += 2)
		x->encoded |= strcmp(attributes[i], "Encoded") == 0 && strcmp(attributes[i + 1], "true") == 0;
	x->parent = r->at;
	if (!r->at)
		r->root = x;
	else if (r->at->last)
		r->at->last->next = x;
	else
		r->at->first = x;
	if (r->at)
		r->at->last = x;
	r->at = x;
	r->starts[r->depth++] = r->text.n;
}

static void on_end(void *ctx, const XML_Char *name)
{
	struct reader *r = ctx;
	(void)name;
	if (r->code)
		return;
	size_t start = r->starts[--r->depth];
	r->at->text = arena_str(r->arena, str_drop(buf_str(&r->text), start));
	if (!r->at->text.p || r->text.failed) {
		stop(r, ERR_NO_MEMORY, "out of memory");
		return;
	}
	// Text between children belongs to nobody who asks; it is dropped with the children's.
	r->text.n = start;
	r->at = r->at->parent;
}

static void on_text(void *ctx, const XML_Char *text, int n)
{
	struct reader *r = ctx;
	if (!r->code)
		buf_add_bytes(&r->text, text, (size_t)n);
}

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_subset)
{
	(void)name, (void)system, (void)public, (void)has_subset;
	stop(ctx, ERR_PROTOCOL, "it has a document type, which no provider sends");
}

static int finish(struct reader *r, enum XML_Status status, struct err *e)
{
	unsigned long line = XML_GetCurrentLineNumber(r->parser), column = XML_GetCurrentColumnNumber(r->parser) + 1;
	if (r->code)
		return err_set(e, r->code, "XML, line %lu, column %lu: %s", line, column, r->why);
	if (status != XML_STATUS_OK)
		return err_set(e, ERR_PROTOCOL, "XML, line %lu, column %lu: %s", line, column,
			XML_ErrorString(XML_GetErrorCode(r->parser)));
	return 0;
}

int xml_parse(struct str text, struct arena *a, struct xml **root, struct err *e)
{
	if (text.n > XML_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "XML of %zu bytes, at most %d are read", text.n, XML_MAX_BYTES);
	struct reader r = {.parser = XML_ParserCreate(NULL), .arena = a};
	if (!r.parser)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	enum XML_Status status = XML_Parse(r.parser, text.n ? text.p : "", (int)text.n, XML_TRUE);
	int code = finish(&r, status, e);
	XML_ParserFree(r.parser);
	buf_free(&r.text);
	if (!code)
		*root = r.root;
	return code;
}

static const struct xml *first_named(const struct xml *x, const char *name)
{
	while (x && !str_eq(x->name, str_of(name)))
		x = x->next;
	return x;
}

const struct xml *xml_child(const struct xml *x, const char *name)
{
	return x ? first_named(x->first, name) : NULL;
}

const struct xml *xml_next(const struct xml *x, const char *name)
{
	return first_named(x->next, name);
}

struct str xml_child_text(const struct xml *x, const char *name)
{
	const struct xml *child = xml_child(x, name);
	return child ? child->text : S("");
}

void xml_escape(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		const char *entity = s.p[i] == '&'   ? "&amp;"
				     : s.p[i] == '<' ? "&lt;"
				     : s.p[i] == '>' ? "&gt;"
				     : s.p[i] == '"' ? "&quot;"
						     : NULL;
		if (entity)
			buf_add(out, str_of(entity));
		else
			buf_add_char(out, s.p[i]);
	}
}
