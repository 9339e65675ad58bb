// SPDX-License-Identifier: Apache-2.0
// Records to parts, and parts to idx files.
#include "data/partition.h"

#include <string.h>

#include "base/hash.h"

size_t partition_of(struct str record, size_t parts)
{
	struct sha256 digest = sha256_of(record);
	uint64_t bits = 0;
	for (int i = 0; i < 8; i++)
		bits = bits << 8 | digest.bytes[i];
	return (size_t)((bits >> 8) * parts >> 56); // parts has at most 9 bits: the product fits
}

int partition_pair(struct arena *a, const struct idx *images, const struct idx *labels, size_t parts,
	struct partition *out, struct err *e)
{
	if (!parts || parts > PARTITION_MAX)
		return err_set(e, ERR_LIMIT, "%zu parts: 1 to %d are allowed", parts, PARTITION_MAX);
	if (images->count != labels->count)
		return err_set(e, ERR_CORRUPT, "%u images but %u labels", images->count, labels->count);
	size_t image_size = images->record_size, size = image_size + labels->record_size;
	struct partition p = {.part = arena_alloc(a, (size_t)images->count + 1), .count = images->count};
	char *record = arena_alloc(a, size + 1);
	if (!p.part || !record)
		return err_set(e, ERR_NO_MEMORY, "out of memory for %u records", images->count);
	for (size_t i = 0; i < p.count; i++) {
		memcpy(record, images->data + i * image_size, image_size);
		memcpy(record + image_size, labels->data + i * labels->record_size, labels->record_size);
		p.part[i] = (unsigned char)partition_of(str_bytes(record, size), parts);
		p.sizes[p.part[i]]++;
	}
	*out = p;
	return 0;
}

int partition_write(const struct partition *p, const struct idx *of, size_t part, struct buf *out, struct err *e)
{
	AUTO(buf) data = {0};
	if (!buf_reserve(&data, (size_t)p->sizes[part] * of->record_size))
		return buf_check(&data, e);
	for (size_t i = 0; i < p->count; i++)
		if (p->part[i] == part)
			buf_add_bytes(&data, of->data + i * of->record_size, of->record_size);
	struct idx records = *of;
	records.count = p->sizes[part];
	records.data = (const unsigned char *)buf_str(&data).p;
	idx_write(&records, out);
	return buf_check(out, e);
}
