// SPDX-License-Identifier: Apache-2.0
// What people read about kinds, written from their tables: `isobar explain`, and the manual page of all kinds. Pure;
// appends to a buffer, whose own state says whether memory ended.
#ifndef ISOBAR_BASE_KIND_EXPLAIN_H
#define ISOBAR_BASE_KIND_EXPLAIN_H

#include <stdio.h>

#include "base/buf.h"
#include "base/kind.h"

// A table without a plural is a file of its own, found by its singular. path: "" (all kinds), "trainings" or "training" (one kind with its fields), "trainings.federated.rounds" (one field).
// The path of a finding works too: names of things and [n] are passed over ("trainings.classifier.federated.rounds").
// ERR_NOT_FOUND says what is not there, with a suggestion. kinds is NULL-ended, here and below.
MUST_CHECK int kind_explain(const struct kind *const *kinds, struct str path, struct buf *out, struct err *e);
// Markdown: one section a kind with example and a table of all fields, those of blocks by their path. docs/kinds.md.
void kind_write_reference(const struct kind *const *kinds, struct buf *out);
// The same of one table that is a file of its own (the operator's): docs/operator.md.
void kind_write_file_reference(const struct kind *file, struct buf *out);
// The manual page isobar.yaml(5) in man(7) macros: all kinds and fields.
void kind_write_man(const struct kind *const *kinds, FILE *out);

#endif
