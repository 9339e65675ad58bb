// SPDX-License-Identifier: Apache-2.0
// Requests to Google's JSON APIs of a pocket cloud: routes, who asks, bodies, pages. See google.h.
#include "pocket/gcp/google.h"
#include "pocket/gcp/self_signed.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "pocket/gcp/tokens.h"

struct google_request *google_request(const struct front_request *r)
{
	return r->own;
}

// ---------------------------------------------------------------- routes

static bool take_capture(struct front_request *r, struct google_request *g, struct str segment)
{
	AUTO(buf) decoded = {0};
	if (g->count == GOOGLE_CAPTURES || !segment.n || sign_uri_decode(segment, false, &decoded) < 0)
		return false;
	g->captures[g->count] = arena_str(r->arena, buf_str(&decoded));
	return g->captures[g->count++].p != NULL;
}

// One segment against "*", "*:verb" or a word; *held is what '*' stands for.
static bool segment_fits(struct str want, struct str have, struct str *held)
{
	*held = (struct str){0};
	if (!str_starts(want, S("*")))
		return str_eq(want, have);
	struct str verb = str_drop(want, 1);
	if (have.n <= verb.n || !str_ends(have, verb))
		return false;
	*held = str_take(have, have.n - verb.n);
	return verb.n || str_find_char(have, ':') < 0;
}

// g NULL: without captures.
static bool path_fits(const char *pattern, struct str path, struct front_request *r, struct google_request *g)
{
	struct str want = str_of(pattern), want_segment, have_segment, held;
	for (;;) {
		bool more = str_next(&want, '/', &want_segment);
		if (str_next(&path, '/', &have_segment) != more)
			return false;
		if (!more)
			return true;
		if (!segment_fits(want_segment, have_segment, &held) || (g && held.n && !take_capture(r, g, held)))
			return false;
	}
}

// The path behind "/VERSION/"; false when the API has no such version.
static bool behind_version(const struct google_api *api, const struct front_request *r, struct str *out)
{
	struct str version, rest;
	if (!str_cut(str_drop(r->x->request.path, 1), '/', &version, &rest))
		return false;
	for (const char *const *v = api->versions; *v; v++) {
		if (str_eq(version, str_of(*v))) {
			*out = rest;
			return true;
		}
	}
	return false;
}

bool google_api_matches(const struct google_api *api, const struct front_request *r)
{
	struct str path;
	if (!behind_version(api, r, &path))
		return false;
	for (size_t i = 0; i < api->count; i++)
		if (path_fits(api->routes[i].path, path, NULL, NULL))
			return true;
	return false;
}

static int find_route(const struct google_api *api, struct front_request *r)
{
	struct str path;
	struct google_request *g = r->own;
	bool known = false;
	if (!behind_version(api, r, &path))
		return google_refuse(r, "NOT_FOUND", "Not Found");
	for (size_t i = 0; i < api->count; i++) {
		g->count = 0;
		if (!path_fits(api->routes[i].path, path, r, g))
			continue;
		known = true;
		if (api->routes[i].method == r->x->request.method) {
			g->route = &api->routes[i];
			return 0;
		}
	}
	if (!known)
		return google_refuse(r, "NOT_FOUND", "Not Found");
	google_refuse(r, "UNIMPLEMENTED", "Method %.*s is not allowed for this resource.",
		STR(r->x->request.method_text));
	r->err.http_status = 405;
	return r->err.code;
}

// ---------------------------------------------------------------- who asks, and may they

static bool reads(const char *permission)
{
	struct str p = str_of(permission);
	return str_ends(p, S(".get")) || str_ends(p, S(".list")) || str_ends(p, S(".predict"));
}

static int authorise(struct front_request *r)
{
	struct str value = front_header(r, "authorization");
	const char *permission = google_request(r)->route->permission;
	if (!str_starts(value, S("Bearer ")))
		return google_refuse(r, "UNAUTHENTICATED",
			"Request is missing required authentication credential. Expected OAuth 2 access token, login "
			"cookie or other valid authentication credential.");
	struct str token = str_trim(str_drop(value, 7));
	struct gcp_opened opened;
	int rc = gcp_token_open(r, token, &opened);
	enum gcs_scope scope = opened.scope;
	if (rc == 0 && scope == GCS_NONE) {
		enum self_signed allowed = self_signed(r, google_request(r)->api->service, token);
		scope = allowed == SELF_SIGNED_ALL ? GCS_WRITE : allowed == SELF_SIGNED_READS ? GCS_READ : GCS_NONE;
		if (scope != GCS_NONE) // only the owner's key signs tokens of its own
			rc = gcp_be(r, buf_str(&((const struct gcs_keys *)r->keys)->email));
	}
	if (rc < 0)
		return rc;
	if (scope == GCS_NONE)
		return google_refuse(r, "UNAUTHENTICATED",
			"Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
			"or other valid authentication credential.");
	bool other_api = scope == GCS_IAM && strcmp(google_request(r)->api->service, "iam.googleapis.com") != 0;
	if (other_api || (permission[0] && ((scope == GCS_READ && !reads(permission)) || !gcp_may(r, str_of(permission), S("")))))
		return google_refuse(r, "PERMISSION_DENIED",
			"Permission '%s' denied on resource '//%s%.*s' (or it may not exist).", permission,
			google_request(r)->api->service, STR(str_take(r->x->request.path, 300)));
	return 0;
}

