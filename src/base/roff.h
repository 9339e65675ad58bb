// SPDX-License-Identifier: Apache-2.0
// Text of manual pages in the man(7) macros: the few forms that pages generated from tables need. Pure; writes to a
// stream, whose own state says whether writing failed.
#ifndef ISOBAR_BASE_ROFF_H
#define ISOBAR_BASE_ROFF_H

#include <stdio.h>

#include "base/str.h"

// ".TH NAME SECTION "" "isobar VERSION" "Isobar"": no date, so that a page is the same whenever it was built.
void roff_title(const char *name, int section, FILE *out);
void roff_section(const char *title, FILE *out); // .SH
// Running text as its own line or lines; what troff would take for a command is escaped. roff_words ends no line.
void roff_text(struct str text, FILE *out);
void roff_words(struct str text, FILE *out);
void roff_example(struct str lines, FILE *out); // lines kept as they are

#endif
