// SPDX-License-Identifier: Apache-2.0
// Digests of files and folders.
#include "data/digest_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { PIECE = 256 << 10, TREE_MAX_DEPTH = 32, TREE_MAX_ENTRIES = 100000 };

// digest NULL: the checksum alone.
static int read_pieces(int fd, const char *name, struct digest *digest, struct file_digest *out, struct err *e)
{
	AUTO(buf) piece = {0};
	struct stat s;
	if (fstat(fd, &s) < 0)
		return err_errno(e, "look at %s", name);
	if (!S_ISREG(s.st_mode))
		return err_set(e, ERR_INVALID, "%s is no regular file", name);
	if (!buf_reserve(&piece, PIECE))
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	struct file_digest d = {0};
	for (ssize_t n; (n = pread(fd, piece.p, PIECE, (off_t)d.size)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "read %s", name);
		struct str got = str_bytes(piece.p, (size_t)n);
		if (digest)
			digest_update(digest, got);
		d.crc32c = crc32c(d.crc32c, got);
		d.size += got.n;
	}
	*out = d;
	return 0;
}

int checksum_fd(int fd, const char *name, struct file_digest *out, struct err *e)
{
	return read_pieces(fd, name, NULL, out, e);
}

int digest_fd(int fd, const char *name, struct file_digest *out, struct err *e)
{
	AUTO(digest) digest = digest_new(DIGEST_SHA256);
	struct file_digest d = {0};
	if (!digest)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int code = read_pieces(fd, name, digest, &d, e);
	if (code)
		return code;
	(void)digest_final(digest, d.sha256);
	hex_encode(str_bytes(d.sha256, SHA256_SIZE), d.hex);
	*out = d;
	return 0;
}

int digest_file(const char *path, struct file_digest *out, struct err *e)
{
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_errno(e, "open %s", path);
	return digest_fd(fd, path, out, e);
}

// ---------------------------------------------------------------- folders
struct tree {
	struct digest *digest;
	size_t root; // bytes of the path that are not part of names
	size_t entries;
	struct err *e;
};

static int tree_folder(struct tree *t, const char *path, int depth);

static int tree_entry(struct tree *t, const char *path, int depth)
{
	struct stat s;
	struct file_digest d = {0};
	if (++t->entries > TREE_MAX_ENTRIES)
		return err_set(t->e, ERR_LIMIT, "%s: more than %d files", path, TREE_MAX_ENTRIES);
	if (lstat(path, &s) < 0)
		return err_errno(t->e, "look at %s", path);
	if (S_ISDIR(s.st_mode))
		return tree_folder(t, path, depth + 1);
	int code = digest_file(path, &d, t->e);
	if (code)
		return code;
	digest_update(t->digest, str_of(path + t->root));
	digest_update(t->digest, str_bytes(&"\0", 1));
	digest_update(t->digest, str_bytes(d.sha256, SHA256_SIZE));
	return 0;
}

static int keep_entry(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "__pycache__") != 0;
}

static int compare_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int tree_folder(struct tree *t, const char *path, int depth)
{
	struct dirent **list;
	if (depth > TREE_MAX_DEPTH)
		return err_set(t->e, ERR_LIMIT, "%s: folders nested deeper than %d", path, TREE_MAX_DEPTH);
	int n = scandir(path, &list, keep_entry, compare_bytes);
	if (n < 0)
		return err_errno(t->e, "list %s", path);
	int code = 0;
	for (int i = 0; i < n; i++) {
		AUTO(buf) child = {0};
		buf_printf(&child, "%s/%s", path, list[i]->d_name);
		if (!code)
			code = child.failed ? buf_check(&child, t->e) : tree_entry(t, buf_cstr(&child), depth);
		free(list[i]);
	}
	free(list);
	return code;
}

int digest_tree(const char *path, char hex[HEX_SHA256_SIZE], struct err *e)
{
	AUTO(digest) digest = digest_new(DIGEST_SHA256);
	unsigned char sha256[SHA256_SIZE];
	if (!digest)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	struct tree t = {.digest = digest, .root = strlen(path), .e = e};
	int code = tree_folder(&t, path, 0);
	if (code)
		return code;
	(void)digest_final(digest, sha256);
	hex_encode(str_bytes(sha256, SHA256_SIZE), hex);
	return 0;
}