void google_api_handle(const struct google_api *api, struct front_request *r)
{
	struct google_request *g = arena_new(r->arena, struct google_request);
	r->own = g;
	if (!g) {
		http_reply_error(r->x, 503, "out of memory");
		return;
	}
	g->api = api;
	if (find_route(api, r) < 0 || authorise(r) < 0)
		google_fail(r);
	else
		g->route->run(r);
}

// ---------------------------------------------------------------- requests

static void body_done(struct front_request *r, struct str text)
{
	json_t *j = NULL;
	struct err cause = {0};
	if (json_parse(str_trim(text).n ? text : S("{}"), &j, &cause) < 0 || !json_is_object(j)) {
		json_decref(j);
		google_refuse(r, "INVALID_ARGUMENT", "Invalid JSON payload received. %s",
			cause.message[0] ? cause.message : "Root element must be a message.");
		google_fail(r);
		return;
	}
	j = json_in_arena(r->arena, j);
	if (j) {
		google_request(r)->parsed(r, j);
		return;
	}
	err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	google_fail(r);
}

void google_body(struct front_request *r, void (*done)(struct front_request *r, json_t *body))
{
	google_request(r)->parsed = done;
	front_collect(r, GOOGLE_BODY_LIMIT, body_done);
}

#define TOKEN_MARK S("p1.") // in front of a name in a page token

int google_page_of(struct front_request *r, int64_t size, struct str token, struct google_page *out)
{
	AUTO(buf) name = {.limit = 2048};
	*out = (struct google_page){.limit = size > 0 ? (size_t)MIN(size, 1000) : 1000};
	if (size < 0)
		return google_refuse(r, "INVALID_ARGUMENT", "The page size must not be negative.");
	if (!token.n)
		return 0;
	if (base64url_decode(token, &name) < 0 || !str_starts(buf_str(&name), TOKEN_MARK))
		return google_refuse(r, "INVALID_ARGUMENT", "Page token is invalid.");
	out->after = arena_str(r->arena, str_drop(buf_str(&name), TOKEN_MARK.n));
	return out->after.p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int google_page_read(struct front_request *r, size_t usual, size_t most, struct google_page *out)
{
	struct str text = front_query(r, "pageSize");
	int64_t size = 0;
	if (text.n && str_to_i64(text, &size) < 0)
		return google_refuse(r, "INVALID_ARGUMENT", "Invalid value at 'page_size' (TYPE_INT32), \"%.*s\"",
			STR(str_take(text, 40)));
	int rc = google_page_of(r, size, front_query(r, "pageToken"), out);
	if (rc == 0)
		out->limit = size ? MIN((size_t)size, most) : usual;
	return rc;
}

struct str google_page_token(struct front_request *r, struct str last)
{
	AUTO(buf) name = {0};
	AUTO(buf) text = {0};
	buf_add(&name, TOKEN_MARK);
	buf_add(&name, last);
	base64url_encode(buf_str(&name), &text);
	return arena_str(r->arena, buf_str(&text));
}

const char *google_enum(const json_t *value, const char *const *names, size_t count)
{
	struct str text = json_value_str(value);
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
	if (number >= 0)
		return (size_t)number < count ? names[number] : NULL;
	for (size_t i = 0; i < count; i++)
		if (names[i] && str_is(text, names[i]))
			return names[i];
	return NULL;
}

int google_duration(struct str text, int64_t *ns)
{
	double seconds;
	if (!str_ends(text, S("s")) || str_to_f64(str_take(text, text.n - 1), &seconds) < 0 || seconds < 0 ||
		seconds > 3e8)
		return ERR_INVALID;
	*ns = (int64_t)(seconds * (double)NS_PER_S);
	return 0;
}

// ---------------------------------------------------------------- answers

void google_reply(struct front_request *r, json_t *j)
{
	AUTO(json) owned = j;
	AUTO(buf) out = {0};
	int rc = owned ? json_write_pretty(owned, &out, &r->err) : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc < 0) {
		google_fail(r);
		return;
	}
	front_add(r, "content-type", S("application/json; charset=UTF-8"));
	front_reply_buf(r, 200, &out);
}

struct str google_time(struct front_request *r, int64_t ns)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(ns, 6, text);
	return arena_str(r->arena, str_of(text));
}

void google_set_time(json_t *j, const char *name, int64_t ns)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(ns, 6, text);
	json_object_set_new(j, name, json_string(text));
}
