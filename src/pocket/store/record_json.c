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
	for (size_t i = 0; i < COUNT_OF(digest_fields); i++) {
		unsigned char bytes[SHA256_SIZE];
		char hex[HEX_SHA256_SIZE];
		size_t n = digests_bytes(d, digest_fields[i].flag, bytes);
		if (n == 0)
			continue;
		hex_encode(str_bytes(bytes, n), hex);
		json_object_set_new(j, digest_fields[i].name, json_string(hex));
	}
	return j;
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
static json_t *pairs_to_json(const struct pairs *p)
{
	json_t *array = json_array();
	for (size_t i = 0; i < p->count; i++) {
		json_t *pair = json_array();
		json_array_append_new(pair, json_of_str(p->items[i].name));
		json_array_append_new(pair, json_of_str(p->items[i].value));
		if (json_array_size(pair) != 2) { // text that is no UTF-8
			json_decref(pair);
			json_decref(array);
			return NULL;
		}
		json_array_append_new(array, pair);
	}
	return array;
}

static struct str text_of(const json_t *j, struct arena *a)
{
	return j && json_is_string(j) ? arena_str(a, str_bytes(json_string_value(j), json_string_length(j)))
				      : (struct str){0};
}

static int pairs_of_json(const json_t *array, struct arena *a, struct pairs *out, struct err *e)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *pair = json_array_get(array, i);
		struct str name = text_of(json_array_get(pair, 0), a), value = text_of(json_array_get(pair, 1), a);
		if (!name.p || !value.p)
			return err_set(e, ERR_CORRUPT, "a record has a pair that is not two texts");
		if (pairs_add(out, a, name, value) < 0)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
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
		json_array_append_new(array, piece);
	}
	return array;
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
		piece->name = text_of(json_array_get(item, 0), a);
		piece->offset = (uint64_t)json_integer_value(json_array_get(item, 1));
		piece->length = (uint64_t)json_integer_value(json_array_get(item, 2));
		total += piece->length;
		if (!piece->name.p)
			return err_set(e, ERR_CORRUPT, "a record has a piece without a name");
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
	return whole ? json_incref(j) : NULL;
}

int record_of_json(const json_t *j, struct arena *a, struct record *out, struct err *e)
{
	struct record r = {
		.key = text_of(json_object_get(j, "key"), a),
		.size = (uint64_t)json_int(j, "size", -1),
		.created_ns = json_int(j, "created", 0),
		.modified_ns = json_int(j, "modified", 0),
		.generation = json_int(j, "generation", 0),
		.metageneration = json_int(j, "metageneration", 1),
		.etag = text_of(json_object_get(j, "etag"), a),
		.folder = text_of(json_object_get(j, "folder"), a),
	};
	if (!r.key.p || r.size > INT64_MAX || !r.etag.p)
		return err_set(e, ERR_CORRUPT, "a record lacks its key, size or etag");
	int rc = digests_of_json(json_object_get(j, "digests"), &r.digests, e);
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
