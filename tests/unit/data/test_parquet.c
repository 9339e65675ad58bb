// SPDX-License-Identifier: Apache-2.0
// Parquet: what the writer writes byte by byte, what the reader makes of it and of damaged footers. That others read it
// too is tests/interop/test_parquet_pyarrow.sh.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/parquet.h"
#include "fixture.h"

static const struct parquet_column columns[] = {
	{S_INIT("id"), PARQUET_TEXT}, {S_INIT("ok"), PARQUET_BOOLEAN}, {S_INIT("n"), PARQUET_INTEGER}};

static void write_rows(struct fixture *f, size_t rows, struct buf *out)
{
	union parquet_value *values = arena_new_array(&f->arena, 3 * rows + 1, union parquet_value);
	for (size_t i = 0; i < rows; i++) {
		values[3 * i].text = arena_printf(&f->arena, "r%zu", i);
		values[3 * i + 1].integer = i % 2;
		values[3 * i + 2].integer = (int64_t)i - 1;
	}
	const struct parquet_table t = {columns, COUNT_OF(columns), values, rows};
	assert_ok(f, parquet_write(&t, out, &f->call.err));
}

static struct str footer_of(struct fixture *f, struct str file)
{
	uint32_t size = 0;
	assert_ok(f, parquet_footer_size(str_drop(file, file.n - PARQUET_TAIL), &size, &f->call.err));
	assert_true(size + PARQUET_TAIL + 4 <= file.n);
	return str_take(str_drop(file, file.n - PARQUET_TAIL - size), size);
}

static void test_bytes(void **state)
{
	(void)state;
	struct fixture f;
	AUTO(buf) file = {0};
	fixture_open(&f);
	write_rows(&f, 2, &file);
	static const char head[] =
		"PAR1"
		"\x15\x00\x15\x18\x15\x18\x2c\x15\x04\x15\x00\x15\x06\x15\x06\x00\x00" // page of id: 12 bytes, 2 values
		"\x02\x00\x00\x00r0\x02\x00\x00\x00r1"
		"\x15\x00\x15\x02\x15\x02\x2c\x15\x04\x15\x00\x15\x06\x15\x06\x00\x00" // of ok: one byte
		"\x02"
		"\x15\x00\x15\x20\x15\x20\x2c\x15\x04\x15\x00\x15\x06\x15\x06\x00\x00" // of n: 16 bytes
		"\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"
		"\x15\x02\x19\x4c\x48\x06schema\x15\x06\x00"; // footer: version 1, four elements, the root
	assert_true(file.n > sizeof(head));
	assert_memory_equal(file.p, head, sizeof(head) - 1);
	assert_true(str_ends(buf_str(&file), S("PAR1")));
	fixture_close(&f);
}

static void test_rows(void **state)
{
	(void)state;
	struct fixture f;
	fixture_open(&f);
	static const size_t counts[] = {0, 1, 7, 8, 9, 1000};
	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		AUTO(buf) file = {0};
		int64_t rows = -1;
		write_rows(&f, counts[i], &file);
		assert_ok(&f, parquet_rows(footer_of(&f, buf_str(&file)), &rows, &f.call.err));
		assert_int_equal(rows, counts[i]);
	}
	fixture_close(&f);
}

static void test_damaged(void **state)
{
	(void)state;
	struct fixture f;
	AUTO(buf) file = {0};
	fixture_open(&f);
	write_rows(&f, 3, &file);
	struct str footer = footer_of(&f, buf_str(&file));
	for (size_t n = 0; n < footer.n; n++) { // cut anywhere: an error or, past field 3, never a wrong number
		int64_t rows = -1;
		int rc = parquet_rows(str_take(footer, n), &rows, &f.call.err);
		assert_true(rc == ERR_CORRUPT && rows == -1);
		err_clear(&f.call.err);
	}
	uint32_t size = 7;
	assert_fails(&f, parquet_footer_size(S("\x10\x00\x00\x00PAR2"), &size, &f.call.err), ERR_CORRUPT);
	assert_fails(&f, parquet_footer_size(S("PAR1"), &size, &f.call.err), ERR_CORRUPT);
	assert_fails(&f, parquet_footer_size(S("\x10\x00\x00\x00PARE"), &size, &f.call.err), ERR_UNSUPPORTED);
	assert_fails(&f, parquet_footer_size(S("\xff\xff\xff\xffPAR1"), &size, &f.call.err), ERR_LIMIT);
	assert_int_equal(size, 7);
	int64_t rows = -1;
	char deep[64]; // a struct in a struct in a struct ...
	memset(deep, 0x1c, sizeof(deep));
	assert_fails(&f, parquet_rows(str_bytes(deep, sizeof(deep)), &rows, &f.call.err), ERR_CORRUPT);
	assert_fails(&f, parquet_rows(S("\x19\xfc\xff\xff\xff\xff\x7f"), &rows, &f.call.err),
		ERR_CORRUPT);                                                               // a list of billions
	assert_fails(&f, parquet_rows(S("\x36\x01\x00"), &rows, &f.call.err), ERR_CORRUPT); // -1 rows
	fixture_close(&f);
}

static void test_limits(void **state)
{
	(void)state;
	struct fixture f;
	AUTO(buf) out = {0};
	fixture_open(&f);
	const struct parquet_table none = {.columns = columns}, many = {columns, 1, NULL, PARQUET_ROWS_MAX + (size_t)1};
	assert_fails(&f, parquet_write(&none, &out, &f.call.err), ERR_LIMIT);
	assert_fails(&f, parquet_write(&many, &out, &f.call.err), ERR_LIMIT);
	assert_int_equal(out.n, 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes), cmocka_unit_test(test_rows),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_limits)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
