// SPDX-License-Identifier: Apache-2.0
// Reading the number of rows out of a footer: a walk over Thrift's compact protocol that skips everything else.
#include "data/parquet.h"

#include <string.h>

enum { DEPTH_MAX = 16 }; // of structs and lists in a footer: the format needs 7

enum wire {
	WIRE_STOP,
	WIRE_TRUE,
	WIRE_FALSE,
	WIRE_BYTE,
	WIRE_I16,
	WIRE_I32,
	WIRE_I64,
	WIRE_DOUBLE,
	WIRE_BINARY,
	WIRE_LIST,
	WIRE_SET,
	WIRE_MAP,
	WIRE_STRUCT
};

struct reader {
	struct str rest;
	bool bad;
};

static uint8_t take_byte(struct reader *r)
{
	if (!r->rest.n) {
		r->bad = true;
		return 0;
	}
	uint8_t b = (uint8_t)r->rest.p[0];
	r->rest = str_drop(r->rest, 1);
	return b;
}

static uint64_t take_varint(struct reader *r)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t b = take_byte(r);
		if (shift == 63 && b > 1)
			break;
		value |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return value;
	}
	r->bad = true;
	return 0;
}

static int64_t take_zigzag(struct reader *r)
{
	uint64_t v = take_varint(r);
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static void drop(struct reader *r, uint64_t n)
{
	if (n > r->rest.n)
		r->bad = true;
	else
		r->rest = str_drop(r->rest, (size_t)n);
}

// The next field of a struct: its type, and its number from the one before. WIRE_STOP at the end.
static enum wire take_field(struct reader *r, int64_t *id)
{
	uint8_t head = take_byte(r);
	if (r->bad || !head)
		return WIRE_STOP;
	*id = head >> 4 ? *id + (head >> 4) : take_zigzag(r);
	if ((head & 15) == WIRE_STOP || (head & 15) > WIRE_STRUCT)
		r->bad = true;
	return (enum wire)(head & 15);
}

static void skip(struct reader *r, enum wire type, int depth);

static void skip_items(struct reader *r, uint64_t count, const enum wire types[2], int depth)
{
	if (count > r->rest.n) // each takes a byte at least
		r->bad = true;
	for (uint64_t i = 0; i < count && !r->bad; i++)
		for (size_t k = 0; k < 2; k++) {
			// In lists a boolean is a byte.
			if (types[k] == WIRE_TRUE || types[k] == WIRE_FALSE)
				drop(r, 1);
			else if (types[k] != WIRE_STOP)
				skip(r, types[k], depth);
		}
}

static void skip_list(struct reader *r, int depth)
{
	uint8_t head = take_byte(r);
	uint64_t count = head >> 4 == 15 ? take_varint(r) : head >> 4;
	const enum wire types[2] = {(enum wire)(head & 15), WIRE_STOP};
	if (types[0] == WIRE_STOP && count)
		r->bad = true;
	skip_items(r, count, types, depth);
}

static void skip_map(struct reader *r, int depth)
{
	uint64_t count = take_varint(r);
	uint8_t head = count && !r->bad ? take_byte(r) : 0;
	const enum wire types[2] = {(enum wire)(head >> 4), (enum wire)(head & 15)};
	if (count && (types[0] == WIRE_STOP || types[1] == WIRE_STOP))
		r->bad = true;
	skip_items(r, count, types, depth);
}

static void skip_struct(struct reader *r, int depth)
{
	int64_t id = 0;
	for (enum wire type; !r->bad && (type = take_field(r, &id)) != WIRE_STOP;)
		skip(r, type, depth);
}

static void skip(struct reader *r, enum wire type, int depth)
{
	if (depth == DEPTH_MAX || r->bad) {
		r->bad = true;
		return;
	}
	switch (type) {
	case WIRE_TRUE:
	case WIRE_FALSE:
		break; // of a field: the type is the value
	case WIRE_BYTE:
		drop(r, 1);
		break;
	case WIRE_I16:
	case WIRE_I32:
	case WIRE_I64:
		(void)take_varint(r);
		break;
	case WIRE_DOUBLE:
		drop(r, 8);
		break;
	case WIRE_BINARY:
		drop(r, take_varint(r));
		break;
	case WIRE_LIST:
	case WIRE_SET:
		skip_list(r, depth + 1);
		break;
	case WIRE_MAP:
		skip_map(r, depth + 1);
		break;
	case WIRE_STRUCT:
		skip_struct(r, depth + 1);
		break;
	case WIRE_STOP:
	default:
		r->bad = true;
	}
}

int parquet_footer_size(struct str tail, uint32_t *size, struct err *e)
{
	const unsigned char *p = (const unsigned char *)tail.p;
	if (tail.n != PARQUET_TAIL)
		return err_set(e, ERR_CORRUPT, "parquet: the file is too short");
	if (str_eq(str_drop(tail, 4), S("PARE")))
		return err_set(e, ERR_UNSUPPORTED, "parquet: the footer is encrypted");
	if (!str_eq(str_drop(tail, 4), S("PAR1")))
		return err_set(e, ERR_CORRUPT, "parquet: the file does not end in PAR1");
	uint32_t n = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	if (n > PARQUET_FOOTER_MAX)
		return err_set(
			e, ERR_LIMIT, "parquet: a footer of %u bytes; at most %d are read", n, PARQUET_FOOTER_MAX);
	*size = n;
	return 0;
}

int parquet_rows(struct str footer, int64_t *rows, struct err *e)
{
	enum { NUM_ROWS = 3 }; // of FileMetaData
	struct reader r = {.rest = footer};
	int64_t id = 0, found = -1;
	for (enum wire type; !r.bad && (type = take_field(&r, &id)) != WIRE_STOP;) {
		if (id == NUM_ROWS && type == WIRE_I64)
			found = take_zigzag(&r);
		else
			skip(&r, type, 0);
	}
	if (r.bad || found < 0)
		return err_set(e, ERR_CORRUPT, "parquet: the footer cannot be read, or says no number of rows");
	*rows = found;
	return 0;
}
