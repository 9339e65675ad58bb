// SPDX-License-Identifier: Apache-2.0
// Errors of Google's APIs: {"error": {"code", "message", "status", "details"}}. See google.h.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pocket/gcp/google.h"

static const struct google_status {
	const char *name;
	int http;
} statuses[] = {
	{"INVALID_ARGUMENT", 400},
	{"FAILED_PRECONDITION", 400},
	{"OUT_OF_RANGE", 400},
	{"UNAUTHENTICATED", 401},
	{"PERMISSION_DENIED", 403},
	{"NOT_FOUND", 404},
	{"ALREADY_EXISTS", 409},
	{"ABORTED", 409},
	{"RESOURCE_EXHAUSTED", 429},
	{"CANCELLED", 499},
	{"INTERNAL", 500},
	{"UNIMPLEMENTED", 501},
	{"UNAVAILABLE", 503},
	{"DEADLINE_EXCEEDED", 504},
};

static int http_of(const char *status)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		if (strcmp(statuses[i].name, status) == 0)
			return statuses[i].http;
	return 500;
}

int google_refuse(struct front_request *r, const char *status, const char *format, ...)
{
	char message[sizeof(r->err.message)];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	int rc = err_set(&r->err, ERR_INVALID, "%s", message);
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", status);
	r->err.http_status = http_of(status);
	return rc;
}

// Errors of the pocket's own parts, and of authentication, in Google's words.
static void translate(struct front_request *r)
{
	static const struct {
		int code;
		const char *status;
	} words[] = {{ERR_INVALID, "INVALID_ARGUMENT"}, {ERR_LIMIT, "INVALID_ARGUMENT"},
		{ERR_UNAUTHENTICATED, "UNAUTHENTICATED"}, {ERR_DENIED, "PERMISSION_DENIED"},
		{ERR_NOT_FOUND, "NOT_FOUND"}, {ERR_EXISTS, "ALREADY_EXISTS"}, {ERR_CONFLICT, "ABORTED"},
		{ERR_NO_SPACE, "RESOURCE_EXHAUSTED"}, {ERR_NO_MEMORY, "UNAVAILABLE"},
		{ERR_UNAVAILABLE, "UNAVAILABLE"}, {ERR_UNSUPPORTED, "UNIMPLEMENTED"}};
	char message[sizeof(r->err.message)];
	snprintf(message, sizeof(message), "%s", r->err.message);
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (words[i].code == r->err.code) {
			google_refuse(r, words[i].status, "%s", message);
			return;
		}
	}
	front_log_failure(r);
	google_refuse(r, "INTERNAL", "Internal error encountered.");
}

static void add_reason(const struct front_request *r, json_t *error)
{
	const struct google_request *g = r->own;
	bool denied = strcmp(r->err.provider_code, "PERMISSION_DENIED") == 0;
	bool unknown = strcmp(r->err.provider_code, "UNAUTHENTICATED") == 0;
	if (!g || !g->api || !(denied || unknown))
		return;
	json_t *info = json_pack("{s:s, s:s, s:s, s:{s:s}}", "@type", "type.googleapis.com/google.rpc.ErrorInfo",
		"reason", denied ? "IAM_PERMISSION_DENIED" : "ACCESS_TOKEN_TYPE_UNSUPPORTED", "domain",
		denied ? g->api->service : "googleapis.com", "metadata", "service", g->api->service);
	if (denied && g->route)
		json_object_set_new(
			json_object_get(info, "metadata"), "permission", json_string(g->route->permission));
	json_object_set_new(error, "details", json_pack("[o]", info));
}

void google_fail(struct front_request *r)
{
	if (!r->err.provider_code[0] || !r->err.http_status)
		translate(r);
	json_t *error = json_pack("{s:i}", "code", r->err.http_status);
	json_set_str(error, "message", str_of(r->err.message));
	json_object_set_new(error, "status", json_string(r->err.provider_code));
	add_reason(r, error);
	AUTO(json) j = json_pack("{s:o}", "error", error);
	AUTO(buf) out = {0};
	if (!j || json_write_pretty(j, &out, NULL) < 0)
		out.failed = true;
	if (r->err.http_status == 401)
		front_add(r, "www-authenticate", S("Bearer realm=\"https://accounts.google.com/\""));
	front_add(r, "content-type", S("application/json; charset=UTF-8"));
	front_reply_buf(r, r->err.http_status, &out);
}

void google_trouble(struct front_request *r, bool throttled)
{
	if (throttled)
		google_refuse(r, "RESOURCE_EXHAUSTED",
			"Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of this project.");
	else
		google_refuse(r, "INTERNAL", "Internal error encountered.");
	google_fail(r);
}
