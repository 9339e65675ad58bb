// SPDX-License-Identifier: Apache-2.0
// Cloud Storage's operations on objects that exist: list, get, download, patch, update, delete, compose, copy.
#include <string.h>

#include "net/range.h"
#include "pocket/gcs/gcs_impl.h"

// ---------------------------------------------------------------- list

static int list_page(struct front_request *r, struct objects_query *q, struct objects_page *page)
{
	struct bucket *b = NULL;
	q->prefix = front_query(r, "prefix");
	q->delimiter = front_query(r, "delimiter");
	q->from = front_query(r, "startOffset");
	q->until = front_query(r, "endOffset");
	if (front_query_has(r, "matchGlob") || str_eq(front_query(r, "softDeleted"), S("true")) ||
		str_eq(front_query(r, "includeTrailingDelimiter"), S("true")))
		return gcs_refuse(r, "notImplemented", "A pocket cloud lists by prefix, delimiter and offsets only.");
	int rc = gcs_read_page(r, &q->after, &q->limit);
	if (rc == 0)
		rc = gcs_bucket(r, gcs_state(r)->captures[0], &b);
	return rc < 0 ? rc : objects_list_page(b, q, r->arena, page, &r->err);
}

void gcs_list_objects(struct front_request *r)
{
	struct objects_query q = {0};
	struct objects_page page = {0};
	if (list_page(r, &q, &page) < 0) {
		gcs_fail(r);
		return;
	}
	const char *bucket = arena_cstr(r->arena, gcs_state(r)->captures[0]);
	json_t *j = json_object(), *items = json_array(), *prefixes = json_array();
	for (size_t i = 0; i < page.count && bucket; i++)
		if (page.entries[i].record)
			json_array_append_new(items, gcs_object_resource(r, bucket, page.entries[i].record));
		else
			json_array_append_new(prefixes, json_of_str(page.entries[i].prefix));
	json_object_set_new(j, "kind", json_string("storage#objects"));
	if (page.next.n)
		json_set_str(j, "nextPageToken", front_base64_text(r, page.next));
	json_object_set_new(j, "items", items);
	json_object_set_new(j, "prefixes", prefixes);
	gcs_reply_json(r, j);
}

// ---------------------------------------------------------------- get

// The object of the route when its conditions hold; else the answer was given and NULL is returned.
static struct object *open_for_reading(struct front_request *r)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	struct condition c = {0};
	condition_read(&r->x->request.headers, "", &c);
	if (gcs_object(r, &b, &object) < 0 || gcs_read_condition(r, "", &c) < 0) {
		gcs_fail(r);
		return NULL;
	}
	switch (condition_check(&c, object->record)) {
	case CONDITION_HOLDS:
		return object;
	case CONDITION_NOT_MODIFIED:
		front_add(r, "etag", object->record->etag);
		front_reply(r, 304, S(""));
		return NULL;
	case CONDITION_ABSENT:
	case CONDITION_EXISTS:
	case CONDITION_FAILED:
		break;
	}
	gcs_refuse(r, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
	gcs_fail(r);
	return NULL;
}

void gcs_download(struct front_request *r)
{
	struct range range = {0};
	struct object *object = open_for_reading(r);
	if (!object)
		return;
	uint64_t size = object->record->size;
	struct str header = front_header(r, "range");
	switch (header.n ? range_parse(header, size, &range) : RANGE_WHOLE) {
	case RANGE_UNSATISFIABLE:
		front_addf(r, "content-range", "bytes */%llu", (unsigned long long)size);
		gcs_refuse(r, "requestedRangeNotSatisfiable", "Request range not satisfiable");
		gcs_fail(r);
		return;
	case RANGE_PART:
		gcs_add_headers(r, object->record);
		front_addf(r, "content-range", "bytes %llu-%llu/%llu", (unsigned long long)range.first,
			(unsigned long long)range.last, (unsigned long long)size);
		front_reply_object(r, 206, object, range.first, range.last - range.first + 1);
		return;
	case RANGE_WHOLE:
		break;
	}
	gcs_add_headers(r, object->record);
	front_reply_object(r, 200, object, 0, size);
}

