// SPDX-License-Identifier: Apache-2.0
// Files: see file.h. Removal of trees stands in file_tree.c.
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd); // EINTR included: on Linux the descriptor is gone either way
	*fd = -1;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

// Reads to the end of fd; out's limit is the caller's, so the file's own stands in `most`.
static int read_all(int fd, const char *path, size_t most, struct buf *out, struct err *e)
{
	enum { STEP = 64 << 10 };
	struct stat about;
	size_t start = out->n;
	if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0 && (uint64_t)about.st_size <= most)
		buf_reserve(out, (size_t)about.st_size + 1);
	for (;;) {
		// One byte beyond the limit is asked for, so that a file of exactly the limit is told from a bigger
		// one.
		size_t left = most - (out->n - start);
		size_t want = MIN(left < SIZE_MAX ? left + 1 : left, (size_t)STEP);
		if (!buf_reserve(out, want))
			return buf_check(out, e);
		ssize_t got = read(fd, out->p + out->n, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "read %s", path);
		if (got == 0)
			return 0;
		if ((size_t)got > left)
			return err_set(e, ERR_LIMIT, "read %s: the file is bigger than the %zu bytes allowed here",
				path, most);
		out->n += (size_t)got;
	}
}

int file_read(const char *path, size_t limit, struct buf *out, struct err *e)
{
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "open %s", path);
	size_t before = out->n;
	int rc = read_all(fd, path, limit, out, e);
	if (rc < 0)
		out->n = before;
	return rc;
}

int file_write_all(int fd, struct str data, const char *path, struct err *e)
{
	while (data.n) {
		ssize_t put = write(fd, data.p, data.n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(e, "write %s", path);
		data = str_drop(data, (size_t)put);
	}
	return 0;
}

// The folder part of path, "." without one.
static bool folder_of(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return str_copy(folder, PATH_MAX, S("."));
	size_t n = slash == path ? 1 : (size_t)(slash - path);
	return str_copy(folder, PATH_MAX, str_bytes(path, n));
}

static int fill_temporary(int fd, struct str data, mode_t mode, const char *path, struct err *e)
{
	if (fchmod(fd, mode) < 0)
		return err_errno(e, "set the mode of a new %s", path);
	return file_write_all(fd, data, path, e);
}

static int replace(const char *path, struct str data, mode_t mode, bool sync, struct err *e)
{
	char folder[PATH_MAX], temporary[PATH_MAX];
	if (!folder_of(path, folder))
		return err_set(e, ERR_INVALID, "write %.200s: the path is too long", path);
	int n = snprintf(temporary, sizeof(temporary), "%s/.isobar-new-XXXXXX", folder);
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return err_set(e, ERR_INVALID, "write %.200s: the path is too long", path);
	AUTO(fd) fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "create a temporary file beside %s", path);
	int rc = fill_temporary(fd, data, mode, path, e);
	if (rc == 0 && sync && fsync(fd) < 0)
		rc = err_errno(e, "write %s to the disk", path);
	if (rc == 0 && rename(temporary, path) < 0)
		rc = err_errno(e, "put the new %s in place", path);
	if (rc < 0) {
		unlink(temporary);
		return rc;
	}
	return sync ? file_fsync_dir(folder, e) : 0;
}

int file_write_atomic(const char *path, struct str data, mode_t mode, struct err *e)
{
	return replace(path, data, mode, true, e);
}

int file_replace(const char *path, struct str data, mode_t mode, struct err *e)
{
	return replace(path, data, mode, false, e);
}

int file_fsync_dir(const char *path, struct err *e)
{
	AUTO(fd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "open folder %s", path);
	// EINVAL: a file system without such a thing (some network ones) keeps folders in its own way.
	if (fsync(fd) < 0 && errno != EINVAL)
		return err_errno(e, "write folder %s to the disk", path);
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat about;
	return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

int file_make_dirs(const char *path, mode_t mode, struct err *e)
{
	char part[PATH_MAX];
	if (!str_copy(part, sizeof(part), str_of(path)) || part[0] == '\0')
		return err_set(e, ERR_INVALID, "create folder %.200s: the path is empty or too long", path);
	for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, mode) < 0 && !(errno == EEXIST && is_folder(part)))
			return err_errno(e, "create folder %s", part);
		if (!slash)
			return 0;
		*slash = '/';
		if (slash[1] == '\0')
			return 0;
	}
}

int file_lock(const char *path, struct err *e)
{
	AUTO(fd) fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, "open lock %s", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(e, ERR_IN_USE, "lock %s: another process has it", path);
		if (errno != EINTR)
			return err_errno(e, "lock %s", path);
	}
	int locked = fd;
	fd = -1;
	return locked;
}

int file_check_relative(struct str path, struct err *e)
{
	enum { MOST = 1000 };
	const char *problem = NULL;
	if (path.n == 0)
		problem = "is empty";
	else if (path.n > MOST)
		problem = "is longer than 1000 bytes";
	else if (memchr(path.p, '\0', path.n))
		problem = "has a NUL byte";
	else if (path.p[0] == '/')
		problem = "is absolute";
	struct str rest = path, part;
	while (!problem && str_next(&rest, '/', &part)) {
		if (part.n == 0)
			problem = "has an empty part";
		else if (str_eq(part, S("..")) || str_eq(part, S(".")))
			problem = "has a part that is \".\" or \"..\"";
	}
	if (problem)
		return err_set(e, ERR_INVALID, "path \"%.*s\" %s", STR(str_clip(path, 200)), problem);
	return 0;
}
