// SPDX-License-Identifier: Apache-2.0
// Copies between blobs and folders: see ml_files_impl.h. A transfer first lists what there is to copy, and then goes
// through the list with at most one open file and one open blob. Blobs' names come from outside: one that would leave the
// folder is refused.
#include "pocket/arm/ml_files_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { MAX_DEPTH = 64, PIECE = 64 << 10 };
#define AUTO_TYPE_dir DIR *
static void dir_autofree(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

struct entry {
	struct str blob; // its name
	const char *file; // its path
	struct entry *next;
};
struct ml_transfer {
	struct arm_state *state;
	struct arena arena;
	struct str container;
	bool fetches;
	struct entry *first, **last, *now;
	size_t count;
	int fd;                    // of the open file; -1: none
	struct object_range range; // of the open blob, when it fetches
	struct writer *writer;     // of the open blob, when it sends
};

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int add_entry(struct ml_transfer *t, struct str blob, struct str file, struct err *e)
{
	struct entry *entry = arena_new(&t->arena, struct entry);
	if (t->count++ == ML_MAX_FILES)
		return err_set(e, ERR_LIMIT, "more than %d files", ML_MAX_FILES);
	if (!entry || !blob.p || !file.p)
		return no_memory(e);
	*entry = (struct entry){.blob = blob, .file = file.p};
	*t->last = entry;
	t->last = &entry->next;
	return 0;
}

static struct ml_transfer *new_transfer(struct arm_state *s, struct str container, bool fetches)
{
	struct ml_transfer *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	*t = (struct ml_transfer){.state = s, .fetches = fetches, .fd = -1, .range = {.fd = -1}};
	t->last = &t->first;
	t->container = arena_str(&t->arena, container);
	return t;
}

void ml_transfer_free(struct ml_transfer *t)
{
	if (!t)
		return;
	fd_close(&t->fd);
	object_range_close(&t->range);
	writer_abandon(t->writer);
	arena_free(&t->arena);
	free(t);
}

static int begun(struct ml_transfer *t, int rc, struct ml_transfer **out)
{
	t->now = t->first;
	if (rc < 0)
		ml_transfer_free(t);
	else
		*out = t;
	return rc;
}

// ---------------------------------------------------------------- what to fetch

static int add_blob(struct ml_transfer *t, struct str key, struct str below, const char *folder, struct err *e)
{
	struct str name = str_drop(key, below.n);
	if (str_ends(name, S("/")) || !name.n)
		return 0; // a mark that stands for a folder
	int rc = file_check_relative(name, e);
	if (rc < 0)
		return err_context(e, "the blob %.*s", STR(str_clip(key, 200)));
	return add_entry(
		t, arena_str(&t->arena, key), arena_printf(&t->arena, "%s/%.*s", folder, STR(name)), e);
}

static int list_blobs(
	struct ml_transfer *t, const struct bucket *b, struct str prefix, const char *folder, struct err *e)
{
	struct objects_query q = {.prefix = prefix, .limit = 1000};
	struct objects_page page = {0};
	do {
		int rc = objects_list_page(b, &q, &t->arena, &page, e);
		for (size_t i = 0; rc == 0 && i < page.count; i++)
			if (page.entries[i].record)
				rc = add_blob(t, page.entries[i].record->key, prefix, folder, e);
		if (rc < 0)
			return rc;
		q.after = page.next;
	} while (page.next.n);
	return 0;
}

static struct str folder_of(struct str key)
{
	while (key.n && key.p[key.n - 1] != '/')
		key.n--;
	return key;
}

int ml_fetch_begin(
	struct arm_state *s, const struct ml_place *from, const char *folder, struct ml_transfer **out, struct err *e)
{
	struct bucket *b = NULL;
	int rc = objects_bucket_find(s->pocket->store, from->container, &b, e);
	if (rc < 0)
		return rc;
	struct ml_transfer *t = new_transfer(s, from->container, true);
	if (!t)
		return no_memory(e);
	bool slash = from->path.n == 0 || str_ends(from->path, S("/"));
	if (!slash && objects_key_valid(from->path) && objects_find(b, from->path))
		rc = add_blob(t, from->path, folder_of(from->path), folder, e);
	else
		rc = list_blobs(
			t, b, slash ? from->path : arena_printf(&t->arena, "%.*s/", STR(from->path)), folder, e);
	if (rc == 0 && !t->count)
		rc = err_set(e, ERR_NOT_FOUND, "there is no blob below %.*s/%.*s", STR(from->container),
			STR(str_clip(from->path, 300)));
	return begun(t, rc, out);
}

// ---------------------------------------------------------------- what to send

static int walk(struct ml_transfer *t, int at, struct str path, struct str key, struct err *e);

static int add_file(struct ml_transfer *t, DIR *dir, const struct dirent *entry, struct str path, struct str key,
	struct err *e)
{
	struct stat st;
	const char *name = entry->d_name;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !str_utf8_valid(str_of(name)))
		return 0;
	struct str below = arena_printf(&t->arena, "%.*s/%s", STR(path), name);
	struct str blob = arena_printf(&t->arena, "%.*s%s%s", STR(key), key.n ? "/" : "", name);
	if (!below.p || !blob.p)
		return no_memory(e);
	if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "look at %s", below.p);
	if (S_ISREG(st.st_mode) && objects_key_valid(blob))
		return add_entry(t, blob, below, e);
	if (!S_ISDIR(st.st_mode))
		return 0;
	int fd = openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_errno(e, "open folder %s", below.p) : walk(t, fd, below, blob, e);
}