void gcs_get_object(struct front_request *r)
{
	if (str_eq(front_query(r, "alt"), S("media"))) {
		gcs_download(r);
		return;
	}
	const struct object *object = open_for_reading(r);
	if (object)
		gcs_reply_json(r, gcs_resource_of(r, object));
}

// ---------------------------------------------------------------- patch, update, delete

static void change(struct front_request *r, const json_t *body, bool merge)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	struct condition c = {0};
	struct record draft = {0};
	int rc = gcs_object(r, &b, &object);
	if (rc == 0)
		rc = gcs_read_condition(r, "", &c);
	if (rc == 0)
		rc = gcs_check_write(r, &c, object);
	if (rc == 0 && merge) {
		draft.properties = object->record->properties;
		draft.metadata = object->record->metadata;
	}
	if (rc == 0)
		rc = gcs_read_resource(r, body, &draft);
	if (rc == 0)
		rc = objects_update(b, object, &draft, &object, &r->err);
	if (rc < 0)
		gcs_fail(r);
	else
		gcs_reply_json(r, gcs_resource_of(r, object));
}

static void patch(struct front_request *r, json_t *body)
{
	change(r, body, true);
}

static void update(struct front_request *r, json_t *body)
{
	change(r, body, false);
}

void gcs_patch_object(struct front_request *r)
{
	gcs_body_json(r, patch);
}

void gcs_update_object(struct front_request *r)
{
	gcs_body_json(r, update);
}

void gcs_delete_object(struct front_request *r)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	struct condition c = {0};
	int rc = gcs_object(r, &b, &object);
	if (rc == 0)
		rc = gcs_read_condition(r, "", &c);
	if (rc == 0)
		rc = gcs_check_write(r, &c, object);
	if (rc == 0)
		rc = objects_delete(b, object->record->key, &r->err);
	if (rc < 0)
		gcs_fail(r);
	else
		front_reply(r, 204, S(""));
}

// ---------------------------------------------------------------- compose

