// SPDX-License-Identifier: Apache-2.0
// Tar archives through libarchive: see tar_archive.h.
#include "models/tar_archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/library.h"

enum { FORMAT_FILE = 0100000, FORMAT_FOLDER = 0040000, FORMAT_LINK = 0120000, LARGEST_LINK = 4096, PIECE = 1 << 16 };

struct archive;
struct archive_entry;
struct libarchive { // the functions of libarchive 3 that are used, with the types of its headers
	struct archive *(*write_new)(void);
	int (*write_set_format_pax_restricted)(struct archive *a);
	int (*write_set_bytes_per_block)(struct archive *a, int bytes);
	int (*write_open)(struct archive *a, void *ctx, int (*open)(struct archive *a, void *ctx),
		ssize_t (*write)(struct archive *a, void *ctx, const void *data, size_t n),
		int (*close)(struct archive *a, void *ctx));
	int (*write_header)(struct archive *a, struct archive_entry *entry);
	ssize_t (*write_data)(struct archive *a, const void *data, size_t n);
	int (*write_close)(struct archive *a);
	int (*write_free)(struct archive *a);
	const char *(*error_string)(struct archive *a);
	struct archive_entry *(*entry_new)(void);
	void (*entry_free)(struct archive_entry *entry);
	void (*entry_set_pathname)(struct archive_entry *entry, const char *name);
	void (*entry_set_symlink)(struct archive_entry *entry, const char *target);
	void (*entry_set_size)(struct archive_entry *entry, int64_t size);
	void (*entry_set_filetype)(struct archive_entry *entry, unsigned type);
	void (*entry_set_perm)(struct archive_entry *entry, mode_t mode);
	void (*entry_set_mtime)(struct archive_entry *entry, time_t seconds, long nanoseconds);
};
#define SYMBOL(member) {"archive_" #member, offsetof(struct libarchive, member)}
static const struct library_symbol symbols[] = {
	SYMBOL(write_new),
	SYMBOL(write_set_format_pax_restricted),
	SYMBOL(write_set_bytes_per_block),
	SYMBOL(write_open),
	SYMBOL(write_header),
	SYMBOL(write_data),
	SYMBOL(write_close),
	SYMBOL(write_free),
	SYMBOL(error_string),
	SYMBOL(entry_new),
	SYMBOL(entry_free),
	SYMBOL(entry_set_pathname),
	SYMBOL(entry_set_symlink),
	SYMBOL(entry_set_size),
	SYMBOL(entry_set_filetype),
	SYMBOL(entry_set_perm),
	SYMBOL(entry_set_mtime),
};
static const char *const paths[] = {
	"/usr/lib/x86_64-linux-gnu/libarchive.so.13",
	"/usr/lib/aarch64-linux-gnu/libarchive.so.13",
	NULL,
};
static const struct library_spec spec = {
	.name = "libarchive",
	.package = "libarchive13",
	.paths = paths,
	.symbols = symbols,
	.symbol_count = COUNT_OF(symbols),
};

struct tar_archive {
	struct libarchive lib;
	struct archive *archive;
	struct tar_target to;
	int64_t seconds;
	struct err failed; // of the target
};

// ---------------------------------------------------------------- libarchive's side
// The target's error is kept aside and told by check(): libarchive itself forgets memory when a write fails under it.
static ssize_t write_piece(struct archive *a, void *ctx, const void *data, size_t n)
{
	struct tar_archive *t = ctx;
	(void)a;
	if (t->failed.code == 0)
		(void)t->to.write(t->to.ctx, str_bytes(data, n), &t->failed);
	return (ssize_t)n;
}

static int check(struct tar_archive *t, int rc, const char *what, struct err *e)
{
	enum { WARNING = -20 }; // ARCHIVE_WARN: done, with a remark
	if (t->failed.code) {
		*e = t->failed;
		return e->code;
	}
	if (rc >= WARNING)
		return 0;
	const char *text = t->lib.error_string(t->archive);
	return err_set(e, ERR_FAILED, "archive: %s: %s", what, text ? text : "libarchive does not say why");
}

int tar_begin(const struct tar_target *to, int64_t seconds, struct tar_archive **out, struct err *e)
{
	AUTO(tar) t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	t->to = *to;
	t->seconds = seconds;
	int rc = library_load(&spec, &t->lib, e);
	if (rc < 0)
		return rc;
	t->archive = t->lib.write_new();
	if (!t->archive)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	rc = check(t, t->lib.write_set_format_pax_restricted(t->archive), "format", e);
	if (rc == 0)
		rc = check(t, t->lib.write_set_bytes_per_block(t->archive, 0), "format", e);
	if (rc == 0)
		rc = check(t, t->lib.write_open(t->archive, t, NULL, write_piece, NULL), "begin", e);
	if (rc == 0) {
		*out = t;
		t = NULL;
	}
	return rc;
}

int tar_end(struct tar_archive *t, struct err *e)
{
	return check(t, t->lib.write_close(t->archive), "end", e);
}

void tar_free(struct tar_archive *t)
{
	if (t && t->archive)
		(void)t->lib.write_free(t->archive);
	free(t);
}

// ---------------------------------------------------------------- entries
struct entry {
	const char *name, *link;
	unsigned type;
	mode_t mode;
	int64_t size;
};

