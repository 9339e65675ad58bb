// SPDX-License-Identifier: Apache-2.0
// Copies between clouds: exact bytes, bounded pieces, proofs, and what happens when something changes or breaks on the
// way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/copy.h"
#include "fixture_state.h"
#include "memory_cloud.h"

struct world {
	struct fixture f;
	struct state s;
	struct memory_cloud a, b;
};

static void open_world(struct world *w)
{
	fixture_open_state(&w->f, &w->s);
	memory_cloud_init(&w->a, "aws-us", "aws");
	memory_cloud_init(&w->b, "gcp-eu", "gcp");
	memory_cloud_bucket(&w->a, "from");
	memory_cloud_bucket(&w->b, "to");
}

static void close_world(struct world *w)
{
	memory_cloud_free(&w->a);
	memory_cloud_free(&w->b);
	fixture_close_state(&w->f, &w->s);
}

static struct copy copy_of(struct world *w, const char *from, const char *to)
{
	return (struct copy){.from = {.cloud = &w->a.cloud, .bucket = S("from"), .key = str_of(from)},
		.to = {.cloud = &w->b.cloud, .bucket = S("to"), .key = str_of(to)},
		.state = &w->s,
		.what = S("model/m")};
}

static struct str bytes_of(struct fixture *f, size_t n)
{
	unsigned char *p = arena_alloc(&f->arena, n + 1);
	uint32_t x = 12345;
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (unsigned char)(x >> 24);
	}
	return str_bytes(p, n);
}

static void test_sizes(void **state)
{
	(void)state;
	const size_t sizes[] = {0, 1, 1000, COPY_RANGE, COPY_RANGE + 1};
	struct world w;
	open_world(&w);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct str data = bytes_of(&w.f, sizes[i]);
		struct copy_result r;
		struct copy copy = copy_of(&w, "k", "m/k");
		char hex[HEX_SHA256_SIZE];
		struct sha256 digest = sha256_of(data);
		hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
		memory_cloud_poke(&w.a, "from", "k", data);
		assert_ok(&w.f, copy_object(&w.f.call, &copy, &r));
		assert_true(str_eq(memory_cloud_peek(&w.b, "to", "m/k"), data));
		assert_int_equal(r.bytes, sizes[i]);
		assert_string_equal(r.sha256, hex);
	}
	assert_int_equal(
		fixture_events(&w.f, &w.s, "transfer.done", NULL), COUNT_OF(sizes) - 1); // nothing is no transfer
	close_world(&w);
}

static void test_without_checksums(void **state)
{
	(void)state;
	struct world w;
	struct copy_result r;
	open_world(&w);
	struct copy copy = copy_of(&w, "k", "k");
	memory_cloud_poke(&w.a, "from", "k", S("hello"));
	atomic_store(&w.a.no_checksums, true);
	atomic_store(&w.b.no_checksums, true);
	assert_ok(&w.f, copy_object(&w.f.call, &copy, &r));
	assert_str(memory_cloud_peek(&w.b, "to", "k"), S("hello"));
	struct copy_end at = copy.to;
	struct copy_proof proof = {.size = 5};
	struct sha256 right = sha256_of(S("hello"));
	memcpy(proof.sha256, right.bytes, SHA256_SIZE);
	assert_ok(&w.f, copy_prove(&w.f.call, &at, &proof));
	proof.sha256[0] ^= 1;
	assert_fails(&w.f, copy_prove(&w.f.call, &at, &proof), ERR_CORRUPT);
	atomic_store(&w.b.no_checksums, false);
	assert_fails(&w.f, copy_prove(&w.f.call, &at, &proof), ERR_CORRUPT); // its crc32c is not 0
	close_world(&w);
}

// The source changes after the first range was read.
struct meddler {
	struct world *w;
	const struct store_ops *real;
	void *ctx;
	int gets;
};
static int meddling_get(struct call *c, void *store, const struct store_get *get, struct sink *to, struct object *out)
{
	struct meddler *m = store;
	if (m->gets++ == 1)
		memory_cloud_poke(&m->w->a, "from", "k", bytes_of(&m->w->f, COPY_RANGE + 5));
	return m->real->get(c, m->ctx, get, to, out);
}
static int meddling_head(struct call *c, void *store, struct str bucket, struct str key, struct object *out)
{
	struct meddler *m = store;
	return m->real->head(c, m->ctx, bucket, key, out);
}

static void test_changed(void **state)
{
	(void)state;
	struct world w;
	struct copy_result r = {.objects = 77};
	open_world(&w);
	memory_cloud_poke(&w.a, "from", "k", bytes_of(&w.f, COPY_RANGE + 5));
	struct meddler m = {.w = &w, .real = w.a.cloud.store, .ctx = w.a.cloud.store_ctx};
	static const struct store_ops ops = {.name = "meddler", .get = meddling_get, .head = meddling_head};
	w.a.cloud.store = &ops;
	w.a.cloud.store_ctx = &m;
	struct copy copy = copy_of(&w, "k", "k");
	assert_fails(&w.f, copy_object(&w.f.call, &copy, &r), ERR_CONFLICT);
	assert_int_equal(r.objects, 77);
	assert_null(memory_cloud_peek(&w.b, "to", "k").p);
	assert_int_equal(fixture_events(&w.f, &w.s, "transfer.done", NULL), 0);
	close_world(&w);
}

static void test_failures(void **state)
{
	(void)state;
	struct world w;
	struct copy_result r;
	open_world(&w);
	struct copy copy = copy_of(&w, "none", "k");
	assert_fails(&w.f, copy_object(&w.f.call, &copy, &r), ERR_NOT_FOUND);
	memory_cloud_poke(&w.a, "from", "none", S("x"));
	atomic_store(&w.b.down, true);
	assert_fails(&w.f, copy_object(&w.f.call, &copy, &r), ERR_UNAVAILABLE);
	close_world(&w);
}

static void test_prefix(void **state)
{
	(void)state;
	static const char *const keys[] = {"d/a", "d/b/c", "d/b/d", "d/e", "d/f"};
	struct world w;
	struct copy_result r;
	struct transfer_total *rows;
	size_t count;
	open_world(&w);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		memory_cloud_poke(&w.a, "from", keys[i], str_of(keys[i]));
	memory_cloud_poke(&w.a, "from", "other", S("x"));
	struct copy copy = copy_of(&w, "d/", "copy/");
	assert_ok(&w.f, copy_prefix(&w.f.call, &copy, &r));
	assert_int_equal(r.objects, 5);
	assert_int_equal(r.skipped, 0);
	assert_int_equal(memory_cloud_count(&w.b, "to", ""), 5);
	assert_str(memory_cloud_peek(&w.b, "to", "copy/b/d"), S("d/b/d"));
	memory_cloud_poke(&w.b, "to", "copy/e", S("D/E")); // same length, other bytes
	assert_ok(&w.f, copy_prefix(&w.f.call, &copy, &r));
	assert_int_equal(r.objects, 1);
	assert_int_equal(r.skipped, 4);
	assert_str(memory_cloud_peek(&w.b, "to", "copy/e"), S("d/e"));
	assert_ok(&w.f, transfer_totals(&w.f.call, &w.s, &rows, &count));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].bytes, 3 + 5 + 5 + 3 + 3 + 3);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_without_checksums),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
