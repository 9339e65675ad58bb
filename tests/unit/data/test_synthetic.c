// SPDX-License-Identifier: Apache-2.0
// Made-up records: the same for the same seed, in each format, as the schema says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "data/synthetic.h"
#include "fixture.h"

static const struct parquet_column columns[] = {{S_INIT("order_id"), PARQUET_TEXT}, {S_INIT("sku"), PARQUET_TEXT},
	{S_INIT("amount"), PARQUET_DECIMAL}, {S_INIT("returned"), PARQUET_BOOLEAN}, {S_INIT("at"), PARQUET_TIMESTAMP},
	{S_INIT("on"), PARQUET_DATE}, {S_INIT("n"), PARQUET_INTEGER}, {S_INIT("x"), PARQUET_NUMBER}};

static void make(struct fixture *f, const char *seed, const char *format, size_t rows, struct buf *out)
{
	const struct synthetic s = {str_of(seed), columns, COUNT_OF(columns), rows};
	assert_ok(f, synthetic_file(&f->arena, &s, str_of(format), out, &f->call.err));
}

static void test_jsonl(void **state)
{
	(void)state;
	struct fixture f;
	AUTO(buf) text = {0};
	fixture_open(&f);
	make(&f, "dataset/returns", "jsonl", 2, &text);
	assert_string_equal(buf_cstr(&text), "{\"order_id\":\"order_id-1\",\"sku\":\"sku-41\",\"amount\":\"60.79\","
					     "\"returned\":false,\"at\":\"2025-05-02T01:04:12Z\","
					     "\"on\":\"2025-03-27\",\"n\":542,\"x\":666.351}\n"
					     "{\"order_id\":\"order_id-2\",\"sku\":\"sku-29\",\"amount\":\"451.25\","
					     "\"returned\":false,\"at\":\"2025-11-03T16:24:56Z\","
					     "\"on\":\"2025-04-19\",\"n\":110,\"x\":544.27}\n");
	fixture_close(&f);
}

static void test_csv(void **state)
{
	(void)state;
	struct fixture f;
	AUTO(buf) text = {0};
	fixture_open(&f);
	make(&f, "dataset/returns", "csv", 1, &text);
	assert_string_equal(buf_cstr(&text),
		"order_id,sku,amount,returned,at,on,n,x\n"
		"order_id-1,sku-41,60.79,false,2025-05-02T01:04:12Z,2025-03-27,542,666.351\n");
	fixture_close(&f);
}

static void test_seeds(void **state)
{
	(void)state;
	struct fixture f;
	fixture_open(&f);
	static const char *const formats[] = {"parquet", "jsonl", "csv"};
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		AUTO(buf) a = {0};
		AUTO(buf) b = {0};
		AUTO(buf) c = {0};
		make(&f, "dataset/a", formats[i], SYNTHETIC_ROWS, &a);
		make(&f, "dataset/a", formats[i], SYNTHETIC_ROWS, &b);
		make(&f, "dataset/b", formats[i], SYNTHETIC_ROWS, &c);
		assert_str(buf_str(&a), buf_str(&b));
		assert_false(str_eq(buf_str(&a), buf_str(&c)));
	}
	fixture_close(&f);
}

static void test_types(void **state)
{
	(void)state;
	enum parquet_type type = PARQUET_TEXT;
	static const char *const names[] = {
		"text", "bytes", "integer", "number", "boolean", "decimal", "date", "timestamp"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		assert_true(synthetic_type(str_of(names[i]), &type));
		assert_int_equal(type, i);
	}
	assert_false(synthetic_type(S("blob"), &type));
	struct fixture f;
	AUTO(buf) out = {0};
	fixture_open(&f);
	const struct synthetic none = {.seed = S("x"), .columns = columns}, idx = {S("x"), columns, 1, 1};
	assert_fails(&f, synthetic_file(&f.arena, &none, S("jsonl"), &out, &f.call.err), ERR_INVALID);
	assert_fails(&f, synthetic_file(&f.arena, &idx, S("idx"), &out, &f.call.err), ERR_UNSUPPORTED);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_jsonl), cmocka_unit_test(test_csv),
		cmocka_unit_test(test_seeds), cmocka_unit_test(test_types)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
