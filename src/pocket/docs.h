// SPDX-License-Identifier: Apache-2.0
// Small documents that a pocket's services keep: a training job, a key, an endpoint's configuration. A file each below
// ROOT/docs (0600, whole or not at all, also after SIGKILL) and in memory, so that reads cost no disk. A collection is a
// path of plain words ("sagemaker/training-jobs"), read from the disk when it is first asked for; names are any text of
// 1 to 1000 bytes. Loop thread only. Errors: ERR_INVALID, ERR_NOT_FOUND, ERR_IO, ERR_NO_SPACE, ERR_NO_MEMORY. A file that
// is no document (torn by a power failure) is named in the log and skipped.
#ifndef ISOBAR_POCKET_DOCS_H
#define ISOBAR_POCKET_DOCS_H

#include "base/json.h"

struct pocket;
struct docs;

MUST_CHECK int docs_open(const char *root, struct docs **out, struct err *e); // of the pocket's folder
void docs_close(struct docs *d); // NULL is allowed

// Keeps a copy of the document, in place of the one of that name.
MUST_CHECK int docs_put(struct pocket *p, const char *collection, struct str name, const json_t *doc, struct err *e);
// The same, and it outlives a power failure: for what cannot be made again, as a key.
MUST_CHECK int docs_put_durable(
	struct pocket *p, const char *collection, struct str name, const json_t *doc, struct err *e);
// Borrowed until that document is put or deleted; to change it, put a changed json_deep_copy(). NULL when absent, or
// when the collection cannot be read (then e, if given, says why: e->code is 0 for absent).
const json_t *docs_get(struct pocket *p, const char *collection, struct str name, struct err *e);
// Absent is ERR_NOT_FOUND.
MUST_CHECK int docs_delete(struct pocket *p, const char *collection, struct str name, struct err *e);
MUST_CHECK int docs_count(struct pocket *p, const char *collection, size_t *out, struct err *e);

// Walks a collection in byte order of the names.
struct docs_cursor {
	const char *collection;
	struct str after;  // empty: from the start; names up to and with it are left out. Need not be there
	struct str prefix; // of the names; empty: all
};
struct docs_row {
	struct str name; // borrowed as the document is
	const json_t *doc;
};
// At most `limit` rows into `rows`; *more: others follow (then rows[*count - 1].name is the next `after`).
MUST_CHECK int docs_list(struct pocket *p, const struct docs_cursor *from, struct docs_row *rows, size_t limit,
	size_t *count, bool *more);

#endif
