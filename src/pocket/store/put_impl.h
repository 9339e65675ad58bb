// SPDX-License-Identifier: Apache-2.0
// The one way in which a version of an object comes to be, for objects_put.c and assembly.c.
#ifndef ISOBAR_POCKET_STORE_PUT_IMPL_H
#define ISOBAR_POCKET_STORE_PUT_IMPL_H

#include "pocket/store/objects.h"

struct put_file {
	int fd;           // at its end
	uint64_t size;    // bytes of data in it
	const char *path; // in tmp/ or an upload's folder; moved on success, left alone on failure
};
// Completes *r (times, generation, etag), writes it behind the data and moves the file into place.
int object_commit(struct bucket *b, struct record *r, const struct put_file *file, struct object **out, struct err *e);

#endif
