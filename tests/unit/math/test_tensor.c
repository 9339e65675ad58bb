// SPDX-License-Identifier: Apache-2.0
// Types, sizes with overflow, half-precision numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "math/tensor.h"

static void test_types(UNUSED void **state)
{
	enum tensor_type type = TENSOR_U64;
	assert_int_equal(tensor_type_of_name(S("BF16"), &type), 0);
	assert_int_equal(type, TENSOR_BF16);
	assert_string_equal(tensor_type_name(TENSOR_F8_E4M3FNUZ), "F8_E4M3FNUZ");
	assert_int_equal(tensor_type_of_name(S("f32"), &type), ERR_INVALID);
	assert_int_equal(tensor_type_of_name(S(""), &type), ERR_INVALID);
	assert_int_equal(type, TENSOR_BF16);
	assert_int_equal(tensor_type_bits(TENSOR_F6_E2M3), 6);
	assert_int_equal(tensor_type_bits(TENSOR_C64), 64);
}

static void test_sizes(UNUSED void **state)
{
	uint64_t n = 5;
	assert_int_equal(tensor_elements(NULL, 0, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(tensor_elements((const uint64_t[]){3, 0, 7}, 3, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(tensor_elements((const uint64_t[]){UINT64_C(1) << 32, UINT64_C(1) << 32}, 2, &n), ERR_LIMIT);
	assert_int_equal(tensor_bytes(TENSOR_F64, (const uint64_t[]){UINT64_C(1) << 58}, 1, &n), ERR_LIMIT);
	assert_int_equal(tensor_bytes(TENSOR_F4, (const uint64_t[]){5}, 1, &n), ERR_INVALID);
	assert_int_equal(tensor_bytes(TENSOR_F4, (const uint64_t[]){6}, 1, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(tensor_bytes(TENSOR_F6_E3M2, (const uint64_t[]){4}, 1, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(tensor_count(&(struct tensor){.type = TENSOR_F32, .begin = 8, .end = 24}), 4);
}

static void test_forms(UNUSED void **state)
{
	static const uint64_t shape[] = {2, 3}, same[] = {2, 3}, other[] = {3, 2};
	struct tensor a = {.type = TENSOR_F32, .shape = shape, .rank = 2}, b = a;
	b.shape = same;
	assert_true(tensor_same_form(&a, &b));
	b.shape = other;
	assert_false(tensor_same_form(&a, &b));
	b = a;
	b.type = TENSOR_I32;
	assert_false(tensor_same_form(&a, &b));
	b = a;
	b.rank = 1;
	assert_false(tensor_same_form(&a, &b));
}

// Every half goes to a float and back to itself, but for the payload of signalling NaN.
static void test_halves_round_trip(UNUSED void **state)
{
	for (uint32_t h = 0; h <= 0xffff; h++) {
		float f = tensor_f32_of_f16((uint16_t)h), b = tensor_f32_of_bf16((uint16_t)h);
		if (isnan(f))
			assert_true(isnan(tensor_f32_of_f16(tensor_f16_of_f32(f))));
		else
			assert_int_equal(tensor_f16_of_f32(f), h);
		if (isnan(b))
			assert_true(isnan(tensor_f32_of_bf16(tensor_bf16_of_f32(b))));
		else
			assert_int_equal(tensor_bf16_of_f32(b), h);
	}
}

static void test_halves_round(UNUSED void **state)
{
	assert_int_equal(tensor_f16_of_f32(65504.0f), 0x7bff);
	assert_int_equal(tensor_f16_of_f32(65519.99f), 0x7bff);
	assert_int_equal(tensor_f16_of_f32(65520.0f), 0x7c00);
	assert_int_equal(tensor_f16_of_f32(-1e9f), 0xfc00);
	assert_int_equal(tensor_f16_of_f32(1.0f + 0x1p-11f), 0x3c00);            // a tie goes to even
	assert_int_equal(tensor_f16_of_f32(1.0f + 3 * 0x1p-11f), 0x3c02);        // and so does the next
	assert_int_equal(tensor_f16_of_f32(1.0f + 0x1p-11f + 0x1p-20f), 0x3c01); // above the tie
	assert_int_equal(tensor_f16_of_f32(0x1p-25f), 0);                        // half of the least subnormal
	assert_int_equal(tensor_f16_of_f32(0x1.8p-25f), 1);
	assert_int_equal(tensor_f16_of_f32(-0.0f), 0x8000);
	assert_int_equal(tensor_bf16_of_f32(1.0f + 0x1p-8f), 0x3f80);
	assert_int_equal(tensor_bf16_of_f32(1.0f + 3 * 0x1p-8f), 0x3f82);
	assert_int_equal(tensor_bf16_of_f32(INFINITY), 0x7f80);
	assert_int_equal(tensor_bf16_of_f32(3.4e38f), 0x7f80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_halves_round_trip),
		cmocka_unit_test(test_halves_round),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
