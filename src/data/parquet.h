// SPDX-License-Identifier: Apache-2.0
// Parquet files (Apache Parquet format 2.x, Thrift compact protocol): how many rows one says it has, and a writer of
// plain ones: required columns, one row group, one page a column, PLAIN encoding, uncompressed. The reader takes bytes
// from outside: bounded depth, nothing allocated. Pure; no thread owns anything.
#ifndef ISOBAR_DATA_PARQUET_H
#define ISOBAR_DATA_PARQUET_H

#include "base/buf.h"
#include "base/err.h"

enum {
	PARQUET_TAIL = 8,              // last bytes of a file: length of the footer, "PAR1"
	PARQUET_FOOTER_MAX = 64 << 20, // of a footer that is read
	PARQUET_ROWS_MAX = 10 << 20,   // of a file that is written
	PARQUET_DECIMAL_DIGITS = 18,
	PARQUET_DECIMAL_SCALE = 2,
};

// tail: the last PARQUET_TAIL bytes. ERR_CORRUPT; ERR_UNSUPPORTED for encrypted footers; ERR_LIMIT.
MUST_CHECK int parquet_footer_size(struct str tail, uint32_t *size, struct err *e);
// footer: the bytes before the tail, of that size. ERR_CORRUPT.
MUST_CHECK int parquet_rows(struct str footer, int64_t *rows, struct err *e);

enum parquet_type {
	PARQUET_TEXT,      // text: UTF-8
	PARQUET_BYTES,     // text: any bytes
	PARQUET_INTEGER,   // integer
	PARQUET_NUMBER,    // number
	PARQUET_BOOLEAN,   // integer: 0 or 1
	PARQUET_DECIMAL,   // integer: in hundredths; decimal(18, 2)
	PARQUET_DATE,      // integer: days since 1970-01-01
	PARQUET_TIMESTAMP, // integer: microseconds since 1970-01-01 UTC
};
struct parquet_column {
	struct str name;
	enum parquet_type type;
};
union parquet_value {
	struct str text;
	int64_t integer;
	double number;
};
struct parquet_table { // borrowed
	const struct parquet_column *columns;
	size_t column_count;
	const union parquet_value *values; // row after row
	size_t row_count;
};
MUST_CHECK int parquet_write(
	const struct parquet_table *t, struct buf *out, struct err *e); // appends; ERR_INVALID, ERR_LIMIT

#endif
