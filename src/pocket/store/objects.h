// SPDX-License-Identifier: Apache-2.0
// Buckets and objects on disk, below one folder: what all three pocket providers stand on. A put is all or nothing:
// bytes stream into a temporary file (store/writer.h) and become the object by one rename, so that SIGKILL at any time
// leaves whole objects only; what it leaves unfinished is swept at the next start. (There is no fsync: after a power
// failure a torn file is noticed and dropped.) Keys are any UTF-8 of 1 to 1024 bytes without NUL; files are named by
// the key's SHA-256, so no key can lead outside.
//
// Single-threaded: one loop owns the store. What is checked and done within one turn of that loop is therefore atomic,
// which is how conditional writes are serialised (pocket/condition.h, then objects_put). Pointers to buckets, uploads
// and objects are borrowed and good for that turn only; a request that lives longer keeps an object by object_ref and
// looks the others up again. Errors: ERR_NOT_FOUND, ERR_EXISTS, ERR_CONFLICT (bucket not empty), ERR_INVALID (names),
// ERR_NO_SPACE, ERR_IO, ERR_IN_USE.
#ifndef ISOBAR_POCKET_STORE_OBJECTS_H
#define ISOBAR_POCKET_STORE_OBJECTS_H

#include "base/edges.h"
#include "pocket/store/index.h"
#include "pocket/store/record.h"

enum {
	OBJECT_KEY_MAX = 1024,
	BUCKET_NAME_MAX = 222,
	OBJECT_ETAG_SIZE = 64,
};

struct objects;
struct writer;
struct bucket;
struct object { // one version; immutable
	const struct record *record;
	struct bucket *bucket;
	unsigned refs;
	bool doomed; // replaced or deleted: its pieces go with the last reference
};

struct objects_config {
	const char *root;          // made when absent (0700)
	const struct edges *edges; // borrowed
	// The etag of a version whose draft has none. r is complete but for the etag.
	void (*etag)(const struct record *r, char out[OBJECT_ETAG_SIZE]);
	int64_t upload_lifetime_ns; // older unfinished uploads are dropped; 0: kept for ever
};
// ERR_IN_USE when another process has the folder.
MUST_CHECK int objects_open(const struct objects_config *config, struct objects **out, struct err *e);
void objects_close(struct objects *o); // NULL is allowed; no object may be referenced any more

// ---------------------------------------------------------------- buckets
// draft: name as key, properties and metadata.
MUST_CHECK int objects_bucket_create(struct objects *o, const struct record *draft, struct bucket **out, struct err *e);
MUST_CHECK int objects_bucket_find(struct objects *o, struct str name, struct bucket **out, struct err *e);
MUST_CHECK int objects_bucket_update(
	struct bucket *b, const struct record *draft, struct err *e); // new properties and metadata
// Deletes the objects too when `full` says so; else ERR_CONFLICT unless it is empty.
MUST_CHECK int objects_bucket_delete(struct objects *o, struct str name, bool full, struct err *e);
const struct record *bucket_record(const struct bucket *b);
// All buckets in byte order of their names: node->value is a struct bucket.
const struct index_node *objects_buckets(const struct objects *o, struct str from);

// ---------------------------------------------------------------- objects
bool objects_key_valid(struct str key);
struct object *objects_find(const struct bucket *b, struct str key); // NULL when absent
struct object *object_ref(struct object *object);
void object_unref(struct object *object); // NULL is allowed

// Makes the bytes of w the object draft->key. Of the draft count key, properties, metadata; etag where it is not empty;
// created_ns where it is not 0; digests where it has any (else those of w). Takes w in any case.
MUST_CHECK int objects_put(
	struct bucket *b, struct writer *w, const struct record *draft, struct object **out, struct err *e);
// Same bytes and generation, other properties, metadata; the next metageneration.
MUST_CHECK int objects_update(
	struct bucket *b, struct object *object, const struct record *draft, struct object **out, struct err *e);
MUST_CHECK int objects_delete(struct bucket *b, struct str key, struct err *e); // ERR_NOT_FOUND

// An object made of pieces that exist already, without copying bytes: files are linked into a folder of the new
// version.
struct assembly;
MUST_CHECK int assembly_begin(struct bucket *b, struct assembly **out, struct err *e);
// Bytes [offset, offset+length) of an object, as one or more pieces of that name.
MUST_CHECK int assembly_add_object(
	struct assembly *as, const struct object *from, uint64_t offset, uint64_t length, struct err *e);
