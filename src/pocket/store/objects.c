// SPDX-License-Identifier: Apache-2.0
// The object store: opening, closing, buckets. See objects.h for the promises and objects_impl.h for the files.
#include "pocket/store/objects.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pocket/store/objects_impl.h"

// ---------------------------------------------------------------- buckets in memory

static struct bucket *bucket_new(struct objects *o, const struct record *r)
{
	struct bucket *b = calloc(1, sizeof(*b));
	struct record *copy = b ? record_clone(r) : NULL;
	if (!copy) {
		free(b);
		return NULL;
	}
	*b = (struct bucket){.store = o, .record = copy, .refs = 1};
	return b;
}

static void forget_object(void *value)
{
	object_unref(value);
}

static void forget_upload(void *value)
{
	upload_free(value);
}

void bucket_unref(struct bucket *b)
{
	if (--b->refs > 0)
		return;
	record_free(b->record);
	free(b);
}

// Forgets what lies in the bucket; its files stay. Whoever still holds a version of an object no longer reaches them.
static void bucket_forget(void *value)
{
	struct bucket *b = value;
	b->gone = true;
	index_free(&b->objects, forget_object);
	index_free(&b->uploads, forget_upload);
	b->loaded = false;
	bucket_unref(b);
}

const struct record *bucket_record(const struct bucket *b)
{
	return b->record;
}

// ---------------------------------------------------------------- opening

struct bucket_scan {
	struct objects *o;
	struct err *e;
};

static int read_bucket_record(struct objects *o, const char *name, struct arena *a, struct record *out, struct err *e)
{
	struct path path;
	uint64_t data_size = 0;
	path_print(&path, "buckets/%s/bucket", name);
	AUTO(fd) fd = objects_open_at(o, path.text, O_RDONLY, e);
	if (fd < 0)
		return fd;
	int rc = record_read(fd, a, out, &data_size, e);
	return rc == 0 && !str_eq(out->key, str_of(name))
		       ? err_set(e, ERR_CORRUPT, "it is the record of another bucket")
		       : rc;
}

static int open_bucket(void *ctx, const char *name)
{
	struct bucket_scan *scan = ctx;
	AUTO(arena) a = {0};
	struct record r = {0};
	void *old = NULL;
	if (strlen(name) > BUCKET_NAME_MAX)
		return err_set(scan->e, ERR_CORRUPT, "%s/buckets holds a folder that is no bucket: %.60s...",
			scan->o->root, name);
	int rc = read_bucket_record(scan->o, name, &a, &r, scan->e);
	if (rc < 0)
		return err_context(
			scan->e, "opening bucket %s in %s (restore or remove its folder)", name, scan->o->root);
	struct bucket *b = bucket_new(scan->o, &r);
	if (!b)
		return err_set(scan->e, ERR_NO_MEMORY, "out of memory");
	scan->o->last_stamp_ns = MAX(scan->o->last_stamp_ns, r.modified_ns);
	rc = index_put(&scan->o->buckets, b->record->key, b, &old, scan->e);
	if (rc < 0)
		bucket_unref(b);
	return rc;
}

static int open_root(struct objects *o, const char *root, struct err *e)
{
	int rc = file_make_dirs(root, 0700, e);
	if (rc < 0)
		return rc;
	o->root = strdup(root);
	o->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!o->root || o->root_fd < 0)
		return err_errno(e, "opening the folder %s", root);
	AUTO(buf) lock = {0};
	buf_printf(&lock, "%s/lock", root);
	rc = buf_check(&lock, e);
	if (rc < 0)
		return rc;
	o->lock_fd = file_lock(buf_cstr(&lock), e);
	return o->lock_fd < 0 ? err_context(e, "opening the object store %s", root) : 0;
}

static int sweep(struct objects *o, struct err *e)
{
	AUTO(buf) tmp = {0};
	buf_printf(&tmp, "%s/tmp", o->root);
	int rc = buf_check(&tmp, e);
	if (rc == 0)
		rc = file_remove_tree(buf_cstr(&tmp), e);
	if (rc == 0)
		rc = objects_make_dir(o, "tmp", e);
	return rc == 0 ? objects_make_dir(o, "buckets", e) : rc;
}

int objects_open(const struct objects_config *config, struct objects **out, struct err *e)
{
	struct objects *o = calloc(1, sizeof(*o));
	if (!o)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	*o = (struct objects){.root_fd = -1,
		.lock_fd = -1,
		.edges = config->edges,
		.etag = config->etag,
		.upload_lifetime_ns = config->upload_lifetime_ns};
	struct bucket_scan scan = {.o = o, .e = e};
	int rc = open_root(o, config->root, e);
	if (rc == 0)
		rc = sweep(o, e);
	if (rc == 0)
		rc = objects_each_name(o, "buckets", open_bucket, &scan, e);
	if (rc < 0) {
		objects_close(o);
		return rc;
	}
	*out = o;
	return 0;
}

