// SPDX-License-Identifier: Apache-2.0
// The tree of a document, its paths and its JSON form: see node.h. node_yaml.c builds it from YAML.
#include "base/node.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

void findings_add(
	struct findings *f, struct position at, struct str field, struct str suggestion, const char *problem, ...)
{
	char text[512];
	va_list args;
	va_start(args, problem);
	vsnprintf(text, sizeof(text), problem, args);
	va_end(args);
	f->count++; // also without memory for the text: a fault must never look like none
	struct finding *finding = f->count <= FINDINGS_MAX ? arena_new(f->arena, struct finding) : NULL;
	if (!finding)
		return;
	finding->at = at;
	finding->field = arena_str(f->arena, field);
	finding->suggestion = arena_str(f->arena, suggestion);
	finding->problem = arena_str(f->arena, str_clip(str_of(text), sizeof(text) - 4));
	if (f->last)
		f->last->next = finding;
	else
		f->first = finding;
	f->last = finding;
}

void finding_text(const struct finding *finding, struct buf *out)
{
	if (finding->at.file)
		buf_printf(out, "%s:", finding->at.file);
	if (finding->at.line)
		buf_printf(out, "%d:%d:", finding->at.line, finding->at.column);
	if (out->n && out->p[out->n - 1] == ':')
		buf_add_char(out, ' ');
	if (finding->field.n)
		buf_printf(out, "%.*s: ", STR(finding->field));
	buf_add(out, finding->problem);
	if (finding->suggestion.n)
		buf_printf(out, "; %.*s", STR(finding->suggestion));
}

int findings_err(const struct findings *f, int code, struct err *e)
{
	if (f->count == 0)
		return 0;
	if (!f->first)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	AUTO(buf) text = {0};
	finding_text(f->first, &text);
	if (f->count > 1)
		buf_printf(&text, " (and %zu more)", f->count - 1);
	return err_set(e, code, "%s", buf_cstr(&text));
}

struct node *node_member(const struct node *map, struct str key)
{
	if (!map || map->type != NODE_MAP)
		return NULL;
	for (struct node *child = map->first; child; child = child->next)
		if (str_eq(child->key, key))
			return child;
	return NULL;
}

static size_t index_of(const struct node *n)
{
	size_t i = 0;
	for (const struct node *child = n->parent->first; child != n; child = child->next)
		i++;
	return i;
}

struct str node_path(const struct node *n, struct arena *a)
{
	const struct node *chain[NODE_MAX_DEPTH + 1];
	size_t depth = 0;
	AUTO(buf) path = {0};
	for (; n && n->parent && depth < COUNT_OF(chain); n = n->parent)
		chain[depth++] = n;
	while (depth) {
		n = chain[--depth];
		if (n->parent->type == NODE_LIST)
			buf_printf(&path, "[%zu]", index_of(n));
		else
			buf_printf(&path, "%s%.*s", path.n ? "." : "", STR(n->key));
	}
	return arena_str(a, buf_str(&path));
}

// A number as JSON writes it (RFC 8259, 6): "12", "-0.5", "1e3", but not "012", ".5", "1." or "+1".
static bool is_json_number(struct str s, bool *whole)
{
	size_t i = s.n && s.p[0] == '-', digits = i;
	*whole = true;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	digits = i - digits;
	if (digits == 0 || (digits > 1 && s.p[i - digits] == '0'))
		return false;
	if (i < s.n && s.p[i] == '.') {
		size_t start = ++i;
		*whole = false;
		while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
			i++;
		if (i == start)
			return false;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		*whole = false;
		i++;
		i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
		size_t start = i;
		while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
			i++;
		if (i == start)
			return false;
	}
	return i == s.n;
}

