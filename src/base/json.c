// SPDX-License-Identifier: Apache-2.0
// Reading JSON through jansson, and getters: see json.h. Writing stands in json_write.c.
#include "base/json.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"

// jansson goes down its parser once a level; this bounds it far below its own 2048, and is told before it allocates.
static bool too_deep(struct str text)
{
	int depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{') && ++depth > JSON_MAX_DEPTH)
			return true;
		else if (!quoted && (c == ']' || c == '}'))
			depth--;
	}
	return false;
}

// Whether memory ended during the parse that runs on this thread: jansson tells that of a token as a fault of the
// syntax, and a good text must not be called a bad one.
static _Thread_local bool memory_ended;

static void *alloc_noted(size_t size)
{
	void *p = malloc(size);
	memory_ended |= !p;
	return p;
}

int json_parse(struct str text, json_t **out, struct err *e)
{
	if (text.n > JSON_MAX_SIZE)
		return err_set(e, ERR_LIMIT, "JSON of %zu bytes: at most %d are read", text.n, JSON_MAX_SIZE);
	if (too_deep(text))
		return err_set(e, ERR_LIMIT, "JSON is nested deeper than %d", JSON_MAX_DEPTH);
	json_error_t error;
	memory_ended = false;
	json_t *value = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	// Where jansson cannot allocate it mostly just stops, without a word.
	if (!value && (memory_ended || json_error_code(&error) == json_error_out_of_memory || error.text[0] == '\0'))
		return err_set(e, ERR_NO_MEMORY, "JSON: out of memory");
	if (!value)
		return err_set(e, ERR_INVALID, "JSON, line %d column %d: %s", error.line, error.column, error.text);
	*out = value;
	return 0;
}

static void free_wiped(void *p)
{
	secret_wipe(p, p ? malloc_usable_size(p) : 0);
	free(p);
}

void json_wipe_freed(void)
{
	json_set_alloc_funcs(alloc_noted, free_wiped);
}

int json_parse_file(const char *path, size_t limit, json_t **out, struct err *e)
{
	AUTO(buf) text = {0};
	int rc = file_read(path, limit, &text, e);
	if (rc < 0)
		return rc;
	rc = json_parse(buf_str(&text), out, e);
	secret_wipe(text.p, text.n);
	return rc < 0 ? err_context(e, "%s", path) : 0;
}

struct str json_value_str(const json_t *value)
{
	if (!json_is_string(value))
		return S("");
	return (struct str){.p = json_string_value(value), .n = json_string_length(value)};
}

struct str json_str(const json_t *object, const char *name)
{
	return json_value_str(json_object_get(object, name));
}

const char *json_text(const json_t *object, const char *name)
{
	return json_str(object, name).p;
}

int64_t json_int(const json_t *object, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(object, name);
	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

double json_num(const json_t *object, const char *name, double otherwise)
{
	const json_t *value = json_object_get(object, name);
	return json_is_number(value) ? json_number_value(value) : otherwise;
}

bool json_flag(const json_t *object, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(object, name);
	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static const char *type_word(const json_t *value)
{
	if (!value)
		return "nothing";
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a real number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	default:
		return "an unknown type";
	}
}

int json_need_str(const json_t *object, const char *name, struct str *out, struct err *e)
{
	const json_t *value = json_object_get(object, name);
	if (!json_is_string(value))
		return err_set(e, ERR_INVALID, "member \"%s\": expected a string, got %s", name, type_word(value));
	*out = json_value_str(value);
	return 0;
}

int json_need_int(const json_t *object, const char *name, int64_t *out, struct err *e)
{
	const json_t *value = json_object_get(object, name);
	if (!json_is_integer(value))
		return err_set(e, ERR_INVALID, "member \"%s\": expected an integer, got %s", name, type_word(value));
	*out = json_integer_value(value);
	return 0;
}

static void drop_reference(void *j)
{
	json_decref(j);
}

json_t *json_in_arena(struct arena *a, json_t *j)
{
	if (j && arena_defer(a, drop_reference, j))
		return j;
	json_decref(j);
	return NULL;
}

json_t *json_of_str(struct str s)
{
	if (s.n && memchr(s.p, '\0', s.n))
		return NULL;
	return json_stringn(s.n ? s.p : "", s.n);
}

// s with U+FFFD for each byte that is no UTF-8, and for NUL.
static json_t *repaired(struct str s)
{
	AUTO(buf) text = {0};
	while (s.n) {
		struct str good = str_take(s, str_utf8_prefix(s));
		ptrdiff_t nul = str_find_char(good, '\0');
		good = nul >= 0 ? str_take(good, (size_t)nul) : good;
		buf_add(&text, good);
		if (good.n < s.n)
			buf_add(&text, S("\xef\xbf\xbd"));
		s = str_drop(s, good.n + 1);
	}
	return text.failed ? NULL : json_of_str(buf_str(&text));
}

void json_set_str(json_t *object, const char *name, struct str value)
{
	json_t *text = json_of_str(value);
	json_object_set_new(object, name, text ? text : repaired(value));
}