void objects_close(struct objects *o)
{
	if (!o)
		return;
	index_free(&o->buckets, bucket_forget);
	fd_close(&o->root_fd);
	fd_close(&o->lock_fd);
	free(o->root);
	free(o);
}

// ---------------------------------------------------------------- buckets

// What may become a folder's name: the union of what the three providers allow.
static int check_bucket_name(struct str name, struct err *e)
{
	bool fits = name.n >= 1 && name.n <= BUCKET_NAME_MAX && name.p[0] != '.';
	for (size_t i = 0; i < name.n && fits; i++) {
		char c = name.p[i];
		fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '$';
	}
	return fits ? 0 : err_set(e, ERR_INVALID, "\"%.*s\" is no name for a bucket", STR(str_take(name, 80)));
}

// Builds the folder in tmp/ and moves it into place: a bucket is there whole or not at all.
static int make_bucket_files(struct objects *o, const struct record *r, struct err *e)
{
	static const char *const folders[] = {"", "/objects", "/pieces", "/uploads"};
	struct path away, path;
	path_temporary(o, &away);
	int rc = 0;
	for (size_t i = 0; i < COUNT_OF(folders) && rc == 0; i++) {
		path_print(&path, "%s%s", away.text, folders[i]);
		rc = objects_make_dir(o, path.text, e);
	}
	path_print(&path, "%s/bucket", away.text);
	if (rc == 0)
		rc = objects_write_record(o, r, path.text, e);
	path_print(&path, "buckets/%.*s", STR(r->key));
	if (rc == 0)
		rc = objects_rename(o, away.text, path.text, e);
	if (rc < 0)
		(void)objects_remove_tree(o, away.text, NULL);
	return rc;
}

static void stamp_bucket(struct objects *o, struct record *r)
{
	r->modified_ns = objects_stamp(o);
	if (r->created_ns == 0) {
		r->created_ns = r->modified_ns;
		r->generation = r->modified_ns / 1000;
	}
}

int objects_bucket_create(struct objects *o, const struct record *draft, struct bucket **out, struct err *e)
{
	void *old = NULL;
	int rc = check_bucket_name(draft->key, e);
	if (rc < 0)
		return rc;
	if (index_get(&o->buckets, draft->key))
		return err_set(e, ERR_EXISTS, "bucket %.*s exists already", STR(draft->key));
	struct record r = {
		.key = draft->key, .properties = draft->properties, .metadata = draft->metadata, .metageneration = 1};
	stamp_bucket(o, &r);
	struct bucket *b = bucket_new(o, &r);
	if (!b)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	rc = index_put(&o->buckets, b->record->key, b, &old, e);
	if (rc < 0) {
		bucket_unref(b);
		return rc;
	}
	rc = make_bucket_files(o, &r, e);
	if (rc < 0) {
		index_remove(&o->buckets, r.key);
		bucket_unref(b);
		return rc;
	}
	b->loaded = true;
	*out = b;
	return 0;
}

int objects_bucket_find(struct objects *o, struct str name, struct bucket **out, struct err *e)
{
	struct bucket *b = index_get(&o->buckets, name);
	if (!b)
		return err_set(e, ERR_NOT_FOUND, "there is no bucket %.*s", STR(str_take(name, 80)));
	int rc = b->loaded ? 0 : bucket_load(b, e);
	if (rc == 0)
		*out = b;
	return rc;
}

int objects_bucket_update(struct bucket *b, const struct record *draft, struct err *e)
{
	struct record r = *b->record;
	struct path path;
	void *old = NULL;
	r.properties = draft->properties;
	r.metadata = draft->metadata;
	r.metageneration++;
	stamp_bucket(b->store, &r);
	path_print(&path, "buckets/%.*s/bucket", BUCKET_NAME(b));
	struct record *copy = record_clone(&r);
	if (!copy)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int rc = objects_write_record(b->store, &r, path.text, e);
	if (rc < 0) {
		record_free(copy);
		return rc;
	}
	rc = index_put(&b->store->buckets, copy->key, b, &old, e); // the key of the entry moves to the new record
	record_free(b->record);
	b->record = copy;
	return rc;
}

int objects_bucket_delete(struct objects *o, struct str name, bool full, struct err *e)
{
	struct bucket *b = NULL;
	struct path path;
	int rc = objects_bucket_find(o, name, &b, e);
	if (rc < 0)
		return rc;
	if (b->objects.count && !full)
		return err_set(
			e, ERR_CONFLICT, "bucket %.*s is not empty: it holds %zu objects", STR(name), b->objects.count);
	path_print(&path, "buckets/%.*s", BUCKET_NAME(b));
	rc = objects_remove_tree(o, path.text, e);
	if (rc < 0)
		return rc;
	index_remove(&o->buckets, b->record->key);
	bucket_forget(b);
	return 0;
}

const struct index_node *objects_buckets(const struct objects *o, struct str from)
{
	return index_seek(&o->buckets, from);
}