static json_t *scalar_to_json(const struct node *n)
{
	bool whole;
	if (n->quoted)
		return json_of_str(n->text);
	if (str_eq(n->text, S("true")) || str_eq(n->text, S("false")))
		return json_boolean(n->text.p[0] == 't');
	if (!is_json_number(n->text, &whole))
		return json_of_str(n->text);
	int64_t integer;
	double real;
	if (whole && str_to_i64(n->text, &integer) == 0)
		return json_integer(integer);
	// A whole number beyond 64 bits stays text rather than lose digits.
	return !whole && str_to_f64(n->text, &real) == 0 ? json_real(real) : json_of_str(n->text);
}

static json_t *list_to_json(const struct node *n)
{
	json_t *array = json_array();
	for (const struct node *child = n->first; array && child; child = child->next)
		if (json_array_append_new(array, node_to_json(child)) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *map_to_json(const struct node *n)
{
	json_t *object = json_object();
	for (const struct node *child = n->first; object && child; child = child->next)
		if (json_object_setn_new(object, child->key.p, child->key.n, node_to_json(child)) < 0) {
			json_decref(object);
			return NULL;
		}
	return object;
}

json_t *node_to_json(const struct node *n)
{
	if (!n)
		return json_null();
	switch (n->type) {
	case NODE_SCALAR:
		return scalar_to_json(n);
	case NODE_LIST:
		return list_to_json(n);
	case NODE_MAP:
		return map_to_json(n);
	case NODE_NULL:
	default:
		return json_null();
	}
}

static struct str number_text(const json_t *j, struct arena *a)
{
	if (json_is_integer(j))
		return arena_printf(a, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
	char text[DOUBLE_TEXT_SIZE];
	double_text(json_real_value(j), text);
	// As json_write_real(): 1.0 stays a real number.
	return arena_printf(a, strpbrk(text, ".e") ? "%s" : "%s.0", text);
}

static struct node *scalar_of_json(const json_t *j, struct arena *a)
{
	struct node *n = arena_new(a, struct node);
	if (!n)
		return NULL;
	n->type = json_is_null(j) ? NODE_NULL : NODE_SCALAR;
	n->quoted = json_is_string(j);
	if (json_is_string(j))
		n->text = arena_str(a, json_value_str(j));
	else if (json_is_boolean(j))
		n->text = json_is_true(j) ? S("true") : S("false");
	else if (json_is_number(j))
		n->text = number_text(j, a);
	else
		n->text = S("null");
	return n->text.p ? n : NULL;
}

static struct node *of_json(const json_t *j, struct arena *a, int depth);

static struct node *list_of_json(const json_t *j, struct arena *a, int depth)
{
	struct node *list = arena_new(a, struct node), **at = list ? &list->first : NULL;
	for (size_t i = 0; list && i < json_array_size(j); i++) {
		struct node *child = of_json(json_array_get(j, i), a, depth + 1);
		if (!child)
			return NULL;
		child->parent = list;
		*at = child;
		at = &child->next;
		list->count++;
	}
	if (list)
		list->type = NODE_LIST;
	return list;
}

static struct node *map_of_json(const json_t *j, struct arena *a, int depth)
{
	struct node *map = arena_new(a, struct node), **at = map ? &map->first : NULL;
	json_t *object = (json_t *)(uintptr_t)j; // iterating takes a mutable object and changes nothing
	void *member = json_object_iter(object);
	for (; map && member; member = json_object_iter_next(object, member)) {
		struct node *child = of_json(json_object_iter_value(member), a, depth + 1);
		if (!child)
			return NULL;
		child->key = arena_str(a, str_bytes(json_object_iter_key(member), json_object_iter_key_len(member)));
		if (!child->key.p)
			return NULL;
		child->parent = map;
		*at = child;
		at = &child->next;
		map->count++;
	}
	if (map)
		map->type = NODE_MAP;
	return map;
}

static struct node *of_json(const json_t *j, struct arena *a, int depth)
{
	if (!j || depth > NODE_MAX_DEPTH)
		return NULL;
	if (json_is_object(j))
		return map_of_json(j, a, depth);
	return json_is_array(j) ? list_of_json(j, a, depth) : scalar_of_json(j, a);
}

struct node *node_of_json(const json_t *j, struct arena *a)
{
	return of_json(j, a, 0);
}