static int add_source(struct front_request *r, struct assembly *as, const struct bucket *b, const json_t *source)
{
	struct str name = json_str(source, "name"), wanted = json_str(source, "generation");
	struct str matched = json_str(json_object_get(source, "objectPreconditions"), "ifGenerationMatch");
	const struct object *object = objects_find(b, name);
	int64_t generation = 0;
	if (wanted.n && str_to_i64(wanted, &generation) < 0)
		return gcs_refuse(r, "invalid", "Invalid value for: generation");
	if (!object || (wanted.n && generation != object->record->generation))
		return gcs_refuse(r, "notFound", "Object %.*s (generation: %.*s) not found.", STR(str_take(name, 500)),
			STR(wanted));
	if (matched.n && (str_to_i64(matched, &generation) < 0 || generation != object->record->generation))
		return gcs_refuse(
			r, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
	return assembly_add_object(as, object, 0, object->record->size, &r->err);
}

static int add_sources(struct front_request *r, struct assembly *as, const struct bucket *b, const json_t *body)
{
	const json_t *sources = json_object_get(body, "sourceObjects");
	size_t count = json_array_size(sources);
	if (count < 1 || count > GCS_MAX_SOURCES)
		return gcs_refuse(r, "invalid", "The number of source components provided (%zu) must be from 1 to %d",
			count, GCS_MAX_SOURCES);
	int rc = 0;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = add_source(r, as, b, json_array_get(sources, i));
	return rc;
}

static void compose(struct front_request *r, json_t *body)
{
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	struct assembly *as = NULL;
	struct object *made = NULL;
	struct condition c = {0};
	s->draft.key = s->captures[1];
	int rc = gcs_bucket(r, s->captures[0], &b);
	if (rc == 0)
		rc = gcs_read_condition(r, "", &c);
	if (rc == 0)
		rc = gcs_check_write(r, &c, objects_find(b, s->draft.key));
	if (rc == 0)
		rc = gcs_read_resource(r, json_object_get(body, "destination"), &s->draft);
	if (rc == 0)
		rc = assembly_begin(b, &as, &r->err);
	if (rc == 0)
		rc = add_sources(r, as, b, body);
	if (rc == 0)
		rc = objects_put_assembly(as, &s->draft, &made, &r->err);
	else
		assembly_abandon(as);
	if (rc < 0)
		gcs_fail(r);
	else
		gcs_reply_json(r, gcs_resource_of(r, made));
}

void gcs_compose(struct front_request *r)
{
	gcs_body_json(r, compose);
}

// ---------------------------------------------------------------- copy

static int check_source(struct front_request *r, struct object **source)
{
	struct bucket *b = NULL;
	struct condition c = {0};
	struct condition_number generation = {0};
	const struct gcs_state *s = gcs_state(r);
	int rc = gcs_bucket(r, s->captures[0], &b);
	if (rc == 0)
		rc = gcs_query_number(r, "sourceGeneration", &generation);
	if (rc == 0)
		rc = gcs_read_condition(r, "Source", &c);
	if (rc < 0)
		return rc;
	*source = objects_find(b, s->captures[1]);
	if (!*source || (generation.set && generation.value != (*source)->record->generation))
		return gcs_refuse(r, "notFound", "No such object: %.*s/%.*s", STR(s->captures[0]),
			STR(str_take(s->captures[1], 500)));
	return gcs_check_write(r, &c, *source);
}

static int describe_copy(struct front_request *r, const struct object *source, const json_t *body, struct record *draft)
{
	draft->key = gcs_state(r)->captures[3];
	draft->digests = source->record->digests;
	if (json_object_size(body) == 0) {
		draft->properties = source->record->properties;
		draft->metadata = source->record->metadata;
		return 0;
	}
	return gcs_read_resource(r, body, draft);
}

static int copy(struct front_request *r, const json_t *body, struct object **made)
{
	struct gcs_state *s = gcs_state(r);
	struct bucket *b = NULL;
	struct object *source = NULL;
	struct assembly *as = NULL;
	struct condition c = {0};
	int rc = check_source(r, &source);
	if (rc == 0)
		rc = gcs_bucket(r, s->captures[2], &b);
	if (rc == 0)
		rc = gcs_read_condition(r, "", &c);
	if (rc == 0)
		rc = gcs_check_write(r, &c, objects_find(b, s->captures[3]));
	if (rc == 0)
		rc = describe_copy(r, source, body, &s->draft);
	if (rc == 0)
		rc = assembly_begin(b, &as, &r->err);
	if (rc < 0)
		return rc;
	rc = assembly_add_object(as, source, 0, source->record->size, &r->err);
	if (rc == 0)
		return objects_put_assembly(as, &s->draft, made, &r->err);
	assembly_abandon(as);
	return rc;
}

static void rewrite_done(struct front_request *r, json_t *body)
{
	struct object *made = NULL;
	char size[24];
	if (copy(r, body, &made) < 0) {
		gcs_fail(r);
		return;
	}
	snprintf(size, sizeof(size), "%llu", (unsigned long long)made->record->size);
	gcs_reply_json(
		r, json_pack("{s:s, s:s, s:s, s:b, s:o}", "kind", "storage#rewriteResponse", "totalBytesRewritten",
			   size, "objectSize", size, "done", 1, "resource", gcs_resource_of(r, made)));
}

static void copy_done(struct front_request *r, json_t *body)
{
	struct object *made = NULL;
	if (copy(r, body, &made) < 0)
		gcs_fail(r);
	else
		gcs_reply_json(r, gcs_resource_of(r, made));
}

void gcs_rewrite(struct front_request *r)
{
	gcs_body_json(r, rewrite_done);
}

void gcs_copy(struct front_request *r)
{
	gcs_body_json(r, copy_done);
}
