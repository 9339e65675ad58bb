// SPDX-License-Identifier: Apache-2.0
// Cloud Storage's errors: {"error": {"code", "message", "errors": [{"domain", "reason", "message"}]}}.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pocket/gcs/gcs_impl.h"

static const struct gcs_reason {
	const char *reason;
	int status;
} reasons[] = {
	{"authError", 401},
	{"backendError", 503},
	{"conditionNotMet", 412},
	{"conflict", 409},
	{"forbidden", 403},
	{"insufficientStorage", 507},
	{"internalError", 500},
	{"invalid", 400},
	{"methodNotAllowed", 405},
	{"notFound", 404},
	{"notImplemented", 501},
	{"rateLimitExceeded", 429},
	{"requestedRangeNotSatisfiable", 416},
	{"required", 400},
	{"uploadTooLarge", 413},
};

static int status_of(const char *reason)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (strcmp(reasons[i].reason, reason) == 0)
			return reasons[i].status;
	return 400;
}

int gcs_refuse(struct front_request *r, const char *reason, const char *format, ...)
{
	char message[sizeof(r->err.message)];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	int rc = err_set(&r->err, ERR_INVALID, "%s", message);
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", reason);
	r->err.http_status = status_of(reason);
	return rc;
}

// The store's own errors in Google's words.
static void translate(struct front_request *r)
{
	char message[sizeof(r->err.message)];
	snprintf(message, sizeof(message), "%s", r->err.message);
	if (r->err.code != ERR_INVALID && r->err.code != ERR_LIMIT)
		front_log_failure(r);
	switch (r->err.code) {
	case ERR_NO_SPACE:
		gcs_refuse(r, "insufficientStorage", "The disk of this pocket cloud is full; nothing was stored.");
		break;
	case ERR_NO_MEMORY:
		gcs_refuse(r, "backendError", "Backend Error");
		break;
	case ERR_LIMIT:
		gcs_refuse(r, "uploadTooLarge", "%s", message);
		break;
	case ERR_INVALID:
		gcs_refuse(r, "invalid", "%s", message);
		break;
	default:
		gcs_refuse(r, "internalError", "Internal Error");
		break;
	}
}

void gcs_fail(struct front_request *r)
{
	AUTO(buf) out = {0};
	if (!r->err.provider_code[0])
		translate(r);
	struct str message = str_of(r->err.message);
	buf_printf(&out, "{\"error\":{\"code\":%d,\"message\":", r->err.http_status);
	json_write_string(message, &out);
	buf_add(&out, S(",\"errors\":[{\"message\":"));
	json_write_string(message, &out);
	buf_printf(&out, ",\"domain\":\"global\",\"reason\":\"%s\"}]}}\n", r->err.provider_code);
	if (r->err.http_status == 401)
		front_add(r, "www-authenticate", S("Bearer realm=\"https://accounts.google.com/\""));
	front_add(r, "content-type", S("application/json; charset=UTF-8"));
	front_reply_buf(r, r->err.http_status, &out);
}
