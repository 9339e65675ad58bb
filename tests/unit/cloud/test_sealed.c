// SPDX-License-Identifier: Apache-2.0
// The sealed store over a store in memory: what callers see, what lies below, ranges, and every kind of tampering.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/frames.h"
#include "cloud/sealed.h"
#include "cloud_test.h"

#define LAKE S("lake")
enum { FRAME = FRAME_PLAIN_SIZE, BIG = 3 * FRAME + 100 };

struct fixture {
	struct cloud_test t;
	struct call *c;
	struct memory_store *store;
	struct memory_keys keys;
	struct sealed *sealed;
	struct cloud cloud; // through the sealed store
	struct str big;
};

static struct sealed *open_sealed(struct fixture *f)
{
	struct sealed *s = NULL;
	const struct cloud_sealed buckets[] = {{LAKE, S("key")}};
	struct sealed_below below = {.cloud = S("aws-us"),
		.store = &memory_store_ops,
		.store_ctx = f->store,
		.keys = &memory_key_ops,
		.keys_ctx = &f->keys};
	assert_int_equal(sealed_open(f->c, &below, buckets, 1, &s), 0);
	return s;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	cloud_test_init(&f->t);
	f->c = &f->t.call;
	f->keys.secret = 0x5a;
	f->store = memory_store_new();
	f->sealed = open_sealed(f);
	f->cloud = (struct cloud){.name = S("aws-us"), .store = &sealed_store_ops, .store_ctx = f->sealed};
	f->big = test_bytes(&f->t.arena, BIG);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	sealed_close(f->sealed);
	memory_store_free(f->store);
	cloud_test_free(&f->t);
	free(f);
	return 0;
}

static void create(struct fixture *f)
{
	assert_int_equal(sealed_store_ops.bucket_create(f->c, f->sealed, LAKE), 0);
}

static struct object put(struct fixture *f, const char *key, struct str bytes)
{
	struct store_put p = {.bucket = LAKE, .key = str_of(key)};
	struct object made = {0};
	assert_int_equal(cloud_put_bytes(f->c, &f->cloud, &p, bytes, &made), 0);
	return made;
}

static int get(struct fixture *f, const char *key, struct str *out)
{
	return cloud_get_bytes(f->c, &f->cloud, LAKE, str_of(key), 1 << 20, out);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = {0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, BIG};
	create(f);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct str bytes = str_take(f->big, sizes[i]), got;
		struct object made = put(f, "a", bytes), head;
		assert_int_equal(made.size, sizes[i]);
		assert_true(made.has_crc32c && made.crc32c == crc32c(0, bytes));
		assert_int_equal(get(f, "a", &got), 0);
		assert_true(str_eq(got, bytes));
		assert_int_equal(sealed_store_ops.head(f->c, f->sealed, LAKE, S("a"), &head), 0);
		assert_int_equal(head.size, sizes[i]);
		assert_false(head.has_crc32c);
		struct buf *below = memory_store_bytes(f->store, "lake", "a");
		assert_int_equal(below->n, frames_sealed_size(sizes[i]));
		if (sizes[i] > 16)
			assert_true(str_find(buf_str(below), str_take(bytes, 16)) < 0);
	}
}

static void check_range(struct fixture *f, uint64_t offset, uint64_t length, size_t expected)
{
	struct test_sink sink;
	struct object o = {0};
	struct store_get g = {.bucket = LAKE, .key = S("big"), .offset = offset, .length = length};
	test_sink_init(&sink);
	int r = sealed_store_ops.get(f->c, f->sealed, &g, &sink.sink, &o);
	if (r)
		fail_msg("%llu+%llu: %s", (unsigned long long)offset, (unsigned long long)length, f->c->err.message);
	assert_true(str_eq(buf_str(&sink.bytes), str_take(str_drop(f->big, (size_t)offset), expected)));
	assert_int_equal(o.size, BIG);
	buf_free(&sink.bytes);
}

