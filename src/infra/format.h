// SPDX-License-Identifier: Apache-2.0
// The canonical form of a workspace file: two blanks a level, items of a list below their key and one level in, one blank
// behind ':' and ',', at most one empty line in a row, no blanks at the ends of lines. Comments stay, those behind a
// value in their column where there is room; so do quotes, line breaks, the order of things, and values that the author
// lined up. What comes out means exactly what went in: it is read again and compared. Pure.
#ifndef ISOBAR_INFRA_FORMAT_H
#define ISOBAR_INFRA_FORMAT_H

#include "base/node.h"
#include "base/options.h"

// Appends the formatted text. ERR_INVALID: the text is not YAML as workspaces have it; the findings say where.
// ERR_UNSUPPORTED: a form that is not understood well enough to be moved (it is valid, and stays as it is).
MUST_CHECK int format_yaml(struct str text, const char *file, struct findings *f, struct buf *out, struct err *e);
// Whether two trees have the same names and values, wherever they stand.
bool format_same(const struct node *a, const struct node *b);

extern const struct command format_command; // isobar fmt

#endif
