// SPDX-License-Identifier: Apache-2.0
// Cloud Storage: who asks (a bearer token), and for what (one table of routes). Runs on the pocket's loop.
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/gcp/tokens.h"

struct gcs_state *gcs_state(struct front_request *r)
{
	return r->own;
}

// ---------------------------------------------------------------- for what

enum { OPEN = 1, READS = 2, SESSION = 4 };

static const struct route {
	enum http_method method;
	const char *path; // '*': one segment, decoded and captured
	unsigned flags;   // OPEN: without a token; READS: a read-only token will do; SESSION: an upload_id stands for a
			  // token
	void (*run)(struct front_request *r);
	const char *permissions; // of IAM, that it needs, a space between
} routes[] = {
	{HTTP_POST, "/token", OPEN, gcs_token, ""},
	{HTTP_POST, "/tokeninfo", OPEN, gcs_tokeninfo, ""},
	{HTTP_GET, "/tokeninfo", OPEN, gcs_tokeninfo, ""},
	{HTTP_GET, "/storage/v1/b", READS, gcs_list_buckets, "storage.buckets.list"},
	{HTTP_POST, "/storage/v1/b", 0, gcs_insert_bucket, "storage.buckets.create"},
	{HTTP_GET, "/storage/v1/b/*", READS, gcs_get_bucket, "storage.buckets.get"},
	{HTTP_PATCH, "/storage/v1/b/*", 0, gcs_patch_bucket, "storage.buckets.update"},
	{HTTP_DELETE, "/storage/v1/b/*", 0, gcs_delete_bucket, "storage.buckets.delete"},
	{HTTP_GET, "/storage/v1/b/*/iam/testPermissions", READS, gcs_test_permissions, ""},
	{HTTP_GET, "/storage/v1/b/*/o", READS, gcs_list_objects, "storage.objects.list"},
	{HTTP_GET, "/storage/v1/b/*/o/*", READS, gcs_get_object, "storage.objects.get"},
	{HTTP_PATCH, "/storage/v1/b/*/o/*", 0, gcs_patch_object, "storage.objects.update"},
	{HTTP_PUT, "/storage/v1/b/*/o/*", 0, gcs_update_object, "storage.objects.update"},
	{HTTP_DELETE, "/storage/v1/b/*/o/*", 0, gcs_delete_object, "storage.objects.delete"},
	{HTTP_POST, "/storage/v1/b/*/o/*/compose", 0, gcs_compose, "storage.objects.create storage.objects.get"},
	{HTTP_POST, "/storage/v1/b/*/o/*/rewriteTo/b/*/o/*", 0, gcs_rewrite, "storage.objects.create storage.objects.get"},
	{HTTP_POST, "/storage/v1/b/*/o/*/copyTo/b/*/o/*", 0, gcs_copy, "storage.objects.create storage.objects.get"},
	{HTTP_GET, "/download/storage/v1/b/*/o/*", READS, gcs_download, "storage.objects.get"},
	{HTTP_POST, "/upload/storage/v1/b/*/o", SESSION, gcs_upload, "storage.objects.create"},
	{HTTP_PUT, "/upload/storage/v1/b/*/o", SESSION, gcs_resumable_put, "storage.objects.create"},
	{HTTP_DELETE, "/upload/storage/v1/b/*/o", SESSION, gcs_resumable_cancel, "storage.objects.create"},
};

static int capture(struct front_request *r, struct str segment, size_t *count)
{
	AUTO(buf) decoded = {0};
	if (*count == GCS_CAPTURES || segment.n == 0 || sign_uri_decode(segment, false, &decoded) < 0)
		return ERR_INVALID;
	struct str text = arena_str(r->arena, buf_str(&decoded));
	gcs_state(r)->captures[(*count)++] = text;
	return text.p ? 0 : ERR_NO_MEMORY;
}

static bool matches(struct front_request *r, const char *pattern)
{
	struct str want = str_of(pattern), have = r->x->request.path, want_segment, have_segment;
	size_t count = 0;
	for (;;) {
		bool more = str_next(&want, '/', &want_segment);
		if (str_next(&have, '/', &have_segment) != more)
			return false;
		if (!more)
			return true;
		if (str_eq(want_segment, S("*")) ? capture(r, have_segment, &count) < 0
						 : !str_eq(want_segment, have_segment))
			return false;
	}
}

