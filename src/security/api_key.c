// SPDX-License-Identifier: Apache-2.0
// API keys: see api_key.h.
#include "security/api_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const struct str prefix = S_INIT("isk_");

static bool is_base62(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];
		if (!((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z')))
			return false;
	}
	return true;
}

// Each byte below 248 = 4 x 62 gives one digit, others are thrown away: every digit is equally likely.
static int random_base62(const struct edges *edges, char *out, size_t n)
{
	unsigned char pool[64];
	size_t have = 0;
	while (have < n) {
		int rc = edges->random(edges->ctx, pool, sizeof(pool));
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < sizeof(pool) && have < n; i++)
			if (pool[i] < 248)
				out[have++] = base62[pool[i] % 62];
	}
	secret_wipe(pool, sizeof(pool));
	return 0;
}

// The file appears whole or not at all: it is written under another name and linked into place, which fails for all but
// the first.
static int hash_secret_make(const struct edges *edges, const char *path, struct err *e)
{
	AUTO(secret) fresh = {0};
	AUTO(buf) temporary = {0};
	char suffix[13] = {0};
	int rc = secret_alloc(&fresh, API_KEY_HASH_SECRET_SIZE, e);
	if (rc < 0)
		return rc;
	if (edges->random(edges->ctx, fresh.p, fresh.n) < 0 || random_base62(edges, suffix, 12) < 0)
		return err_set(e, ERR_IO, "make %s: the system gives no randomness", path);
	buf_printf(&temporary, "%s.%s", path, suffix);
	rc = secret_write_file(&fresh, buf_cstr(&temporary), e);
	if (rc < 0)
		return rc;
	if (link(buf_cstr(&temporary), path) < 0 && errno != EEXIST)
		rc = err_errno(e, "make %s", path);
	unlink(buf_cstr(&temporary));
	return rc;
}

int api_key_hash_secret_open(const struct edges *edges, const char *path, struct secret *out, struct err *e)
{
	AUTO(secret) read = {0};
	int rc = 0;
	if (!file_exists(path))
		rc = hash_secret_make(edges, path, e);
	if (rc == 0)
		rc = secret_read_file(&read, path, e);
	if (rc < 0)
		return rc;
	if (read.n != API_KEY_HASH_SECRET_SIZE)
		return err_set(e, ERR_CORRUPT,
			"the hash secret %s has %zu bytes instead of %d: restore it from a backup, or delete it and "
			"make all API keys anew",
			path, read.n, API_KEY_HASH_SECRET_SIZE);
	secret_free(out);
	*out = read;
	read = (struct secret){0};
	return 0;
}

struct sha256 api_key_digest(const struct secret *hash_secret, struct str key)
{
	return hmac_sha256(secret_str(hash_secret), key);
}

int api_key_make(struct call *c, const struct secret *hash_secret, struct secret *key, struct api_key_record *record)
{
	AUTO(secret) text = {0};
	int rc = secret_alloc(&text, API_KEY_TEXT_SIZE, &c->err);
	if (rc < 0)
		return rc;
	char *id = text.p + prefix.n;
	memcpy(text.p, prefix.p, prefix.n);
	id[API_KEY_ID_SIZE] = '_';
	if (random_base62(c->edges, id, API_KEY_ID_SIZE) < 0 ||
		random_base62(c->edges, id + API_KEY_ID_SIZE + 1, API_KEY_SECRET_SIZE) < 0)
		return call_fail(c, ERR_IO, "make an API key: the system gives no randomness");
	struct str id_copy = arena_str(c->arena, str_bytes(id, API_KEY_ID_SIZE));
	if (!id_copy.p)
		return call_no_memory(c);
	record->id = id_copy;
	record->digest = api_key_digest(hash_secret, secret_str(&text));
	secret_free(key);
	*key = text;
	text = (struct secret){0};
	return 0;
}

bool api_key_parse(struct str text, struct str *id)
{
	if (text.n != API_KEY_TEXT_SIZE || !str_starts(text, prefix))
		return false;
	struct str rest = str_drop(text, prefix.n);
	if (rest.p[API_KEY_ID_SIZE] != '_' || !is_base62(str_take(rest, API_KEY_ID_SIZE)) ||
		!is_base62(str_drop(rest, API_KEY_ID_SIZE + 1)))
		return false;
	*id = str_take(rest, API_KEY_ID_SIZE);
	return true;
}

