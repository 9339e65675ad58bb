// SPDX-License-Identifier: Apache-2.0
// Bytes on their way to become an object or a piece: a temporary file that grows while its digests are computed. Owned
// by the request that began it until objects_put or objects_upload_piece takes it. Errors: ERR_NO_SPACE, ERR_IO,
// ERR_NO_MEMORY; after one the file is as long as before the failed call.
#ifndef ISOBAR_POCKET_STORE_WRITER_H
#define ISOBAR_POCKET_STORE_WRITER_H

#include "pocket/store/objects.h"

// expected: bytes that will come, for a full disk to be noticed before they do; 0: unknown.
MUST_CHECK int writer_begin(struct objects *o, unsigned hashes, uint64_t expected, struct writer **out, struct err *e);
MUST_CHECK int writer_add(struct writer *w, struct str data, struct err *e);
uint64_t writer_size(const struct writer *w);
// The digests of all bytes; nothing may be added any more.
const struct digests *writer_digests(struct writer *w);
void writer_abandon(struct writer *w); // removes the file; NULL is allowed
#define AUTO_TYPE_writer struct writer *
static inline void writer_autofree(struct writer **w)
{
	writer_abandon(*w);
}

#endif
