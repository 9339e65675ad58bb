// SPDX-License-Identifier: Apache-2.0
// Names, common members and documents of Vertex AI's resources: see vertex_impl.h.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pocket/gcp/filter.h"
#include "pocket/gcp/vertex_impl.h"

enum { NAME_MAX_CHARACTERS = 128, LABEL_MAX = 63, LISTED_AT_ONCE = 64 };

// ---------------------------------------------------------------- names

static bool plain(struct str s, const char *others)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr(others, c))))
			return false;
	}
	return s.n > 0;
}

int vertex_parent(struct front_request *r, struct str *out)
{
	const struct google_request *g = google_request(r);
	struct str project = g->captures[0], location = g->captures[1];
	if (!plain(location, "-") || location.n > 30)
		return google_refuse(r, "INVALID_ARGUMENT", "Unsupported region for Vertex AI: %.*s",
			STR(str_take(location, 60)));
	*out = arena_printf(r->arena, "projects/%.*s/locations/%.*s", STR(project), STR(location));
	return out->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int vertex_name(struct front_request *r, const char *kind, struct str *out)
{
	struct str parent;
	int rc = vertex_parent(r, &parent);
	if (rc < 0)
		return rc;
	*out = arena_printf(r->arena, "%.*s/%s/%.*s", STR(parent), kind, STR(google_request(r)->captures[2]));
	return out->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

struct str vertex_id(struct vertex *v, char room[VERTEX_ID_SIZE])
{
	uint64_t id = (uint64_t)INT64_MAX - (uint64_t)vertex_now_ns(v);
	if (v->last_id && id >= v->last_id)
		id = v->last_id - 1;
	v->last_id = id;
	snprintf(room, VERTEX_ID_SIZE, "%" PRIu64, id);
	return str_of(room);
}

int vertex_choose_id(struct front_request *r, struct str wanted, struct str *out)
{
	char room[VERTEX_ID_SIZE];
	if (!wanted.n)
		*out = arena_str(r->arena, vertex_id(vertex_of(r), room));
	else if (plain(wanted, "-_") && wanted.n <= LABEL_MAX && wanted.p[0] != '-')
		*out = wanted;
	else
		return google_refuse(r, "INVALID_ARGUMENT",
			"The ID \"%.*s\" is invalid: it has at most %d characters of [a-z0-9_-].",
			STR(str_take(wanted, 80)), LABEL_MAX);
	return out->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

struct str vertex_last(struct str name)
{
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/')
			return str_drop(name, i);
	return name;
}

// ---------------------------------------------------------------- members

static int take_labels(struct front_request *r, const json_t *labels, json_t *to)
{
	const char *key;
	json_t *value;
	if (!labels || json_is_null(labels))
		return 0;
	if (!json_is_object(labels) || json_object_size(labels) > VERTEX_MAX_LABELS)
		return google_refuse(r, "INVALID_ARGUMENT", "labels: at most %d are allowed.", VERTEX_MAX_LABELS);
	json_object_foreach((json_t *)(uintptr_t)labels, key, value)
	{
		struct str name = str_of(key), text = json_value_str(value);
		if (!plain(name, "_-") || name.n > LABEL_MAX || !json_is_string(value) || text.n > LABEL_MAX ||
			(text.n && !plain(text, "_-")))
			return google_refuse(r, "INVALID_ARGUMENT",
				"Label \"%.80s\" is invalid: keys and values have at most %d lower-case letters, "
				"digits, '_' and '-'.",
				key, LABEL_MAX);
	}
	json_object_set_new(to, "labels", json_deep_copy(labels));
	return 0;
}

int vertex_take_common(struct front_request *r, const json_t *from, json_t *to)
{
	struct str name = json_str(from, "displayName");
	if (!name.n)
		return google_refuse(r, "INVALID_ARGUMENT", "Required field is not set: display_name.");
	if (name.n > NAME_MAX_CHARACTERS)
		return google_refuse(
			r, "INVALID_ARGUMENT", "display_name has more than %d characters.", NAME_MAX_CHARACTERS);
	json_set_str(to, "displayName", name);
	if (json_str(from, "description").n)
		json_set_str(to, "description", json_str(from, "description"));
	return take_labels(r, json_object_get(from, "labels"), to);
}

void vertex_copy(const json_t *from, json_t *to, const char *const *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *value = json_object_get(from, members[i]);
		if (value && !json_is_null(value))
			json_object_set_new(to, members[i], json_deep_copy(value));
	}
}

bool vertex_machine(struct str type, double *cpu, uint64_t *memory)
{
	static const struct {
		struct str family;
		double gib; // a core
	} families[] = {{S_INIT("e2-standard-"), 4}, {S_INIT("e2-highmem-"), 8}, {S_INIT("e2-highcpu-"), 1},
		{S_INIT("n1-standard-"), 3.75}, {S_INIT("n1-highmem-"), 6.5}, {S_INIT("n1-highcpu-"), 0.9},
		{S_INIT("n2-standard-"), 4}, {S_INIT("n2-highmem-"), 8}, {S_INIT("n2-highcpu-"), 1},
		{S_INIT("n2d-standard-"), 4}, {S_INIT("c2-standard-"), 4}, {S_INIT("c3-standard-"), 4},
		{S_INIT("m1-ultramem-"), 24}, {S_INIT("g2-standard-"), 4}};
	uint64_t cores;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		if (!str_starts(type, families[i].family))
			continue;
		if (str_to_u64(str_drop(type, families[i].family.n), &cores) < 0 || !cores || cores > 416)
			return false;
		*cpu = (double)cores;
		*memory = (uint64_t)((double)cores * families[i].gib * (double)(1 << 30));
		return true;
	}
	// Machines that come with accelerators: a pocket has none of them, and gives what they have beside.
	if (str_starts(type, S("a2-")) || str_starts(type, S("a3-"))) {
		*cpu = 12;
		*memory = UINT64_C(85) << 30;
		return true;
	}
	return false;
}

static int add_texts(struct front_request *r, const json_t *list, const char *what, json_t *to)
{
	const json_t *item;
	size_t i;
	if (list && !json_is_null(list) && !json_is_array(list))
		return google_refuse(r, "INVALID_ARGUMENT", "container_spec.%s is no list.", what);
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item))
			return google_refuse(r, "INVALID_ARGUMENT", "container_spec.%s[%zu] is no text.", what, i);
		json_array_append(to, (json_t *)(uintptr_t)item);
	}
	return 0;
}

