// SPDX-License-Identifier: Apache-2.0
// The retry policy: which errors, how long, how often.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cloud/http/provider_error.h"
#include "cloud/http/retry.h"

static void test_delays(void **state)
{
	(void)state;
	const struct retry_policy p = {.attempts = 5, .first_ns = 100, .most_ns = 1000};
	// Full jitter: anything from 0 to the bound, which doubles up to the most.
	assert_int_equal(retry_delay_ns(&p, 1, 0, 0), 0);
	assert_int_equal(retry_delay_ns(&p, 1, 100, 0), 100);
	assert_int_equal(retry_delay_ns(&p, 1, 101, 0), 0);
	assert_int_equal(retry_delay_ns(&p, 2, 200, 0), 200);
	assert_int_equal(retry_delay_ns(&p, 4, 800, 0), 800);
	assert_int_equal(retry_delay_ns(&p, 5, 1000, 0), 1000);
	assert_int_equal(retry_delay_ns(&p, 60, 1000, 0), 1000);
	assert_int_equal(retry_delay_ns(&p, 1, 50, 70), 70); // what the provider asks for
	assert_int_equal(retry_delay_ns(&p, 1, 90, 70), 90);
}

static void test_retry_after(void **state)
{
	(void)state;
	const int64_t now_ns = INT64_C(1795515331) * NS_PER_S;
	assert_int_equal(retry_after_ns(S("3"), now_ns), 3 * NS_PER_S);
	assert_int_equal(retry_after_ns(S(" 0 "), now_ns), 0);
	assert_int_equal(retry_after_ns(S("Tue, 24 Nov 2026 10:15:41 GMT"), now_ns), 10 * NS_PER_S);
	assert_int_equal(retry_after_ns(S("Tue, 24 Nov 2026 10:15:21 GMT"), now_ns), 0);
	assert_int_equal(retry_after_ns(S("soon"), now_ns), 0);
	assert_int_equal(retry_after_ns(S(""), now_ns), 0);
	assert_true(retry_after_ns(S("99999999999999999"), now_ns) == INT64_MAX);
}

struct fixture {
	struct arena arena;
	struct edges_fake edges;
	struct call call;
};

static struct fixture make(void)
{
	return (struct fixture){.arena = {0}};
}

static int pause_after(struct fixture *f, int code, int attempt, int64_t retry_after)
{
	edges_fake_init(&f->edges, 1000, 1);
	call_init(&f->call, &f->arena, &f->edges.edges, S("test"));
	call_fail(&f->call, code, "it failed");
	return retry_pause(&f->call, &retry_standard, attempt, retry_after);
}

static void test_pause(void **state)
{
	(void)state;
	struct fixture f = make();
	assert_int_equal(pause_after(&f, ERR_UNAVAILABLE, 1, 0), 0);
	assert_int_equal(f.call.err.code, 0);
	assert_true(f.edges.now_ns <= 1000 + 100 * NS_PER_MS);
	assert_int_equal(pause_after(&f, ERR_THROTTLED, 1, 7 * NS_PER_S), 0);
	assert_true(f.edges.now_ns >= 7 * NS_PER_S);
	assert_int_equal(pause_after(&f, ERR_UNAVAILABLE, 5, 0), ERR_UNAVAILABLE); // often enough
	assert_string_equal(f.call.err.message, "it failed");
	assert_int_equal(pause_after(&f, ERR_NOT_FOUND, 1, 0), ERR_NOT_FOUND);             // would not help
	assert_int_equal(pause_after(&f, ERR_THROTTLED, 1, 61 * NS_PER_S), ERR_THROTTLED); // too long
	assert_int_equal(f.edges.now_ns, 1000);
}

