// SPDX-License-Identifier: Apache-2.0
// What `isobar data ls | cp | cat | rm` do, on places written as CLOUD:bucket/key (a bucket by its name in the
// workspace or at the provider), as s3://bucket/key, gs://bucket/key or az://container/key (with the credentials of
// this machine, without a workspace), or as paths of files. Results live in the arena of c.
#ifndef ISOBAR_DATA_OBJECTS_H
#define ISOBAR_DATA_OBJECTS_H

#include "data/copy.h"

struct object_env {                // borrowed
	const struct state *state; // NULL: no workspace; nobody counts, and names of buckets are the provider's
	const struct clouds *clouds;
	// A cloud that is no part of the workspace: "s3", "gs", "az", or a name of the operator's file. NULL: none is.
	int (*open)(struct call *c, void *ctx, struct str name, const struct cloud **out); // ERR_NOT_FOUND
	void *open_ctx;
};
struct object_place {
	const struct cloud *cloud; // NULL: a file
	struct str bucket;         // physical
	struct str key;            // key or prefix; the path of a file
	struct str text;           // as written
};
struct object_row {
	struct str name; // key, or a common prefix ending in '/'
	uint64_t size;
	int64_t modified_ns; // 0 for a prefix
};

MUST_CHECK int object_place_parse(
	struct call *c, const struct object_env *env, struct str text, struct object_place *out);
// What is directly below a place, or everything when recursive.
MUST_CHECK int objects_list(
	struct call *c, const struct object_place *at, bool recursive, struct object_row **rows, size_t *count);
MUST_CHECK int objects_copy(struct call *c, const struct object_env *env, const struct object_place *from,
	const struct object_place *to,
	struct copy_result *out); // one object or file; a target ending in '/' keeps the name
// Where a download lies until it is whole; a later one of the same version goes on there. .p NULL without memory.
struct str object_partial(struct arena *a, struct str path, const struct object *whole);
// offset and length as in struct store_get.
MUST_CHECK int objects_cat(struct call *c, const struct object_place *at, uint64_t offset, uint64_t length, int fd);
// What one place names as object or file; ERR_NOT_FOUND.
MUST_CHECK int objects_head(struct call *c, const struct object_place *at, struct object_row *out);
// Whether the text needs the clouds of a workspace: CLOUD:bucket/key.
bool object_place_is_named(struct str text);
MUST_CHECK int objects_remove(
	struct call *c, const struct object_place *at, bool recursive, uint64_t *removed); // objects only, no files

#endif
