// SPDX-License-Identifier: Apache-2.0
// S3's errors: codes, statuses and standard messages as its API reference lists them, and how they are answered.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pocket/s3/s3_impl.h"

static const struct s3_code {
	const char *code;
	int status;
	const char *message;
} codes[] = {
	{"AccessDenied", 403, "Access Denied"},
	{"AccessControlListNotSupported", 400, "The bucket does not allow ACLs"},
	{"AuthorizationHeaderMalformed", 400,
		"The authorization header is malformed; incorrect service. This endpoint belongs to 's3'."},
	{"BadDigest", 400,
		"The Content-MD5 or checksum value that you specified did not match what the server received"},
	{"BucketAlreadyOwnedByYou", 409,
		"Your previous request to create the named bucket succeeded and you already own it."},
	{"BucketNotEmpty", 409, "The bucket you tried to delete is not empty"},
	{"EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size"},
	{"EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size"},
	{"InsufficientStorage", 507, "The disk of this pocket cloud is full; nothing was stored."},
	{"InternalError", 500, "We encountered an internal error. Please try again."},
	{"InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."},
	{"InvalidArgument", 400, "Invalid Argument"},
	{"InvalidBucketName", 400, "The specified bucket is not valid."},
	{"InvalidDigest", 400, "The Content-MD5 you specified was invalid."},
	{"InvalidPart", 400,
		"One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
		"specified "
		"entity tag may not match the part's entity tag."},
	{"InvalidPartNumber", 416, "The requested partnumber is not satisfiable"},
	{"InvalidPartOrder", 400,
		"The list of parts was not in ascending order. Parts must be ordered by part number."},
	{"InvalidRange", 416, "The requested range is not satisfiable"},
	{"InvalidTag", 400, "The tag provided was not a valid tag"},
	{"InvalidRequest", 400, "Invalid Request"},
	{"ExpiredToken", 400, "The provided token has expired."},
	{"InvalidToken", 400, "The provided token is malformed or otherwise invalid."},
	{"InvalidURI", 400, "Couldn't parse the specified URI."},
	{"KeyTooLongError", 400, "Your key is too long"},
	{"MalformedXML", 400,
		"The XML you provided was not well-formed or did not validate against our published schema"},
	{"MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size"},
	{"MethodNotAllowed", 405, "The specified method is not allowed against this resource."},
	{"MissingContentLength", 411, "You must provide the Content-Length HTTP header."},
	{"NoSuchBucket", 404, "The specified bucket does not exist"},
	{"NoSuchKey", 404, "The specified key does not exist."},
	{"NoSuchTagSet", 404, "The TagSet does not exist"},
	{"NoSuchUpload", 404,
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
		"aborted or "
		"completed."},
	{"NotImplemented", 501, "A header or parameter you provided implies functionality that is not implemented"},
	{"PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold"},
	{"ServerSideEncryptionConfigurationNotFoundError", 404,
		"The server side encryption configuration was not found"},
	{"SlowDown", 503, "Please reduce your request rate."},
	{"XAmzContentSHA256Mismatch", 400,
		"The provided 'x-amz-content-sha256' header does not match what was computed."},
};

static const struct s3_code *find(const char *code)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (strcmp(codes[i].code, code) == 0)
			return &codes[i];
	return NULL;
}

static int refuse(struct front_request *r, const char *code, const char *message)
{
	const struct s3_code *c = find(code);
	int rc = err_set(&r->err, ERR_INVALID, "%s", message ? message : c ? c->message : code);
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", code);
	r->err.http_status = c ? c->status : 400;
	return rc;
}

int s3_refuse(struct front_request *r, const char *code)
{
	return refuse(r, code, NULL);
}

int s3_refuse_with(struct front_request *r, const char *code, const char *format, ...)
{
	char message[512];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return refuse(r, code, message);
}

void s3_answer(struct front_request *r, const char *code)
{
	s3_refuse(r, code);
	s3_fail(r);
}

// The store's own errors in S3's words.
static const char *code_of(int code)
{
	switch (code) {
	case ERR_NO_SPACE:
		return "InsufficientStorage";
	case ERR_LIMIT:
		return "EntityTooLarge";
	case ERR_NO_MEMORY:
		return "SlowDown";
	case ERR_INVALID:
		return "InvalidArgument";
	default:
		return "InternalError";
	}
}

static void write_error(struct front_request *r, struct buf *out)
{
	buf_add(out, S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>"));
	xml_element(out, "Code", str_of(r->err.provider_code));
	xml_element(out, "Message", str_of(r->err.message));
	if (r->key.n)
		xml_element(out, "Key", r->key);
	if (r->bucket.n)
		xml_element(out, "BucketName", r->bucket);
	buf_add(out, s3_state(r)->more);
	xml_element(out, "Resource", r->x->request.path);
	xml_element(out, "RequestId", str_of(r->id));
	xml_element(out, "HostId", str_of(r->id));
	buf_add(out, S("</Error>"));
}

void s3_fail(struct front_request *r)
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
	r->out.count = 0; // of an answer that was begun
	front_add(r, "x-amz-request-id", str_of(r->id));
	front_add(r, "x-amz-id-2", str_of(r->id));
	front_add(r, "content-type", S("application/xml"));
	front_reply_buf(r, r->err.http_status, &out);
}
