// SPDX-License-Identifier: Apache-2.0
// What keys and secrets of a pocket Key Vault have in common: names, versions, lists, soft deletion. See vault_impl.h.
#include "pocket/arm/vault_impl.h"

// ---------------------------------------------------------------- finding

int vault_check_name(struct front_request *r, const struct vault_kind *kind)
{
	struct str name = vault_request(r)->names[0];
	bool good = name.n > 0 && name.n <= 127;
	for (size_t i = 0; good && i < name.n; i++)
		good = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
		       (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '-';
	return good ? 0
		    : vault_refuse(r, 400, "BadParameter",
			      "The request URI contains an invalid name: %.*s (%s have letters, digits and '-')",
			      STR(str_clip(name, 127)), kind->word);
}

// A deleted thing whose time to be recovered is over is gone.
static const json_t *look_up(struct front_request *r, const struct vault_kind *kind, struct str name)
{
	const json_t *doc = docs_get(r->pocket, kind->collection, name, &r->err);
	int64_t deleted = json_int(doc, "deleted_ns", 0);
	int64_t kept = service_pace_ns(r->pocket, VAULT_RECOVERABLE_DAYS * INT64_C(86400) * NS_PER_S);
	if (!deleted || deleted + kept > front_now_ns(r))
		return doc;
	if (docs_delete(r->pocket, kind->collection, name, &r->err) < 0)
		front_log_failure(r); // the next look tries again
	err_clear(&r->err);
	return NULL;
}

int vault_find(struct front_request *r, const struct vault_kind *kind, bool deleted, const json_t **doc)
{
	struct str name = vault_request(r)->names[0];
	const json_t *found = look_up(r, kind, name);
	if (r->err.code)
		return r->err.code;
	if (!found || (json_int(found, "deleted_ns", 0) != 0) != deleted)
		return vault_refuse(r, 404, kind->missing,
			"A %s with (name/id) %.*s was not found in this key vault. If you recently deleted this you may be "
			"able to recover it using the correct recovery command.",
			kind == &vault_keys ? "key" : "secret", STR(str_clip(name, 127)));
	*doc = found;
	return 0;
}

static const json_t *newest(const json_t *doc)
{
	const json_t *all = json_object_get(doc, "versions");
	return json_array_get(all, json_array_size(all) - 1);
}

int vault_version(struct front_request *r, const struct vault_kind *kind, const json_t **doc, const json_t **version)
{
	const struct vault_request *v = vault_request(r);
	struct str wanted = v->count > 1 ? v->names[1] : S("");
	const json_t *one;
	size_t i;
	int rc = vault_find(r, kind, false, doc);
	if (rc < 0)
		return rc;
	*version = wanted.n ? NULL : newest(*doc);
	json_array_foreach(json_object_get(*doc, "versions"), i, one)
	{
		if (wanted.n && str_eq(json_str(one, "id"), wanted))
			*version = one;
	}
	if (*version)
		return 0;
	return vault_refuse(r, 404, kind->missing, "The version %.*s was not found in this key vault.",
		STR(str_clip(wanted, 64)));
}

// ---------------------------------------------------------------- telling

static json_t *attributes_of(const json_t *version)
{
	json_t *j = json_pack("{s:b, s:I, s:I, s:s, s:i}", "enabled", (int)json_flag(version, "enabled", true), "created",
		(json_int_t)json_int(version, "created", 0), "updated", (json_int_t)json_int(version, "updated", 0),
		"recoveryLevel", "Recoverable+Purgeable", "recoverableDays", VAULT_RECOVERABLE_DAYS);
	if (json_int(version, "exp", 0))
		json_object_set_new(j, "exp", json_integer(json_int(version, "exp", 0)));
	if (json_int(version, "nbf", 0))
		json_object_set_new(j, "nbf", json_integer(json_int(version, "nbf", 0)));
	return j;
}

static json_t *tell(struct front_request *r, const struct vault_kind *kind, struct str name, const json_t *version)
{
	json_t *j = json_pack("{s:o}", "attributes", attributes_of(version));
	json_t *tags = json_object_get(version, "tags");
	if (json_object_size(tags))
		json_object_set_new(j, "tags", json_deep_copy(tags));
	if (kind->tell(r, name, version, true, j) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

void vault_reply_version(struct front_request *r, const struct vault_kind *kind, const json_t *version)
{
	json_t *j = tell(r, kind, vault_request(r)->names[0], version);
	if (j)
		vault_reply(r, j);
	else
		vault_fail(r);
}

// one: a key is told whole, as it is not in a list; a secret's value is never.
static json_t *tell_deleted(struct front_request *r, const struct vault_kind *kind, const struct docs_row *row, bool one)
{
	struct str name = row->name;
	const json_t *doc = row->doc;
	int64_t deleted = json_int(doc, "deleted_ns", 0) / NS_PER_S;
	json_t *j = json_pack("{s:o, s:I, s:I}", "attributes", attributes_of(newest(doc)), "deletedDate",
		(json_int_t)deleted, "scheduledPurgeDate", (json_int_t)(deleted + VAULT_RECOVERABLE_DAYS * 86400));
	json_set_str(j, "recoveryId",
		arena_printf(r->arena, "%.*s/deleted%s/%.*s", STR(vault_base(r)), kind->word, STR(name)));
	if (kind->tell(r, name, newest(doc), one && kind == &vault_keys, j) < 0)
		err_clear(&r->err);
	return j;
}

// ---------------------------------------------------------------- making versions

int vault_new_version(struct front_request *r, json_t **version)
{
	unsigned char random[16];
	char id[VAULT_ID_SIZE];
	const json_t *body = vault_request(r)->body, *attributes = json_object_get(body, "attributes");
	int64_t now = front_now_ns(r) / NS_PER_S;
	int rc = pocket_random(r->pocket, random, sizeof(random), &r->err);
	if (rc < 0)
		return rc;
	hex_encode(str_bytes(random, sizeof(random)), id);
	json_t *j = json_pack("{s:s, s:I, s:I, s:b, s:I, s:I}", "id", id, "created", (json_int_t)now, "updated",
		(json_int_t)now, "enabled", (int)json_flag(attributes, "enabled", true), "exp",
		(json_int_t)json_int(attributes, "exp", 0), "nbf", (json_int_t)json_int(attributes, "nbf", 0));
	if (json_is_object(json_object_get(body, "tags")))
		json_object_set_new(j, "tags", json_deep_copy(json_object_get(body, "tags")));
	*version = j;
	return j ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int vault_add_version(struct front_request *r, const struct vault_kind *kind, json_t *version)
{
	AUTO(json) owned = version;
	struct str name = vault_request(r)->names[0];
	const json_t *found = look_up(r, kind, name);
	if (json_int(found, "deleted_ns", 0))
		return vault_refuse(r, 409, "Conflict",
			"%s %.*s is currently in a deleted but recoverable state, and its name cannot be reused; in this "
			"state, the %s can only be recovered or purged.",
			kind == &vault_keys ? "Key" : "Secret", STR(name), kind == &vault_keys ? "key" : "secret");
	AUTO(json) doc = found ? json_deep_copy(found) : json_pack("{s:[]}", "versions");
	json_array_append(json_object_get(doc, "versions"), version);
	return docs_put_durable(r->pocket, kind->collection, name, doc, &r->err);
}

// ---------------------------------------------------------------- operations

static void get(struct front_request *r, const struct vault_kind *kind)
{
	const json_t *doc, *version = NULL;
	int rc = vault_version(r, kind, &doc, &version);
	if (rc == 0 && kind == &vault_secrets && !json_flag(version, "enabled", true))
		rc = vault_refuse(r, 403, "Forbidden", "Operation get is not allowed on a disabled secret.");
	if (rc < 0)
		vault_fail(r);
	else
		vault_reply_version(r, kind, version);
}

static int read_page(struct front_request *r, size_t *limit, struct str *after)
{
	struct str text = front_query(r, "maxresults"), token = front_query(r, "$skiptoken");
	AUTO(buf) place = {.limit = 256};
	uint64_t n = VAULT_PAGE;
	if ((text.n && str_to_u64(text, &n) < 0) || n < 1 || n > VAULT_PAGE || base64url_decode(token, &place) < 0)
		return vault_refuse(r, 400, "BadParameter", "maxresults is 1 to %d, $skiptoken is one of ours.", VAULT_PAGE);
	*limit = (size_t)n;
	*after = arena_str(r->arena, buf_str(&place));
	return after->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static void add_next(struct front_request *r, json_t *j, struct str last, size_t limit)
{
	AUTO(buf) token = {0};
	base64url_encode(last, &token);
	json_set_str(j, "nextLink",
		arena_printf(r->arena, "%.*s%.*s?api-version=%.*s&$skiptoken=%.*s&maxresults=%zu", STR(vault_base(r)),
			STR(r->x->request.path), STR(front_query(r, "api-version")), STR(buf_str(&token)), limit));
}

static void versions(struct front_request *r, const struct vault_kind *kind)
{
	const json_t *doc = NULL;
	size_t limit = 0;
	struct str after = S("");
	uint64_t from = 0;
	int rc = vault_find(r, kind, false, &doc);
	if (rc == 0)
		rc = read_page(r, &limit, &after);
	if (rc == 0 && after.n && str_to_u64(after, &from) < 0)
		rc = vault_refuse(r, 400, "BadParameter", "$skiptoken is none of ours.");
	if (rc < 0) {
		vault_fail(r);
		return;
	}
	const json_t *all = json_object_get(doc, "versions");
	json_t *items = json_array(), *j = json_pack("{s:o}", "value", items);
	size_t i = (size_t)from;
	for (; i < json_array_size(all) && i < from + limit; i++) {
		json_t *one = json_pack("{s:o}", "attributes", attributes_of(json_array_get(all, i)));
		if (kind->tell(r, vault_request(r)->names[0], json_array_get(all, i), false, one) == 0)
			json_array_append(items, one);
		json_decref(one);
	}
	if (i < json_array_size(all))
		add_next(r, j, arena_printf(r->arena, "%zu", i), limit);
	vault_reply(r, j);
}

static json_t *tell_listed(struct front_request *r, const struct vault_kind *kind, struct str name, const json_t *doc)
{
	json_t *j = json_pack("{s:o}", "attributes", attributes_of(newest(doc)));
	json_t *tags = json_object_get(newest(doc), "tags");
	json_set_str(j, kind == &vault_keys ? "kid" : "id",
		arena_printf(r->arena, "%.*s/%s/%.*s", STR(vault_base(r)), kind->word, STR(name)));
	if (json_object_size(tags))
		json_object_set_new(j, "tags", json_deep_copy(tags));
	return j;
}

static int list_into(struct front_request *r, const struct vault_kind *kind, bool deleted, json_t *j)
{
	struct docs_row rows[VAULT_PAGE];
	struct docs_cursor from = {.collection = kind->collection};
	size_t limit = 0, count = 0;
	bool more = true;
	json_t *items = json_object_get(j, "value");
	int rc = read_page(r, &limit, &from.after);
	while (rc == 0 && more && json_array_size(items) < limit) {
		rc = docs_list(r->pocket, &from, rows, limit - json_array_size(items), &count, &more);
		for (size_t i = 0; rc == 0 && i < count; i++) {
			if ((json_int(rows[i].doc, "deleted_ns", 0) != 0) == deleted)
				json_array_append_new(items,
					deleted ? tell_deleted(r, kind, &rows[i], false)
						: tell_listed(r, kind, rows[i].name, rows[i].doc));
		}
		from.after = count ? arena_str(r->arena, rows[count - 1].name) : from.after;
	}
	if (rc == 0 && more)
		add_next(r, j, from.after, limit);
	return rc < 0 && !r->err.code ? err_set(&r->err, rc, "%s cannot be listed", kind->word) : rc;
}

static void list(struct front_request *r, const struct vault_kind *kind, bool deleted)
{
	AUTO(json) j = json_pack("{s:[]}", "value");
	if (list_into(r, kind, deleted, j) < 0)
		vault_fail(r);
	else
		vault_reply(r, json_incref(j));
}

static void update(struct front_request *r, const struct vault_kind *kind)
{
	const json_t *doc, *version = NULL, *body = vault_request(r)->body,
			   *attributes = json_object_get(body, "attributes");
	static const char *const times[] = {"exp", "nbf"};
	int rc = vault_version(r, kind, &doc, &version);
	if (rc < 0) {
		vault_fail(r);
		return;
	}
	AUTO(json) copy = json_deep_copy(doc);
	json_t *all = json_object_get(copy, "versions"), *changed = NULL;
	for (size_t i = 0; i < json_array_size(all); i++)
		if (str_eq(json_str(json_array_get(all, i), "id"), json_str(version, "id")))
			changed = json_array_get(all, i);
	if (json_object_get(attributes, "enabled"))
		json_object_set_new(changed, "enabled", json_boolean(json_flag(attributes, "enabled", true)));
	for (size_t i = 0; i < COUNT_OF(times); i++)
		if (json_object_get(attributes, times[i]))
			json_object_set_new(changed, times[i], json_integer(json_int(attributes, times[i], 0)));
	if (json_is_object(json_object_get(body, "tags")))
		json_object_set_new(changed, "tags", json_deep_copy(json_object_get(body, "tags")));
	if (json_is_array(json_object_get(body, "key_ops")))
		json_object_set_new(changed, "key_ops", json_deep_copy(json_object_get(body, "key_ops")));
	if (json_is_string(json_object_get(body, "contentType")))
		json_set_str(changed, "content_type", json_str(body, "contentType"));
	json_object_set_new(changed, "updated", json_integer(front_now_ns(r) / NS_PER_S));
	if (docs_put_durable(r->pocket, kind->collection, vault_request(r)->names[0], copy, &r->err) < 0) {
		vault_fail(r);
		return;
	}
	json_t *j = tell(r, kind, vault_request(r)->names[0], changed);
	json_object_del(j, "value");
	vault_reply(r, j);
}

static int set_deleted(struct front_request *r, const struct vault_kind *kind, const json_t *found, int64_t deleted_ns)
{
	AUTO(json) doc = json_deep_copy(found);
	json_object_set_new(doc, "deleted_ns", json_integer(deleted_ns));
	return docs_put_durable(r->pocket, kind->collection, vault_request(r)->names[0], doc, &r->err);
}

static void remove_item(struct front_request *r, const struct vault_kind *kind)
{
	const json_t *doc = NULL;
	struct str name = vault_request(r)->names[0];
	int rc = vault_find(r, kind, false, &doc);
	if (rc == 0)
		rc = set_deleted(r, kind, doc, front_now_ns(r));
	if (rc < 0)
		vault_fail(r);
	else
		vault_reply(r, tell_deleted(r, kind,
				       &(struct docs_row){name, docs_get(r->pocket, kind->collection, name, &r->err)}, true));
}

static void deleted_item(struct front_request *r, const struct vault_kind *kind)
{
	const json_t *doc = NULL;
	if (vault_find(r, kind, true, &doc) < 0)
		vault_fail(r);
	else
		vault_reply(r, tell_deleted(r, kind, &(struct docs_row){vault_request(r)->names[0], doc}, true));
}

static void recover(struct front_request *r, const struct vault_kind *kind)
{
	const json_t *doc = NULL;
	struct str name = vault_request(r)->names[0];
	int rc = vault_find(r, kind, true, &doc);
	if (rc == 0)
		rc = set_deleted(r, kind, doc, 0);
	if (rc < 0) {
		vault_fail(r);
		return;
	}
	json_t *j = tell(r, kind, name, newest(docs_get(r->pocket, kind->collection, name, &r->err)));
	json_object_del(j, "value");
	vault_reply(r, j);
}

static void purge(struct front_request *r, const struct vault_kind *kind)
{
	const json_t *doc = NULL;
	int rc = vault_find(r, kind, true, &doc);
	if (rc == 0)
		rc = docs_delete(r->pocket, kind->collection, vault_request(r)->names[0], &r->err);
	if (rc < 0)
		vault_fail(r);
	else
		front_reply(r, 204, S(""));
}

// ---------------------------------------------------------------- of both kinds

#define BOTH(name, call, ...)                                                                                          \
	void vault_key_##name(struct front_request *r)                                                                 \
	{                                                                                                              \
		call(r, &vault_keys __VA_ARGS__);                                                                      \
	}                                                                                                              \
	void vault_secret_##name(struct front_request *r)                                                              \
	{                                                                                                              \
		call(r, &vault_secrets __VA_ARGS__);                                                                   \
	}
BOTH(get, get)
BOTH(versions, versions)
BOTH(list, list, , false)
BOTH(list_deleted, list, , true)
BOTH(update, update)
BOTH(remove, remove_item)
BOTH(deleted, deleted_item)
BOTH(recover, recover)
BOTH(purge, purge)
