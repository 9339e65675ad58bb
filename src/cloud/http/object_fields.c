// SPDX-License-Identifier: Apache-2.0
// What drivers write and read about objects alike: see object_fields.h.
#include "cloud/http/object_fields.h"

#include <string.h>

int object_check_bucket(struct call *c, struct str bucket)
{
	bool right = bucket.n >= 3 && bucket.n <= 222;
	for (size_t i = 0; i < bucket.n; i++) {
		char ch = bucket.p[i];
		right = right &&
			((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '.' || ch == '_');
	}
	right = right && bucket.p[0] != '.' && bucket.p[0] != '-' && str_find(bucket, S("..")) < 0;
	if (right)
		return 0;
	return call_fail(c, ERR_INVALID,
		"\"%.*s\" is no name of a bucket: 3 to 63 lower-case letters, digits, '-' and '.'",
		(int)MIN(bucket.n, 80), bucket.p);
}

int object_check_names(struct call *c, struct str bucket, struct str key)
{
	int r = object_check_bucket(c, bucket);
	if (r)
		return r;
	if (key.n == 0 || key.n > OBJECT_MAX_KEY || !str_utf8_valid(key) || memchr(key.p, 0, key.n))
		return call_fail(c, ERR_INVALID, "\"%.*s\" is no key of an object: 1 to %d bytes of UTF-8",
			(int)MIN(key.n, 80), key.p, OBJECT_MAX_KEY);
	return 0;
}

// ---------------------------------------------------------------- metadata

// What all three providers keep as it is: Azure wants identifiers of C#.
static bool is_name(const char *name)
{
	size_t n = strlen(name);
	bool right = n > 0 && n <= 128 && !(name[0] >= '0' && name[0] <= '9');
	for (size_t i = 0; i < n; i++) {
		char ch = name[i];
		right = right && ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_');
	}
	return right;
}

static bool is_value(struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < ' ' || value.p[i] > '~')
			return false;
	}
	return str_trim(value).n == value.n;
}

int object_add_metadata(struct call *c, struct exchange *x, const char *prefix, const json_t *metadata)
{
	size_t used = 0;
	json_t *object = (json_t *)(uintptr_t)metadata; // only read: jansson's iterators are not const
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		const char *name = json_object_iter_key(at);
		const json_t *member = json_object_iter_value(at);
		struct str value = str_bytes(json_string_value(member), json_string_length(member));
		used += strlen(name) + value.n;
		if (!is_name(name) || !json_is_string(member) || !is_value(value) || used > OBJECT_MAX_METADATA)
			return call_fail(c, ERR_INVALID,
				"metadata \"%.64s\" cannot be kept: names are of a-z, 0-9 and '_', values of "
				"printable ASCII, %d bytes in all",
				name, OBJECT_MAX_METADATA);
		struct str header = arena_printf(c->arena, "%s%s", prefix, name);
		if (!header.p)
			return call_no_memory(c);
		exchange_header(x, header.p, value);
	}
	return 0;
}

static bool set_member(struct call *c, json_t *object, struct str name, struct str value)
{
	char *key = arena_cstr(c->arena, name);
	for (char *p = key; p && *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	json_t *text = json_of_str(value); // NULL: not UTF-8, which no client of ours wrote
	return key && (!text || json_object_set_new(object, key, text) == 0);
}

int object_read_metadata(
	struct call *c, const struct transport_response *r, const char *prefix, struct str skip, json_t **out)
{
	struct str start = str_of(prefix);
	json_t *object = NULL;
	for (size_t i = 0; i < r->header_count; i++) {
		struct str name = r->headers[i].name;
		if (!str_eq_nocase(str_take(name, start.n), start) || name.n == start.n)
			continue;
		name = str_drop(name, start.n);
		if (skip.n && str_eq_nocase(name, skip))
			continue;
		if (!object && !(object = json_in_arena(c->arena, json_object())))
			return call_no_memory(c);
		if (!set_member(c, object, name, r->headers[i].value))
			return call_no_memory(c);
	}
	*out = object;
	return 0;
}

// ---------------------------------------------------------------- checksums

struct str object_base64(struct arena *a, struct str bytes)
{
	AUTO(buf) text = {0};
	base64_encode(bytes, &text);
	return text.failed ? (struct str){0} : arena_str(a, buf_str(&text));
}

struct str object_crc32c_text(struct arena *a, uint32_t crc)
{
	unsigned char bytes[4] = {
		(unsigned char)(crc >> 24), (unsigned char)(crc >> 16), (unsigned char)(crc >> 8), (unsigned char)crc};
	return object_base64(a, str_bytes(bytes, sizeof(bytes)));
}

int object_crc32c_read(struct str text, uint32_t *out)
{
	AUTO(buf) bytes = {0};
	if (base64_decode(text, &bytes) || bytes.n != 4)
		return ERR_INVALID;
	const unsigned char *p = (const unsigned char *)bytes.p;
	*out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return 0;
}

int object_settle_conflict(struct call *c, const struct object_store *store, const struct store_put *put,
	const struct parts *sent, struct object *out)
{
	struct err conflict = c->err;
	struct object there;
	int r = store->ops->head(c, store->ctx, put->bucket, put->key, &there);
	if (!r && sent->last && there.size == sent->total && there.has_crc32c && there.crc32c == sent->crc) {
		*out = there;
		err_clear(&c->err);
		return 0;
	}
	c->err = conflict;
	return conflict.code;
}
