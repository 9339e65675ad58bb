// SPDX-License-Identifier: Apache-2.0
// Rows from a seed, and their forms: Parquet, one JSON object a line, comma-separated values.
#include "data/synthetic.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"

bool synthetic_type(struct str name, enum parquet_type *out)
{
	static const char *const names[] = {
		[PARQUET_TEXT] = "text",
		[PARQUET_BYTES] = "bytes",
		[PARQUET_INTEGER] = "integer",
		[PARQUET_NUMBER] = "number",
		[PARQUET_BOOLEAN] = "boolean",
		[PARQUET_DECIMAL] = "decimal",
		[PARQUET_DATE] = "date",
		[PARQUET_TIMESTAMP] = "timestamp",
	};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(name, str_of(names[i]))) {
			*out = (enum parquet_type)i;
			return true;
		}
	return false;
}

// ---------------------------------------------------------------- values
static uint64_t mix(uint64_t z) // splitmix64's finaliser
{
	z += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t first_bytes(struct str text)
{
	struct sha256 digest = sha256_of(text);
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | digest.bytes[i];
	return v;
}

static uint64_t seed_of(struct str seed, struct str column)
{
	return mix(first_bytes(seed) ^ mix(first_bytes(column)));
}

// The first column names records, one each; other texts repeat.
static struct str text_value(struct arena *a, const struct synthetic *s, size_t column, uint64_t random, size_t row)
{
	struct str name = s->columns[column].name;
	uint64_t n = column == 0 ? row + 1 : random % 97 + 1;
	return arena_printf(a, "%.*s-%llu", STR(name), (unsigned long long)n);
}

static int make_value(struct arena *a, const struct synthetic *s, size_t column, size_t row, union parquet_value *out)
{
	static const int64_t begin_s = INT64_C(1735689600), span_s = INT64_C(31536000); // the year 2025
	uint64_t r = mix(seed_of(s->seed, s->columns[column].name) + row);
	switch (s->columns[column].type) {
	case PARQUET_TEXT:
	case PARQUET_BYTES:
		out->text = text_value(a, s, column, r, row);
		return out->text.p ? 0 : ERR_NO_MEMORY;
	case PARQUET_INTEGER:
		out->integer = (int64_t)(r % 1000);
		break;
	case PARQUET_NUMBER:
		out->number = (double)(r % 1000000) / 1000.0;
		break;
	case PARQUET_BOOLEAN:
		out->integer = r % 5 == 0;
		break;
	case PARQUET_DECIMAL:
		out->integer = (int64_t)(r % 50000 + 1);
		break;
	case PARQUET_DATE:
		out->integer = (begin_s + (int64_t)(r % (uint64_t)span_s)) / 86400;
		break;
	case PARQUET_TIMESTAMP:
		out->integer = (begin_s + (int64_t)(r % (uint64_t)span_s)) * 1000000;
		break;
	}
	return 0;
}

static int make_values(struct arena *a, const struct synthetic *s, union parquet_value **out)
{
	size_t count = s->column_count * s->row_count;
	union parquet_value *values = arena_new_array(a, count + 1, union parquet_value);
	for (size_t i = 0; values && i < count; i++)
		if (make_value(a, s, i % s->column_count, i / s->column_count, &values[i]) < 0)
			return ERR_NO_MEMORY;
	*out = values;
	return values ? 0 : ERR_NO_MEMORY;
}

// ---------------------------------------------------------------- text forms
static void add_text(struct buf *out, enum parquet_type type, const union parquet_value *v, bool json)
{
	char text[TIME_TEXT_SIZE], number[DOUBLE_TEXT_SIZE];
	const char *quote = json ? "\"" : "";
	switch (type) {
	case PARQUET_TEXT:
	case PARQUET_BYTES:
		if (json)
			json_write_string(v->text, out);
		else
			buf_add(out, v->text);
		break;
	case PARQUET_INTEGER:
		buf_printf(out, "%lld", (long long)v->integer);
		break;
	case PARQUET_NUMBER:
		double_text(v->number, number);
		buf_printf(out, "%s", number);
		break;
	case PARQUET_BOOLEAN:
		buf_printf(out, "%s", v->integer ? "true" : "false");
		break;
	case PARQUET_DECIMAL: // a text in JSON: numbers there are binary
		buf_printf(out, "%s%lld.%02lld%s", quote, (long long)(v->integer / 100), (long long)(v->integer % 100),
			quote);
		break;
	case PARQUET_DATE:
		time_rfc3339(v->integer * 86400 * NS_PER_S, 0, text);
		buf_printf(out, "%s%.10s%s", quote, text, quote);
		break;
	case PARQUET_TIMESTAMP:
		time_rfc3339(v->integer * 1000, 0, text);
		buf_printf(out, "%s%s%s", quote, text, quote);
		break;
	}
}

static void write_jsonl(const struct synthetic *s, const union parquet_value *values, struct buf *out)
{
	for (size_t row = 0; row < s->row_count; row++) {
		for (size_t i = 0; i < s->column_count; i++) {
			buf_printf(out, i ? "," : "{");
			json_write_string(s->columns[i].name, out);
			buf_add_char(out, ':');
			add_text(out, s->columns[i].type, &values[row * s->column_count + i], true);
		}
		buf_printf(out, "}\n");
	}
}

static void write_csv(const struct synthetic *s, const union parquet_value *values, struct buf *out)
{
	for (size_t i = 0; i < s->column_count; i++)
		buf_printf(out, "%s%.*s", i ? "," : "", STR(s->columns[i].name));
	buf_add_char(out, '\n');
	for (size_t i = 0; i < s->row_count * s->column_count; i++) {
		add_text(out, s->columns[i % s->column_count].type, &values[i], false);
		buf_add_char(out, (i + 1) % s->column_count ? ',' : '\n');
	}
}

int synthetic_file(struct arena *a, const struct synthetic *s, struct str format, struct buf *out, struct err *e)
{
	union parquet_value *values = NULL;
	const struct parquet_table table = {
		.columns = s->columns, .column_count = s->column_count, .row_count = s->row_count};
	if (!s->column_count)
		return err_set(e, ERR_INVALID, "a schema without columns fits no record");
	if (make_values(a, s, &values) < 0)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (str_eq(format, S("parquet"))) {
		struct parquet_table whole = table;
		whole.values = values;
		return parquet_write(&whole, out, e);
	}
	if (str_eq(format, S("jsonl")))
		write_jsonl(s, values, out);
	else if (str_eq(format, S("csv")))
		write_csv(s, values, out);
	else
		return err_set(
			e, ERR_UNSUPPORTED, "no synthetic records in format %.*s: put files into pocket/", STR(format));
	return buf_check(out, e);
}
