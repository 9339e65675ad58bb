// SPDX-License-Identifier: Apache-2.0
// Objects out of pieces that exist already: parts of an upload, blocks, other objects. The files are linked, not
// copied; where the file system refuses a link (another device below a mount, too many links) the kernel copies. The
// folder is filled first, then the record that names it is moved into place: a crash in between leaves a folder that
// the next start sweeps.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "pocket/store/objects_impl.h"
#include "pocket/store/put_impl.h"

struct assembly {
	struct bucket *b;
	struct arena arena; // names of pieces
	struct piece *pieces;
	size_t count, capacity;
	uint64_t size;
	struct digests digests;
	char folder[UPLOAD_ID_MAX + 1];
};

enum { COMBINABLE = HASH_CRC32 | HASH_CRC32C | HASH_CRC64NVME };

int assembly_begin(struct bucket *b, struct assembly **out, struct err *e)
{
	struct path path;
	struct assembly *as = calloc(1, sizeof(*as));
	if (!as)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	as->b = b;
	b->refs++;
	as->digests.have = COMBINABLE;
	snprintf(as->folder, sizeof(as->folder), "%llx", (unsigned long long)objects_stamp(b->store));
	path_print(&path, "buckets/%.*s/pieces/%s", BUCKET_NAME(b), as->folder);
	int rc = objects_make_dir(b->store, path.text, e);
	if (rc < 0) {
		assembly_abandon(as);
		return rc;
	}
	*out = as;
	return 0;
}

void assembly_abandon(struct assembly *as)
{
	struct path path;
	if (!as)
		return;
	if (as->folder[0] && !as->b->gone) {
		path_print(&path, "buckets/%.*s/pieces/%s", BUCKET_NAME(as->b), as->folder);
		objects_remove_folder(as->b->store, path.text);
	}
	bucket_unref(as->b);
	arena_free(&as->arena);
	free(as->pieces);
	free(as);
}

// ---------------------------------------------------------------- one piece

static int copy_file(const struct objects *o, const char *from, const char *to, struct err *e)
{
	AUTO(fd) in = objects_open_at(o, from, O_RDONLY, e);
	AUTO(fd) out = in < 0 ? -1 : objects_open_at(o, to, O_WRONLY | O_CREAT | O_EXCL, e);
	if (in < 0 || out < 0)
		return in < 0 ? in : out;
	for (;;) {
		ssize_t n = copy_file_range(in, NULL, out, NULL, 1 << 30, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "copying %s/%s", o->root, from);
		if (n == 0)
			return 0;
	}
}

static int link_file(const struct objects *o, const char *from, const char *to, struct err *e)
{
	if (linkat(o->root_fd, from, o->root_fd, to, 0) == 0)
		return 0;
	if (errno == EMLINK || errno == EXDEV || errno == EPERM || errno == EOPNOTSUPP)
		return copy_file(o, from, to, e);
	return err_errno(e, "linking %s/%s", o->root, from);
}

static int grow(struct assembly *as, struct err *e)
{
	if (as->count < as->capacity)
		return 0;
	size_t capacity = MAX(as->capacity * 2, (size_t)16);
	struct piece *pieces = reallocarray(as->pieces, capacity, sizeof(*pieces));
	if (!pieces)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	as->pieces = pieces;
	as->capacity = capacity;
	return 0;
}