// One piece of an object of this kind, with its name.
MUST_CHECK int assembly_add_piece(struct assembly *as, const struct object *from, size_t piece, struct err *e);
struct upload;
MUST_CHECK int assembly_add_upload(
	struct assembly *as, const struct upload *from, const struct record *piece, struct err *e);
uint64_t assembly_size(const struct assembly *as);
// CRCs that could be combined from those of the pieces.
const struct digests *assembly_digests(const struct assembly *as);
// Like objects_put; takes the assembly in any case. Digests of a draft without any: the combined ones.
MUST_CHECK int objects_put_assembly(
	struct assembly *as, const struct record *draft, struct object **out, struct err *e);
void assembly_abandon(struct assembly *as); // NULL is allowed

// ---------------------------------------------------------------- reading
struct object_extent {
	int fd; // borrowed until the next call
	uint64_t offset, length;
};
// A run of bytes of an object as files: for sendfile. Keeps the object referenced.
struct object_range {
	struct object *object;
	int fd;                    // open file of the current piece; -1: none
	size_t piece;              // index of the next piece
	uint64_t skip;             // bytes to skip in the next piece
	uint64_t left;             // bytes that are still to come
	struct object_extent part; // what object_range_read() has not read of the current extent
};
// offset + length must lie within the object.
MUST_CHECK int object_range_open(
	struct object_range *r, struct object *object, uint64_t offset, uint64_t length, struct err *e);
// The next extent; length 0 at the end.
MUST_CHECK int object_range_next(struct object_range *r, struct object_extent *out, struct err *e);
// The next bytes, at most room of them; *n = 0 at the end.
MUST_CHECK int object_range_read(struct object_range *r, char *out, size_t room, size_t *n, struct err *e);
void object_range_close(struct object_range *r); // nothing happens to a zero range
// Reads a whole range into memory (checksums of ranges, small copies). ERR_LIMIT past out->limit.
MUST_CHECK int object_read(struct object *object, uint64_t offset, uint64_t length, struct buf *out, struct err *e);

// ---------------------------------------------------------------- listing
struct objects_query {
	struct str prefix, delimiter; // delimiter empty: none
	struct str after;             // only keys behind this one
	struct str from;              // only keys not before this one
	struct str until;             // only keys before this one; empty: no end
	size_t limit;                 // entries, common prefixes included
};
struct objects_entry {
	const struct record *record; // NULL: a common prefix
	struct str prefix;
};
struct objects_page {
	struct objects_entry *entries; // in byte order
	size_t count;
	struct str next; // `after` of the next page; empty: this was the last
};
MUST_CHECK int objects_list_page(const struct bucket *b, const struct objects_query *q, struct arena *a,
	struct objects_page *out, struct err *e);

// ---------------------------------------------------------------- uploads in parts
enum { UPLOAD_ID_MAX = 64 };
struct upload {
	struct record *record;  // key, properties, metadata, created_ns
	struct record **pieces; // in byte order of their names (record->key)
	size_t count, capacity;
	struct writer *writer; // objects_upload_writer
	char id[UPLOAD_ID_MAX + 1];
};
// id: chosen by the caller (a-z, 0-9, '-'), or empty for a random one. ERR_EXISTS.
MUST_CHECK int objects_upload_create(
	struct bucket *b, const struct record *draft, struct str id, struct upload **out, struct err *e);
struct upload *objects_upload_find(const struct bucket *b, struct str id);            // NULL when absent
const struct index_node *objects_uploads(const struct bucket *b, struct str from_id); // node->value is a struct upload
// Makes the bytes of w the piece draft->key, in place of an older one of that name. Takes w in any case.
MUST_CHECK int objects_upload_piece(
	struct bucket *b, struct upload *u, struct writer *w, const struct record *draft, struct err *e);
const struct record *upload_piece_find(const struct upload *u, struct str name); // NULL when absent
// The one growing file of a resumable upload. It survives a restart (its digests are then computed anew). Owned by the
// upload.
MUST_CHECK int objects_upload_writer(
	struct bucket *b, struct upload *u, unsigned hashes, struct writer **out, struct err *e);
// Takes the writer out, for objects_put; the upload is then dropped by the caller.
struct writer *upload_take_writer(struct upload *u);
void objects_upload_drop(struct bucket *b, struct upload *u); // and all its pieces

#endif
