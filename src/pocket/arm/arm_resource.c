// SPDX-License-Identifier: Apache-2.0
// Resources of Resource Manager as documents of the pocket: what was sent is kept, what the service adds (id, type, who
// and when) is made when it is read. Lists come in pages with a nextLink.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/arm/arm_impl.h"

int64_t arm_now_ns(const struct arm_state *s)
{
	return s->pocket->edges->wall_ns(s->pocket->edges->ctx);
}

// ---------------------------------------------------------------- documents

// What a caller may say of a resource; the rest is the service's.
static const char *const sent[] = {"properties", "tags", "location", "sku", "identity", "kind"};

json_t *arm_document(struct front_request *r, const json_t *before, const json_t *body)
{
	json_t *doc = before ? json_deep_copy(before) : json_object(), *resource = json_object();
	int64_t now = front_now_ns(r);
	for (size_t i = 0; i < COUNT_OF(sent); i++) {
		const json_t *value = json_object_get(body, sent[i]);
		if (value && !json_is_null(value))
			json_object_set_new(resource, sent[i], json_deep_copy(value));
	}
	if (!json_object_get(resource, "properties"))
		json_object_set_new(resource, "properties", json_object());
	if (!before) {
		json_object_set_new(doc, "created_ns", json_integer(now));
		json_set_str(doc, "created_by", arm_who(r));
	}
	json_object_set_new(doc, "modified_ns", json_integer(now));
	json_set_str(doc, "modified_by", arm_who(r));
	json_object_set_new(doc, "resource", resource);
	return doc;
}

json_t *arm_properties(json_t *doc)
{
	return json_object_get(json_object_get(doc, "resource"), "properties");
}

const json_t *arm_properties_of(const json_t *doc)
{
	return json_object_get(json_object_get(doc, "resource"), "properties");
}

struct str arm_text(const json_t *doc, const char *member)
{
	return json_str(arm_properties_of(doc), member);
}

static void set_time(json_t *j, const char *name, int64_t ns)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(ns, 6, text);
	json_object_set_new(j, name, json_string(text));
}

static json_t *system_data(const json_t *doc)
{
	json_t *j = json_object();
	set_time(j, "createdAt", json_int(doc, "created_ns", 0));
	json_set_str(j, "createdBy", json_str(doc, "created_by"));
	json_object_set_new(j, "createdByType", json_string("Application"));
	set_time(j, "lastModifiedAt", json_int(doc, "modified_ns", 0));
	json_set_str(j, "lastModifiedBy", json_str(doc, "modified_by"));
	json_object_set_new(j, "lastModifiedByType", json_string("Application"));
	return j;
}

json_t *arm_resource(struct str id, struct str name, const char *type, const json_t *doc)
{
	json_t *j = json_deep_copy(json_object_get(doc, "resource"));
	json_set_str(j, "id", id);
	json_set_str(j, "name", name);
	json_object_set_new(j, "type", json_string(type));
	json_object_set_new(j, "systemData", system_data(doc));
	return j;
}

int arm_read_docs(int rc, struct err *e)
{
	return rc < 0 ? err_set(e, rc, "the documents of the pocket cloud cannot be read") : 0;
}

// ---------------------------------------------------------------- ids

struct str arm_id(const struct arm_state *s, struct arena *a, const char *format, ...)
{
	AUTO(buf) text = {0};
	va_list args;
	buf_add(&text, s->workspace_id);
	buf_add_char(&text, '/');
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	struct str id = text.failed ? (struct str){0} : arena_str(a, buf_str(&text));
	return id.p ? id : S("");
}

bool arm_id_cut(struct str id, const char *kind, struct str *name, struct str *version)
{
	struct str word, before = S("");
	*name = *version = S("");
	if (str_starts(id, S("azureml:")) && !str_starts(id, S("azureml://"))) {
		str_cut(str_drop(id, 8), ':', name, version);
		return name->n > 0;
	}
	if (str_find_char(id, '/') < 0) {
		str_cut(id, ':', name, version);
		return name->n > 0;
	}
	while (str_next(&id, '/', &word)) {
		if (str_eq_nocase(before, str_of(kind)))
			*name = word;
		if (name->n && str_eq_nocase(before, S("versions")))
			*version = word;
		before = word;
	}
	return name->n > 0;
}

int arm_check_name(struct front_request *r, const char *what, struct str name)
{
	bool good = name.n > 0 && name.n <= 255 && name.p[0] != '-' && name.p[0] != '_' && name.p[0] != '.';
	for (size_t i = 0; good && i < name.n; i++) {
		char ch = name.p[i];
		good = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' ||
		       ch == '_' || ch == '.';
	}
	if (good)
		return 0;
	return arm_user_error(r,
		"The %s name '%.*s' is invalid: 1 to 255 letters, digits, '-', '_' and '.', beginning with a letter or a "
		"digit.",
		what, STR(str_clip(name, 80)));
}