json_t *api_key_to_json(const struct api_key_record *record)
{
	char digest[HEX_SHA256_SIZE];
	char expires[TIME_TEXT_SIZE] = "";
	hex_encode(str_bytes(record->digest.bytes, SHA256_SIZE), digest);
	if (record->expires_ns)
		time_rfc3339(record->expires_ns, 0, expires);
	json_t *object = json_object();
	json_set_str(object, "name", record->name);
	json_set_str(object, "id", record->id);
	json_set_str(object, "digest", str_of(digest));
	json_set_str(object, "expires", str_of(expires));
	return object;
}

int api_key_of_json(const json_t *object, struct arena *a, struct api_key_record *out, struct err *e)
{
	struct str name, id, digest, expires = json_str(object, "expires");
	int rc = json_need_str(object, "name", &name, e);
	if (rc == 0)
		rc = json_need_str(object, "id", &id, e);
	if (rc == 0)
		rc = json_need_str(object, "digest", &digest, e);
	if (rc < 0)
		return err_set(e, ERR_CORRUPT, "an API key's record lacks its name, id or digest");
	struct api_key_record r = {.name = arena_str(a, name), .id = arena_str(a, id)};
	r.principal = arena_printf(a, "api-key/%.*s", STR(name));
	if (!r.name.p || !r.id.p || !r.principal.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	bool good = name.n > 0 && id.n == API_KEY_ID_SIZE && is_base62(id) && digest.n == 2 * SHA256_SIZE &&
		    hex_decode(digest, r.digest.bytes) == 0;
	if (!good || (expires.n && time_parse_rfc3339(expires, &r.expires_ns) < 0))
		return err_set(e, ERR_CORRUPT, "the record of API key \"%.*s\" has a malformed id, digest or expiry",
			STR(name));
	*out = r;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct api_key_record *x = a, *y = b;
	return str_cmp(x->id, y->id);
}

int api_key_table_of_json(const json_t *array, struct arena *a, struct api_key_table *out, struct err *e)
{
	struct api_key_table t = {.count = json_array_size(array)};
	t.records = arena_new_array(a, t.count + 1, struct api_key_record);
	if (!t.records)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < t.count; i++) {
		int rc = api_key_of_json(json_array_get(array, i), a, &t.records[i], e);
		if (rc < 0)
			return rc;
	}
	qsort(t.records, t.count, sizeof(*t.records), by_id);
	for (size_t i = 1; i < t.count; i++)
		if (str_eq(t.records[i - 1].id, t.records[i].id))
			return err_set(e, ERR_CORRUPT, "API keys \"%.*s\" and \"%.*s\" have the same id",
				STR(t.records[i - 1].name), STR(t.records[i].name));
	*out = t;
	return 0;
}

enum api_key_verdict api_key_check(const struct api_key_table *t, const struct secret *hash_secret,
	struct api_key_presented presented, const struct api_key_record **record)
{
	struct api_key_record wanted = {0};
	*record = NULL;
	if (!api_key_parse(presented.text, &wanted.id))
		return API_KEY_MALFORMED;
	const struct api_key_record *found = bsearch(&wanted, t->records, t->count, sizeof(*t->records), by_id);
	// The digest is made for unknown ids too, so that time does not tell which ids exist.
	struct sha256 digest = api_key_digest(hash_secret, presented.text);
	const struct sha256 nothing = {0};
	bool equal = hash_equal(digest.bytes, found ? found->digest.bytes : nothing.bytes, SHA256_SIZE);
	if (!found || !equal)
		return API_KEY_UNKNOWN;
	*record = found;
	return found->expires_ns && presented.now_ns >= found->expires_ns ? API_KEY_EXPIRED : API_KEY_VALID;
}

const char *api_key_verdict_word(enum api_key_verdict v)
{
	static const char *const words[] = {"valid", "malformed", "unknown", "expired"};
	return words[v];
}
