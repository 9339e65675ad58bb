// SPDX-License-Identifier: Apache-2.0
// Bytes, checksums, names, lists and policies of the pocket's key and secret services: see kms_impl.h.
#include <stdio.h>
#include <string.h>

#include "pocket/gcp/kms_impl.h"

int google_bytes(struct front_request *r, const json_t *body, const char *name, struct str *out)
{
	AUTO(buf) bytes = {0};
	struct str text = json_str(body, name);
	*out = S("");
	if (!text.n)
		return 0;
	if (base64_decode(text, &bytes) < 0) {
		buf_clear(&bytes);
		if (base64url_decode(text, &bytes) < 0)
			return google_refuse(r, "INVALID_ARGUMENT",
				"Invalid value at '%s' (TYPE_BYTES), Base64 decoding failed.", name);
	}
	*out = arena_str(r->arena, buf_str(&bytes));
	return out->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int google_checksum(struct front_request *r, const json_t *body, const char *name, struct str data, bool *given)
{
	const json_t *member = json_object_get(body, name);
	int64_t value = json_is_integer(member) ? json_integer_value(member) : -1;
	*given = member && !json_is_null(member);
	if (!*given)
		return 0;
	if (json_is_string(member) && str_to_i64(json_value_str(member), &value) < 0)
		value = -1;
	if (value == (int64_t)crc32c(0, data))
		return 0;
	return google_refuse(
		r, "INVALID_ARGUMENT", "The checksum in field %s did not match the data that came with it.", name);
}

void google_set_bytes(json_t *j, const char *name, struct str bytes)
{
	AUTO(buf) text = {0};
	base64_encode(bytes, &text);
	json_set_str(j, name, buf_str(&text));
}

void google_set_crc32c(json_t *j, const char *name, struct str bytes)
{
	char text[24];
	snprintf(text, sizeof(text), "%lu", (unsigned long)crc32c(0, bytes));
	json_object_set_new(j, name, json_string(text));
}

int google_check_id(struct front_request *r, const char *what, struct str id, size_t most)
{
	bool good = id.n > 0 && id.n <= most;
	for (size_t i = 0; good && i < id.n; i++) {
		char ch = id.p[i];
		good = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' ||
		       ch == '_';
	}
	return good ? 0
		    : google_refuse(r, "INVALID_ARGUMENT", "%s \"%.*s\" does not match [a-zA-Z0-9_-]{1,%zu}.", what,
			      STR(str_clip(id, 80)), most);
}

struct str google_name(struct front_request *r, const char *const *collections, size_t n)
{
	AUTO(buf) text = {0};
	const struct google_request *g = google_request(r);
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s%s/%.*s", i ? "/" : "", collections[i], STR(g->captures[i]));
	return arena_str(r->arena, buf_str(&text));
}

// ---------------------------------------------------------------- lists

static int add_rows(struct front_request *r, const struct google_list *list, const struct google_page *page, json_t *j)
{
	struct docs_row *rows = arena_new_array(r->arena, page->limit, struct docs_row);
	struct docs_cursor from = {.collection = list->collection, .after = page->after, .prefix = list->prefix};
	size_t count = 0;
	bool more = false;
	if (!rows)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	int rc = docs_list(r->pocket, &from, rows, page->limit, &count, &more);
	if (rc < 0)
		return err_set(&r->err, rc, "the documents of %s cannot be listed", list->collection);
	json_t *items = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *told = list->tell(r, rows[i].name, rows[i].doc);
		if (told)
			json_array_append_new(items, told);
	}
	if (json_array_size(items))
		json_object_set(j, list->member, items);
	json_decref(items);
	if (more)
		json_set_str(j, "nextPageToken", google_page_token(r, rows[count - 1].name));
	return 0;
}

static size_t count_all(struct front_request *r, const struct google_list *list)
{
	struct docs_row rows[64];
	struct docs_cursor from = {.collection = list->collection, .prefix = list->prefix};
	size_t count = 0, all = 0;
	bool more = true;
	while (more && docs_list(r->pocket, &from, rows, COUNT_OF(rows), &count, &more) == 0 && count) {
		all += count;
		from.after = rows[count - 1].name;
	}
	return all;
}

void google_reply_list(struct front_request *r, const struct google_list *list)
{
	struct google_page page;
	AUTO(json) j = json_object();
	int rc = google_page_read(r, KMS_PAGE, KMS_MOST_PAGE, &page);
	if (rc == 0)
		rc = add_rows(r, list, &page, j);
	if (rc < 0) {
		google_fail(r);
		return;
	}
	json_object_set_new(j, "totalSize", json_integer((json_int_t)count_all(r, list)));
	google_reply(r, json_incref(j));
}

// ---------------------------------------------------------------- policies

json_t *google_policy_told(const json_t *doc)
{
	const json_t *policy = json_object_get(doc, "policy");
	if (policy)
		return json_deep_copy(policy);
	return json_pack("{s:i, s:s}", "version", 1, "etag", "ACAB");
}

int google_policy_check(struct front_request *r, const json_t *body, const json_t *old, json_t **out)
{
	const json_t *policy = json_object_get(body, "policy"), *bindings = json_object_get(policy, "bindings"), *one;
	AUTO(json) before = google_policy_told(old);
	AUTO(buf) text = {0};
	struct str etag = json_str(policy, "etag");
	size_t i;
	if (!json_is_object(policy) || (bindings && !json_is_array(bindings)))
		return google_refuse(r, "INVALID_ARGUMENT", "The policy is required.");
	if (etag.n && !str_eq(etag, json_str(before, "etag")))
		return google_refuse(r, "ABORTED",
			"There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
			"backoff.");
	json_array_foreach(bindings, i, one)
	{
		if (!str_starts(json_str(one, "role"), S("roles/")) || !json_is_array(json_object_get(one, "members")))
			return google_refuse(r, "INVALID_ARGUMENT", "Role %.*s is not supported for this resource.",
				STR(str_clip(json_str(one, "role"), 80)));
	}
	json_t *made = json_pack("{s:i}", "version", (int)json_int(policy, "version", 1));
	if (bindings)
		json_object_set_new(made, "bindings", json_deep_copy(bindings));
	unsigned char random[8];
	if (pocket_random(r->pocket, random, sizeof(random), &r->err) < 0) {
		json_decref(made);
		return r->err.code;
	}
	base64_encode(str_bytes(random, sizeof(random)), &text);
	json_set_str(made, "etag", buf_str(&text));
	*out = made;
	return 0;
}

static void tested(struct front_request *r, json_t *body)
{
	json_t *asked = json_object_get(body, "permissions");
	google_reply(r, json_array_size(asked) ? json_pack("{s:O}", "permissions", asked) : json_object());
}

void google_test_permissions(struct front_request *r)
{
	google_body(r, tested);
}
