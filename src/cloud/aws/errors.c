// SPDX-License-Identifier: Apache-2.0
// S3's error answers as ours. Source: "Error Responses", Amazon S3 API Reference.
#include "cloud/aws/store_impl.h"
#include "cloud/http/provider_error.h"

static const struct provider_code codes[] = {
	{"AccessDenied", ERR_DENIED, false},
	{"AllAccessDisabled", ERR_DENIED, false},
	{"BadDigest", ERR_CORRUPT, true}, // changed on the way: what we hold is sent again
	{"BucketAlreadyExists", ERR_EXISTS, false},
	{"BucketAlreadyOwnedByYou", ERR_EXISTS, false},
	{"BucketNotEmpty", ERR_CONFLICT, false},
	{"ConditionalRequestConflict", ERR_CONFLICT, true}, // a race that nobody has won yet
	{"EntityTooLarge", ERR_LIMIT, false},
	{"ExpiredToken", ERR_UNAUTHENTICATED, false},
	{"IncompleteBody", ERR_UNAVAILABLE, true},
	{"InternalError", ERR_UNAVAILABLE, true},
	{"InvalidClientTokenId", ERR_UNAUTHENTICATED, false}, // of STS
	{"InvalidAccessKeyId", ERR_UNAUTHENTICATED, false},
	{"InvalidToken", ERR_UNAUTHENTICATED, false},
	{"NoSuchBucket", ERR_NOT_FOUND, false},
	{"NoSuchKey", ERR_NOT_FOUND, false},
	{"NoSuchPublicAccessBlockConfiguration", ERR_NOT_FOUND, false},
	{"NoSuchTagSet", ERR_NOT_FOUND, false},
	{"NoSuchUpload", ERR_NOT_FOUND, false},
	{"NotImplemented", ERR_UNSUPPORTED, false},
	{"OperationAborted", ERR_CONFLICT, true},
	{"PreconditionFailed", ERR_CONFLICT, false},
	{"QuotaExceeded", ERR_NO_SPACE, false},
	{"RequestTimeout", ERR_UNAVAILABLE, true},
	{"RequestTimeTooSkewed", ERR_UNAUTHENTICATED, false},
	{"ServerSideEncryptionConfigurationNotFoundError", ERR_NOT_FOUND, false},
	{"ServiceUnavailable", ERR_UNAVAILABLE, true},
	{"SignatureDoesNotMatch", ERR_UNAUTHENTICATED, false},
	{"SlowDown", ERR_THROTTLED, true},
	{"XAmzContentChecksumMismatch", ERR_CORRUPT, true},
	{"XAmzContentSHA256Mismatch", ERR_CORRUPT, true},
};

static int fail(struct call *c, int status, const struct xml *error)
{
	struct provider_refusal refusal = {
		.status = status, .code = xml_child_text(error, "Code"), .message = xml_child_text(error, "Message")};
	return provider_fail(c, codes, COUNT_OF(codes), &refusal);
}

int aws_refused(struct call *c, struct provider *p, const struct transport_response *r)
{
	struct xml *root = NULL;
	(void)p;
	// An answer to HEAD has no body, and what stands between may answer in HTML: the status then says it all.
	if (xml_parse(r->body, c->arena, &root, NULL))
		return fail(c, r->status, NULL);
	const struct xml *error = str_eq(root->name, S("Error")) ? root : xml_child(root, "Error"); // of STS
	return fail(c, r->status, error);
}

int aws_parse(struct call *c, const struct transport_response *r, const char *name, struct xml **root)
{
	struct xml *found;
	int code = xml_parse(r->body, c->arena, &found, &c->err);
	if (code)
		return call_context(c, "the answer %s", name ? name : "of the bucket's configuration");
	// CompleteMultipartUpload starts its answer before it knows how it ends.
	if (str_eq(found->name, S("Error")))
		return fail(c, 500, found);
	if (name && !str_eq(found->name, str_of(name)))
		return call_fail(c, ERR_PROTOCOL, "expected the answer %s, got \"%.*s\"", name,
			(int)MIN(found->name.n, 40), found->name.p);
	*root = found;
	return 0;
}
