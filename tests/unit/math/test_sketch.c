// SPDX-License-Identifier: Apache-2.0
// Sketches: where values fall, merging, differences, the JSON form, drift as the mean over elements.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "math/drift.h"
#include "math/rng.h"
#include "math/sketch.h"

static struct sketch make(size_t elements)
{
	struct sketch s;
	struct err e = {0};
	assert_int_equal(sketch_new(&s, elements, 4, 0, 1, &e), 0);
	return s;
}

static void test_where_values_fall(UNUSED void **state)
{
	static const float values[] = {-0.1f, 0, 0.24f, 0.25f, 0.99f, 1, 1.1f, NAN, INFINITY, -INFINITY};
	static const uint64_t expected[] = {2, 2, 1, 0, 2, 2, 1};
	AUTO(sketch) s = make(1);
	for (size_t i = 0; i < COUNT_OF(values); i++)
		sketch_add(&s, &values[i]);
	assert_memory_equal(s.counts, expected, sizeof(expected));
	assert_int_equal(s.samples, 10);
	sketch_clear(&s);
	assert_true(s.samples == 0 && s.counts[0] == 0);
}

static void test_limits(UNUSED void **state)
{
	struct sketch s = {.elements = 5};
	struct err e = {0};
	assert_int_equal(sketch_new(&s, 0, 10, 0, 1, &e), ERR_LIMIT);
	assert_int_equal(sketch_new(&s, SKETCH_MAX_ELEMENTS + 1, 10, 0, 1, &e), ERR_LIMIT);
	assert_int_equal(sketch_new(&s, 1, SKETCH_MAX_BINS + 1, 0, 1, &e), ERR_LIMIT);
	assert_int_equal(sketch_new(&s, 1, 10, 1, 1, &e), ERR_INVALID);
	assert_int_equal(sketch_new(&s, 1, 10, 0, NAN, &e), ERR_INVALID);
	assert_int_equal(s.elements, 5);
}

static void test_merge_and_since(UNUSED void **state)
{
	static const float one[] = {0.1f, 0.9f}, two[] = {0.6f, 0.9f};
	AUTO(sketch) a = make(2);
	AUTO(sketch) b = make(2);
	AUTO(sketch) other = make(3);
	AUTO(sketch) since = {0};
	struct err e = {0};
	sketch_add(&a, one);
	sketch_add(&b, two);
	assert_int_equal(sketch_merge(&b, &a, &e), 0);
	assert_int_equal(b.samples, 2);
	assert_true(b.counts[1] == 1 && b.counts[3] == 1 && b.counts[7 + 4] == 2);
	assert_int_equal(sketch_since(&b, &a, &since, &e), 0);
	assert_true(since.samples == 1 && since.counts[1] == 0 && since.counts[3] == 1 && since.counts[7 + 4] == 1);
	assert_int_equal(sketch_since(&a, &b, &since, &e), ERR_INVALID);
	assert_non_null(strstr(e.message, "began anew"));
	assert_int_equal(sketch_merge(&other, &a, &e), ERR_INVALID);
	assert_int_equal(sketch_since(&other, &a, &since, &e), ERR_INVALID);
}

static void refuse_json(const char *text, const char *because)
{
	AUTO(json) j = NULL;
	struct sketch s;
	struct err e = {0};
	assert_int_equal(json_parse(str_of(text), &j, &e), 0);
	assert_true(sketch_of_json(j, &s, &e) < 0);
	if (!strstr(e.message, because))
		fail_msg("\"%s\" does not say \"%s\"", e.message, because);
}

