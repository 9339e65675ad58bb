// SPDX-License-Identifier: Apache-2.0
// Inside of the object store: its structs and the file names. All paths are relative to root_fd:
//     lock                                   held by the process that owns the folder
//     tmp/N                                  files and folders on their way in or out; emptied at start
//     buckets/NAME/bucket                    record of the bucket
//     buckets/NAME/objects/SHA256(key)       [bytes] record
//     buckets/NAME/pieces/FOLDER/NNNNNN      bytes of an object made of pieces (with a record behind that nobody reads)
//     buckets/NAME/uploads/ID/upload         record of an unfinished upload
//     buckets/NAME/uploads/ID/SHA256(name)   bytes and record of a piece;  .../data: the growing file of a resumable
//     upload
#ifndef ISOBAR_POCKET_STORE_OBJECTS_IMPL_H
#define ISOBAR_POCKET_STORE_OBJECTS_IMPL_H

#include "base/file.h"
#include "pocket/store/objects.h"
#include "pocket/store/writer.h"

struct objects {
	int root_fd, lock_fd;
	char *root;
	const struct edges *edges;
	void (*etag)(const struct record *r, char out[OBJECT_ETAG_SIZE]);
	int64_t upload_lifetime_ns;
	int64_t last_stamp_ns;
	uint64_t last_temporary;
	struct index buckets;
};

struct bucket {
	struct objects *store;
	struct record *record;
	struct index objects, uploads;
	unsigned refs; // the store's own and one per struct object
	bool loaded;   // objects and uploads are known
	bool gone;     // deleted, or the store closed: its files are no longer ours
};

struct writer {
	struct objects *store;
	struct hasher *hasher;
	struct digests digests; // when finished
	uint64_t size;
	int fd;
	bool finished;
	bool kept; // the file of a resumable upload: stays when the writer goes
	char path[512];
};

struct path {
	char text[512];
};
void path_print(struct path *p, const char *format, ...) PRINTF_LIKE(2, 3);
void path_temporary(struct objects *o, struct path *p); // an unused name in tmp/
void path_hashed(struct path *p, const struct bucket *b, const char *folder, struct str key);
#define BUCKET_NAME(b) STR((b)->record->key)

// Wall clock in nanoseconds, but later than any other stamp of this store by at least a microsecond.
int64_t objects_stamp(struct objects *o);
int objects_open_at(
	const struct objects *o, const char *path, int flags, struct err *e); // 0600; the descriptor, or the error
int objects_rename(const struct objects *o, const char *from, const char *to, struct err *e);
int objects_make_dir(const struct objects *o, const char *path, struct err *e); // there already: fine
// Removes a flat folder; what cannot be removed is swept at the next start.
void objects_remove_folder(const struct objects *o, const char *path);
// Moves a tree to tmp/ (an error only when that fails), then removes it; a rest is swept at the next start.
int objects_remove_tree(struct objects *o, const char *path, struct err *e);
// Calls each for every name in a folder; stops at the first negative result. Absent folder: fine.
int objects_each_name(
	const struct objects *o, const char *path, int (*each)(void *ctx, const char *name), void *ctx, struct err *e);
// Writes a record alone into a new file at path, atomically.
int objects_write_record(struct objects *o, const struct record *r, const char *path, struct err *e);

int bucket_load(struct bucket *b, struct err *e);
void bucket_unref(struct bucket *b);
struct object *object_new(struct bucket *b, const struct record *r); // NULL without memory
void upload_free(struct upload *u);
struct upload *upload_new(const struct record *r, struct str id);               // NULL without memory
int upload_insert_piece(struct upload *u, struct record *piece, struct err *e); // takes piece when 0 is returned
void bucket_drop_upload_files(const struct bucket *b, const char *id);

#endif