static void test_deadline_is_nearer(void **state)
{
	(void)state;
	struct fixture f = make();
	edges_fake_init(&f.edges, 1000, 1);
	call_init(&f.call, &f.arena, &f.edges.edges, S("test"));
	f.call.deadline_ns = 1000 + 2 * NS_PER_S;
	call_fail(&f.call, ERR_UNAVAILABLE, "it failed");
	assert_int_equal(retry_pause(&f.call, &retry_standard, 1, 3 * NS_PER_S), ERR_UNAVAILABLE);
	assert_int_equal(f.edges.now_ns, 1000); // told at once
	atomic_bool cancel = true;
	f.call.cancel = &cancel;
	assert_int_equal(retry_pause(&f.call, &retry_standard, 1, NS_PER_S), ERR_CANCELLED);
	assert_non_null(strstr(f.call.err.message, "it failed"));
}

static void test_provider_errors(void **state)
{
	(void)state;
	static const struct provider_code table[] = {{"Slow", ERR_THROTTLED, true}, {"Odd", ERR_CONFLICT, true}};
	struct fixture f = make();
	call_init(&f.call, &f.arena, edges_real(), S("test"));
	struct provider_refusal refusal = {.status = 400, .code = S("Odd"), .message = S("two\nlines\x01")};
	assert_int_equal(provider_fail(&f.call, table, 2, &refusal), ERR_CONFLICT);
	assert_true(f.call.err.retryable);
	assert_string_equal(f.call.err.message, "Odd: two lines  (HTTP 400)");
	assert_string_equal(f.call.err.provider_code, "Odd");
	refusal = (struct provider_refusal){.status = 503};
	assert_int_equal(provider_fail(&f.call, table, 2, &refusal), ERR_UNAVAILABLE);
	assert_string_equal(f.call.err.message, "unavailable (HTTP 503)");
	assert_true(f.call.err.retryable);
	refusal.status = 404;
	assert_int_equal(provider_fail(&f.call, table, 2, &refusal), ERR_NOT_FOUND);
	assert_false(f.call.err.retryable);
	arena_free(&f.arena);
}

static void test_statuses(void **state)
{
	(void)state;
	static const struct {
		int status, code;
	} expected[] = {{304, ERR_CONFLICT}, {400, ERR_INVALID}, {401, ERR_UNAUTHENTICATED}, {403, ERR_DENIED},
		{404, ERR_NOT_FOUND}, {405, ERR_UNSUPPORTED}, {408, ERR_UNAVAILABLE}, {409, ERR_CONFLICT},
		{410, ERR_NOT_FOUND}, {412, ERR_CONFLICT}, {413, ERR_LIMIT}, {416, ERR_INVALID}, {429, ERR_THROTTLED},
		{500, ERR_UNAVAILABLE}, {501, ERR_UNSUPPORTED}, {503, ERR_UNAVAILABLE}, {507, ERR_NO_SPACE},
		{418, ERR_PROTOCOL}};
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		assert_int_equal(provider_status_code(expected[i].status), expected[i].code);
}

// A refusal says that it is the clock, when the answer's Date is far from ours.
static void test_clock(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *date, *says;
	} cases[] = {
		{403, "Tue, 10 Nov 2026 11:00:00 GMT",
			"refused: the clock of this machine is 60 minutes ahead of the provider's: set it right"},
		{401, "Tue, 10 Nov 2026 13:00:00 GMT",
			"refused: the clock of this machine is 60 minutes behind the provider's: set it right"},
		{400, "Tue, 10 Nov 2026 12:04:59 GMT", "refused"},
		{404, "Tue, 10 Nov 2026 11:00:00 GMT", "refused"},
		{403, "yesterday", "refused"},
		{403, "", "refused"},
	};
	struct edges_fake fake;
	int64_t noon_ns = 0;
	assert_int_equal(time_parse_rfc3339(S("2026-11-10T12:00:00Z"), &noon_ns), 0);
	edges_fake_init(&fake, noon_ns, 1);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(arena) arena = {0};
		struct call c;
		call_init(&c, &arena, &fake.edges, S("test"));
		assert_int_equal(call_fail(&c, ERR_DENIED, "refused"), ERR_DENIED);
		provider_add_clock(&c, cases[i].status, str_of(cases[i].date));
		assert_string_equal(c.err.message, cases[i].says);
		assert_int_equal(c.err.code, ERR_DENIED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delays),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_deadline_is_nearer),
		cmocka_unit_test(test_provider_errors),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
