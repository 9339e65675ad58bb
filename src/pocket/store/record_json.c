// SPDX-License-Identifier: Apache-2.0
// Records as JSON: see record.h.
#include <string.h>

#include "pocket/store/record.h"

static const struct digest_field {
	const char *name;
	enum hash_flags flag;
	size_t size;
} digest_fields[] = {
	{"md5", HASH_MD5, MD5_SIZE},
	{"sha1", HASH_SHA1, SHA1_SIZE},
	{"sha256", HASH_SHA256, SHA256_SIZE},
	{"crc32", HASH_CRC32, 4},
	{"crc32c", HASH_CRC32C, 4},
	{"crc64nvme", HASH_CRC64NVME, 8},
};

static json_t *digests_to_json(const struct digests *d)
{
	json_t *j = json_object();
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(digest_fields); i++) {
		unsigned char bytes[SHA256_SIZE];
		char hex[HEX_SHA256_SIZE];
		size_t n = digests_bytes(d, digest_fields[i].flag, bytes);
		if (n == 0)
			continue;
		hex_encode(str_bytes(bytes, n), hex);
		json_object_set_new(j, digest_fields[i].name, json_string(hex));
		count++;
	}
	if (json_object_size(j) == count)
		return j;
	json_decref(j);
	return NULL;
}

static uint64_t big_endian(const unsigned char *bytes, size_t n)
{
	uint64_t value = 0;
	for (size_t i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void set_digest(struct digests *d, enum hash_flags flag, const unsigned char *bytes)
{
	d->have |= flag;
	if (flag == HASH_MD5)
		memcpy(d->md5, bytes, MD5_SIZE);
	else if (flag == HASH_SHA1)
		memcpy(d->sha1, bytes, SHA1_SIZE);
	else if (flag == HASH_SHA256)
		memcpy(d->sha256, bytes, SHA256_SIZE);
	else if (flag == HASH_CRC32)
		d->crc32 = (uint32_t)big_endian(bytes, 4);
	else if (flag == HASH_CRC32C)
		d->crc32c = (uint32_t)big_endian(bytes, 4);
	else
		d->crc64nvme = big_endian(bytes, 8);
}

static int digests_of_json(const json_t *j, struct digests *d, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(digest_fields); i++) {
		struct str hex = json_str(j, digest_fields[i].name);
		unsigned char bytes[SHA256_SIZE];
		if (hex.n == 0)
			continue;
		if (hex.n != 2 * digest_fields[i].size || hex_decode(hex, bytes) < 0)
			return err_set(e, ERR_CORRUPT, "the %s of a record is not %zu hex digits",
				digest_fields[i].name, 2 * digest_fields[i].size);
		set_digest(d, digest_fields[i].flag, bytes);
	}
	return 0;
}

// An array of [name, value]: order and repeated names are kept, and no name can collide with another's case.
// The array when it has all its members, else NULL: jansson drops what it cannot hold.
static json_t *complete(json_t *array, size_t count)
{
	if (json_array_size(array) == count)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *pairs_to_json(const struct pairs *p)
{
	json_t *array = json_array();
	for (size_t i = 0; i < p->count; i++) {
		json_t *pair = json_array();
		json_array_append_new(pair, json_of_str(p->items[i].name));
		json_array_append_new(pair, json_of_str(p->items[i].value));
		json_array_append_new(array, complete(pair, 2));
	}
	return complete(array, p->count);
}

// A text of the record, copied. ERR_CORRUPT when it is none: never for a lack of memory, since what is corrupt is
// dropped.
static int get_text(const json_t *value, struct arena *a, struct str *out, struct err *e)
{
	if (!json_is_string(value))
		return err_set(e, ERR_CORRUPT, "a record lacks one of its texts");
	*out = arena_str(a, json_value_str(value));
	return out->p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int pairs_of_json(const json_t *array, struct arena *a, struct pairs *out, struct err *e)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *pair = json_array_get(array, i);
		struct str name = {0}, value = {0};
		int rc = get_text(json_array_get(pair, 0), a, &name, e);
		if (rc == 0)
			rc = get_text(json_array_get(pair, 1), a, &value, e);
		if (rc == 0 && pairs_add(out, a, name, value) < 0)
			rc = err_set(e, ERR_NO_MEMORY, "out of memory");
		if (rc < 0)
			return rc;
	}
	return 0;
}

static json_t *pieces_to_json(const struct record *r)
{
	json_t *array = json_array();
	for (size_t i = 0; i < r->piece_count; i++) {
		json_t *piece = json_array();
		json_array_append_new(piece, json_of_str(r->pieces[i].name));
		json_array_append_new(piece, json_integer((json_int_t)r->pieces[i].offset));
		json_array_append_new(piece, json_integer((json_int_t)r->pieces[i].length));
		json_array_append_new(array, complete(piece, 3));
	}
	return complete(array, r->piece_count);
}

static int pieces_of_json(const json_t *array, struct arena *a, struct record *out, struct err *e)
{
	size_t count = json_array_size(array);
	uint64_t total = 0;
	if (count == 0)
		return 0;
	out->pieces = arena_new_array(a, count, struct piece);
	if (!out->pieces)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(array, i);
		struct piece *piece = &out->pieces[i];
		int rc = get_text(json_array_get(item, 0), a, &piece->name, e);
		if (rc < 0)
			return rc;
		piece->offset = (uint64_t)json_integer_value(json_array_get(item, 1));
		piece->length = (uint64_t)json_integer_value(json_array_get(item, 2));
		total += piece->length;
	}
	out->piece_count = count;
	if (total != out->size)
		return err_set(e, ERR_CORRUPT, "a record's pieces have another size than the object");
	return 0;
}