static int add(struct assembly *as, const char *from, const struct piece *piece, struct err *e)
{
	struct path to;
	int rc = grow(as, e);
	if (rc < 0)
		return rc;
	struct str name = arena_str(&as->arena, piece->name);
	if (!name.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	path_print(&to, "buckets/%.*s/pieces/%s/%06zu", BUCKET_NAME(as->b), as->folder, as->count);
	rc = link_file(as->b->store, from, to.text, e);
	if (rc < 0)
		return rc;
	as->pieces[as->count++] = (struct piece){.name = name, .offset = piece->offset, .length = piece->length};
	as->size += piece->length;
	return 0;
}

// The checksum of A then B from both: only where both are known in full.
static void combine(struct digests *all, const struct digests *next, uint64_t size)
{
	all->have &= next ? next->have : 0;
	if (all->have & HASH_CRC32)
		all->crc32 = (uint32_t)crc32_combine(all->crc32, next->crc32, (z_off_t)size);
	if (all->have & HASH_CRC32C)
		all->crc32c = crc32c_combine(all->crc32c, next->crc32c, size);
	if (all->have & HASH_CRC64NVME)
		all->crc64nvme = crc64nvme_combine(all->crc64nvme, next->crc64nvme, size);
}

// ---------------------------------------------------------------- sources

static void piece_path(struct path *p, const struct object *from, size_t piece)
{
	if (from->record->folder.n == 0)
		path_hashed(p, from->bucket, "objects", from->record->key);
	else
		path_print(p, "buckets/%.*s/pieces/%.*s/%06zu", BUCKET_NAME(from->bucket), STR(from->record->folder),
			piece);
}

int assembly_add_object(struct assembly *as, const struct object *from, uint64_t offset, uint64_t length, struct err *e)
{
	const struct record *r = from->record;
	struct piece whole = {.name = S(""), .length = r->size};
	const struct piece *pieces = r->folder.n ? r->pieces : &whole;
	size_t count = r->folder.n ? r->piece_count : 1;
	uint64_t end = offset + length, at = 0;
	int rc = 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		uint64_t first = MAX(offset, at), last = MIN(end, at + pieces[i].length);
		struct path path;
		struct piece part = pieces[i];
		if (first < last) {
			part.offset += first - at;
			part.length = last - first;
			piece_path(&path, from, i);
			rc = add(as, path.text, &part, e);
		}
		at += pieces[i].length;
	}
	if (rc == 0)
		combine(&as->digests, offset == 0 && length == r->size ? &r->digests : NULL, length);
	return rc;
}

int assembly_add_piece(struct assembly *as, const struct object *from, size_t piece, struct err *e)
{
	struct path path;
	piece_path(&path, from, piece);
	int rc = add(as, path.text, &from->record->pieces[piece], e);
	if (rc == 0)
		combine(&as->digests, NULL, 0);
	return rc;
}

int assembly_add_upload(struct assembly *as, const struct upload *from, const struct record *piece, struct err *e)
{
	struct path path;
	struct sha256 digest = sha256_of(piece->key);
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	path_print(&path, "buckets/%.*s/uploads/%s/%s", BUCKET_NAME(as->b), from->id, hex);
	struct piece part = {.name = piece->key, .length = piece->size};
	int rc = add(as, path.text, &part, e);
	if (rc == 0)
		combine(&as->digests, &piece->digests, piece->size);
	return rc;
}

uint64_t assembly_size(const struct assembly *as)
{
	return as->size;
}

const struct digests *assembly_digests(const struct assembly *as)
{
	return &as->digests;
}

// ---------------------------------------------------------------- becoming an object

static int commit(struct assembly *as, struct record *r, struct object **out, struct err *e)
{
	struct objects *o = as->b->store;
	struct path path;
	path_temporary(o, &path);
	AUTO(fd) fd = objects_open_at(o, path.text, O_WRONLY | O_CREAT | O_EXCL, e);
	if (fd < 0)
		return fd;
	struct put_file file = {.fd = fd, .path = path.text};
	r->size = as->size;
	r->folder = str_of(as->folder);
	r->pieces = as->pieces;
	r->piece_count = as->count;
	if (!r->digests.have)
		r->digests = as->digests;
	int rc = object_commit(as->b, r, &file, out, e);
	if (rc == 0)
		as->folder[0] = '\0'; // the object's now
	else
		unlinkat(o->root_fd, path.text, 0);
	return rc;
}

int objects_put_assembly(struct assembly *as, const struct record *draft, struct object **out, struct err *e)
{
	struct record r = {
		.key = draft->key,
		.created_ns = draft->created_ns,
		.metageneration = 1,
		.etag = draft->etag,
		.digests = draft->digests,
		.properties = draft->properties,
		.metadata = draft->metadata,
	};
	int rc = commit(as, &r, out, e);
	assembly_abandon(as);
	return rc;
}

// The new record cannot be written behind bytes that readers of the old one share, so the bytes become a piece.
int objects_update(
	struct bucket *b, struct object *object, const struct record *draft, struct object **out, struct err *e)
{
	struct assembly *as = NULL;
	const struct record *old = object->record;
	struct record r = {
		.key = old->key,
		.created_ns = old->created_ns,
		.generation = old->generation,
		.metageneration = old->metageneration + 1,
		.etag = draft->etag,
		.digests = old->digests,
		.properties = draft->properties,
		.metadata = draft->metadata,
	};
	int rc = assembly_begin(b, &as, e);
	if (rc < 0)
		return rc;
	if (old->folder.n == 0)
		rc = assembly_add_object(as, object, 0, old->size, e);
	for (size_t i = 0; i < old->piece_count && rc == 0; i++)
		rc = assembly_add_piece(as, object, i, e);
	if (rc == 0)
		rc = commit(as, &r, out, e);
	assembly_abandon(as);
	return rc;
}
