// SPDX-License-Identifier: Apache-2.0
// idx: two zero bytes, the type (8: unsigned byte), the number of dimensions, the dimensions as big-endian 32-bit numbers, the data.
#include "math/idx.h"

#include <string.h>

#include "base/file.h"

enum { IDX_UNSIGNED_BYTE = 8, IDX_MAGIC_SIZE = 4, IDX_FIELD_SIZE = 4 };

static uint32_t big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int read_magic(const unsigned char *p, size_t n, unsigned *dimensions, struct err *e)
{
	if (n < IDX_MAGIC_SIZE)
		return err_set(e, ERR_CORRUPT, "idx: %zu bytes are too few for a header: the file is cut", n);
	if (p[0] || p[1])
		return err_set(e, ERR_CORRUPT, "idx: the file begins with %02x%02x, an idx file with 0000", p[0], p[1]);
	if (p[2] != IDX_UNSIGNED_BYTE)
		return err_set(e, ERR_CORRUPT, "idx: element type 0x%02x; only unsigned bytes (0x08) are read", p[2]);
	if (p[3] != 1 && p[3] != 3)
		return err_set(e, ERR_CORRUPT, "idx: %u dimensions; only 1 (labels) or 3 (images) are read", p[3]);
	*dimensions = p[3];
	if (n < IDX_MAGIC_SIZE + (size_t)p[3] * IDX_FIELD_SIZE)
		return err_set(e, ERR_CORRUPT, "idx: the header ends after %zu bytes: the file is cut", n);
	return 0;
}

int idx_parse(struct str bytes, struct idx *out, struct err *e)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	unsigned dimensions = 0;
	int rc = read_magic(p, bytes.n, &dimensions, e);
	if (rc < 0)
		return rc;
	struct idx i = {.count = big_endian(p + 4), .rows = 1, .columns = 1, .images = dimensions == 3};
	if (i.images) {
		i.rows = big_endian(p + 8);
		i.columns = big_endian(p + 12);
	}
	size_t head = IDX_MAGIC_SIZE + (size_t)dimensions * IDX_FIELD_SIZE, size;
	if (!i.rows || !i.columns)
		return err_set(e, ERR_CORRUPT, "idx: images of %u x %u are empty", i.rows, i.columns);
	if (__builtin_mul_overflow((size_t)i.rows, (size_t)i.columns, &i.record_size) ||
		__builtin_mul_overflow(i.record_size, (size_t)i.count, &size) || size > IDX_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "idx: %u records of %u x %u are more than %llu bytes", i.count, i.rows, i.columns,
			(unsigned long long)IDX_MAX_BYTES);
	if (bytes.n - head != size)
		return err_set(e, ERR_CORRUPT, "idx: %u records of %zu bytes need %zu bytes, the file has %zu: it is %s", i.count,
			i.record_size, size, bytes.n - head, bytes.n - head < size ? "cut" : "followed by other bytes");
	i.data = p + head;
	*out = i;
	return 0;
}

int idx_unpack(struct str raw, const char *name, struct buf *out, struct err *e)
{
	static const char gzip_magic[] = "\x1f\x8b";
	int rc = 0;
	if (str_starts(raw, S(gzip_magic)))
		rc = gzip_unpack(raw, IDX_MAX_BYTES, out, e);
	else if (raw.n > IDX_MAX_BYTES)
		rc = err_set(e, ERR_LIMIT, "%zu bytes, at most %llu are read", raw.n, (unsigned long long)IDX_MAX_BYTES);
	else
		buf_add(out, raw);
	if (rc == 0)
		rc = buf_check(out, e);
	if (rc < 0)
		err_context(e, "%s", name);
	return rc;
}

int idx_load(const char *path, struct buf *keep, struct idx *out, struct err *e)
{
	AUTO(buf) raw = {0};
	int rc = file_read(path, IDX_MAX_BYTES, &raw, e);
	if (rc < 0)
		return rc;
	rc = idx_unpack(buf_str(&raw), path, keep, e);
	if (rc < 0)
		return rc;
	rc = idx_parse(buf_str(keep), out, e);
	if (rc < 0)
		err_context(e, "%s", path);
	return rc;
}

static void add_big_endian(struct buf *out, uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(out, (char)(n >> shift & 0xff));
}

void idx_write(const struct idx *i, struct buf *out)
{
	const char magic[IDX_MAGIC_SIZE] = {0, 0, IDX_UNSIGNED_BYTE, i->images ? 3 : 1};
	buf_add_bytes(out, magic, sizeof(magic));
	add_big_endian(out, i->count);
	if (i->images) {
		add_big_endian(out, i->rows);
		add_big_endian(out, i->columns);
	}
	buf_add_bytes(out, i->data, i->count * i->record_size);
}
