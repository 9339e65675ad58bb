// SPDX-License-Identifier: Apache-2.0
// Writing JSON: see json.h. jansson's own writer prints 0.1 as 0.10000000000000001; people read these texts, and others
// hash them, so a real number is written here in the fewest digits that read back as the same double.
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct writer {
	struct buf *out;
	struct err *err;
	bool pretty;
	int depth;
};

static int write_value(struct writer *w, const json_t *j);

void json_write_string(struct str s, struct buf *out)
{
	buf_add_char(out, '"');
	size_t plain = 0; // start of what needs no escape and is not yet written
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
		const char *named = c ? memchr(names, c, sizeof(names) - 1) : NULL;
		// Escapable bytes stand at even places, their letters at odd ones; a letter is never below ' '.
		buf_add_bytes(out, s.p + plain, i - plain);
		if (named)
			buf_printf(out, "\\%c", named[1]);
		else
			buf_printf(out, "\\u%04x", c);
		plain = i + 1;
	}
	if (s.n)
		buf_add_bytes(out, s.p + plain, s.n - plain);
	buf_add_char(out, '"');
}

int json_write_real(double value, struct buf *out)
{
	char text[DOUBLE_TEXT_SIZE];
	if (!isfinite(value))
		return ERR_INVALID;
	double_text(value, text);
	buf_add(out, str_of(text));
	if (!strpbrk(text, ".e")) // stays a real number when it is read back
		buf_add(out, S(".0"));
	return 0;
}

static void new_line(struct writer *w)
{
	if (!w->pretty)
		return;
	buf_add_char(w->out, '\n');
	for (int i = 0; i < w->depth; i++)
		buf_add(w->out, S("  "));
}

static int write_array(struct writer *w, const json_t *j)
{
	size_t n = json_array_size(j);
	buf_add_char(w->out, '[');
	w->depth++;
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_char(w->out, ',');
		new_line(w);
		int rc = write_value(w, json_array_get(j, i));
		if (rc < 0)
			return rc;
	}
	w->depth--;
	if (n)
		new_line(w);
	buf_add_char(w->out, ']');
	return 0;
}

struct member {
	struct str name;
	const json_t *value;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	return str_cmp(x->name, y->name);
}

static int write_members(struct writer *w, const struct member *members, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_char(w->out, ',');
		new_line(w);
		json_write_string(members[i].name, w->out);
		buf_add(w->out, w->pretty ? S(": ") : S(":"));
		int rc = write_value(w, members[i].value);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int write_object(struct writer *w, const json_t *j)
{
	size_t n = json_object_size(j), i = 0;
	struct member *members = calloc(n ? n : 1, sizeof(*members));
	if (!members)
		return err_set(w->err, ERR_NO_MEMORY, "write JSON: out of memory");
	json_t *object = json_incref((json_t *)(uintptr_t)j); // iterating takes a mutable object and changes nothing
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		members[i].name = str_bytes(json_object_iter_key(at), json_object_iter_key_len(at));
		members[i++].value = json_object_iter_value(at);
	}
	json_decref(object);
	if (!w->pretty)
		qsort(members, n, sizeof(*members), compare_members);
	buf_add_char(w->out, '{');
	w->depth++;
	int rc = write_members(w, members, n);
	free(members);
	w->depth--;
	if (n)
		new_line(w);
	buf_add_char(w->out, '}');
	return rc;
}

static int write_value(struct writer *w, const json_t *j)
{
	if (!j || w->depth > JSON_MAX_DEPTH)
		return err_set(
			w->err, ERR_INVALID, j ? "write JSON: nested too deep" : "write JSON: a value is missing");
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return write_object(w, j);
	case JSON_ARRAY:
		return write_array(w, j);
	case JSON_STRING:
		json_write_string((struct str){.p = json_string_value(j), .n = json_string_length(j)}, w->out);
		return 0;
	case JSON_INTEGER:
		buf_printf(w->out, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
		return 0;
	case JSON_REAL:
		if (json_write_real(json_real_value(j), w->out) < 0)
			return err_set(w->err, ERR_INVALID, "write JSON: a number is not finite");
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_add(w->out, json_is_true(j) ? S("true") : S("false"));
		return 0;
	case JSON_NULL:
	default:
		buf_add(w->out, S("null"));
		return 0;
	}
}

static int write_whole(struct writer *w, const json_t *j)
{
	size_t before = w->out->n;
	int rc = write_value(w, j);
	if (rc == 0)
		rc = buf_check(w->out, w->err);
	if (rc < 0)
		w->out->n = before;
	return rc;
}

int json_write(const json_t *j, struct buf *out, struct err *e)
{
	struct writer w = {.out = out, .err = e};
	return write_whole(&w, j);
}

int json_write_pretty(const json_t *j, struct buf *out, struct err *e)
{
	struct writer w = {.out = out, .err = e, .pretty = true};
	return write_whole(&w, j);
}
