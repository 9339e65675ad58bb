// SPDX-License-Identifier: Apache-2.0
// Errors of Resource Manager: {"error": {"code", "message", ...}}. Source: "Common API details: error response format"
// (Azure Resource Manager). Those that Azure ML itself makes name it as the component.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/arm/arm_impl.h"

int arm_refuse(struct front_request *r, int status, const char *code, const char *format, ...)
{
	char message[sizeof(r->err.message)];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	int rc = err_set(&r->err, ERR_INVALID, "%s", message);
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", code);
	r->err.http_status = status;
	return rc;
}

int arm_user_error(struct front_request *r, const char *format, ...)
{
	char message[512];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return arm_refuse(r, 400, "UserError", "%s", message);
}

int arm_not_found(struct front_request *r, const char *type, struct str name)
{
	return arm_refuse(r, 404, "ResourceNotFound",
		"The Resource '%s/%.*s' under resource group '%.*s' was not found. For more details please go to "
		"https://aka.ms/ARMResourceNotFoundFix",
		type, STR(str_clip(name, 260)), STR(arm_state(r)->group));
}

// What the rooms below say of the request is the caller's to read; what is about our disk or memory is not.
static void word_error(struct front_request *r)
{
	switch (r->err.code) {
	case ERR_LIMIT:
		arm_refuse(r, 413, "RequestContentTooLarge", "The request content is larger than %d bytes.", ARM_MAX_BODY);
		break;
	case ERR_INVALID:
		r->err.http_status = 400;
		snprintf(r->err.provider_code, sizeof(r->err.provider_code), "BadRequest");
		break;
	case ERR_NO_MEMORY:
		arm_refuse(r, 503, "ServerBusy", "The server is busy. Please try again later.");
		break;
	default:
		front_log_failure(r);
		arm_refuse(r, 500, "InternalServerError",
			"Encountered internal server error. Diagnostic information: the log of the pocket cloud, request %s.",
			r->id);
	}
}

static json_t *component(struct front_request *r)
{
	char now[TIME_TEXT_SIZE];
	time_rfc3339(front_now_ns(r), 6, now);
	return json_pack("[{s:s, s:{s:s}}, {s:s, s:{s:{s:s, s:s}}}, {s:s, s:{s:s}}]", "type", "ComponentName", "info",
		"value", "managementfrontend", "type", "Correlation", "info", "value", "operation", r->id, "request", r->id,
		"type", "Time", "info", "value", now);
}

void arm_fail(struct front_request *r)
{
	if (!r->err.provider_code[0])
		word_error(r);
	json_t *error = json_pack("{s:s}", "code", r->err.provider_code);
	json_set_str(error, "message", str_of(r->err.message));
	if (strcmp(r->err.provider_code, "UserError") == 0 && error) {
		json_object_set_new(error, "details", json_array());
		json_object_set_new(error, "additionalInfo", component(r));
	}
	AUTO(json) j = json_pack("{s:o}", "error", error);
	AUTO(buf) out = {0};
	if (!j || json_write(j, &out, NULL) < 0) {
		http_reply_error(r->x, 503, "out of memory");
		return;
	}
	front_add(r, "x-ms-failure-cause", r->err.http_status >= 500 ? S("service") : S("gateway"));
	front_add(r, "content-type", S("application/json; charset=utf-8"));
	front_reply_buf(r, r->err.http_status, &out);
}

void arm_trouble(struct front_request *r, bool throttled)
{
	if (throttled) {
		arm_refuse(r, 429, "TooManyRequests",
			"The request is being throttled as the limit has been reached for operation type - "
			"%.*s. For more information, see - https://aka.ms/srpthrottlinglimits",
			STR(r->x->request.method_text));
		front_add(r, "retry-after", S("1"));
	} else {
		arm_refuse(r, 500, "InternalServerError", "Encountered internal server error.");
	}
	arm_fail(r);
}

void arm_reply(struct front_request *r, int status, json_t *j)
{
	front_add(r, "content-type", S("application/json; charset=utf-8"));
	service_reply_json(r, status, j);
}
