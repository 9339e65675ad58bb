// SPDX-License-Identifier: Apache-2.0
// Made-up records that fit a schema: what stands in for a source that a pocket environment with `data: synthetic` does
// not have. The same seed gives the same bytes on every machine, for ever. No record is about anybody: text is the
// column's name and a number, and repeats so often that joins find partners. Pure.
#ifndef ISOBAR_DATA_SYNTHETIC_H
#define ISOBAR_DATA_SYNTHETIC_H

#include "base/arena.h"
#include "data/parquet.h"

enum { SYNTHETIC_ROWS = 1000 };

struct synthetic {
	struct str seed;                      // "dataset/returns"
	const struct parquet_column *columns; // borrowed
	size_t column_count, row_count;
};
// The type of a column as a schema names it ("text", "decimal", ...); false for other words.
bool synthetic_type(struct str name, enum parquet_type *out);
// A file in this format: "parquet", "jsonl" or "csv". ERR_UNSUPPORTED for others.
MUST_CHECK int synthetic_file(
	struct arena *a, const struct synthetic *s, struct str format, struct buf *out, struct err *e);

#endif