static void test_ranges(void **state)
{
	struct fixture *f = *state;
	create(f);
	put(f, "big", f->big);
	check_range(f, 0, 0, BIG);
	check_range(f, 0, UINT64_MAX, BIG);
	check_range(f, 0, 10, 10);
	check_range(f, 0, FRAME, FRAME);
	check_range(f, 100, 50, 50);
	check_range(f, FRAME - 5, 10, 10);
	check_range(f, FRAME, FRAME, FRAME);
	check_range(f, FRAME + 7, 2 * FRAME, 2 * FRAME);
	check_range(f, 3 * FRAME, UINT64_MAX, 100);
	check_range(f, 3 * FRAME + 99, 1, 1);
	check_range(f, 3 * FRAME + 50, 1000, 50);
	check_range(f, 5, BIG, BIG - 5);
	check_range(f, BIG - 1, UINT64_MAX - 1, 1);
}

static void test_outside_range(void **state)
{
	struct fixture *f = *state;
	create(f);
	put(f, "big", f->big);
	put(f, "small", S("abc"));
	const struct {
		const char *key;
		uint64_t offset;
	} bad[] = {{"big", BIG}, {"big", 4 * FRAME}, {"small", 3}, {"small", FRAME}};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct test_sink sink;
		struct object o;
		struct store_get g = {.bucket = LAKE, .key = str_of(bad[i].key), .offset = bad[i].offset, .length = 5};
		test_sink_init(&sink);
		assert_int_equal(sealed_store_ops.get(f->c, f->sealed, &g, &sink.sink, &o), ERR_INVALID);
		assert_int_equal(sink.bytes.n, 0);
	}
}

static void test_tampering(void **state)
{
	struct fixture *f = *state;
	struct str got = S("unchanged");
	create(f);
	put(f, "big", f->big);
	struct buf *below = memory_store_bytes(f->store, "lake", "big");
	for (size_t at = 0; at < below->n; at += 30011) { // header, each frame, tags
		below->p[at] ^= 4;
		assert_int_equal(get(f, "big", &got), ERR_CORRUPT);
		below->p[at] ^= 4;
	}
	assert_int_equal(get(f, "big", &got), 0);
	got = S("unchanged");
	size_t whole = below->n;
	static const size_t cuts[] = {
		1, 99, 116, 116 + FRAME_SEALED_SIZE, 116 + 3 * FRAME_SEALED_SIZE, 116 + 3 * FRAME_SEALED_SIZE + 1};
	for (size_t i = 0; i < COUNT_OF(cuts); i++) { // also exactly at the end of a frame, and all frames
		below->n = whole - cuts[i];
		assert_int_equal(get(f, "big", &got), ERR_CORRUPT);
	}
	below->n = whole;
	char *frames = below->p + FRAMES_HEADER_SIZE, *one = malloc(FRAME_SEALED_SIZE);
	memcpy(one, frames, FRAME_SEALED_SIZE); // the first two frames change places
	memcpy(frames, frames + FRAME_SEALED_SIZE, FRAME_SEALED_SIZE);
	memcpy(frames + FRAME_SEALED_SIZE, one, FRAME_SEALED_SIZE);
	free(one);
	assert_int_equal(get(f, "big", &got), ERR_CORRUPT);
	assert_true(str_eq(got, S("unchanged")));
}

static void test_swapped_objects(void **state)
{
	struct fixture *f = *state;
	struct str got;
	create(f);
	put(f, "a", S("12345678"));
	put(f, "b", S("abcdefgh"));
	struct buf *a = memory_store_bytes(f->store, "lake", "a"), *b = memory_store_bytes(f->store, "lake", "b"),
		   swap = *a;
	*a = *b;
	*b = swap;
	assert_int_equal(get(f, "a", &got), ERR_CORRUPT);
	assert_int_equal(get(f, "b", &got), ERR_CORRUPT);
}

static void test_unencrypted_object(void **state)
{
	struct fixture *f = *state;
	struct str got;
	struct object o;
	create(f);
	struct cloud below = {.store = &memory_store_ops, .store_ctx = f->store};
	struct store_put p = {.bucket = LAKE, .key = S("plain")};
	assert_int_equal(cloud_put_bytes(f->c, &below, &p, S("not encrypted"), &o), 0);
	assert_int_equal(get(f, "plain", &got), ERR_CORRUPT);
	assert_int_equal(sealed_store_ops.head(f->c, f->sealed, LAKE, S("plain"), &o), ERR_CORRUPT);
	assert_int_equal(cloud_put_bytes(f->c, &below, &p, f->big, &o), 0);
	assert_int_equal(get(f, "plain", &got), ERR_CORRUPT);
}