static int add_entry(struct tar_archive *t, const struct entry *entry, struct err *e)
{
	struct archive_entry *made = t->lib.entry_new();
	if (!made)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	t->lib.entry_set_pathname(made, entry->name);
	t->lib.entry_set_filetype(made, entry->type);
	t->lib.entry_set_perm(made, entry->mode);
	t->lib.entry_set_size(made, entry->size);
	t->lib.entry_set_mtime(made, (time_t)t->seconds, 0);
	if (entry->link)
		t->lib.entry_set_symlink(made, entry->link);
	int rc = check(t, t->lib.write_header(t->archive, made), entry->name, e);
	t->lib.entry_free(made);
	return rc;
}

static int add_bytes(struct tar_archive *t, const char *name, struct str data, struct err *e)
{
	ssize_t n = t->lib.write_data(t->archive, data.p, data.n);
	if (n >= 0 && (size_t)n != data.n)
		return err_set(e, ERR_CONFLICT, "%s grew while it was read", name);
	return check(t, n < 0 ? (int)n : 0, name, e);
}

int tar_add_data(struct tar_archive *t, const char *name, struct str data, struct err *e)
{
	int rc = add_entry(t, &(struct entry){name, NULL, FORMAT_FILE, 0644, (int64_t)data.n}, e);
	return rc == 0 && data.n ? add_bytes(t, name, data, e) : rc;
}

static int copy_bytes(struct tar_archive *t, const char *name, int fd, int64_t size, struct err *e)
{
	char piece[PIECE];
	int64_t left = size;
	while (left > 0) {
		ssize_t n = read(fd, piece, left < PIECE ? (size_t)left : PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, err_code_of_errno(errno), "%s: %s", name, strerror(errno));
		if (n == 0)
			return err_set(e, ERR_CONFLICT, "%s shrank while it was read", name);
		int rc = add_bytes(t, name, str_bytes(piece, (size_t)n), e);
		if (rc < 0)
			return rc;
		left -= n;
	}
	return 0;
}

int tar_add_file(struct tar_archive *t, const char *name, const char *path, struct err *e)
{
	struct stat s;
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &s) < 0)
		return err_set(e, err_code_of_errno(errno), "%s: %s", path, strerror(errno));
	if (!S_ISREG(s.st_mode))
		return err_set(e, ERR_UNSUPPORTED, "%s is no file", path);
	mode_t mode = s.st_mode & S_IXUSR ? 0755 : 0644;
	int rc = add_entry(t, &(struct entry){name, NULL, FORMAT_FILE, mode, s.st_size}, e);
	return rc == 0 ? copy_bytes(t, name, fd, s.st_size, e) : rc;
}

static int add_link(struct tar_archive *t, const char *name, const char *path, struct err *e)
{
	char target[LARGEST_LINK + 1];
	ssize_t n = readlink(path, target, LARGEST_LINK);
	if (n < 0)
		return err_set(e, err_code_of_errno(errno), "%s: %s", path, strerror(errno));
	target[n] = '\0';
	return add_entry(t, &(struct entry){name, target, FORMAT_LINK, 0777, 0}, e);
}

// ---------------------------------------------------------------- trees
static int add_folder(struct tar_archive *t, const char *root, struct buf *below, struct err *e);

// below: the entry's path relative to the root, which it leaves as it was.
static int add_one(struct tar_archive *t, const char *root, struct buf *below, struct err *e)
{
	struct stat s;
	AUTO(buf) path = {0};
	buf_printf(&path, "%s/%s", root, buf_cstr(below));
	if (buf_check(&path, e) < 0 || buf_check(below, e) < 0)
		return e->code;
	if (lstat(buf_cstr(&path), &s) < 0)
		return err_set(e, err_code_of_errno(errno), "%s: %s", buf_cstr(&path), strerror(errno));
	if (S_ISREG(s.st_mode))
		return tar_add_file(t, buf_cstr(below), buf_cstr(&path), e);
	if (S_ISLNK(s.st_mode))
		return add_link(t, buf_cstr(below), buf_cstr(&path), e);
	if (!S_ISDIR(s.st_mode))
		return err_set(e, ERR_UNSUPPORTED, "%s is neither a file, a folder nor a link", buf_cstr(&path));
	size_t n = below->n;
	buf_add_char(below, '/');
	int rc = add_entry(t, &(struct entry){buf_cstr(below), NULL, FORMAT_FOLDER, 0755, 0}, e);
	if (rc == 0)
		rc = add_folder(t, root, below, e);
	below->n = n;
	return rc;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct tar_archive *t, const char *root, struct buf *below, struct err *e)
{
	struct dirent **names;
	AUTO(buf) path = {0};
	buf_printf(&path, "%s/%s", root, buf_cstr(below));
	int rc = buf_check(&path, e), count = rc == 0 ? scandir(buf_cstr(&path), &names, NULL, by_name) : 0;
	if (count < 0)
		return err_set(e, err_code_of_errno(errno), "%s: %s", buf_cstr(&path), strerror(errno));
	size_t n = below->n;
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		if (rc == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			buf_add(below, str_of(name));
			rc = add_one(t, root, below, e);
			below->n = n;
		}
		free(names[i]);
	}
	if (count > 0)
		free(names);
	return rc;
}

int tar_add_tree(struct tar_archive *t, const char *root, struct err *e)
{
	AUTO(buf) below = {0};
	return add_folder(t, root, &below, e);
}
