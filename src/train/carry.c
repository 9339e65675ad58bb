// SPDX-License-Identifier: Apache-2.0
// Files to clouds and back.
#include "train/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "data/transfer.h"

int carry_there(struct call *c, const struct carry *f)
{
	AUTO(fd) fd = open(f->path, O_RDONLY | O_CLOEXEC);
	struct store_put put = {.bucket = f->bucket, .key = f->key, .content_type = S("application/octet-stream")};
	struct object object = {0};
	if (!f->key.p)
		return call_no_memory(c);
	if (fd < 0)
		return call_errno(c, "open %s", f->path);
	off_t size = lseek(fd, 0, SEEK_END);
	if (size < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return call_errno(c, "read %s", f->path);
	int rc = cloud_put_fd(c, f->cloud, &put, fd, &object);
	if (rc < 0)
		return rc;
	struct transfer moved = {.to = f->cloud, .bytes = (uint64_t)size, .what = f->what, .id = f->id};
	return transfer_record(c, f->state, &moved);
}

static int fetch(struct call *c, const struct carry *f, const char *partial, uint64_t *size)
{
	AUTO(fd) fd = open(partial, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct store_get get = {.bucket = f->bucket, .key = f->key};
	struct object object = {0};
	if (fd < 0)
		return call_errno(c, "create %s", partial);
	int rc = cloud_get_fd(c, f->cloud, &get, fd, &object);
	off_t end = lseek(fd, 0, SEEK_END);
	*size = end > 0 ? (uint64_t)end : 0;
	return rc;
}

int carry_here(struct call *c, const struct carry *f)
{
	const char *partial = arena_printf(c->arena, "%s.partial", f->path).p;
	uint64_t size = 0;
	if (!partial || !f->key.p)
		return call_no_memory(c);
	int rc = fetch(c, f, partial, &size);
	if (rc == 0 && rename(partial, f->path) < 0)
		rc = call_errno(c, "keep %s", f->path);
	if (rc < 0) {
		unlink(partial);
		return rc;
	}
	struct transfer moved = {.from = f->cloud, .bytes = size, .what = f->what, .id = f->id};
	return transfer_record(c, f->state, &moved);
}

struct str carry_digest(struct arena *a, const char *path, struct err *e)
{
	enum { PIECE = 64 << 10 };
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(digest) digest = digest_new(DIGEST_SHA256);
	unsigned char sum[SHA256_SIZE];
	char *piece = arena_alloc(a, PIECE), *hex = arena_alloc(a, HEX_SHA256_SIZE);
	ssize_t n = 0;
	if (fd < 0)
		err_errno(e, "open %s", path);
	else if (!digest || !piece || !hex)
		(void)err_set(e, ERR_NO_MEMORY, "read %s: out of memory", path);
	if (fd < 0 || !digest || !piece || !hex)
		return (struct str){0};
	while ((n = read(fd, piece, PIECE)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			digest_update(digest, str_bytes(piece, (size_t)n));
	if (n < 0) {
		err_errno(e, "read %s", path);
		return (struct str){0};
	}
	digest_final(digest, sum);
	hex_encode(str_bytes(sum, sizeof(sum)), hex);
	return str_of(hex);
}

bool carry_is(const char *path, struct str sha256)
{
	AUTO(arena) a = {0};
	struct err e;
	struct str digest = carry_digest(&a, path, &e);
	return digest.n && str_eq(digest, sha256);
}
