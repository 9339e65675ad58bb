// SPDX-License-Identifier: Apache-2.0
// Merkle trees against the well-known eight leaves, and all proofs of all trees up to 70 leaves, true and forged.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "security/merkle.h"

static const char *const leaves_hex[] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[] = {
	"e3b0c442", "6e340b9c", "fac54203", "aeb6bcfe", "d37ee418", "4e3bbb1f", "76e67dad", "ddb89be4", "5dc9da79"};

static struct sha256 known_leaf(size_t i)
{
	unsigned char bytes[16];
	assert_int_equal(hex_decode(str_of(leaves_hex[i]), bytes), 0);
	return merkle_leaf(str_bytes(bytes, strlen(leaves_hex[i]) / 2));
}

static void test_known_roots(UNUSED void **state)
{
	struct merkle m = {0};
	char text[HEX_SHA256_SIZE];
	for (size_t n = 0; n < COUNT_OF(roots); n++) {
		struct sha256 root = merkle_root(&m);
		hex_encode(str_bytes(root.bytes, SHA256_SIZE), text);
		assert_memory_equal(text, roots[n], 8);
		assert_int_equal(m.size, n);
		if (n < COUNT_OF(leaves_hex)) {
			struct sha256 leaf = known_leaf(n);
			merkle_add(&m, &leaf);
		}
	}
	assert_string_equal(text, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

static void test_large_leaves(UNUSED void **state)
{
	static char text[20001]; // the prefix, and the data behind it
	for (size_t n = 8390; n < sizeof(text); n += 10) {
		struct sha256 a = merkle_leaf(str_bytes(text + 1, n)), b = sha256_of(str_bytes(text, n + 1));
		assert_memory_equal(a.bytes, b.bytes, SHA256_SIZE);
	}
}

enum { MOST = 70 };

static void make_leaves(struct sha256 *leaves)
{
	for (unsigned char i = 0; i < MOST; i++)
		leaves[i] = merkle_leaf(str_bytes(&i, 1));
}

// The definition of section 2.1, word for word.
static struct sha256 recursive_root(const struct sha256 *leaves, uint64_t n)
{
	if (n == 1)
		return leaves[0];
	uint64_t k = 1;
	while (2 * k < n)
		k *= 2;
	struct sha256 left = recursive_root(leaves, k), right = recursive_root(leaves + k, n - k);
	return merkle_node(&left, &right);
}

static void test_roots_follow_the_definition(UNUSED void **state)
{
	struct sha256 leaves[MOST];
	make_leaves(leaves);
	for (uint64_t n = 1; n <= MOST; n++) {
		struct sha256 a = merkle_root_of(leaves, n), b = recursive_root(leaves, n);
		assert_memory_equal(a.bytes, b.bytes, SHA256_SIZE);
	}
}

static void test_every_inclusion(UNUSED void **state)
{
	struct sha256 leaves[MOST];
	make_leaves(leaves);
	for (uint64_t n = 1; n <= MOST; n++) {
		struct merkle_head head = {.size = n, .root = merkle_root_of(leaves, n)};
		for (uint64_t i = 0; i < n; i++) {
			struct merkle_proof proof;
			assert_int_equal(merkle_prove_inclusion(leaves, n, i, &proof), 0);
			assert_true(merkle_check_inclusion(&head, i, &leaves[i], &proof));
			assert_false(merkle_check_inclusion(&head, i, &leaves[(i + 1) % MOST], &proof));
			assert_false(merkle_check_inclusion(&head, n, &leaves[i], &proof));
			if (proof.count == 0)
				continue;
			proof.nodes[proof.count / 2].bytes[0] ^= 1;
			assert_false(merkle_check_inclusion(&head, i, &leaves[i], &proof));
			proof.nodes[proof.count / 2].bytes[0] ^= 1;
			proof.count--;
			assert_false(merkle_check_inclusion(&head, i, &leaves[i], &proof));
		}
	}
}

static void test_every_consistency(UNUSED void **state)
{
	struct sha256 leaves[MOST];
	make_leaves(leaves);
	for (uint64_t n = 1; n <= MOST; n++) {
		struct merkle_head new_head = {.size = n, .root = merkle_root_of(leaves, n)};
		for (uint64_t m = 1; m <= n; m++) {
			struct merkle_head old_head = {.size = m, .root = merkle_root_of(leaves, m)};
			struct merkle_proof proof;
			assert_int_equal(merkle_prove_consistency(leaves, n, m, &proof), 0);
			assert_int_equal(m == n, proof.count == 0);
			assert_true(merkle_check_consistency(&old_head, &new_head, &proof));
			old_head.root.bytes[31] ^= 1;
			assert_false(merkle_check_consistency(&old_head, &new_head, &proof));
			old_head.root.bytes[31] ^= 1;
			if (proof.count == 0)
				continue;
			proof.nodes[0].bytes[5] ^= 1;
			assert_false(merkle_check_consistency(&old_head, &new_head, &proof));
			proof.nodes[0].bytes[5] ^= 1;
			proof.count--;
			assert_false(merkle_check_consistency(&old_head, &new_head, &proof));
		}
	}
}

static void test_out_of_range(UNUSED void **state)
{
	struct sha256 leaves[MOST];
	struct merkle_proof proof = {0};
	struct merkle_head empty = {0};
	make_leaves(leaves);
	assert_int_equal(merkle_prove_inclusion(leaves, 3, 3, &proof), ERR_INVALID);
	assert_int_equal(merkle_prove_inclusion(leaves, 0, 0, &proof), ERR_INVALID);
	assert_int_equal(merkle_prove_consistency(leaves, 3, 4, &proof), ERR_INVALID);
	assert_int_equal(merkle_prove_consistency(leaves, 3, 0, &proof), ERR_INVALID);
	assert_false(merkle_check_inclusion(&empty, 0, &leaves[0], &proof));
	assert_false(merkle_check_consistency(&empty, &empty, &proof));
	assert_int_equal(merkle_frontier_count(0), 0);
	assert_int_equal(merkle_frontier_count(7), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_roots),
		cmocka_unit_test(test_large_leaves),
		cmocka_unit_test(test_roots_follow_the_definition),
		cmocka_unit_test(test_every_inclusion),
		cmocka_unit_test(test_every_consistency),
		cmocka_unit_test(test_out_of_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
