// SPDX-License-Identifier: Apache-2.0
// The sectioned text of ~/.aws/credentials and ~/.aws/config: "[section]", "name = value", comments from '#' or ';' at
// the start of a line, or behind white space after a value. Indented lines under a value are settings inside of it and
// are passed over. Strict about what it takes for a value: control characters and lines that are nothing are errors
// with their line. Pure.
#ifndef ISOBAR_BASE_INI_H
#define ISOBAR_BASE_INI_H

#include "base/err.h"

enum { INI_MAX_BYTES = 1 << 20 };

struct ini_entry { // borrowed from the text
	struct str section, name, value;
	int line; // from 1
};
struct ini {
	struct str rest, section;
	int line;
	bool nested; // an empty value came last: indented lines are its settings
};

// Starts reading a text; ERR_LIMIT past INI_MAX_BYTES.
MUST_CHECK int ini_begin(struct ini *ini, struct str text, struct err *e);
// The next entry: 1, or 0 at the end, or ERR_INVALID. An entry with an empty name tells that a section began.
MUST_CHECK int ini_next(struct ini *ini, struct ini_entry *out, struct err *e);
// The last value of a name in a section, "" when there is none, and whether the section is there at all.
MUST_CHECK int ini_find(
	struct str text, struct str section, struct str name, struct str *value, bool *has_section, struct err *e);

#endif
