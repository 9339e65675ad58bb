// SPDX-License-Identifier: Apache-2.0
// Prices of bytes between clouds, and that each move is counted once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/transfer.h"
#include "fixture_state.h"
#include "memory_cloud.h"

struct world {
	struct fixture f;
	struct state s;
	struct memory_cloud us, eu, other;
};

static void open_world(struct world *w)
{
	fixture_open_state(&w->f, &w->s);
	memory_cloud_init(&w->us, "aws-us", "aws");
	memory_cloud_init(&w->eu, "aws-eu", "aws");
	memory_cloud_init(&w->other, "gcp-eu", "gcp");
}

static void close_world(struct world *w)
{
	memory_cloud_free(&w->us);
	memory_cloud_free(&w->eu);
	memory_cloud_free(&w->other);
	fixture_close_state(&w->f, &w->s);
}

static double price_of(struct world *w, const struct cloud *from, const struct cloud *to)
{
	struct price per_gb;
	double amount;
	const struct transfer t = {.from = from, .to = to, .bytes = 2500000000, .what = S("dataset/images")};
	assert_ok(&w->f, transfer_price(&w->f.call, &t, &per_gb, &amount));
	return amount;
}

static void test_price(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_float_equal(price_of(&w, &w.us.cloud, &w.other.cloud), 0.25, 1e-12); // 2.5 GB at 0.10
	assert_float_equal(price_of(&w, &w.us.cloud, &w.eu.cloud), 0.0625, 1e-12);  // same provider: a quarter
	assert_float_equal(price_of(&w, &w.us.cloud, NULL), 0.25, 1e-12);           // over the internet
	assert_float_equal(price_of(&w, NULL, &w.us.cloud), 0, 0);                  // ingress
	assert_float_equal(price_of(&w, &w.us.cloud, &w.us.cloud), 0, 0);
	struct price per_gb;
	double amount;
	const struct transfer t = {.from = &w.us.cloud, .bytes = 1};
	w.us.cloud.prices = NULL;
	assert_fails(&w.f, transfer_price(&w.f.call, &t, &per_gb, &amount), ERR_UNSUPPORTED);
	close_world(&w);
}

static void test_record(void **state)
{
	(void)state;
	struct world w;
	struct event *events;
	struct transfer_total *rows;
	size_t count;
	open_world(&w);
	struct call *c = &w.f.call;
	const struct transfer a = {.from = &w.us.cloud,
		.to = &w.other.cloud,
		.bytes = 1000000000,
		.what = S("training/x"),
		.id = S("x/1/send")};
	const struct transfer b = {
		.from = &w.us.cloud, .to = &w.other.cloud, .bytes = 500000000, .what = S("training/x")};
	const struct transfer in = {.to = &w.us.cloud, .bytes = 7, .what = S("dataset/images"), .id = S("d/1/put")};
	const struct transfer none = {.from = &w.us.cloud, .to = &w.us.cloud, .bytes = 9, .what = S("x")};
	assert_ok(&w.f, transfer_record(c, &w.s, &a));
	assert_ok(&w.f, transfer_record(c, &w.s, &a)); // the action is repeated after a crash
	assert_ok(&w.f, transfer_record(c, &w.s, &b));
	assert_ok(&w.f, transfer_record(c, &w.s, &b));
	assert_ok(&w.f, transfer_record(c, &w.s, &in));
	assert_ok(&w.f, transfer_record(c, &w.s, &none));
	assert_int_equal(fixture_events(&w.f, &w.s, "transfer.done", &events), 4);
	assert_str(events[0].address, S("training/x"));
	assert_str(json_str(events[0].data, "from"), S("aws-us"));
	assert_str(json_str(events[0].data, "to"), S("gcp-eu"));
	assert_int_equal(json_int(events[0].data, "bytes", 0), 1000000000);
	assert_float_equal(json_num(events[0].data, "price", 0), 0.10, 1e-12);
	assert_str(json_str(events[0].data, "currency"), S("USD"));
	assert_str(json_str(events[0].data, "price_date"), S("2026-01-02"));
	assert_ok(&w.f, transfer_totals(c, &w.s, &rows, &count));
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].bytes, 2000000000);
	assert_float_equal(rows[0].price, 0.20, 1e-12);
	assert_str(rows[1].from, S("here"));
	assert_int_equal(rows[1].bytes, 7);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_price), cmocka_unit_test(test_record)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
