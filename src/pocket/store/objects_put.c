// SPDX-License-Identifier: Apache-2.0
// Versions of objects come and go here. One rename makes a version; memory is prepared before it, so that after it
// nothing can fail.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pocket/store/objects_impl.h"
#include "pocket/store/put_impl.h"

bool objects_key_valid(struct str key)
{
	return key.n >= 1 && key.n <= OBJECT_KEY_MAX && !memchr(key.p, 0, key.n) && str_utf8_valid(key);
}

struct object *objects_find(const struct bucket *b, struct str key)
{
	return index_get(&b->objects, key);
}

struct object *object_new(struct bucket *b, const struct record *r)
{
	struct object *object = calloc(1, sizeof(*object));
	struct record *copy = object ? record_clone(r) : NULL;
	if (!copy) {
		free(object);
		return NULL;
	}
	b->refs++;
	*object = (struct object){.record = copy, .bucket = b, .refs = 1};
	return object;
}

struct object *object_ref(struct object *object)
{
	object->refs++;
	return object;
}

static struct record *owned(const struct record *r)
{
	union {
		const struct record *in;
		struct record *out;
	} cast = {.in = r}; // const for the users of an object; the object itself owns it
	return cast.out;
}

void object_unref(struct object *object)
{
	struct path path;
	if (!object || --object->refs > 0)
		return;
	struct bucket *b = object->bucket;
	if (object->doomed && object->record->folder.n && !b->gone) {
		path_print(&path, "buckets/%.*s/pieces/%.*s", BUCKET_NAME(b), STR(object->record->folder));
		objects_remove_folder(b->store, path.text);
	}
	record_free(owned(object->record));
	free(object);
	bucket_unref(b);
}

static void doom(struct object *object)
{
	if (!object)
		return;
	object->doomed = true;
	object_unref(object);
}

// ---------------------------------------------------------------- making a version

static int check_draft(const struct record *r, struct err *e)
{
	if (!objects_key_valid(r->key))
		return err_set(e, ERR_INVALID, "a key must be 1 to %d bytes of UTF-8 without NUL", OBJECT_KEY_MAX);
	return 0;
}

// What the draft leaves open: times, numbers, etag.
static void complete(struct objects *o, struct record *r, char etag[OBJECT_ETAG_SIZE])
{
	r->modified_ns = objects_stamp(o);
	if (r->created_ns == 0)
		r->created_ns = r->modified_ns;
	if (r->generation == 0)
		r->generation = r->modified_ns / 1000;
	if (r->etag.n)
		return;
	o->etag(r, etag);
	r->etag = str_of(etag);
}

// The index holds the new version before the rename, which may fail: then the old one comes back.
static int swap_in(struct bucket *b, struct object *object, const char *temporary, struct err *e)
{
	struct path path;
	void *old = NULL;
	struct str key = object->record->key;
	path_hashed(&path, b, "objects", key);
	int rc = index_put(&b->objects, key, object, &old, e);
	if (rc < 0)
		return rc;
	rc = objects_rename(b->store, temporary, path.text, e);
	if (rc == 0) {
		doom(old);
		return 0;
	}
	void *replaced = NULL;
	if (!old)
		index_remove(&b->objects, key);
	else if (index_put(&b->objects, ((struct object *)old)->record->key, old, &replaced, NULL) < 0)
		abort(); // replacing a value allocates nothing
	return rc;
}

int object_commit(struct bucket *b, struct record *r, const struct put_file *file, struct object **out, struct err *e)
{
	char etag[OBJECT_ETAG_SIZE] = "";
	int rc = check_draft(r, e);
	if (rc < 0)
		return rc;
	complete(b->store, r, etag);
	struct object *object = object_new(b, r);
	if (!object)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	rc = record_write(file->fd, r, file->size, e);
	if (rc == 0)
		rc = swap_in(b, object, file->path, e);
	if (rc < 0) {
		object_unref(object);
		return err_context(e, "storing %.*s in bucket %.*s", STR(r->key), BUCKET_NAME(b));
	}
	*out = object;
	return 0;
}

int objects_put(struct bucket *b, struct writer *w, const struct record *draft, struct object **out, struct err *e)
{
	const struct digests *digests = writer_digests(w);
	struct record r = {
		.key = draft->key,
		.size = w->size,
		.created_ns = draft->created_ns,
		.metageneration = 1,
		.etag = draft->etag,
		.digests = draft->digests.have ? draft->digests : *digests,
		.properties = draft->properties,
		.metadata = draft->metadata,
	};
	struct put_file file = {.fd = w->fd, .size = w->size, .path = w->path};
	int rc = object_commit(b, &r, &file, out, e);
	if (rc == 0)
		fd_close(&w->fd); // the file is the object's now
	else
		w->kept = false;
	writer_abandon(w);
	return rc;
}

int objects_delete(struct bucket *b, struct str key, struct err *e)
{
	struct path path;
	if (!objects_find(b, key))
		return err_set(e, ERR_NOT_FOUND, "there is no object %.*s", STR(str_take(key, 200)));
	path_hashed(&path, b, "objects", key);
	if (unlinkat(b->store->root_fd, path.text, 0) < 0 && errno != ENOENT)
		return err_errno(e, "deleting %.*s", STR(str_take(key, 200)));
	doom(index_remove(&b->objects, key));
	return 0;
}
