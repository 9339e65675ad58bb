// SPDX-License-Identifier: Apache-2.0
// Wrapped data keys and names of keys: see key_wrap.h.
#include "cloud/key_wrap.h"

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"

static const char magic[] = "isobar-wrap-2", local_magic[] = "isobar-wrap-1"; // their NUL belongs to them
enum { MAX_ENGINE = 32, MAX_VERSION = 2048, DIGEST_DIGITS = 12 };

int key_wrap_write(const struct key_wrap *w, struct arena *a, struct str *out, struct err *e)
{
	AUTO(buf) text = {.limit = KEY_WRAP_MAX};
	if (!w->engine.n || w->engine.n > MAX_ENGINE || w->version.n > MAX_VERSION || !w->ciphertext.n)
		return err_set(e, ERR_PROTOCOL, "a wrapped key of %zu bytes with a version of %zu is none",
			w->ciphertext.n, w->version.n);
	buf_add_bytes(&text, magic, sizeof(magic));
	buf_add_char(&text, (char)w->engine.n);
	buf_add(&text, w->engine);
	buf_add_char(&text, (char)(w->version.n >> 8));
	buf_add_char(&text, (char)w->version.n);
	buf_add(&text, w->version);
	buf_add(&text, w->ciphertext);
	int r = buf_check(&text, e);
	struct str copy = r ? S("") : arena_str(a, buf_str(&text));
	if (!r && !copy.p)
		r = err_set(e, ERR_NO_MEMORY, "out of memory");
	if (!r)
		*out = copy;
	return r;
}

// A field with its length in front (`width` bytes, big-endian); false when there is less.
static bool take_field(struct str *text, size_t width, struct str *out)
{
	size_t n = 0;
	if (text->n < width)
		return false;
	for (size_t i = 0; i < width; i++)
		n = n << 8 | (unsigned char)text->p[i];
	*text = str_drop(*text, width);
	if (text->n < n)
		return false;
	*out = str_take(*text, n);
	*text = str_drop(*text, n);
	return true;
}

static bool parse(struct str text, struct key_wrap *out)
{
	if (text.n > KEY_WRAP_MAX || !str_starts(text, str_bytes(magic, sizeof(magic))))
		return false;
	text = str_drop(text, sizeof(magic));
	if (!take_field(&text, 1, &out->engine) || !take_field(&text, 2, &out->version))
		return false;
	out->ciphertext = text;
	return out->engine.n && text.n;
}

int key_wrap_read(struct str text, const char *engine, struct key_wrap *out, struct err *e)
{
	struct key_wrap found = {0};
	if (!parse(text, &found))
		return err_set(e, ERR_CORRUPT, "these %zu bytes are no wrapped data key", text.n);
	if (!str_eq(found.engine, str_of(engine)))
		return err_set(e, ERR_INVALID, "the data key was wrapped by the engine \"%.*s\", and this is %s",
			(int)MIN(found.engine.n, MAX_ENGINE), found.engine.p, engine);
	*out = found;
	return 0;
}

struct str key_wrap_engine(struct str text)
{
	struct key_wrap found = {0};
	if (str_starts(text, str_bytes(local_magic, sizeof(local_magic))))
		return S("local");
	return parse(text, &found) ? found.engine : S("");
}

int key_wrap_check(struct str name, struct str context, struct str plain, struct err *e)
{
	if (plain.n && plain.n <= KEY_WRAP_MAX_PLAIN && context.n <= KEY_WRAP_MAX_CONTEXT)
		return 0;
	return err_set(e, ERR_INVALID, "key %.*s wraps data keys of 1 to %d bytes under a context of at most %d",
		(int)MIN(name.n, 64), name.p, KEY_WRAP_MAX_PLAIN, KEY_WRAP_MAX_CONTEXT);
}

// ---------------------------------------------------------------- names

static bool is_plain(char ch, bool underscore)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' ||
	       (underscore && ch == '_');
}

struct str key_name_write(const struct key_name *n, struct arena *a)
{
	struct str whole = arena_printf(a, "%.*s-%.*s-%.*s", STR(n->workspace), STR(n->cloud), STR(n->name));
	char hex[HEX_SHA256_SIZE];
	if (!whole.p)
		return whole;
	char *text = arena_cstr(a, whole);
	bool changed = whole.n > n->most;
	for (char *p = text; p && *p; p++) {
		if (is_plain(*p, n->underscore))
			continue;
		*p = '-';
		changed = true;
	}
	// Dashes within the three names could make two of them one: "a-b" on "c" and "a" on "b-c".
	changed = changed || str_find_char(n->workspace, '-') >= 0 || str_find_char(n->cloud, '-') >= 0;
	if (!text || !changed)
		return str_of(text);
	struct str exact = arena_printf(a, "%.*s/%.*s/%.*s", STR(n->workspace), STR(n->cloud), STR(n->name));
	struct sha256 digest = sha256_of(exact);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	size_t room = n->most - DIGEST_DIGITS - 1;
	return exact.p ? arena_printf(a, "%.*s-%.*s", (int)MIN(whole.n, room), text, DIGEST_DIGITS, hex) : exact;
}

struct str key_name_address(const struct key_name *n, struct arena *a)
{
	return arena_printf(a, "encryption-key/%.*s on %.*s", STR(n->name), STR(n->cloud));
}
