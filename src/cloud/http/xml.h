// SPDX-License-Identifier: Apache-2.0
// XML answers of providers as a small tree, on expat with its doors closed: a document type (and with it every entity
// of its own) is refused, size, depth and number of elements are bounded. Names are without namespace prefix;
// attributes are dropped; text of an element is what stands directly in it. The tree lives in the arena. Pure.
#ifndef ISOBAR_CLOUD_HTTP_XML_H
#define ISOBAR_CLOUD_HTTP_XML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { XML_MAX_BYTES = 32 << 20, XML_MAX_DEPTH = 16, XML_MAX_ELEMENTS = 200000 };

struct xml {
	struct str name; // "Contents"
	struct str text;
	bool encoded;                             // carries Encoded="true": Azure's mark of a percent-encoded name
	struct xml *parent, *first, *last, *next; // children in order; next sibling
};

// ERR_PROTOCOL says what is wrong where; ERR_LIMIT past a limit.
MUST_CHECK int xml_parse(struct str text, struct arena *a, struct xml **root, struct err *e);
const struct xml *xml_child(
	const struct xml *x, const char *name); // the first of that name; NULL when absent or x is NULL
const struct xml *xml_next(const struct xml *x, const char *name); // the next sibling of that name
struct str xml_child_text(const struct xml *x, const char *name);  // "" when absent
void xml_escape(struct str s, struct buf *out);                    // & < > "

#endif
