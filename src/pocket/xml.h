// SPDX-License-Identifier: Apache-2.0
// The XML that S3 and Blob clients send, as a small tree in an arena, and the XML that is answered. Reading goes
// through expat with the doors closed: no document type (so no entities of its own), bounded size, depth and count.
// Names come without namespace prefixes. Pure. Errors: ERR_INVALID (not well-formed, or more than the bounds),
// ERR_NO_MEMORY.
#ifndef ISOBAR_POCKET_XML_H
#define ISOBAR_POCKET_XML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { XML_MAX_DEPTH = 16, XML_MAX_ELEMENTS = 300000 }; // a list of 50,000 blocks, of 10,000 parts with checksums

struct xml_node {
	struct str name; // "Part", without prefix
	struct str text; // all character data of this element, children's not included, trimmed
	struct xml_node *first, *next, *last, *parent;
	struct buf collected; // while it is being read
};

MUST_CHECK int pocket_xml_parse(struct str text, struct arena *a, struct xml_node **root, struct err *e);
// The first child of that name; NULL when absent or parent is NULL.
const struct xml_node *pocket_xml_child(const struct xml_node *parent, const char *name);
struct str pocket_xml_child_text(const struct xml_node *parent, const char *name); // "" when absent

// Writing: text with & < > " escaped; characters that XML 1.0 cannot hold as numeric references, as S3 sends them.
void xml_text(struct buf *out, struct str text);
void xml_element(struct buf *out, const char *name, struct str text); // <name>text</name>
void xml_number(struct buf *out, const char *name, uint64_t value);
// Whether XML 1.0 can hold the text at all: no control characters but tab and line ends, no U+FFFE, U+FFFF.
bool xml_can_hold(struct str text);

#endif