static void test_data_key(void **state)
{
	struct fixture *f = *state;
	struct str got;
	create(f);
	assert_int_equal(f->keys.wraps, 1);
	put(f, "a", S("12345678"));
	assert_int_equal(f->keys.unwraps, 0); // still known
	AUTO(json) document = NULL;
	struct buf *below = memory_store_bytes(f->store, "lake", ".isobar/data-key.json");
	assert_int_equal(json_parse(buf_str(below), &document, NULL), 0);
	assert_string_equal(json_text(document, "key"), "key");
	assert_string_equal(json_text(document, "context"), "bucket/lake on aws-us");
	// Another process reads the same key, once.
	sealed_close(f->sealed);
	f->cloud.store_ctx = f->sealed = open_sealed(f);
	assert_int_equal(get(f, "a", &got), 0);
	assert_int_equal(get(f, "a", &got), 0);
	assert_true(str_eq(got, S("12345678")));
	assert_int_equal(f->keys.unwraps, 1);
	assert_int_equal(f->keys.wraps, 1);
	// Without the key that wrapped it nothing opens.
	f->keys.secret ^= 1;
	sealed_close(f->sealed);
	f->cloud.store_ctx = f->sealed = open_sealed(f);
	assert_int_equal(get(f, "a", &got), ERR_CORRUPT);
}

static void check_document(struct fixture *f, const char *text, int code)
{
	struct str got;
	struct buf *below = memory_store_bytes(f->store, "lake", ".isobar/data-key.json");
	buf_clear(below);
	buf_add(below, str_of(text));
	sealed_close(f->sealed);
	f->cloud.store_ctx = f->sealed = open_sealed(f);
	assert_int_equal(get(f, "a", &got), code);
}

static void test_bad_documents(void **state)
{
	struct fixture *f = *state;
	create(f);
	put(f, "a", S("12345678"));
	check_document(f, "not JSON", ERR_CORRUPT);
	check_document(f, "{\"version\":2}", ERR_UNSUPPORTED);
	check_document(f, "{\"version\":1,\"key\":\"other\",\"wrapped\":\"AAAA\"}", ERR_INVALID);
	check_document(f, "{\"version\":1,\"key\":\"key\",\"wrapped\":\"!\"}", ERR_CORRUPT);
	check_document(f, "{\"version\":1,\"key\":\"key\",\"wrapped\":\"AAAA\"}", ERR_CORRUPT); // three bytes
}

static void test_made_at_first_put(void **state)
{
	struct fixture *f = *state;
	struct str got;
	assert_int_equal(memory_store_ops.bucket_create(f->c, f->store, LAKE), 0); // by somebody else
	assert_int_equal(get(f, "a", &got), ERR_NOT_FOUND);
	// Two writers at once: the loser takes the winner's key.
	struct sealed *other = open_sealed(f);
	struct cloud cloud = {.name = S("aws-us"), .store = &sealed_store_ops, .store_ctx = other};
	struct store_put p = {.bucket = LAKE, .key = S("b")};
	struct object made;
	put(f, "a", S("12345678"));
	assert_int_equal(cloud_put_bytes(f->c, &cloud, &p, S("abc"), &made), 0);
	assert_int_equal(get(f, "b", &got), 0);
	assert_true(str_eq(got, S("abc")));
	assert_int_equal(f->keys.wraps, 1);
	sealed_close(other);
}

