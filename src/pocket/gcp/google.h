// SPDX-License-Identifier: Apache-2.0
// What Google's JSON APIs of a pocket cloud share (Vertex AI, Cloud Logging, the key and secret services): a table of
// routes each with the permission it asks for, bodies, pages, and errors as google.rpc.Status. Sources: "Google Cloud APIs:
// errors", AIP-127 (transcoding), AIP-158 (pages), AIP-193 (errors). Loop thread only; everything of a request lives in
// its arena. r->own is struct google_request while one of these APIs has the request.
#ifndef ISOBAR_POCKET_GCP_GOOGLE_H
#define ISOBAR_POCKET_GCP_GOOGLE_H

#include "base/json.h"
#include "pocket/front.h"

enum { GOOGLE_CAPTURES = 6, GOOGLE_BODY_LIMIT = 2 << 20 };

struct google_route {
	enum http_method method;
	// Behind the version: "projects/*/locations/*/customJobs/*:cancel". '*': one segment, decoded and captured.
	const char *path;
	const char *permission; // "aiplatform.customJobs.cancel"; "": every caller that is known may
	void (*run)(struct front_request *r);
};
struct google_api {
	const char *service;         // "aiplatform.googleapis.com"
	const char *const *versions; // NULL-ended: "v1", "v1beta1"
	const struct google_route *routes;
	size_t count;
};
struct google_request {
	const struct google_api *api;
	const struct google_route *route;
	struct str captures[GOOGLE_CAPTURES];
	size_t count;
	void (*parsed)(struct front_request *r, json_t *body);
	void *own; // of the route
};
struct google_request *google_request(const struct front_request *r);

// Whether some route of the API has this path, whatever the method.
bool google_api_matches(const struct google_api *api, const struct front_request *r);
// Finds the route, asks who calls and whether they may, runs it; or answers the error.
void google_api_handle(const struct google_api *api, struct front_request *r);

// ---------------------------------------------------------------- requests
// The body as a JSON object, {} when there is none; borrowed from the arena.
void google_body(struct front_request *r, void (*done)(struct front_request *r, json_t *body));
struct google_page {
	size_t limit;
	struct str after; // name of the last of the page before; empty: from the start
};
// pageSize (0: `usual`) and pageToken. INVALID_ARGUMENT for others' tokens and sizes.
MUST_CHECK int google_page_read(struct front_request *r, size_t usual, size_t most, struct google_page *out);
MUST_CHECK int google_page_of(
	struct front_request *r, int64_t size, struct str token, struct google_page *out); // as in a body; size 0: 1000
struct str google_page_token(struct front_request *r, struct str last); // of the page after `last`
// A member of an enumeration by name or by number (as clients over generated code send it); NULL when it is neither.
const char *google_enum(const json_t *value, const char *const *names, size_t count);
// A duration "3.5s" (what JSON says of google.protobuf.Duration). ERR_INVALID.
MUST_CHECK int google_duration(struct str text, int64_t *ns);

// ---------------------------------------------------------------- answers
void google_reply(struct front_request *r, json_t *j);       // 200; takes the reference
struct str google_time(struct front_request *r, int64_t ns); // "2026-11-24T10:15:31.123456Z" in the arena
void google_set_time(json_t *j, const char *name, int64_t ns);

// Sets r->err; returns its code. status: "NOT_FOUND" and the like, which says the HTTP status too.
int google_refuse(struct front_request *r, const char *status, const char *format, ...) PRINTF_LIKE(3, 4);
void google_fail(struct front_request *r); // answers r->err
void google_trouble(struct front_request *r, bool throttled);

#endif
