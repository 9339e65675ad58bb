// SPDX-License-Identifier: Apache-2.0
// The sealed store: a store_ops around another one that encrypts the objects of some buckets (cloud/frames.h) with one
// data key a bucket. The data key is made at bucket_create or the first put, wrapped by key_ops (context "bucket/NAME
// on CLOUD", NAME the physical bucket) and kept in the bucket as ".isobar/data-key.json", written only if absent.
// Everything below ".isobar/" in a sealed bucket is hidden: lists leave it out, head and get answer ERR_NOT_FOUND, put
// and delete ERR_DENIED. Buckets that are not sealed pass through, but for the packages of jobs (".isobar/jobs/"), which
// are hidden in all. Sizes that callers see are plaintext sizes. What was
// tampered with, cut or swapped is ERR_CORRUPT before any of its bytes are given. Owned; thread-safe.
#ifndef ISOBAR_CLOUD_SEALED_H
#define ISOBAR_CLOUD_SEALED_H

#include "cloud/cloud.h"
#include "cloud/config.h"

struct sealed; // the ctx of sealed_store_ops
extern const struct store_ops sealed_store_ops;

struct sealed_below {
	struct str cloud; // name, for the context of the wrapped key
	const struct store_ops *store;
	void *store_ctx;
	const struct key_ops *keys;
	void *keys_ctx;
};
// ERR_INVALID when buckets are sealed and there are no keys. Copies buckets; what `below` points to must outlive it.
MUST_CHECK int sealed_open(struct call *c, const struct sealed_below *below, const struct cloud_sealed *buckets,
	size_t count, struct sealed **out);
void sealed_close(struct sealed *s); // wipes the data keys
// The same cloud, showing what lies below ".isobar/jobs/": for whoever keeps the packages of jobs. Shares all with the
// cloud, which must outlive it; a cloud whose store is no sealed one is given back as it is.
struct cloud sealed_inside(const struct cloud *cloud);
// The encryption key of a bucket, borrowed; "" for one that is not encrypted.
struct str sealed_key_of(const struct cloud *cloud, struct str bucket);

#endif