// Takes the descriptor.
static int walk(struct ml_transfer *t, int at, struct str path, struct str key, struct err *e)
{
	AUTO(dir) dir = fdopendir(at);
	const struct dirent *entry;
	size_t depth = 0;
	if (!dir) {
		fd_close(&at);
		return err_errno(e, "open folder %.*s", STR(path));
	}
	for (size_t i = 0; i < path.n; i++)
		depth += path.p[i] == '/';
	if (depth > MAX_DEPTH)
		return err_set(e, ERR_LIMIT, "%.*s: folders are nested too deeply", STR(str_clip(path, 200)));
	int rc = 0;
	while (rc == 0 && (entry = readdir(dir)))
		rc = add_file(t, dir, entry, path, key, e);
	return rc;
}

int ml_send_begin(
	struct arm_state *s, const char *folder, const struct ml_place *to, struct ml_transfer **out, struct err *e)
{
	struct ml_transfer *t = new_transfer(s, to->container, false);
	if (!t)
		return no_memory(e);
	struct str key = arena_str(&t->arena, to->path);
	while (str_ends(key, S("/")))
		key.n--;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc = 0;
	if (fd >= 0)
		rc = walk(t, fd, str_of(folder), key, e);
	else if (errno != ENOENT)
		rc = err_errno(e, "open folder %s", folder);
	return begun(t, rc, out);
}

// ---------------------------------------------------------------- steps

static int make_folder_of(const char *file, struct err *e)
{
	char folder[4096];
	const char *slash = strrchr(file, '/');
	if (!slash || !str_copy(folder, sizeof(folder), str_bytes(file, (size_t)(slash - file))))
		return err_set(e, ERR_LIMIT, "the path %.200s is too long", file);
	return file_make_dirs(folder, 0755, e);
}

static int open_fetch(struct ml_transfer *t, struct err *e)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	int rc = objects_bucket_find(t->state->pocket->store, t->container, &b, e);
	if (rc == 0 && !(object = objects_find(b, t->now->blob)))
		rc = err_set(e, ERR_NOT_FOUND, "the blob %.*s is gone", STR(str_clip(t->now->blob, 200)));
	if (rc == 0)
		rc = object_range_open(&t->range, object, 0, object->record->size, e);
	if (rc == 0)
		rc = make_folder_of(t->now->file, e);
	if (rc < 0)
		return rc;
	t->fd = open(t->now->file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	return t->fd < 0 ? err_errno(e, "make %s", t->now->file) : 0;
}

static int find_container(struct arm_state *s, struct str name, struct bucket **out, struct err *e)
{
	int rc = objects_bucket_find(s->pocket->store, name, out, e);
	if (rc != ERR_NOT_FOUND)
		return rc;
	struct record draft = {.key = name};
	err_clear(e);
	return objects_bucket_create(s->pocket->store, &draft, out, e);
}

static int open_send(struct ml_transfer *t, struct err *e)
{
	t->fd = open(t->now->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0)
		return err_errno(e, "open %s", t->now->file);
	return writer_begin(t->state->pocket->store, HASH_MD5 | HASH_CRC64NVME, 0, &t->writer, e);
}

static int store(struct arm_state *s, const struct ml_place *at, struct writer *w, struct str type, struct err *e)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	struct pair property = {.name = S("content-type"), .value = type};
	struct record draft = {.key = at->path, .properties = {.items = &property, .count = 1}};
	int rc = find_container(s, at->container, &b, e);
	if (rc < 0) {
		writer_abandon(w);
		return rc;
	}
	return objects_put(b, w, &draft, &object, e);
}

// Bytes that were copied; 0 at the end of this file.
static int copy_piece(struct ml_transfer *t, size_t *n, struct err *e)
{
	char piece[PIECE];
	if (t->fetches) {
		int rc = object_range_read(&t->range, piece, sizeof(piece), n, e);
		return rc < 0 ? rc : file_write_all(t->fd, str_bytes(piece, *n), t->now->file, e);
	}
	ssize_t got = read(t->fd, piece, sizeof(piece));
	if (got < 0)
		return err_errno(e, "read %s", t->now->file);
	*n = (size_t)got;
	return writer_add(t->writer, str_bytes(piece, *n), e);
}

static int close_file(struct ml_transfer *t, struct err *e)
{
	struct ml_place at = {.container = t->container, .path = t->now->blob};
	struct writer *w = t->writer;
	fd_close(&t->fd);
	object_range_close(&t->range);
	t->range = (struct object_range){.fd = -1};
	t->writer = NULL;
	t->now = t->now->next;
	return t->fetches ? 0 : store(t->state, &at, w, S("application/octet-stream"), e);
}

int ml_transfer_step(struct ml_transfer *t, bool *done, struct err *e)
{
	size_t copied = 0, n = 0;
	int rc = 0;
	while (rc == 0 && t->now && copied < ML_STEP_BYTES) {
		if (t->fd < 0)
			rc = t->fetches ? open_fetch(t, e) : open_send(t, e);
		if (rc == 0)
			rc = copy_piece(t, &n, e);
		copied += n + 4096; // small files cost, too
		if (rc == 0 && n == 0)
			rc = close_file(t, e);
	}
	*done = !t->now;
	return rc;
}

int ml_put_blob(
	struct arm_state *s, const struct ml_place *at, struct str bytes, struct str content_type, struct err *e)
{
	struct writer *w = NULL;
	int rc = writer_begin(s->pocket->store, HASH_MD5 | HASH_CRC64NVME, bytes.n, &w, e);
	if (rc == 0)
		rc = writer_add(w, bytes, e);
	if (rc < 0) {
		writer_abandon(w);
		return rc;
	}
	return store(s, at, w, content_type, e);
}
