// SPDX-License-Identifier: Apache-2.0
// What a pocket's KMS and Secrets Manager share: ids, bytes, pages, tags. See kms_impl.h.
#include <stdio.h>

#include "pocket/aws/kms_impl.h"

enum { USUAL_PAGE = 100, MOST_PAGE = 1000 };

int aws_uuid(struct front_request *r, char out[UUID_TEXT + 1])
{
	unsigned char b[UUID_BYTES];
	char hex[2 * UUID_BYTES + 1];
	int rc = pocket_random(r->pocket, b, sizeof(b), &r->err);
	if (rc < 0)
		return rc;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	hex_encode(str_bytes(b, sizeof(b)), hex);
	snprintf(out, UUID_TEXT + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return 0;
}

int aws_need(struct front_request *r, const json_t *in, const char *name, struct str *out)
{
	*out = json_str(in, name);
	if (out->n)
		return 0;
	return aws_refuse(r, "ValidationException",
		"1 validation error detected: Value null at '%c%s' failed to satisfy constraint: Member must not be null",
		name[0] | 0x20, name + 1);
}

int aws_bytes(struct front_request *r, const json_t *in, const char *name, struct str *out)
{
	AUTO(buf) bytes = {0};
	*out = S("");
	if (base64_decode(json_str(in, name), &bytes) < 0)
		return aws_refuse(r, "SerializationException", "%s is not base64", name);
	*out = arena_str(r->arena, buf_str(&bytes));
	if (bytes.p)
		secret_wipe(bytes.p, bytes.n);
	return out->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

void aws_set_bytes(json_t *j, const char *name, struct str bytes)
{
	AUTO(buf) text = {0};
	base64_encode(bytes, &text);
	json_set_str(j, name, buf_str(&text));
}

// ---------------------------------------------------------------- pages

static int read_page(struct front_request *r, const json_t *in, const struct aws_page *page, struct docs_cursor *from,
	size_t *limit)
{
	AUTO(buf) after = {.limit = 2048};
	struct str marker = json_str(in, page->marker);
	int64_t wanted = json_int(in, page->limit, USUAL_PAGE);
	if (wanted < 1 || wanted > MOST_PAGE)
		return aws_refuse(r, "ValidationException",
			"1 validation error detected: Value '%lld' at '%s' failed to satisfy constraint: Member must "
			"have value between 1 and %d",
			(long long)wanted, page->limit, MOST_PAGE);
	if (marker.n && base64url_decode(marker, &after) < 0)
		return aws_refuse(r, page->truncated ? "InvalidMarkerException" : "InvalidNextTokenException",
			"The marker is not one of ours");
	*limit = (size_t)wanted;
	*from = (struct docs_cursor){.collection = page->collection,
		.after = arena_str(r->arena, buf_str(&after)),
		.prefix = page->prefix};
	return from->after.p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int aws_reply_page(struct front_request *r, const json_t *in, const struct aws_page *page, json_t **out)
{
	struct docs_cursor from;
	size_t limit = 0, count = 0;
	bool more = false;
	int rc = read_page(r, in, page, &from, &limit);
	if (rc < 0)
		return rc;
	struct docs_row *rows = arena_new_array(r->arena, limit, struct docs_row);
	rc = rows ? docs_list(r->pocket, &from, rows, limit, &count, &more) : ERR_NO_MEMORY;
	if (rc < 0)
		return err_set(&r->err, rc, "%s cannot be listed", page->collection);
	json_t *items = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *told = page->tell(r, rows[i].name, rows[i].doc);
		if (told)
			json_array_append_new(items, told);
	}
	*out = json_pack("{s:o}", page->items, items);
	if (page->truncated)
		json_object_set_new(*out, page->truncated, json_boolean(more));
	if (more) {
		AUTO(buf) token = {0};
		base64url_encode(rows[count - 1].name, &token);
		json_set_str(*out, page->next, buf_str(&token));
	}
	return 0;
}

// ---------------------------------------------------------------- tags

static bool has_key(const json_t *tags, const char *key, struct str name)
{
	const json_t *one;
	size_t i;
	json_array_foreach(tags, i, one)
	{
		if (str_eq(json_is_string(one) ? json_value_str(one) : json_str(one, key), name))
			return true;
	}
	return false;
}

json_t *aws_tags_without(const json_t *old, const json_t *keys, const char *key)
{
	json_t *made = json_array(), *one;
	size_t i;
	json_array_foreach(old, i, one)
	{
		if (!has_key(keys, key, json_str(one, key)))
			json_array_append(made, one);
	}
	return made;
}

json_t *aws_tags_with(const json_t *old, const json_t *more, const char *key)
{
	json_t *made = aws_tags_without(old, more, key), *one;
	size_t i;
	json_array_foreach(more, i, one)
	{
		if (json_str(one, key).n)
			json_array_append(made, one);
	}
	return made;
}