json_t *record_to_json(const struct record *r)
{
	AUTO(json) j = json_object();
	json_object_set_new(j, "key", json_of_str(r->key));
	json_object_set_new(j, "size", json_integer((json_int_t)r->size));
	json_object_set_new(j, "created", json_integer(r->created_ns));
	json_object_set_new(j, "modified", json_integer(r->modified_ns));
	json_object_set_new(j, "generation", json_integer(r->generation));
	json_object_set_new(j, "metageneration", json_integer(r->metageneration));
	json_object_set_new(j, "etag", json_of_str(r->etag));
	json_object_set_new(j, "digests", digests_to_json(&r->digests));
	json_object_set_new(j, "properties", pairs_to_json(&r->properties));
	json_object_set_new(j, "metadata", pairs_to_json(&r->metadata));
	if (r->folder.n) {
		json_object_set_new(j, "folder", json_of_str(r->folder));
		json_object_set_new(j, "pieces", pieces_to_json(r));
	}
	bool whole = json_object_size(j) == (r->folder.n ? 12u : 10u); // a member that could not be made is missing
	return whole && j ? json_incref(j) : NULL;
}

static int read_texts(const json_t *j, struct arena *a, struct record *r, struct err *e)
{
	int rc = get_text(json_object_get(j, "key"), a, &r->key, e);
	if (rc == 0)
		rc = get_text(json_object_get(j, "etag"), a, &r->etag, e);
	if (rc == 0 && json_object_get(j, "folder"))
		rc = get_text(json_object_get(j, "folder"), a, &r->folder, e);
	return rc;
}

int record_of_json(const json_t *j, struct arena *a, struct record *out, struct err *e)
{
	struct record r = {
		.size = (uint64_t)json_int(j, "size", -1),
		.created_ns = json_int(j, "created", 0),
		.modified_ns = json_int(j, "modified", 0),
		.generation = json_int(j, "generation", 0),
		.metageneration = json_int(j, "metageneration", 1),
	};
	if (r.size > INT64_MAX)
		return err_set(e, ERR_CORRUPT, "a record has no valid size");
	int rc = read_texts(j, a, &r, e);
	if (rc == 0)
		rc = digests_of_json(json_object_get(j, "digests"), &r.digests, e);
	if (rc == 0)
		rc = pairs_of_json(json_object_get(j, "properties"), a, &r.properties, e);
	if (rc == 0)
		rc = pairs_of_json(json_object_get(j, "metadata"), a, &r.metadata, e);
	if (rc == 0)
		rc = pieces_of_json(json_object_get(j, "pieces"), a, &r, e);
	if (rc == 0)
		*out = r;
	return rc;
}
