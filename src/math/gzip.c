// SPDX-License-Identifier: Apache-2.0
// gzip through zlib, member after member, never past a limit: a small file cannot unpack to all of the memory.
#include <zlib.h>

#include "math/idx.h"

static int unpack_error(struct str raw, const z_stream *z, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "gzip: damaged after byte %lu of %zu: %s", z->total_in, raw.n, z->msg ? z->msg : "no valid data");
}

// Inflates one piece of output; 1 at the end of a member.
static int step(z_stream *z, struct str raw, uint64_t left, struct buf *out, struct err *e)
{
	enum { PIECE = 256 << 10 };
	// One byte more than is left tells a file of exactly the limit from a longer one.
	size_t room = left + 1 < PIECE ? (size_t)left + 1 : PIECE;
	if (!buf_reserve(out, room))
		return buf_check(out, e);
	z->next_out = (unsigned char *)out->p + out->n;
	z->avail_out = (uInt)room;
	int rc = inflate(z, Z_NO_FLUSH);
	size_t got = room - z->avail_out;
	if (got > left)
		return err_set(e, ERR_LIMIT, "gzip: unpacks to more than the %llu bytes that are allowed",
			(unsigned long long)(out->n + left));
	out->n += got;
	if (rc == Z_MEM_ERROR)
		return err_set(e, ERR_NO_MEMORY, "gzip: out of memory");
	if (rc == Z_BUF_ERROR || (rc == Z_OK && !z->avail_in && z->avail_out))
		return err_set(e, ERR_CORRUPT, "gzip: the data ends after %zu bytes in the middle of a member: it is cut", raw.n);
	if (rc != Z_OK && rc != Z_STREAM_END)
		return unpack_error(raw, z, e);
	return rc == Z_STREAM_END;
}

static int unpack_members(z_stream *z, struct str raw, uint64_t limit, struct buf *out, struct err *e)
{
	size_t before = out->n;
	for (;;) {
		int rc = step(z, raw, limit - (out->n - before), out, e);
		if (rc < 0)
			return rc;
		if (rc == 1 && !z->avail_in)
			return 0;
		if (rc == 1 && inflateReset(z) != Z_OK)
			return unpack_error(raw, z, e);
	}
}

int gzip_unpack(struct str raw, uint64_t limit, struct buf *out, struct err *e)
{
	enum { GZIP_ONLY = 16 + MAX_WBITS };
	if (raw.n > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "gzip: %zu bytes are too many", raw.n);
	z_stream z = {.next_in = (z_const unsigned char *)(uintptr_t)raw.p, .avail_in = (uInt)raw.n};
	if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return err_set(e, ERR_NO_MEMORY, "gzip: out of memory");
	size_t before = out->n;
	int rc = unpack_members(&z, raw, limit, out, e);
	inflateEnd(&z);
	if (rc < 0)
		out->n = MIN(out->n, before);
	return rc;
}
