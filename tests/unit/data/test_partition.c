// SPDX-License-Identifier: Apache-2.0
// Parts are complete, do not overlap, and do not depend on where a record stands.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "data/partition.h"
#include "fixture.h"

enum { COUNT = 3000, SIZE = 4 };

struct set {
	unsigned char images[COUNT * SIZE], labels[COUNT];
	struct idx i, l;
};

static void make_set(struct set *s, bool reversed)
{
	for (size_t k = 0; k < COUNT; k++) {
		size_t at = reversed ? COUNT - 1 - k : k;
		unsigned char record[SIZE] = {(unsigned char)(k >> 8), (unsigned char)k, (unsigned char)(k * 7), 1};
		memcpy(s->images + at * SIZE, record, SIZE);
		s->labels[at] = (unsigned char)(k % 10);
	}
	s->i = (struct idx){
		.count = COUNT, .rows = 2, .columns = 2, .record_size = SIZE, .data = s->images, .images = true};
	s->l = (struct idx){.count = COUNT, .rows = 1, .columns = 1, .record_size = 1, .data = s->labels};
}

// The first bytes of SHA-256("") are e3 b0 c4 42 98 fc 1c, which is 0.8894 of the whole range; of "abc" ba 78 16 bf,
// 0.7284.
static void test_known(void **state)
{
	(void)state;
	assert_int_equal(partition_of(S(""), 1), 0);
	assert_int_equal(partition_of(S(""), 3), 2);
	assert_int_equal(partition_of(S(""), 256), 0xe3);
	assert_int_equal(partition_of(S("abc"), 4), 2);
	assert_int_equal(partition_of(S("abc"), 256), 0xba);
}

static void test_complete(void **state)
{
	(void)state;
	struct fixture f;
	fixture_open(&f);
	static struct set s;
	struct partition p;
	make_set(&s, false);
	assert_ok(&f, partition_pair(&f.arena, &s.i, &s.l, 3, &p, &f.call.err));
	assert_int_equal(p.sizes[0] + p.sizes[1] + p.sizes[2], COUNT);
	for (int k = 0; k < 3; k++)
		assert_in_range(p.sizes[k], COUNT / 3 - 150, COUNT / 3 + 150);
	static bool seen[COUNT];
	memset(seen, 0, sizeof(seen));
	for (size_t part = 0; part < 3; part++) {
		AUTO(buf) images = {0}, labels = {0};
		struct idx i, l;
		assert_ok(&f, partition_write(&p, &s.i, part, &images, &f.call.err));
		assert_ok(&f, partition_write(&p, &s.l, part, &labels, &f.call.err));
		assert_ok(&f, idx_parse(buf_str(&images), &i, &f.call.err));
		assert_ok(&f, idx_parse(buf_str(&labels), &l, &f.call.err));
		assert_int_equal(i.count, p.sizes[part]);
		assert_int_equal(l.count, p.sizes[part]);
		assert_int_equal(i.rows, 2);
		for (size_t k = 0; k < i.count; k++) {
			size_t record = (size_t)i.data[k * SIZE] << 8 | i.data[k * SIZE + 1];
			assert_false(seen[record]);
			seen[record] = true;
			assert_int_equal(l.data[k], record % 10);
		}
	}
	for (size_t k = 0; k < COUNT; k++)
		assert_true(seen[k]);
	fixture_close(&f);
}

static void test_permuted(void **state)
{
	(void)state;
	struct fixture f;
	fixture_open(&f);
	static struct set forward, backward;
	struct partition a, b;
	make_set(&forward, false);
	make_set(&backward, true);
	assert_ok(&f, partition_pair(&f.arena, &forward.i, &forward.l, 7, &a, &f.call.err));
	assert_ok(&f, partition_pair(&f.arena, &backward.i, &backward.l, 7, &b, &f.call.err));
	for (size_t k = 0; k < COUNT; k++)
		assert_int_equal(a.part[k], b.part[COUNT - 1 - k]);
	fixture_close(&f);
}

static void test_refused(void **state)
{
	(void)state;
	struct fixture f;
	fixture_open(&f);
	static struct set s;
	struct partition p;
	make_set(&s, false);
	assert_fails(&f, partition_pair(&f.arena, &s.i, &s.l, 0, &p, &f.call.err), ERR_LIMIT);
	assert_fails(&f, partition_pair(&f.arena, &s.i, &s.l, 257, &p, &f.call.err), ERR_LIMIT);
	s.l.count--;
	assert_fails(&f, partition_pair(&f.arena, &s.i, &s.l, 3, &p, &f.call.err), ERR_CORRUPT);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_permuted),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
