// SPDX-License-Identifier: Apache-2.0
// Writing a plain Parquet file: pages column by column, then the footer in Thrift's compact protocol.
#include <string.h>

#include "data/parquet.h"

// ---------------------------------------------------------------- thrift
enum { T_I32 = 5, T_I64 = 6, T_BINARY = 8, T_LIST = 9, T_STRUCT = 12 };

static void put_varint(struct buf *b, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		buf_add_char(b, (char)(v | 0x80));
	buf_add_char(b, (char)v);
}

static void put_zigzag(struct buf *b, int64_t v)
{
	put_varint(b, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

// Fields are written in order; *last is the number of the one before.
static void put_field(struct buf *b, int *last, int id, int type)
{
	buf_add_char(b, (char)((id - *last) << 4 | type));
	*last = id;
}

static void put_int(struct buf *b, int *last, int id, int type, int64_t v)
{
	put_field(b, last, id, type);
	put_zigzag(b, v);
}

static void put_text(struct buf *b, struct str s)
{
	put_varint(b, s.n);
	buf_add(b, s);
}

static void put_list(struct buf *b, size_t count, int type)
{
	if (count < 15) {
		buf_add_char(b, (char)(count << 4 | (unsigned)type));
		return;
	}
	buf_add_char(b, (char)(0xf0 | type));
	put_varint(b, count);
}

static void put_end(struct buf *b)
{
	buf_add_char(b, 0);
}

// ---------------------------------------------------------------- types
struct form {
	int physical, converted; // Type and ConvertedType of the format; -1: none
};
static const struct form forms[] = {
	[PARQUET_TEXT] = {6, 0},
	[PARQUET_BYTES] = {6, -1},
	[PARQUET_INTEGER] = {2, -1},
	[PARQUET_NUMBER] = {5, -1},
	[PARQUET_BOOLEAN] = {0, -1},
	[PARQUET_DECIMAL] = {2, 5},
	[PARQUET_DATE] = {1, 6},
	[PARQUET_TIMESTAMP] = {2, 10},
};

// ---------------------------------------------------------------- pages
static void put_le(struct buf *b, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buf_add_char(b, (char)(v >> 8 * i));
}

static void put_value(struct buf *b, enum parquet_type type, const union parquet_value *v)
{
	uint64_t bits;
	switch (type) {
	case PARQUET_TEXT:
	case PARQUET_BYTES:
		put_le(b, v->text.n, 4);
		buf_add(b, v->text);
		break;
	case PARQUET_NUMBER:
		memcpy(&bits, &v->number, sizeof(bits));
		put_le(b, bits, 8);
		break;
	case PARQUET_DATE:
		put_le(b, (uint64_t)v->integer, 4);
		break;
	case PARQUET_INTEGER:
	case PARQUET_DECIMAL:
	case PARQUET_TIMESTAMP:
	case PARQUET_BOOLEAN:
		put_le(b, (uint64_t)v->integer, 8);
		break;
	}
}

static void put_booleans(struct buf *b, const struct parquet_table *t, size_t column)
{
	unsigned byte = 0;
	for (size_t i = 0; i < t->row_count; i++) {
		byte |= (unsigned)(t->values[i * t->column_count + column].integer != 0) << i % 8;
		if (i % 8 == 7 || i + 1 == t->row_count) {
			buf_add_char(b, (char)byte);
			byte = 0;
		}
	}
}

static void put_values(struct buf *b, const struct parquet_table *t, size_t column)
{
	enum parquet_type type = t->columns[column].type;
	if (type == PARQUET_BOOLEAN) {
		put_booleans(b, t, column);
		return;
	}
	for (size_t i = 0; i < t->row_count; i++)
		put_value(b, type, &t->values[i * t->column_count + column]);
}

struct chunk { // of a column
	uint64_t offset, size;
};

static int put_page(struct buf *out, const struct parquet_table *t, size_t column, struct chunk *chunk)
{
	AUTO(buf) data = {0};
	int last = 0, inner = 0;
	put_values(&data, t, column);
	if (data.failed || data.n > INT32_MAX)
		return data.failed ? ERR_NO_MEMORY : ERR_LIMIT;
	chunk->offset = out->n;
	put_int(out, &last, 1, T_I32, 0); // data page
	put_int(out, &last, 2, T_I32, (int64_t)data.n);
	put_int(out, &last, 3, T_I32, (int64_t)data.n);
	put_field(out, &last, 5, T_STRUCT);
	put_int(out, &inner, 1, T_I32, (int64_t)t->row_count);
	put_int(out, &inner, 2, T_I32, 0); // PLAIN
	put_int(out, &inner, 3, T_I32, 3); // levels would be RLE; required columns have none
	put_int(out, &inner, 4, T_I32, 3);
	put_end(out);
	put_end(out);
	buf_add(out, buf_str(&data));
	chunk->size = out->n - chunk->offset;
	return 0;
}

// ---------------------------------------------------------------- footer
static void put_root(struct buf *b, size_t columns)
{
	int last = 0;
	put_field(b, &last, 4, T_BINARY);
	put_text(b, S("schema"));
	put_int(b, &last, 5, T_I32, (int64_t)columns);
	put_end(b);
}

static void put_element(struct buf *b, const struct parquet_column *c)
{
	int last = 0;
	put_int(b, &last, 1, T_I32, forms[c->type].physical);
	put_int(b, &last, 3, T_I32, 0); // required
	put_field(b, &last, 4, T_BINARY);
	put_text(b, c->name);
	if (forms[c->type].converted >= 0)
		put_int(b, &last, 6, T_I32, forms[c->type].converted);
	if (c->type == PARQUET_DECIMAL) {
		put_int(b, &last, 7, T_I32, PARQUET_DECIMAL_SCALE);
		put_int(b, &last, 8, T_I32, PARQUET_DECIMAL_DIGITS);
	}
	put_end(b);
}

static void put_column(struct buf *b, const struct parquet_table *t, size_t column, const struct chunk *chunk)
{
	int last = 0, inner = 0;
	put_int(b, &last, 2, T_I64, (int64_t)chunk->offset);
	put_field(b, &last, 3, T_STRUCT);
	put_int(b, &inner, 1, T_I32, forms[t->columns[column].type].physical);
	put_field(b, &inner, 2, T_LIST);
	put_list(b, 1, T_I32);
	put_zigzag(b, 0); // PLAIN
	put_field(b, &inner, 3, T_LIST);
	put_list(b, 1, T_BINARY);
	put_text(b, t->columns[column].name);
	put_int(b, &inner, 4, T_I32, 0); // uncompressed
	put_int(b, &inner, 5, T_I64, (int64_t)t->row_count);
	put_int(b, &inner, 6, T_I64, (int64_t)chunk->size);
	put_int(b, &inner, 7, T_I64, (int64_t)chunk->size);
	put_int(b, &inner, 9, T_I64, (int64_t)chunk->offset);
	put_end(b);
	put_end(b);
}

static void put_group(struct buf *b, const struct parquet_table *t, const struct chunk *chunks)
{
	int last = 0;
	uint64_t size = 0;
	put_field(b, &last, 1, T_LIST);
	put_list(b, t->column_count, T_STRUCT);
	for (size_t i = 0; i < t->column_count; i++) {
		put_column(b, t, i, &chunks[i]);
		size += chunks[i].size;
	}
	put_int(b, &last, 2, T_I64, (int64_t)size);
	put_int(b, &last, 3, T_I64, (int64_t)t->row_count);
	put_end(b);
}

static void put_footer(struct buf *b, const struct parquet_table *t, const struct chunk *chunks)
{
	int last = 0;
	size_t start = b->n;
	put_int(b, &last, 1, T_I32, 1);
	put_field(b, &last, 2, T_LIST);
	put_list(b, t->column_count + 1, T_STRUCT);
	put_root(b, t->column_count);
	for (size_t i = 0; i < t->column_count; i++)
		put_element(b, &t->columns[i]);
	put_int(b, &last, 3, T_I64, (int64_t)t->row_count);
	put_field(b, &last, 4, T_LIST);
	put_list(b, 1, T_STRUCT);
	put_group(b, t, chunks);
	put_field(b, &last, 6, T_BINARY);
	put_text(b, S("isobar"));
	put_end(b);
	put_le(b, b->n - start, 4);
	buf_add(b, S("PAR1"));
}

int parquet_write(const struct parquet_table *t, struct buf *out, struct err *e)
{
	enum { COLUMNS_MAX = 1000 };
	struct chunk chunks[COLUMNS_MAX];
	AUTO(buf) file = {.limit = out->limit};
	if (!t->column_count || t->column_count > COLUMNS_MAX || t->row_count > PARQUET_ROWS_MAX)
		return err_set(e, ERR_LIMIT, "parquet: %zu columns and %zu rows; at most %d and %d", t->column_count,
			t->row_count, COLUMNS_MAX, PARQUET_ROWS_MAX);
	buf_add(&file, S("PAR1"));
	for (size_t i = 0; i < t->column_count; i++) {
		int rc = put_page(&file, t, i, &chunks[i]);
		if (rc < 0)
			return err_set(e, rc, "parquet: column %.*s does not fit into a page", STR(t->columns[i].name));
	}
	put_footer(&file, t, chunks);
	int rc = buf_check(&file, e);
	if (rc == 0)
		buf_add(out, buf_str(&file));
	return rc < 0 ? rc : buf_check(out, e);
}