static void test_json(UNUSED void **state)
{
	static const float values[] = {0.1f, 0.9f};
	AUTO(sketch) s = make(2);
	AUTO(sketch) again = {0};
	struct err e = {0};
	sketch_add(&s, values);
	AUTO(json) j = sketch_to_json(&s);
	AUTO(buf) text = {0};
	assert_int_equal(json_write(j, &text, &e), 0);
	assert_string_equal(buf_cstr(&text), "{\"bins\":4,\"counts\":[0,1,0,0,0,0,0,0,0,0,0,1,0,0],\"elements\":2,"
					     "\"high\":1.0,\"low\":0.0,\"samples\":1}");
	assert_int_equal(sketch_of_json(j, &again, &e), 0);
	assert_memory_equal(again.counts, s.counts, 14 * sizeof(uint64_t));
	assert_true(again.elements == 2 && again.bins == 4 && again.low == 0 && again.high == 1 && again.samples == 1);
	refuse_json("{}", "elements");
	refuse_json("{\"elements\":-1,\"bins\":4,\"samples\":0}", "above 0");
	refuse_json("{\"elements\":9999999,\"bins\":4,\"samples\":0,\"low\":0,\"high\":1}", "at most");
	refuse_json("{\"elements\":1,\"bins\":1,\"samples\":0,\"high\":1}", "no width");
	refuse_json("{\"elements\":1,\"bins\":1,\"samples\":0,\"low\":0,\"high\":1,\"counts\":[1]}", "list of 4");
	refuse_json("{\"elements\":1,\"bins\":1,\"samples\":0,\"low\":0,\"high\":1,\"counts\":[1,2,3,-4]}", "count 3");
}

// One element moves, three do not: the tensor's drift is a quarter of that element's.
static void test_drift_is_the_mean_over_elements(UNUSED void **state)
{
	AUTO(sketch) r = make(4);
	AUTO(sketch) c = make(4);
	struct err e = {0};
	double psi;
	assert_int_equal(sketch_drift(&r, &c, SKETCH_PSI, &psi, &e), ERR_INVALID);
	for (int i = 0; i < 4; i++) {
		float was[4], is[4];
		for (int k = 0; k < 4; k++)
			was[k] = is[k] = 0.1f + 0.25f * (float)i;
		is[2] = i < 3 ? 0.1f : 0.9f;
		sketch_add(&r, was);
		sketch_add(&c, is);
	}
	static const double before[] = {0.25, 0.25, 0.25, 0.25}, now[] = {0.75, 0, 0, 0.25};
	double moved = drift_psi(before, now, 4);
	assert_true(sketch_element_drift(&r, &c, 2, SKETCH_PSI) == moved);
	assert_true(sketch_element_drift(&r, &c, 0, SKETCH_PSI) == 0);
	assert_int_equal(sketch_drift(&r, &c, SKETCH_PSI, &psi, &e), 0);
	assert_true(psi == moved / 4);
	assert_int_equal(sketch_drift(&r, &c, SKETCH_JS, &psi, &e), 0);
	assert_true(fabs(psi - drift_js(before, now, 4) / 4) < 1e-15);
	assert_int_equal(sketch_drift(&r, &c, SKETCH_HELLINGER, &psi, &e), 0);
	assert_true(fabs(psi - drift_hellinger(before, now, 4) / 4) < 1e-7);
}

// 500 samples of the same source must not look like drift: that is what the demo's monitor relies on.
static void test_equal_sources_do_not_drift(UNUSED void **state)
{
	enum { ELEMENTS = 64 };
	struct sketch r, c;
	struct err e = {0};
	struct rng g;
	double psi;
	assert_int_equal(sketch_new(&r, ELEMENTS, SKETCH_BINS, 0, 1, &e), 0);
	assert_int_equal(sketch_new(&c, ELEMENTS, SKETCH_BINS, 0, 1, &e), 0);
	rng_seed(&g, 1, 1);
	for (int i = 0; i < 10500; i++) {
		float x[ELEMENTS];
		for (int k = 0; k < ELEMENTS; k++) { // mostly 0, as pixels are
			double u = rng_uniform(&g);
			x[k] = u < 0.8 ? 0 : (float)(u * u);
		}
		sketch_add(i < 10000 ? &r : &c, x);
	}
	assert_int_equal(sketch_drift(&r, &c, SKETCH_PSI, &psi, &e), 0);
	assert_true(psi > 0 && psi < 0.05);
	sketch_free(&r);
	sketch_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_values_fall),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_merge_and_since),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_drift_is_the_mean_over_elements),
		cmocka_unit_test(test_equal_sources_do_not_drift),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