int arm_guid(struct pocket *p, char out[ARM_GUID_SIZE], struct err *e)
{
	unsigned char bits[16];
	char hex[33];
	int rc = pocket_random(p, bits, sizeof(bits), e);
	if (rc < 0)
		return rc;
	bits[6] = (unsigned char)((bits[6] & 0x0f) | 0x40);
	bits[8] = (unsigned char)((bits[8] & 0x3f) | 0x80);
	hex_encode(str_bytes(bits, sizeof(bits)), hex);
	snprintf(out, ARM_GUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return 0;
}

// ---------------------------------------------------------------- durations

int arm_duration(struct str text, int64_t *ns)
{
	static const struct {
		char letter;
		bool time;
		int64_t seconds;
	} units[] = {{'D', false, 86400}, {'H', true, 3600}, {'M', true, 60}, {'S', true, 1}};
	bool time = false;
	double seconds = 0;
	if (!str_starts(text, S("P")) || text.n < 3)
		return ERR_INVALID;
	for (text = str_drop(text, 1); text.n;) {
		if (text.p[0] == 'T' && !time && text.n > 1) {
			time = true;
			text = str_drop(text, 1);
			continue;
		}
		size_t n = 0, unit = 0;
		double number = 0;
		while (n < text.n && ((text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '.'))
			n++;
		if (!n || n == text.n || str_to_f64(str_take(text, n), &number) < 0)
			return ERR_INVALID;
		while (unit < COUNT_OF(units) && (units[unit].letter != text.p[n] || units[unit].time != time))
			unit++;
		if (unit == COUNT_OF(units))
			return ERR_INVALID;
		seconds += number * (double)units[unit].seconds;
		text = str_drop(text, n + 1);
	}
	if (seconds > 1e9)
		return ERR_INVALID;
	*ns = (int64_t)(seconds * 1e9);
	return 0;
}

// ---------------------------------------------------------------- lists

static struct str next_link(struct front_request *r, struct str after)
{
	AUTO(buf) link = {0};
	AUTO(buf) token = {0};
	buf_printf(&link, "%.*s%.*s?", STR(arm_state(r)->origin), STR(r->x->request.path));
	for (size_t i = 0; i < r->query.count; i++) {
		if (str_eq_nocase(r->query.items[i].name, S("$skipToken")))
			continue;
		sign_uri_encode(r->query.items[i].name, "", &link);
		buf_add_char(&link, '=');
		sign_uri_encode(r->query.items[i].value, "", &link);
		buf_add_char(&link, '&');
	}
	base64url_encode(after, &token);
	buf_printf(&link, "%%24skipToken=%.*s", STR(buf_str(&token)));
	return link.failed ? (struct str){0} : arena_str(r->arena, buf_str(&link));
}

static int read_page(struct front_request *r, size_t *top, struct str *after)
{
	uint64_t n = ARM_PAGE;
	AUTO(buf) plain = {.limit = 1024};
	struct str text = front_query(r, "$top"), token = front_query(r, "$skipToken");
	if (!text.n)
		text = front_query(r, "count");
	if (text.n && (str_to_u64(text, &n) < 0 || n < 1))
		return arm_user_error(r, "The size of a page is a number from 1 on.");
	if (token.n && base64url_decode(token, &plain) < 0)
		return arm_user_error(r, "The $skipToken is not of this service.");
	*top = (size_t)MIN(n, (uint64_t)ARM_MAX_PAGE);
	*after = arena_str(r->arena, buf_str(&plain));
	return after->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

// Adds what list wants until there are `top`; *after is the last name looked at, *more whether others follow.
static int collect_page(
	struct front_request *r, const struct arm_list *list, size_t top, struct str *after, json_t *values, bool *more)
{
	struct docs_row rows[32];
	size_t count = 0;
	do {
		struct docs_cursor from = {.collection = list->collection, .after = *after, .prefix = list->prefix};
		int rc = arm_read_docs(docs_list(r->pocket, &from, rows, COUNT_OF(rows), &count, more), &r->err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < count; i++) {
			if (json_array_size(values) == top) {
				*more = true;
				return 0;
			}
			if (!list->takes || list->takes(r, rows[i].name, rows[i].doc))
				json_array_append_new(values, list->tell(r, rows[i].name, rows[i].doc));
			*after = arena_str(r->arena, rows[i].name);
			if (!after->p)
				return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
		}
	} while (*more);
	return 0;
}

void arm_reply_list(struct front_request *r, const struct arm_list *list)
{
	size_t top = 0;
	struct str after = S("");
	bool more = false;
	json_t *values = json_array();
	int rc = read_page(r, &top, &after);
	if (rc == 0)
		rc = collect_page(r, list, top, &after, values, &more);
	if (rc < 0) {
		json_decref(values);
		arm_fail(r);
		return;
	}
	json_t *j = json_pack("{s:o}", "value", values);
	if (more)
		json_set_str(j, "nextLink", next_link(r, after));
	arm_reply(r, 200, j);
}

void arm_reply_values(struct front_request *r, json_t *values)
{
	arm_reply(r, 200, json_pack("{s:o}", "value", values));
}