static const struct route *find_route(struct front_request *r, bool *path_known)
{
	*path_known = false;
	for (size_t i = 0; i < COUNT_OF(routes); i++) {
		if (!matches(r, routes[i].path))
			continue;
		*path_known = true;
		if (routes[i].method == r->x->request.method)
			return &routes[i];
	}
	return NULL;
}

// ---------------------------------------------------------------- who asks

static int authenticate(struct front_request *r, const struct route *route)
{
	struct str value = front_header(r, "authorization");
	bool session = (route->flags & SESSION) && front_query(r, "upload_id").n;
	if ((route->flags & OPEN) || (session && value.n == 0))
		return 0;
	if (!str_starts(value, S("Bearer ")))
		return gcs_refuse(r, "authError",
			"Anonymous caller does not have access to this resource: an access token is needed.");
	struct gcp_opened token;
	int rc = gcp_token_open(r, str_trim(str_drop(value, 7)), &token);
	if (rc < 0)
		return rc;
	enum gcs_scope scope = token.scope;
	if (scope == GCS_NONE)
		return gcs_refuse(r, "authError", "Invalid Credentials");
	if (scope == GCS_IAM || (scope == GCS_READ && !(route->flags & READS)))
		return gcs_refuse(r, "forbidden", "Provided scope(s) are not authorized");
	struct str rest = str_of(route->permissions), permission;
	while (rest.n && str_next(&rest, ' ', &permission)) {
		if (!gcp_may(r, permission, S("")))
			return gcs_refuse(r, "forbidden",
				"%.*s does not have %.*s access to the Google Cloud Storage %s. Permission '%.*s' denied on "
				"resource (or it may not exist).",
				STR(str_clip(r->who->name, 200)), STR(permission),
				str_starts(permission, S("storage.objects")) ? "object" : "bucket", STR(permission));
	}
	return 0;
}

static void release(struct front_request *r)
{
	related_free(gcs_state(r)->related);
}

static bool make_state(struct front_request *r)
{
	r->own = arena_new(r->arena, struct gcs_state);
	if (!r->own) {
		http_reply_error(r->x, 503, "out of memory");
		return false;
	}
	r->release = release;
	front_add(r, "x-guploader-uploadid", str_of(r->id));
	return true;
}

static void trouble(struct front_request *r, bool throttled)
{
	if (!make_state(r))
		return;
	if (throttled)
		gcs_refuse(r, "rateLimitExceeded", "The rate limit for object mutation operations has been exceeded.");
	else
		gcs_refuse(r, "internalError", "Internal Error");
	gcs_fail(r);
}

static void handle(struct front_request *r)
{
	bool path_known = false;
	if (!make_state(r))
		return;
	const struct route *route = find_route(r, &path_known);
	if (!route) {
		gcs_refuse(r, path_known ? "methodNotAllowed" : "notFound",
			path_known ? "Method Not Allowed" : "Not Found");
		gcs_fail(r);
	} else if (authenticate(r, route) < 0) {
		gcs_fail(r);
	} else {
		route->run(r);
	}
}

// ---------------------------------------------------------------- shared

int gcs_bucket(struct front_request *r, struct str name, struct bucket **out)
{
	int rc = objects_bucket_find(r->store, name, out, &r->err);
	return rc == ERR_NOT_FOUND ? gcs_refuse(r, "notFound", "The specified bucket does not exist.") : rc;
}

int gcs_object(struct front_request *r, struct bucket **b, struct object **out)
{
	const struct gcs_state *s = gcs_state(r);
	struct condition_number generation = {0};
	int rc = gcs_bucket(r, s->captures[0], b);
	if (rc == 0)
		rc = gcs_query_number(r, "generation", &generation);
	if (rc < 0)
		return rc;
	*out = objects_find(*b, s->captures[1]);
	if (*out && (!generation.set || generation.value == (*out)->record->generation))
		return 0;
	return gcs_refuse(
		r, "notFound", "No such object: %.*s/%.*s", STR(s->captures[0]), STR(str_take(s->captures[1], 500)));
}