int vertex_container(struct front_request *r, const json_t *spec, json_t **argv, json_t **environment)
{
	const json_t *item;
	size_t i;
	*argv = json_in_arena(r->arena, json_array());
	*environment = json_in_arena(r->arena, json_object());
	if (!*argv || !*environment)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	int rc = add_texts(r, json_object_get(spec, "command"), "command", *argv);
	if (rc == 0)
		rc = add_texts(r, json_object_get(spec, "args"), "args", *argv);
	json_array_foreach(json_object_get(spec, "env"), i, item)
	{
		struct str name = json_str(item, "name");
		if (rc == 0 && (!name.n || str_find_char(name, '=') >= 0))
			rc = google_refuse(r, "INVALID_ARGUMENT", "container_spec.env[%zu].name is invalid.", i);
		if (rc == 0)
			json_set_str(*environment, json_text(item, "name"), json_str(item, "value"));
	}
	return rc;
}

// ---------------------------------------------------------------- documents

int vertex_put(struct vertex *v, const char *collection, const json_t *document, struct err *e)
{
	return docs_put(v->pocket, collection, json_str(document, "name"), document, e);
}

int vertex_get(struct front_request *r, const char *collection, struct str name, const json_t **out)
{
	struct err cause = {0};
	const json_t *document = docs_get(r->pocket, collection, name, &cause);
	if (document && json_flag(document, "visible", true)) {
		*out = document;
		return 0;
	}
	if (!document && cause.code) {
		r->err = cause;
		return cause.code;
	}
	if (strcmp(collection, VERTEX_OPERATIONS) == 0)
		return google_refuse(r, "NOT_FOUND", "Operation \"%.*s\" is not found.", STR(str_take(name, 300)));
	const char *what = strcmp(collection, VERTEX_JOBS) == 0 ? "CustomJob"
		: strcmp(collection, VERTEX_MODELS) == 0	 ? "Model"
								 : "Endpoint";
	return google_refuse(r, "NOT_FOUND", "The %s \"%.*s\" does not exist.", what, STR(str_take(name, 300)));
}

void vertex_reply_resource(struct front_request *r, const json_t *document)
{
	google_reply(r, json_incref(json_object_get(document, "resource")));
}

struct listing {
	const struct google_filter *filter;
	struct google_page page;
	json_t *items;
	struct str last; // taken
	bool more;
};

// Takes what fits of one look at the collection; true when the page is full.
static bool take_rows(struct listing *l, const struct docs_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *resource = json_object_get(rows[i].doc, "resource");
		if (!json_flag(rows[i].doc, "visible", true) || !google_filter_matches(l->filter, resource))
			continue;
		if (json_array_size(l->items) == l->page.limit) {
			l->more = true;
			return true;
		}
		json_array_append(l->items, resource);
		l->last = rows[i].name;
	}
	return false;
}

static int take_pages(struct front_request *r, const char *collection, struct listing *l)
{
	struct docs_row rows[LISTED_AT_ONCE];
	struct str parent;
	size_t count = 0;
	bool more = true;
	int rc = vertex_parent(r, &parent);
	if (rc < 0)
		return rc;
	struct docs_cursor from = {.collection = collection, .after = l->page.after};
	from.prefix = arena_printf(r->arena, "%.*s/", STR(parent));
	while (more) {
		rc = docs_list(r->pocket, &from, rows, COUNT_OF(rows), &count, &more);
		if (rc < 0)
			return err_set(&r->err, rc, "the documents of %s cannot be read", collection);
		if (take_rows(l, rows, count) || !count)
			return 0;
		from.after = rows[count - 1].name;
	}
	return 0;
}

void vertex_reply_list(struct front_request *r, const char *collection, const char *member)
{
	struct listing l = {0};
	struct err cause = {0};
	json_t *j = json_object();
	int rc = google_page_read(r, VERTEX_PAGE, VERTEX_MAX_PAGE, &l.page);
	if (rc == 0 && google_filter_parse(front_query(r, "filter"), r->arena, &l.filter, &cause) < 0)
		rc = google_refuse(r, "INVALID_ARGUMENT", "Invalid filter: %s.", cause.message);
	l.items = json_array();
	if (rc == 0)
		rc = take_pages(r, collection, &l);
	if (json_array_size(l.items)) // as Google leaves out an empty list
		json_object_set(j, member, l.items);
	json_decref(l.items);
	if (l.more)
		json_set_str(j, "nextPageToken", google_page_token(r, l.last));
	if (rc == 0) {
		google_reply(r, j);
		return;
	}
	json_decref(j);
	google_fail(r);
}
