// SPDX-License-Identifier: Apache-2.0
// Unfinished uploads: a folder each, with a record of what it will be and one file a piece (S3's parts, Azure's
// blocks), or with one growing file (Cloud Storage's resumable uploads). They survive a restart, as their providers
// promise.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pocket/store/objects_impl.h"

struct upload *upload_new(const struct record *r, struct str id)
{
	struct upload *u = calloc(1, sizeof(*u));
	u = u && str_copy(u->id, sizeof(u->id), id) ? u : (free(u), NULL);
	if (u)
		u->record = record_clone(r);
	if (u && !u->record) {
		free(u);
		return NULL;
	}
	return u;
}

void upload_free(struct upload *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->count; i++)
		record_free(u->pieces[i]);
	free(u->pieces);
	writer_abandon(u->writer);
	record_free(u->record);
	free(u);
}

// The first piece whose name is not below `name`.
static size_t find_piece(const struct upload *u, struct str name)
{
	size_t low = 0, high = u->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (str_cmp(u->pieces[middle]->key, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int reserve_piece(struct upload *u, struct err *e)
{
	if (u->count < u->capacity)
		return 0;
	size_t capacity = MAX(u->capacity * 2, (size_t)8);
	struct record **pieces = reallocarray(u->pieces, capacity, sizeof(struct record *));
	if (!pieces)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	u->pieces = pieces;
	u->capacity = capacity;
	return 0;
}

int upload_insert_piece(struct upload *u, struct record *piece, struct err *e)
{
	int rc = reserve_piece(u, e);
	if (rc < 0)
		return rc;
	size_t at = find_piece(u, piece->key);
	if (at < u->count && str_eq(u->pieces[at]->key, piece->key)) {
		record_free(u->pieces[at]);
		u->pieces[at] = piece;
		return 0;
	}
	memmove(u->pieces + at + 1, u->pieces + at, (u->count - at) * sizeof(struct record *));
	u->pieces[at] = piece;
	u->count++;
	return 0;
}

const struct record *upload_piece_find(const struct upload *u, struct str name)
{
	size_t at = find_piece(u, name);
	return at < u->count && str_eq(u->pieces[at]->key, name) ? u->pieces[at] : NULL;
}

// ---------------------------------------------------------------- whole uploads

static int random_id(struct objects *o, char id[UPLOAD_ID_MAX + 1], struct err *e)
{
	unsigned char bytes[16];
	if (o->edges->random(o->edges->ctx, bytes, sizeof(bytes)) < 0)
		return err_set(e, ERR_IO, "the system gave no random bytes for the id of an upload");
	hex_encode(str_bytes(bytes, sizeof(bytes)), id);
	return 0;
}

static int check_id(struct str id, struct err *e)
{
	bool fits = id.n >= 1 && id.n <= UPLOAD_ID_MAX;
	for (size_t i = 0; i < id.n && fits; i++)
		fits = (id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= '0' && id.p[i] <= '9') || id.p[i] == '-';
	return fits ? 0 : err_set(e, ERR_INVALID, "\"%.*s\" is no id for an upload", STR(str_take(id, UPLOAD_ID_MAX)));
}

static int make_files(struct bucket *b, const struct record *r, const char *id, struct err *e)
{
	struct path folder, path;
	path_print(&folder, "buckets/%.*s/uploads/%s", BUCKET_NAME(b), id);
	path_print(&path, "%s/upload", folder.text);
	int rc = objects_make_dir(b->store, folder.text, e);
	if (rc == 0)
		rc = objects_write_record(b->store, r, path.text, e);
	if (rc < 0)
		objects_remove_folder(b->store, folder.text);
	return rc;
}

int objects_upload_create(
	struct bucket *b, const struct record *draft, struct str id, struct upload **out, struct err *e)
{
	char made[UPLOAD_ID_MAX + 1] = "";
	void *old = NULL;
	int rc = id.n ? check_id(id, e) : random_id(b->store, made, e);
	if (rc < 0)
		return rc;
	id = id.n ? id : str_of(made);
	if (objects_upload_find(b, id))
		return err_set(e, ERR_EXISTS, "upload %.*s exists already", STR(id));
	if (!objects_key_valid(draft->key))
		return err_set(e, ERR_INVALID, "a key must be 1 to %d bytes of UTF-8 without NUL", OBJECT_KEY_MAX);
	struct record r = *draft;
	r.created_ns = r.modified_ns = objects_stamp(b->store);
	struct upload *u = upload_new(&r, id);
	if (!u)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	rc = make_files(b, &r, u->id, e);
	if (rc == 0)
		rc = index_put(&b->uploads, str_of(u->id), u, &old, e);
	if (rc < 0) {
		upload_free(u);
		return rc;
	}
	*out = u;
	return 0;
}

struct upload *objects_upload_find(const struct bucket *b, struct str id)
{
	return index_get(&b->uploads, id);
}

const struct index_node *objects_uploads(const struct bucket *b, struct str from_id)
{
	return index_seek(&b->uploads, from_id);
}

// The record goes first: a folder without one is rubbish to the next start.
void bucket_drop_upload_files(const struct bucket *b, const char *id)
{
	struct path path;
	path_print(&path, "buckets/%.*s/uploads/%s/upload", BUCKET_NAME(b), id);
	unlinkat(b->store->root_fd, path.text, 0);
	path_print(&path, "buckets/%.*s/uploads/%s", BUCKET_NAME(b), id);
	objects_remove_folder(b->store, path.text);
}

void objects_upload_drop(struct bucket *b, struct upload *u)
{
	index_remove(&b->uploads, str_of(u->id));
	writer_abandon(u->writer);
	u->writer = NULL;
	bucket_drop_upload_files(b, u->id);
	upload_free(u);
}

// ---------------------------------------------------------------- pieces

static int store_piece(struct bucket *b, struct upload *u, struct writer *w, const struct record *r, struct err *e)
{
	struct path folder, path;
	char name[32 + UPLOAD_ID_MAX];
	snprintf(name, sizeof(name), "uploads/%s", u->id);
	path_hashed(&path, b, name, r->key);
	path_print(&folder, "buckets/%.*s/uploads/%s", BUCKET_NAME(b), u->id);
	int rc = record_write(w->fd, r, w->size, e);
	if (rc == 0)
		rc = objects_rename(b->store, w->path, path.text, e);
	if (rc == 0)
		fd_close(&w->fd);
	return rc;
}

int objects_upload_piece(
	struct bucket *b, struct upload *u, struct writer *w, const struct record *draft, struct err *e)
{
	struct record r = *draft;
	r.size = w->size;
	r.digests = *writer_digests(w);
	r.created_ns = r.modified_ns = objects_stamp(b->store);
	struct record *piece = record_clone(&r);
	int rc = piece ? reserve_piece(u, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = store_piece(b, u, w, &r, e);
	if (rc == 0)
		rc = upload_insert_piece(u, piece, e); // room was reserved: cannot fail
	if (rc < 0)
		record_free(piece);
	writer_abandon(w);
	return rc;
}

// ---------------------------------------------------------------- resumable

// What an earlier process left is read through the digests again.
static int catch_up(struct writer *w, struct err *e)
{
	char block[65536];
	for (;;) {
		ssize_t n = read(w->fd, block, sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "reading %s/%s", w->store->root, w->path);
		if (n == 0)
			return 0;
		hasher_add(w->hasher, str_bytes(block, (size_t)n));
		w->size += (uint64_t)n;
	}
}

int objects_upload_writer(struct bucket *b, struct upload *u, unsigned hashes, struct writer **out, struct err *e)
{
	struct path path;
	if (u->writer) {
		*out = u->writer;
		return 0;
	}
	struct writer *w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	path_print(&path, "buckets/%.*s/uploads/%s/data", BUCKET_NAME(b), u->id);
	w->store = b->store;
	w->kept = true;
	memcpy(w->path, path.text, sizeof(w->path));
	w->fd = objects_open_at(b->store, w->path, O_RDWR | O_CREAT, e);
	int rc = w->fd < 0 ? w->fd : hasher_begin(hashes, &w->hasher, e);
	if (rc == 0)
		rc = catch_up(w, e);
	if (rc < 0) {
		writer_abandon(w);
		return rc;
	}
	*out = u->writer = w;
	return 0;
}

struct writer *upload_take_writer(struct upload *u)
{
	struct writer *w = u->writer;
	u->writer = NULL;
	return w;
}
