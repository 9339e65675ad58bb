// SPDX-License-Identifier: Apache-2.0
// Reading ranges as extents of files. The first file is opened at once: the path of an object that is one file leads to
// the next version after a replacement, while an open descriptor and a folder of pieces keep what they had.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "pocket/store/objects_impl.h"

static int open_piece(struct object_range *r, size_t piece, struct err *e)
{
	struct path path;
	const struct object *object = r->object;
	if (object->record->folder.n == 0)
		path_hashed(&path, object->bucket, "objects", object->record->key);
	else
		path_print(&path, "buckets/%.*s/pieces/%.*s/%06zu", BUCKET_NAME(object->bucket),
			STR(object->record->folder), piece);
	fd_close(&r->fd);
	r->fd = objects_open_at(object->bucket->store, path.text, O_RDONLY, e);
	return r->fd < 0 ? r->fd : 0;
}

// Finds the piece where the range begins.
static void locate(struct object_range *r, uint64_t offset)
{
	const struct record *record = r->object->record;
	r->piece = 0;
	if (record->folder.n)
		while (r->piece < record->piece_count && offset >= record->pieces[r->piece].length)
			offset -= record->pieces[r->piece++].length;
	r->skip = offset;
}

int object_range_open(struct object_range *r, struct object *object, uint64_t offset, uint64_t length, struct err *e)
{
	*r = (struct object_range){.object = object_ref(object), .fd = -1, .left = length};
	if (offset > object->record->size || length > object->record->size - offset) {
		object_range_close(r);
		return err_set(e, ERR_INVALID, "the range lies outside of the object");
	}
	locate(r, offset);
	int rc = length ? open_piece(r, r->piece, e) : 0;
	if (rc < 0)
		object_range_close(r);
	return rc;
}

int object_range_next(struct object_range *r, struct object_extent *out, struct err *e)
{
	const struct record *record = r->object->record;
	*out = (struct object_extent){.fd = -1};
	// Empty pieces are stepped over.
	while (r->left && record->folder.n && record->pieces[r->piece].length == r->skip) {
		fd_close(&r->fd);
		r->piece++;
		r->skip = 0;
	}
	if (r->left == 0)
		return 0;
	int rc = r->fd < 0 ? open_piece(r, r->piece, e) : 0;
	if (rc < 0)
		return rc;
	uint64_t start = record->folder.n ? record->pieces[r->piece].offset : 0;
	uint64_t room = record->folder.n ? record->pieces[r->piece].length : record->size;
	*out = (struct object_extent){.fd = r->fd, .offset = start + r->skip, .length = MIN(r->left, room - r->skip)};
	r->left -= out->length;
	r->skip += out->length;
	return 0;
}

void object_range_close(struct object_range *r)
{
	if (!r->object)
		return;
	fd_close(&r->fd);
	object_unref(r->object);
	r->object = NULL;
}

int object_range_read(struct object_range *r, char *out, size_t room, size_t *n, struct err *e)
{
	*n = 0;
	if (r->part.length == 0) {
		int rc = object_range_next(r, &r->part, e);
		if (rc < 0 || r->part.length == 0)
			return rc;
	}
	ssize_t got;
	do {
		got = pread(r->part.fd, out, (size_t)MIN(r->part.length, (uint64_t)room), (off_t)r->part.offset);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got < 0 ? err_errno(e, "reading an object")
			       : err_set(e, ERR_CORRUPT, "the file of an object became shorter");
	r->part.offset += (uint64_t)got;
	r->part.length -= (uint64_t)got;
	*n = (size_t)got;
	return 0;
}

int object_read(struct object *object, uint64_t offset, uint64_t length, struct buf *out, struct err *e)
{
	struct object_range r;
	int rc = object_range_open(&r, object, offset, length, e);
	if (rc < 0)
		return rc;
	if (length > SIZE_MAX || !buf_reserve(out, (size_t)length))
		rc = err_set(e, ERR_LIMIT, "the range is too large to be read at once");
	size_t n = 1;
	while (rc == 0 && n) {
		rc = object_range_read(&r, out->p + out->n, out->cap - out->n, &n, e);
		out->n += n;
	}
	object_range_close(&r);
	return rc;
}
