// SPDX-License-Identifier: Apache-2.0
// What tests of stores share: a call, bytes in memory as source and sink, patterns of bytes, and a store and a key
// service that live in memory. Single-threaded.
#ifndef ISOBAR_TESTS_CLOUD_TEST_H
#define ISOBAR_TESTS_CLOUD_TEST_H

#include "cloud/cloud.h"

struct cloud_test {
	struct arena arena;
	struct edges edges; // the real clocks, but sleeping only moves them; real randomness
	int64_t slept_ns;   // set it to move the clocks
	struct call call;
};
void cloud_test_init(struct cloud_test *t);
void cloud_test_free(struct cloud_test *t);

struct test_source { // hand out .source; fails with `fail` when fail_at bytes were given
	struct source source;
	struct str bytes;
	size_t given, fail_at, step; // step: most bytes a read gives; 0: as many as asked for
	int fail;
	unsigned rewinds;
};
void test_source_init(struct test_source *s, struct str bytes);

struct test_sink { // hand out .sink
	struct sink sink;
	struct buf bytes;
	size_t fail_at;
	int fail;
	unsigned restarts;
};
void test_sink_init(struct test_sink *s);

// n bytes that differ from place to place; owned by the arena.
struct str test_bytes(struct arena *a, size_t n);

// A store in memory: ranges, conditions, metadata, pages of two.
struct memory_store;
extern const struct store_ops memory_store_ops;
struct memory_store *memory_store_new(void);
void memory_store_free(struct memory_store *s);
struct buf *memory_store_bytes(
	struct memory_store *s, const char *bucket, const char *key); // to look at and to tamper with; NULL

// A key service in memory that XORs, so that a wrong key or context shows; counts its calls.
struct memory_keys {
	unsigned wraps, unwraps;
	unsigned char secret; // change it to lose the key
};
extern const struct key_ops memory_key_ops;

#endif
