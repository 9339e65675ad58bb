// SPDX-License-Identifier: Apache-2.0
// Scalar forms both ways, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/kind_scalars.h"

static void test_names(UNUSED void **state)
{
	char text[64];
	memset(text, 'a', sizeof(text));
	assert_true(name_valid(S("a")));
	assert_true(name_valid(S("9.A_b-")));
	assert_true(name_valid(str_bytes(text, 63)));
	assert_false(name_valid(str_bytes(text, 64)));
	static const char *const bad[] = {"", "-a", ".a", "_a", "a b", "a/b", "a@b", "\xc3\xbc", "a\n"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(name_valid(str_of(bad[i])));
	assert_false(name_valid(S("a\0b")));
}

static void test_urls(UNUSED void **state)
{
	static const char *const good[] = {"http://127.0.0.1:8999/alerts", "https://a", "https://[::1]:80/x?y=@z#f",
		"file:///usr/share/x", "https://a/b@c"};
	static const char *const bad[] = {"", "a", "http:/a", "http://", "https:///x", "ftp://a", "file://host/x",
		"file:x", "https://u:p@a/", "https://a b", "https://:80/", "https://a/\n", "https://a/\xc3\xbc",
		"HTTPS://a", "https://a/<x>"};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(url_valid(str_of(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(url_valid(str_of(bad[i])));
}

static void test_sizes(UNUSED void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
		const char *back;
	} rows[] = {
		{"0B", 0, "0B"},
		{"0GiB", 0, "0B"},
		{"100B", 100, "100B"},
		{"1KB", 1000, "1KB"},
		{"1KiB", 1024, "1KiB"},
		{"512MiB", INT64_C(536870912), "512MiB"},
		{"1024MiB", INT64_C(1) << 30, "1GiB"},
		{"5GB", INT64_C(5000000000), "5GB"},
		{"2000GB", INT64_C(2000000000000), "2TB"},
		{"3PiB", INT64_C(3) << 50, "3PiB"},
		{"7PB", INT64_C(7000000000000000), "7PB"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf) back = {0};
		int64_t bytes = -1;
		assert_int_equal(size_parse(str_of(rows[i].text), &bytes), 0);
		assert_int_equal(bytes, rows[i].bytes);
		size_write(bytes, &back);
		assert_string_equal(buf_cstr(&back), rows[i].back);
	}
	static const char *const bad[] = {
		"", "5", "B", "1.5GiB", "-1B", "5 GB", "5gb", "5GBs", "8192PiB", "99999999999999999999B"};
	int64_t bytes = 7;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(size_parse(str_of(bad[i]), &bytes), ERR_INVALID);
	assert_int_equal(bytes, 7);
}

static void test_percentages(UNUSED void **state)
{
	static const struct {
		const char *text;
		double value;
		const char *back;
	} rows[] = {{"5%", 0.05, "5%"}, {"0.1%", 0.001, "0.1%"}, {"100%", 1, "100%"}, {"0%", 0, "0%"},
		{"12.50%", 0.125, "12.5%"}, {"33.3333%", 0.333333, "33.3333%"}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf) back = {0};
		double value = -1;
		assert_int_equal(percent_parse(str_of(rows[i].text), &value), 0);
		assert_true(value - rows[i].value < 1e-15 && rows[i].value - value < 1e-15);
		percent_write(value, &back);
		assert_string_equal(buf_cstr(&back), rows[i].back);
	}
	static const char *const bad[] = {"", "%", "5", "-5%", "+5%", ".5%", "5.%", "5 %", "1e1%", "5%%"};
	double value = 7;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(percent_parse(str_of(bad[i]), &value), ERR_INVALID);
	assert_true(value == 7);
}

static void test_ranges(UNUSED void **state)
{
	struct field_range r = {0};
	AUTO(buf) back = {0};
	assert_int_equal(range_field_parse(S("-1.5..2e3"), &r), 0);
	assert_true(r.low == -1.5 && r.high == 2000);
	range_write(r, &back);
	assert_string_equal(buf_cstr(&back), "-1.5..2000");
	assert_int_equal(range_field_parse(S("0.1..0.1"), &r), 0);
	assert_int_equal(range_field_parse(S("-2..-1"), &r), 0);
	static const char *const bad[] = {"", "..", "0..", "..1", "1..0", "0-1", "0...1", "a..b", "0..inf", "0 .. 1"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(range_field_parse(str_of(bad[i]), &r), ERR_INVALID);
	assert_true(r.low == -2 && r.high == -1);
}

static void test_money(UNUSED void **state)
{
	struct field_money m = {0};
	AUTO(buf) back = {0};
	assert_int_equal(money_parse(S("40 EUR"), &m), 0);
	assert_true(m.amount == 40 && str_eq(m.currency, S("EUR")) && m.per.n == 0);
	assert_int_equal(money_parse(S("1.90 USD/GB"), &m), 0);
	assert_true(m.amount == 1.9 && str_eq(m.currency, S("USD")) && str_eq(m.per, S("GB")));
	money_write(m, &back);
	money_write((struct field_money){.amount = 40, .currency = S("EUR"), .per = S("")}, &back);
	assert_string_equal(buf_cstr(&back), "1.9 USD/GB40 EUR");
	static const char *const bad[] = {"", "40", "EUR", "40EUR", "40  EUR", "40 eur", "40 EURO", "40 EUR/",
		"40 EUR/2h", "-4 EUR", "4,5 EUR", "40 EUR /h", "40 EUR/h "};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(money_parse(str_of(bad[i]), &m), ERR_INVALID);
	assert_true(m.amount == 1.9);
}

// Written, what it may refer to, and how it is written back.
static void assert_ref(const char *text, const char *refers, const char *back)
{
	struct field_ref ref = {0};
	AUTO(buf) out = {0};
	assert_int_equal(ref_parse(str_of(text), refers, &ref), 0);
	ref_write(&ref, &out);
	assert_string_equal(buf_cstr(&out), back);
}

static void test_references(UNUSED void **state)
{
	assert_ref("lake", "bucket", "bucket/lake");
	assert_ref("bucket/lake", "bucket", "bucket/lake");
	assert_ref("lake/raw/returns/", "bucket", "bucket/lake/raw/returns/");
	assert_ref("bucket/lake/raw", "bucket", "bucket/lake/raw");
	assert_ref("classifier@champion", "model", "model/classifier@champion");
	assert_ref("prepared/train", "transform|dataset", "prepared/train");
	assert_ref("dataset/prepared/train", "transform|dataset", "dataset/prepared/train");
	assert_ref("bucket/lake on munich", NULL, "bucket/lake on munich");
	assert_ref("api-key/shop-app", "api-key|group|user", "api-key/shop-app");
	assert_ref("a@1.2", "model", "model/a@1.2");
	struct field_ref ref = {.mark = 'x'};
	static const char *const bad[] = {
		"", "/", "@x", "a@", "a/", "a b", "a@b c", "a@b/c", "-a", "a on", "a on ", "a on b c", " a", "a/\n"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(ref_parse(str_of(bad[i]), "model", &ref), ERR_INVALID);
	assert_int_equal(ref_parse(S("lake"), NULL, &ref), ERR_INVALID);
	assert_int_equal(ref_parse(S("/lake"), NULL, &ref), ERR_INVALID);
	assert_int_equal(ref.mark, 'x');
}

static void test_rates_dates_accelerators(UNUSED void **state)
{
	struct field_rate rate = {0};
	struct field_accelerator a = {0};
	int64_t day = 0;
	AUTO(buf) back = {0};
	assert_int_equal(rate_parse(S("200k/min"), &rate), 0);
	rate_write(rate, &back);
	assert_int_equal(rate_parse(S("0.5/h"), &rate), 0);
	buf_add_char(&back, ' ');
	rate_write(rate, &back);
	assert_int_equal(date_parse(S("2027-06-30"), &day), 0);
	buf_add_char(&back, ' ');
	date_write(day, &back);
	assert_int_equal(accelerator_parse(S("L4"), &a), 0);
	buf_add_char(&back, ' ');
	accelerator_write(a, &back);
	assert_string_equal(buf_cstr(&back), "200k/min 0.5/h 2027-06-30 L4:1");
	static const char *const bad[] = {"", "5", "5/", "/s", "5/m", "0/s", "5 k/s", "5kk/s", "1e3/s", ".5/s", "nan/s"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(rate_parse(str_of(bad[i]), &rate), ERR_INVALID);
	assert_int_equal(date_parse(S("2027-13-01"), &day), ERR_INVALID);
	assert_int_equal(date_parse(S("20270630"), &day), ERR_INVALID);
	assert_int_equal(accelerator_parse(S("H100:65"), &a), ERR_INVALID);
	assert_int_equal(accelerator_parse(S("H100:4:2"), &a), ERR_INVALID);
}

// Two ways to write the same thing have one normal form.
static void assert_normal(enum field_type type, const char *one, const char *other, const char *normal)
{
	const struct field field = {.name = "x", .type = type, .min = 1, .max = 2}; // bounds are another check's business
	const char *const both[] = {one, other};
	for (size_t i = 0; i < COUNT_OF(both); i++) {
		const struct node n = {.type = NODE_SCALAR, .text = str_of(both[i])};
		AUTO(json) j = scalar_to_normal(&field, &n);
		AUTO(buf) text = {0};
		assert_int_equal(json_write(j, &text, NULL), 0);
		assert_string_equal(buf_cstr(&text), normal);
	}
}

static void test_normal_forms(UNUSED void **state)
{
	assert_normal(FIELD_SIZE, "1024MiB", "1GiB", "\"1GiB\"");
	assert_normal(FIELD_DURATION, "60s", "1m", "\"1m\"");
	assert_normal(FIELD_DURATION, "18 months", "540d", "\"540d\"");
	assert_normal(FIELD_PERCENT, "5.0%", "5%", "\"5%\"");
	assert_normal(FIELD_MONEY, "40.00 EUR/month", "40 EUR/month", "\"40 EUR/month\"");
	assert_normal(FIELD_RANGE, "0.0..1.0", "0..1", "\"0..1\"");
	assert_normal(FIELD_RATE, "0.2M/min", "200k/min", "\"200k/min\"");
	assert_normal(FIELD_ACCELERATOR, "L4", "L4:1", "\"L4:1\"");
	assert_normal(FIELD_NUMBER, "1e1", "10", "10.0");
	assert_normal(FIELD_INTEGER, "5", "5", "5");
	assert_normal(FIELD_BOOL, "true", "true", "true");
	assert_normal(FIELD_TEXT, "4711", "4711", "\"4711\"");
	assert_normal(FIELD_SIZE, "much", "much", "\"much\""); // wrong ones stay
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_percentages),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_money),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_rates_dates_accelerators),
		cmocka_unit_test(test_normal_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
