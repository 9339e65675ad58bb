// SPDX-License-Identifier: Apache-2.0
// Windows over counters: what is kept, what a delta reaches back to, and a counter that starts anew.
#include "monitor/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static void a_delta_reaches_back_over_the_span(void **state)
{
	struct window w;
	double delta[2];
	(void)state;
	assert_int_equal(window_init(&w, 2 * SECOND, 2, 10), 0);
	assert_false(window_delta(&w, false, delta));
	for (int i = 0; i <= 40; i++) { // every quarter second, 10 more each
		double values[2] = {i * 10, i};
		window_push(&w, i * SECOND / 4, values);
	}
	assert_true(window_delta(&w, true, delta));
	assert_true(delta[0] >= 80 && delta[0] <= 90); // 8 steps, and at most one of thinning
	assert_true(delta[1] * 10 == delta[0]);
	window_free(&w);
}

static void a_young_window_is_not_full(void **state)
{
	struct window w;
	double delta, value = 1;
	(void)state;
	assert_int_equal(window_init(&w, 10 * SECOND, 1, 20), 0);
	window_push(&w, 0, &value);
	value = 5;
	window_push(&w, SECOND, &value);
	assert_true(window_delta(&w, false, &delta));
	assert_true(delta == 4);
	assert_false(window_delta(&w, true, &delta));
	window_free(&w);
}

static void a_counter_that_went_back_empties_it(void **state)
{
	struct window w;
	double delta, value = 100;
	(void)state;
	assert_int_equal(window_init(&w, 2 * SECOND, 1, 10), 0);
	window_push(&w, 0, &value);
	window_push(&w, SECOND, &value);
	value = 3;
	window_push(&w, 2 * SECOND, &value);
	assert_false(window_delta(&w, false, &delta));
	value = 7;
	window_push(&w, 3 * SECOND, &value);
	assert_true(window_delta(&w, false, &delta));
	assert_true(delta == 4);
	window_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delta_reaches_back_over_the_span),
		cmocka_unit_test(a_young_window_is_not_full),
		cmocka_unit_test(a_counter_that_went_back_empties_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