int gcs_query_number(struct front_request *r, const char *name, struct condition_number *out)
{
	struct str text = front_query(r, name);
	out->set = front_query_has(r, name);
	if (out->set && str_to_i64(text, &out->value) < 0)
		return gcs_refuse(
			r, "invalid", "Invalid value for: %s, \"%.*s\" is not a number", name, STR(str_take(text, 40)));
	return 0;
}

int gcs_read_condition(struct front_request *r, const char *infix, struct condition *out)
{
	static const char *const names[] = {
		"GenerationMatch", "GenerationNotMatch", "MetagenerationMatch", "MetagenerationNotMatch"};
	struct condition_number *const numbers[] = {&out->generation_match, &out->generation_not_match,
		&out->metageneration_match, &out->metageneration_not_match};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char full[48];
		snprintf(full, sizeof(full), "if%s%s", infix, names[i]);
		int rc = gcs_query_number(r, full, numbers[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int gcs_check_write(struct front_request *r, const struct condition *c, const struct object *current)
{
	if (condition_check(c, current ? current->record : NULL) == CONDITION_HOLDS)
		return 0;
	return gcs_refuse(r, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
}

static void put_varint(uint64_t value, struct buf *out)
{
	for (; value >= 128; value >>= 7)
		buf_add_char(out, (char)(value | 128));
	buf_add_char(out, (char)value);
}

// As Google has them: a protocol buffer of generation and metageneration, in base64.
void gcs_etag(const struct record *r, char out[OBJECT_ETAG_SIZE])
{
	AUTO(buf) bytes = {0};
	AUTO(buf) text = {0};
	buf_add_char(&bytes, 0x08);
	put_varint((uint64_t)r->generation, &bytes);
	buf_add_char(&bytes, 0x10);
	put_varint((uint64_t)r->metageneration, &bytes);
	base64_encode(buf_str(&bytes), &text);
	if (!str_copy(out, OBJECT_ETAG_SIZE, buf_str(&text)))
		snprintf(out, OBJECT_ETAG_SIZE, "%llx", (unsigned long long)r->modified_ns);
}

void gcs_reply_json(struct front_request *r, json_t *j)
{
	AUTO(buf) out = {0};
	int rc = j ? json_write_pretty(j, &out, &r->err) : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	json_decref(j);
	if (rc < 0) {
		gcs_fail(r);
		return;
	}
	front_add(r, "content-type", S("application/json; charset=UTF-8"));
	front_reply_buf(r, 200, &out);
}

int gcs_parse_json(struct front_request *r, struct str text, json_t **out)
{
	json_t *j = NULL;
	struct err cause = {0};
	if (json_parse(text, &j, &cause) < 0)
		return gcs_refuse(r, "invalid", "Parse Error: %s", cause.message);
	*out = json_in_arena(r->arena, j);
	return *out ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static void body_done(struct front_request *r, struct str body)
{
	json_t *j = NULL;
	if (str_trim(body).n && gcs_parse_json(r, body, &j) < 0)
		gcs_fail(r);
	else
		gcs_state(r)->parsed(r, j);
}

void gcs_body_json(struct front_request *r, void (*done)(struct front_request *r, json_t *body))
{
	gcs_state(r)->parsed = done;
	front_collect(r, GCS_MAX_JSON, body_done);
}

static void fail(struct front_request *r)
{
	if (r->own)
		gcs_fail(r);
	else // refused before handle() had it
		http_reply_error(r->x, 400, "%s", r->err.message);
}

const struct front gcs_front = {
	.as = "gcp",
	.plus_is_space = true,
	.etag = gcs_etag,
	.upload_lifetime_ns = INT64_C(7) * 86400 * NS_PER_S, // of a resumable session
	.spot_notice_ns = 30 * NS_PER_S,
	.body_limit = GCS_MAX_PUT,
	.handle = handle,
	.fail = fail,
	.trouble = trouble,
	.keys_open = gcs_keys_open,
	.keys_free = gcs_keys_free,
	.services = gcp_services,
};
