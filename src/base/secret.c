// SPDX-License-Identifier: Apache-2.0
// Secrets in mappings of their own: see secret.h. A mapping (not malloc) so that MADV_DONTDUMP and mlock cover the
// secret and nothing else, and so that no neighbour's overrun reaches it.
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { SECRET_FILE_MAX = 64 << 10 };

void secret_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

void secret_free(struct secret *s)
{
	if (s && s->p) {
		secret_wipe(s->p, s->capacity);
		munmap(s->p, s->capacity);
	}
	if (s)
		*s = (struct secret){0};
}

int secret_alloc(struct secret *s, size_t n, struct err *e)
{
	if (n > SECRET_FILE_MAX)
		return err_set(e, ERR_LIMIT, "a secret of %zu bytes is over the limit of %d", n, SECRET_FILE_MAX);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t capacity = (n + 1 + page - 1) / page * page;
	void *p = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return err_set(e, ERR_NO_MEMORY, "out of memory for a secret");
	// Both are a second line of defence and may be refused by limits; wiping does not depend on them.
	(void)madvise(p, capacity, MADV_DONTDUMP);
	(void)mlock(p, capacity);
	secret_free(s);
	*s = (struct secret){.p = p, .n = n, .capacity = capacity};
	return 0;
}

int secret_set(struct secret *s, struct str bytes, struct err *e)
{
	struct secret fresh = {0};
	int rc = secret_alloc(&fresh, bytes.n, e);
	if (rc < 0)
		return rc;
	if (bytes.n)
		memcpy(fresh.p, bytes.p, bytes.n);
	secret_free(s);
	*s = fresh;
	return 0;
}

static int check_private(int fd, const char *path, size_t *size, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_errno(e, "read the secret file %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_DENIED, "the secret file %s is not a plain file", path);
	if (st.st_mode & 077)
		return err_set(e, ERR_DENIED, "the secret file %s may be read by other users (mode %04o): chmod 600 %s",
			path, (unsigned)st.st_mode & 07777, path);
	if (st.st_size > SECRET_FILE_MAX)
		return err_set(e, ERR_LIMIT, "the secret file %s is larger than %d bytes", path, SECRET_FILE_MAX);
	*size = (size_t)st.st_size;
	return 0;
}

int secret_read_file(struct secret *s, const char *path, struct err *e)
{
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_errno(e, "open the secret file %s", path);
	size_t size = 0;
	int rc = check_private(fd, path, &size, e);
	AUTO(secret) fresh = {0};
	if (rc == 0)
		rc = secret_alloc(&fresh, size, e);
	size_t got = 0;
	while (rc == 0 && got < size) {
		ssize_t n = read(fd, fresh.p + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(e, "read the secret file %s", path);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (rc < 0)
		return rc;
	fresh.n = got;
	secret_free(s);
	*s = fresh;
	fresh = (struct secret){0};
	return 0;
}

int secret_write_file(const struct secret *s, const char *path, struct err *e)
{
	return file_write_atomic(path, secret_str(s), 0600, e);
}
