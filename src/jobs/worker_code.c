// SPDX-License-Identifier: Apache-2.0
// The user's code: a folder copied into the work folder, so that the command never sees the workspace it comes from.
// Regular files and folders only; hidden names and __pycache__ stay behind.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "jobs/worker_impl.h"

#define CODE_MAX_BYTES (UINT64_C(1) << 30)

struct copying {
	struct worker *w;
	uint64_t bytes, entries;
};

static int copy_folder(struct copying *k, int from, int to, int depth);

static int copy_bytes(struct copying *k, int from, int to, const char *name)
{
	char piece[64 << 10];
	ssize_t n;
	while ((n = read(from, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return call_errno(k->w->c, "read %s of the code", name);
		k->bytes += (uint64_t)n;
		if (k->bytes > CODE_MAX_BYTES)
			return call_fail(k->w->c, ERR_LIMIT, "the code folder holds more than %llu MiB",
				(unsigned long long)(CODE_MAX_BYTES >> 20));
		if (file_write_all(to, str_bytes(piece, (size_t)n), name, &k->w->c->err))
			return k->w->c->err.code;
	}
	return 0;
}

static int copy_file(struct copying *k, int from, int to, const char *name)
{
	struct stat s;
	AUTO(fd) in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (in < 0 || fstat(in, &s) < 0)
		return call_errno(k->w->c, "open %s of the code", name);
	if (!S_ISREG(s.st_mode))
		return call_fail(k->w->c, ERR_INVALID, "the code holds %s, which is neither a file nor a folder", name);
	AUTO(fd) out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, s.st_mode & 0700);
	if (out < 0)
		return call_errno(k->w->c, "create %s of the code", name);
	return copy_bytes(k, in, out, name);
}

static int copy_entry(struct copying *k, int from, int to, const char *name, int depth)
{
	struct stat s;
	if (++k->entries > WORKER_MAX_OBJECTS || depth > WORKER_MAX_DEPTH)
		return call_fail(k->w->c, ERR_LIMIT, "the code folder holds more than %d files or is deeper than %d",
			WORKER_MAX_OBJECTS, WORKER_MAX_DEPTH);
	if (fstatat(from, name, &s, AT_SYMLINK_NOFOLLOW) < 0)
		return call_errno(k->w->c, "look at %s of the code", name);
	if (!S_ISDIR(s.st_mode))
		return copy_file(k, from, to, name);
	if (mkdirat(to, name, 0700) < 0)
		return call_errno(k->w->c, "make the folder %s of the code", name);
	AUTO(fd) in = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	AUTO(fd) out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0 || out < 0)
		return call_errno(k->w->c, "open the folder %s of the code", name);
	return copy_folder(k, in, out, depth + 1);
}

static int copy_folder(struct copying *k, int from, int to, int depth)
{
	int own = dup(from); // closedir closes it
	DIR *d = own < 0 ? NULL : fdopendir(own);
	if (!d) {
		fd_close(&own);
		return call_errno(k->w->c, "list the code");
	}
	int code = 0;
	for (struct dirent *entry; !code && (entry = readdir(d));)
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "__pycache__") != 0)
			code = copy_entry(k, from, to, entry->d_name, depth);
	closedir(d);
	return code;
}

int worker_copy_code(struct worker *w)
{
	struct copying k = {.w = w};
	struct str code = w->spec.code_directory;
	if (!code.n)
		return 0;
	if (code.p[0] != '/')
		return call_fail(w->c, ERR_INVALID, "the code folder %.*s is no absolute path", STR(code));
	AUTO(fd) from = open(arena_cstr(w->c->arena, code), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd) to = open(w->work.code, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (from < 0 || to < 0)
		return call_errno(w->c, "open the code folder %.*s", STR(code));
	if (copy_folder(&k, from, to, 0))
		return call_context(w->c, "copy the code from %.*s", STR(code));
	return job_work_give(&w->work, w->work.code, &w->c->err);
}
