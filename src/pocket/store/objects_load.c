// SPDX-License-Identifier: Apache-2.0
// A bucket comes into memory when it is first asked for, so that a pocket with many objects starts at once: the record
// of each object, the unfinished uploads, and then the sweep of what a killed process left: folders of pieces that no
// object names.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "pocket/store/objects_impl.h"

struct load {
	struct bucket *b;
	struct err *e;
	struct upload *upload; // whose pieces are being read
	struct index folders;  // names of folders of pieces in use (no values)
	struct arena *arena;   // of the names
};

static void note_stamp(struct objects *o, const struct record *r)
{
	o->last_stamp_ns = MAX(o->last_stamp_ns, MAX(r->modified_ns, r->generation * 1000));
}

// Reads the record of a file; a torn file (a power failure: we never sync) is removed and named in the log.
static int read_or_drop(struct load *load, const char *path, struct arena *a, struct record *out)
{
	struct err cause = {0};
	uint64_t data_size = 0;
	struct objects *o = load->b->store;
	AUTO(fd) fd = objects_open_at(o, path, O_RDONLY, load->e);
	if (fd < 0)
		return fd;
	int rc = record_read(fd, a, out, &data_size, &cause);
	if (rc == 0 && out->folder.n == 0 && data_size != out->size)
		rc = err_set(&cause, ERR_CORRUPT, "not a whole object: it has another size than its description says");
	if (rc == ERR_CORRUPT) {
		log_line(LOG_WARNING, "dropping %s/%s: %s", o->root, path, cause.message);
		unlinkat(o->root_fd, path, 0);
		return ERR_CORRUPT;
	}
	if (rc < 0)
		*load->e = cause;
	return rc;
}

static int note_folder(struct load *load, struct str folder)
{
	void *old = NULL;
	struct str name = arena_str(load->arena, folder);
	return name.p ? index_put(&load->folders, name, load, &old, load->e)
		      : err_set(load->e, ERR_NO_MEMORY, "out of memory");
}

static int load_object(void *ctx, const char *name)
{
	struct load *load = ctx;
	AUTO(arena) a = {0};
	struct record r = {0};
	struct path path;
	void *old = NULL;
	path_print(&path, "buckets/%.*s/objects/%.64s", BUCKET_NAME(load->b), name);
	int rc = read_or_drop(load, path.text, &a, &r);
	if (rc == ERR_CORRUPT)
		return 0;
	if (rc == 0 && r.folder.n)
		rc = note_folder(load, r.folder);
	if (rc < 0)
		return rc;
	struct object *object = object_new(load->b, &r);
	if (!object)
		return err_set(load->e, ERR_NO_MEMORY, "out of memory");
	note_stamp(load->b->store, &r);
	rc = index_put(&load->b->objects, object->record->key, object, &old, load->e);
	if (rc < 0)
		object_unref(object);
	return rc;
}

static int load_piece(void *ctx, const char *name)
{
	struct load *load = ctx;
	AUTO(arena) a = {0};
	struct record r = {0};
	struct path path;
	if (strlen(name) != HEX_SHA256_SIZE - 1) // "upload" and "data"
		return 0;
	path_print(&path, "buckets/%.*s/uploads/%s/%s", BUCKET_NAME(load->b), load->upload->id, name);
	int rc = read_or_drop(load, path.text, &a, &r);
	if (rc == ERR_CORRUPT)
		return 0;
	struct record *piece = rc == 0 ? record_clone(&r) : NULL;
	if (rc == 0 && !piece)
		rc = err_set(load->e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = upload_insert_piece(load->upload, piece, load->e);
	if (rc < 0)
		record_free(piece);
	return rc;
}

static bool expired(const struct objects *o, const struct record *r)
{
	return o->upload_lifetime_ns && o->edges->wall_ns(o->edges->ctx) - r->created_ns > o->upload_lifetime_ns;
}

static int load_upload(void *ctx, const char *name)
{
	struct load *load = ctx;
	struct objects *o = load->b->store;
	AUTO(arena) a = {0};
	struct record r = {0};
	struct path path;
	void *old = NULL;
	if (strlen(name) > UPLOAD_ID_MAX)
		return 0;
	path_print(&path, "buckets/%.*s/uploads/%s/upload", BUCKET_NAME(load->b), name);
	bool absent = faccessat(o->root_fd, path.text, F_OK, 0) < 0 && errno == ENOENT; // killed while it was made
	int rc = absent ? ERR_CORRUPT : read_or_drop(load, path.text, &a, &r);
	if (rc == ERR_CORRUPT || (rc == 0 && expired(o, &r))) {
		bucket_drop_upload_files(load->b, name);
		return 0;
	}
	if (rc < 0)
		return rc;
	struct upload *u = upload_new(&r, str_of(name));
	if (!u)
		return err_set(load->e, ERR_NO_MEMORY, "out of memory");
	note_stamp(o, &r);
	load->upload = u;
	path_print(&path, "buckets/%.*s/uploads/%s", BUCKET_NAME(load->b), name);
	rc = objects_each_name(o, path.text, load_piece, load, load->e);
	if (rc == 0)
		rc = index_put(&load->b->uploads, str_of(u->id), u, &old, load->e);
	if (rc < 0)
		upload_free(u);
	return rc;
}

static int sweep_pieces(void *ctx, const char *name)
{
	struct load *load = ctx;
	struct path path;
	if (strlen(name) > UPLOAD_ID_MAX || index_get(&load->folders, str_of(name)))
		return 0;
	path_print(&path, "buckets/%.*s/pieces/%s", BUCKET_NAME(load->b), name);
	objects_remove_folder(load->b->store, path.text);
	return 0;
}

static void drop_object(void *object)
{
	object_unref(object);
}

static void drop_upload(void *upload)
{
	upload_free(upload);
}

static int load_folder(struct load *load, const char *folder, int (*each)(void *ctx, const char *name))
{
	struct path path;
	path_print(&path, "buckets/%.*s/%s", BUCKET_NAME(load->b), folder);
	return objects_each_name(load->b->store, path.text, each, load, load->e);
}

int bucket_load(struct bucket *b, struct err *e)
{
	AUTO(arena) names = {0};
	struct load load = {.b = b, .e = e, .arena = &names};
	int rc = load_folder(&load, "objects", load_object);
	if (rc == 0)
		rc = load_folder(&load, "uploads", load_upload);
	if (rc == 0)
		rc = load_folder(&load, "pieces", sweep_pieces);
	index_free(&load.folders, NULL);
	b->loaded = rc == 0;
	if (rc == 0)
		return 0;
	index_free(&b->objects, drop_object);
	index_free(&b->uploads, drop_upload);
	return err_context(e, "loading bucket %.*s", BUCKET_NAME(b));
}
