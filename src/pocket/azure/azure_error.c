// SPDX-License-Identifier: Apache-2.0
// Blob Storage's errors: codes, statuses and messages ("Common REST API error codes", "Blob service error codes"), and
// how they are answered: in the header x-ms-error-code, and in XML where a body is allowed.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/azure/azure_impl.h"

static const struct azure_code {
	const char *code;
	int status;
	const char *message;
} codes[] = {
	{"AuthenticationFailed", 403,
		"Server failed to authenticate the request. Make sure the value of Authorization header is formed "
		"correctly including "
		"the signature."},
	{"AuthorizationPermissionMismatch", 403,
		"This request is not authorized to perform this operation using this permission."},
	{"BlobAlreadyExists", 409, "The specified blob already exists."},
	{"BlobNotFound", 404, "The specified blob does not exist."},
	{"BlockCountExceedsLimit", 409,
		"The uncommitted block count cannot exceed the maximum limit of 100,000 blocks."},
	{"BlockListTooLong", 400, "The block list may not contain more than 50,000 blocks."},
	{"BothCrc64AndMd5HeaderPresent", 400, "Both the CRC64 and the MD5 header are present in the request."},
	{"CannotVerifyCopySource", 404, "The copy source is not a blob of this pocket cloud."},
	{"ConditionNotMet", 412, "The condition specified using HTTP conditional header(s) is not met."},
	{"ContainerAlreadyExists", 409, "The specified container already exists."},
	{"ContainerNotFound", 404, "The specified container does not exist."},
	{"Crc64Mismatch", 400,
		"The CRC64 value specified in the request did not match with the CRC64 value calculated by the "
		"server."},
	{"InsufficientStorage", 507, "The disk of this pocket cloud is full; nothing was stored."},
	{"InternalError", 500, "The server encountered an internal error. Please retry the request."},
	{"InvalidAuthenticationInfo", 401, "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."},
	{"InvalidBlobOrBlock", 400, "The specified blob or block content is invalid."},
	{"InvalidBlockId", 400, "The specified block ID is invalid. The block ID must be Base64-encoded."},
	{"InvalidBlockList", 400, "The specified block list is invalid."},
	{"InvalidHeaderValue", 400, "The value provided for one of the HTTP headers was not in the correct format."},
	{"InvalidInput", 400, "One of the request inputs is not valid."},
	{"InvalidMd5", 400,
		"The MD5 value specified in the request is invalid. The MD5 value must be 128 bits and "
		"Base64-encoded."},
	{"InvalidMetadata", 400, "The metadata specified is invalid. It has characters that are not permitted."},
	{"InvalidQueryParameterValue", 400,
		"Value for one of the query parameters specified in the request URI is invalid."},
	{"InvalidRange", 416, "The range specified is invalid for the current size of the resource."},
	{"InvalidResourceName", 400, "The specified resource name contains invalid characters."},
	{"InvalidUri", 400, "The requested URI does not represent any resource on the server."},
	{"InvalidXmlDocument", 400, "The XML specified is not syntactically valid."},
	{"LeaseNotPresentWithBlobOperation", 412, "There is currently no lease on the blob."},
	{"Md5Mismatch", 400,
		"The MD5 value specified in the request did not match with the MD5 value calculated by the server."},
	{"MetadataTooLarge", 400, "The size of the specified metadata exceeds the maximum size permitted."},
	{"MissingContentLengthHeader", 411, "The Content-Length header was not specified."},
	{"MissingRequiredHeader", 400, "An HTTP header that's mandatory for this request is not specified."},
	{"MissingRequiredQueryParameter", 400, "A required query parameter was not specified for this request."},
	{"NotImplemented", 501, "The requested operation is not offered by a pocket cloud."},
	{"PublicAccessNotPermitted", 409, "Public access is not permitted on this storage account."},
	{"RequestBodyTooLarge", 413, "The size of the request body exceeds the maximum size permitted."},
	{"ResourceNotFound", 404, "The specified resource does not exist."},
	{"ServerBusy", 503, "The server is currently unable to receive requests. Please retry your request."},
	{"UnsupportedHttpVerb", 405, "The resource doesn't support the specified HTTP verb."},
};

static int refuse(struct front_request *r, const char *code, const char *message)
{
	const struct azure_code *c = NULL;
	for (size_t i = 0; i < COUNT_OF(codes) && !c; i++)
		if (strcmp(codes[i].code, code) == 0)
			c = &codes[i];
	int rc = err_set(&r->err, ERR_INVALID, "%s", message ? message : c ? c->message : code);
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", code);
	r->err.http_status = c ? c->status : 400;
	return rc;
}

int azure_refuse(struct front_request *r, const char *code)
{
	return refuse(r, code, NULL);
}

int azure_refuse_with(struct front_request *r, const char *code, const char *format, ...)
{
	char message[512];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return refuse(r, code, message);
}

void azure_answer(struct front_request *r, const char *code)
{
	azure_refuse(r, code);
	azure_fail(r);
}

static const char *code_of(int code)
{
	switch (code) {
	case ERR_NO_SPACE:
		return "InsufficientStorage";
	case ERR_LIMIT:
		return "RequestBodyTooLarge";
	case ERR_NO_MEMORY:
		return "ServerBusy";
	case ERR_INVALID:
		return "InvalidInput";
	default:
		return "InternalError";
	}
}

static void write_error(struct front_request *r, struct buf *out)
{
	char now[TIME_TEXT_SIZE];
	time_rfc3339(front_now_ns(r), 6, now);
	buf_add(out, S("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Error>"));
	xml_element(out, "Code", str_of(r->err.provider_code));
	buf_add(out, S("<Message>"));
	xml_text(out, str_of(r->err.message));
	buf_printf(out, "\nRequestId:%s\nTime:%s</Message>", r->id, now);
	if (strcmp(r->err.provider_code, "AuthenticationFailed") == 0)
		xml_element(out, "AuthenticationErrorDetail", str_of(r->err.message));
	buf_add(out, S("</Error>"));
}

void azure_fail(struct front_request *r)
{
	AUTO(buf) out = {0};
	if (!r->err.provider_code[0]) {
		bool ours =
			r->err.code == ERR_INVALID || r->err.code == ERR_LIMIT; // about the request, not about our disk
		char message[sizeof(r->err.message)];
		snprintf(message, sizeof(message), "%s", r->err.message);
		if (!ours)
			front_log_failure(r);
		refuse(r, code_of(r->err.code), ours ? message : NULL);
	}
	write_error(r, &out);
	front_add(r, "x-ms-error-code", str_of(r->err.provider_code));
	front_add(r, "content-type", S("application/xml"));
	front_reply_buf(r, r->err.http_status, &out);
}
