// SPDX-License-Identifier: Apache-2.0
// A cloud in memory for tests: a whole store (conditions, ranges, paging, checksums), buckets as resources, one price.
// Nothing of it is checked against itself: tests read its objects directly. Thread-safe. Owned; memory_cloud_free.
#ifndef ISOBAR_TESTS_MEMORY_CLOUD_H
#define ISOBAR_TESTS_MEMORY_CLOUD_H

#include <stdatomic.h>

#include "cloud/cloud.h"

struct memory_store;
struct memory_cloud {
	struct cloud cloud; // hand out &m.cloud; other parts may be set by the test
	struct memory_store *store;
	atomic_bool down;         // every call of the store fails with ERR_UNAVAILABLE
	atomic_bool no_checksums; // head and get tell no crc32c
	atomic_int calls;         // of the store, all kinds
	atomic_int fail_put_at;   // the n-th put from now fails with ERR_UNAVAILABLE; 0: none
	double egress_usd;        // per GB
};
void memory_cloud_init(struct memory_cloud *m, const char *name, const char *provider);
void memory_cloud_free(struct memory_cloud *m);
void memory_cloud_bucket(struct memory_cloud *m, const char *bucket);

// Past the store's doors: borrowed until the next change; {NULL, 0} when absent.
struct str memory_cloud_peek(struct memory_cloud *m, const char *bucket, const char *key);
void memory_cloud_poke(struct memory_cloud *m, const char *bucket, const char *key, struct str data);
size_t memory_cloud_count(struct memory_cloud *m, const char *bucket, const char *prefix);

#endif