static void test_hidden(void **state)
{
	struct fixture *f = *state;
	struct store_page page;
	struct object o;
	struct str got;
	create(f);
	put(f, "a", S("12345678"));
	put(f, "z", f->big);
	assert_int_equal(cloud_list_all(f->c, &f->cloud, LAKE, S(""), &page), 0);
	assert_int_equal(page.count, 2);
	assert_true(str_eq(page.objects[0].key, S("a")));
	assert_int_equal(page.objects[0].size, 8);
	assert_int_equal(page.objects[1].size, BIG);
	assert_int_equal(get(f, ".isobar/data-key.json", &got), ERR_NOT_FOUND);
	assert_int_equal(sealed_store_ops.head(f->c, f->sealed, LAKE, S(".isobar/data-key.json"), &o), ERR_NOT_FOUND);
	assert_int_equal(sealed_store_ops.delete(f->c, f->sealed, LAKE, S(".isobar/data-key.json")), ERR_DENIED);
	struct store_put p = {.bucket = LAKE, .key = S(".isobar/x")};
	assert_int_equal(cloud_put_bytes(f->c, &f->cloud, &p, S("x"), &o), ERR_DENIED);
}

static void test_bucket_delete(void **state)
{
	struct fixture *f = *state;
	struct str got;
	create(f);
	put(f, "a", S("12345678"));
	assert_int_equal(sealed_store_ops.bucket_delete(f->c, f->sealed, LAKE), ERR_CONFLICT);
	assert_int_equal(get(f, "a", &got), 0); // the data key is still there
	assert_int_equal(sealed_store_ops.delete(f->c, f->sealed, LAKE, S("a")), 0);
	assert_int_equal(sealed_store_ops.bucket_delete(f->c, f->sealed, LAKE), 0);
	assert_int_equal(memory_store_ops.bucket_head(f->c, f->store, LAKE), ERR_NOT_FOUND);
	assert_int_equal(sealed_store_ops.bucket_delete(f->c, f->sealed, LAKE), 0);
	create(f); // and gets a new data key
	assert_int_equal(f->keys.wraps, 2);
}

static void test_other_buckets_pass(void **state)
{
	struct fixture *f = *state;
	struct object o;
	struct str got;
	assert_int_equal(sealed_store_ops.bucket_create(f->c, f->sealed, S("open")), 0);
	struct store_put p = {.bucket = S("open"), .key = S(".isobar/x")};
	assert_int_equal(cloud_put_bytes(f->c, &f->cloud, &p, S("x"), &o), 0);
	assert_true(str_eq(buf_str(memory_store_bytes(f->store, "open", ".isobar/x")), S("x")));
	assert_int_equal(cloud_get_bytes(f->c, &f->cloud, S("open"), S(".isobar/x"), 9, &got), 0);
	assert_int_equal(f->keys.wraps, 0);
}

static void test_fresh_salt_each_time(void **state)
{
	struct fixture *f = *state;
	create(f);
	struct test_source source;
	struct object made;
	test_source_init(&source, S("same bytes"));
	put(f, "a", S("same bytes"));
	AUTO(buf) first = {0};
	buf_add(&first, buf_str(memory_store_bytes(f->store, "lake", "a")));
	put(f, "a", S("same bytes"));
	assert_false(str_eq(buf_str(&first), buf_str(memory_store_bytes(f->store, "lake", "a"))));
	// A source that fails keeps the old object.
	source.fail = ERR_IO;
	struct store_put p = {.bucket = LAKE, .key = S("a")};
	assert_int_equal(sealed_store_ops.put(f->c, f->sealed, &p, &source.source, &made), ERR_IO);
	struct str got;
	assert_int_equal(get(f, "a", &got), 0);
	assert_true(str_eq(got, S("same bytes")));
}

static void test_no_keys(void **state)
{
	struct fixture *f = *state;
	struct sealed *s = NULL;
	const struct cloud_sealed buckets[] = {{LAKE, S("key")}};
	struct sealed_below below = {.cloud = S("aws-us"), .store = &memory_store_ops, .store_ctx = f->store};
	assert_int_equal(sealed_open(f->c, &below, buckets, 1, &s), ERR_INVALID);
	assert_null(s);
	sealed_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_ranges),
		TEST(test_outside_range),
		TEST(test_tampering),
		TEST(test_swapped_objects),
		TEST(test_unencrypted_object),
		TEST(test_data_key),
		TEST(test_bad_documents),
		TEST(test_made_at_first_put),
		TEST(test_hidden),
		TEST(test_bucket_delete),
		TEST(test_other_buckets_pass),
		TEST(test_fresh_salt_each_time),
		TEST(test_no_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
