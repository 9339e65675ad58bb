// SPDX-License-Identifier: Apache-2.0
// Which service gets a request, their life, and their ticks. Services of the test's own, in a pocket of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/engine/engine.h"
#include "pocket/pocket_impl.h"
#include "pocket/service.h"

static struct log {
	char text[256];
	int more; // ticks to come
	bool fails;
} log_of;

static void note(const char *what)
{
	size_t n = strlen(log_of.text);
	snprintf(log_of.text + n, sizeof(log_of.text) - n, "%s ", what);
}

static int open_first(UNUSED struct pocket *p, void **state, UNUSED struct err *e)
{
	note("open");
	*state = &log_of;
	return 0;
}

static void close_first(void *state)
{
	assert_ptr_equal(state, &log_of);
	note("close");
}

static bool tick_first(void *state, int64_t now_ns)
{
	assert_ptr_equal(state, &log_of);
	assert_true(now_ns > 0);
	note("tick");
	return log_of.more-- > 0;
}

static bool is_signed_for_first(const struct front_request *r)
{
	return str_eq(r->signed_for, S("first"));
}

static int open_second(UNUSED struct pocket *p, UNUSED void **state, struct err *e)
{
	return log_of.fails ? err_set(e, ERR_CORRUPT, "a broken key") : 0;
}

static bool is_below_second(const struct front_request *r)
{
	return str_starts(r->x->request.path, S("/second/"));
}

static const struct pocket_service first = {.name = "first",
	.matches = is_signed_for_first,
	.open = open_first,
	.close = close_first,
	.tick = tick_first};
static const struct pocket_service second = {.name = "second", .matches = is_below_second, .open = open_second};
static const struct pocket_service *const services[] = {&first, &second, NULL};
static const struct front front = {.as = "test", .services = services};

static struct pocket pocket;

static int setup(UNUSED void **state)
{
	struct err e = {0};
	memset(&log_of, 0, sizeof(log_of));
	pocket = (struct pocket){.front = &front, .edges = edges_real(), .pace = 60};
	return loop_new(&pocket.loop, &e);
}

static int teardown(UNUSED void **state)
{
	services_close(&pocket);
	loop_free(pocket.loop);
	return 0;
}

static const struct pocket_service *pick(const char *path, const char *authorization, struct pair *query)
{
	struct http_header headers[] = {{.name = S("authorization"), .value = str_of(authorization)}};
	struct http_exchange x = {
		.request = {.path = str_of(path), .headers = {.items = headers, .count = 1, .room = 1}}};
	struct front_request r = {.x = &x, .pocket = &pocket};
	if (query)
		r.query = (struct pairs){.items = query, .count = 1};
	service_pick(&r);
	assert_ptr_equal(r.service_state, r.service == &first ? &log_of : NULL);
	return r.service;
}

static void test_picked(UNUSED void **state)
{
	struct err e = {0};
	assert_int_equal(services_open(&pocket, &e), 0);
	const char *signed_first = "AWS4-HMAC-SHA256 Credential=KEY/20261124/us-east-1/first/aws4_request, "
				   "SignedHeaders=host, Signature=00";
	assert_ptr_equal(pick("/", signed_first, NULL), &first);
	assert_ptr_equal(pick("/second/x", signed_first, NULL), &first); // the first row that says so
	assert_ptr_equal(pick("/second/x", "", NULL), &second);
	assert_null(pick("/second", "", NULL));
	assert_null(pick("/", "AWS4-HMAC-SHA256 Credential=KEY/20261124/us-east-1/s3/aws4_request", NULL));
	assert_null(pick("/", "Bearer Credential=KEY/20261124/us-east-1/first/aws4_request", NULL));
	assert_null(pick("/", "AWS4-HMAC-SHA256 Credential=first", NULL));
	struct pair presigned = {
		.name = S("X-Amz-Credential"), .value = S("KEY/20261124/us-east-1/first/aws4_request")};
	assert_ptr_equal(pick("/", "", &presigned), &first);
	assert_ptr_equal(service_state(&pocket, &first), &log_of);
	assert_null(service_state(&pocket, &second));
}

static void test_nothing_open(UNUSED void **state)
{
	assert_null(pick("/second/x", "", NULL));
}

static void test_opened_and_closed(UNUSED void **state)
{
	struct err e = {0};
	log_of.fails = true;
	assert_int_equal(services_open(&pocket, &e), ERR_CORRUPT);
	assert_string_equal(e.message, "the service second: a broken key");
	services_close(&pocket);
	assert_string_equal(log_of.text, "open close ");
	services_close(&pocket); // once is enough
	assert_string_equal(log_of.text, "open close ");
}

static void rounds(int64_t ns)
{
	struct err e = {0};
	for (int64_t end = loop_now_ns(pocket.loop) + ns; loop_now_ns(pocket.loop) < end;)
		assert_int_equal(loop_round(pocket.loop, 5 * NS_PER_MS, &e), 0);
}

static void test_ticks(UNUSED void **state)
{
	struct err e = {0};
	log_of.more = 2;
	assert_int_equal(services_open(&pocket, &e), 0);
	while (log_of.more >= 0)
		rounds(5 * NS_PER_MS);
	rounds(3 * SERVICE_TICK_MS * NS_PER_MS); // no more: nothing ticks
	assert_string_equal(log_of.text, "open tick tick tick ");
	log_of.more = 0;
	service_wake(&pocket);
	service_wake(&pocket); // is one tick
	while (log_of.more >= 0)
		rounds(5 * NS_PER_MS);
	rounds(3 * SERVICE_TICK_MS * NS_PER_MS);
	assert_string_equal(log_of.text, "open tick tick tick tick ");
}

static void test_pace(UNUSED void **state)
{
	assert_int_equal(service_pace_ns(&pocket, 120 * NS_PER_S), 2 * NS_PER_S);
	pocket.pace = 1;
	assert_int_equal(service_pace_ns(&pocket, 120 * NS_PER_S), 120 * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_picked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_opened_and_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ticks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pace, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
