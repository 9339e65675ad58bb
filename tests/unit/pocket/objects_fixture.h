// SPDX-License-Identifier: Apache-2.0
// What the tests of the object store share: a store in a folder of its own under a fake clock, and short forms of its
// calls that assert success. One store a program.
#ifndef ISOBAR_TESTS_POCKET_OBJECTS_FIXTURE_H
#define ISOBAR_TESTS_POCKET_OBJECTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "pocket/store/objects.h"
#include "pocket/store/writer.h"

enum { ALL_HASHES = HASH_MD5 | HASH_SHA1 | HASH_SHA256 | HASH_CRC32 | HASH_CRC32C | HASH_CRC64NVME };

static struct fixture {
	char folder[64];
	struct edges_fake edges;
	struct objects *store;
	struct bucket *bucket;
} fixture;

static void fixture_etag(const struct record *r, char out[OBJECT_ETAG_SIZE])
{
	hex_encode(str_bytes(r->digests.md5, MD5_SIZE), out);
}

static inline void fixture_open(void)
{
	struct err e = {0};
	struct objects_config config = {.root = fixture.folder,
		.edges = &fixture.edges.edges,
		.etag = fixture_etag,
		.upload_lifetime_ns = 7 * 86400 * NS_PER_S};
	if (objects_open(&config, &fixture.store, &e) < 0)
		fail_msg("%s", e.message);
}

static inline int fixture_setup(UNUSED void **state)
{
	struct err e = {0};
	struct record draft = {.key = S("lake")};
	snprintf(fixture.folder, sizeof(fixture.folder), "/tmp/isobar-test-objects-XXXXXX");
	if (!mkdtemp(fixture.folder))
		return -1;
	edges_fake_init(&fixture.edges, INT64_C(1795000000) * NS_PER_S, 7);
	fixture_open();
	return objects_bucket_create(fixture.store, &draft, &fixture.bucket, &e);
}

static inline int fixture_teardown(UNUSED void **state)
{
	objects_close(fixture.store);
	fixture.store = NULL;
	return file_remove_tree(fixture.folder, NULL);
}

// As after SIGKILL: what the process had in memory is gone.
static inline void fixture_restart(void)
{
	struct err e = {0};
	objects_close(fixture.store);
	fixture_open();
	if (objects_bucket_find(fixture.store, S("lake"), &fixture.bucket, &e) < 0)
		fail_msg("%s", e.message);
}

static inline struct writer *fixture_writer(struct str data)
{
	struct err e = {0};
	struct writer *w = NULL;
	assert_int_equal(writer_begin(fixture.store, ALL_HASHES, 0, &w, &e), 0);
	assert_int_equal(writer_add(w, data, &e), 0);
	return w;
}

static inline struct object *fixture_put(struct str key, struct str data)
{
	struct err e = {0};
	struct object *object = NULL;
	struct record draft = {.key = key};
	if (objects_put(fixture.bucket, fixture_writer(data), &draft, &object, &e) < 0)
		fail_msg("%s", e.message);
	return object;
}

static inline void fixture_assert_bytes(struct str key, struct str expected)
{
	struct err e = {0};
	AUTO(buf) got = {0};
	struct object *object = objects_find(fixture.bucket, key);
	assert_non_null(object);
	if (object_read(object, 0, object->record->size, &got, &e) < 0)
		fail_msg("%s", e.message);
	assert_int_equal(got.n, expected.n);
	assert_memory_equal(buf_cstr(&got), expected.n ? expected.p : "", expected.n);
}

#endif
