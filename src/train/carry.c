// SPDX-License-Identifier: Apache-2.0
// Files to clouds and back.
#include "train/carry.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "data/digest_file.h"
#include "data/passage.h"
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
	const struct passage p = {.what = f->what, .to = f->cloud, .making = true, .id = f->id};
	if (passage_check(c, f->state, &p))
		return c->err.code;
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

bool carry_is(const char *path, struct str sha256)
{
	struct file_digest digest;
	struct err e;
	return digest_file(path, &digest, &e) == 0 && str_eq(str_of(digest.hex), sha256);
}
