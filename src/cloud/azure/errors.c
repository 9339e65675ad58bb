// SPDX-License-Identifier: Apache-2.0
// Blob Storage's error answers as ours. Source: "Blob Storage error codes" and "Common REST API error codes", Azure
// Storage.
#include "cloud/azure/store_impl.h"
#include "cloud/http/provider_error.h"
#include "cloud/http/xml.h"

static const struct provider_code codes[] = {
	{"AccountIsDisabled", ERR_DENIED, false},
	{"AuthenticationFailed", ERR_UNAUTHENTICATED, false},
	{"AuthorizationFailure", ERR_DENIED, false},
	{"AuthorizationPermissionMismatch", ERR_DENIED, false},
	{"BlobAlreadyExists", ERR_CONFLICT, false},
	{"BlobNotFound", ERR_NOT_FOUND, false},
	{"ConditionNotMet", ERR_CONFLICT, false},
	{"ContainerAlreadyExists", ERR_EXISTS, false},
	{"ContainerBeingDeleted", ERR_CONFLICT, true}, // takes half a minute and more
	{"ContainerNotFound", ERR_NOT_FOUND, false},
	{"Crc64Mismatch", ERR_CORRUPT, true}, // changed on the way: what we hold is sent again
	{"InsufficientAccountPermissions", ERR_DENIED, false},
	{"InternalError", ERR_UNAVAILABLE, true},
	{"InvalidRange", ERR_INVALID, false},
	{"LeaseIdMissing", ERR_IN_USE, false},
	{"Md5Mismatch", ERR_CORRUPT, true},
	{"OperationTimedOut", ERR_UNAVAILABLE, true},
	{"RequestBodyTooLarge", ERR_LIMIT, false},
	{"ResourceNotFound", ERR_NOT_FOUND, false},
	{"ServerBusy", ERR_THROTTLED, true},
	{"TargetConditionNotMet", ERR_CONFLICT, false},
};

int azure_refused(struct call *c, struct provider *p, const struct transport_response *r)
{
	struct xml *root = NULL;
	(void)p;
	if (xml_parse(r->body, c->arena, &root, NULL) || !str_eq(root->name, S("Error")))
		root = NULL;
	struct str code = transport_header(r, S("x-ms-error-code")); // also where an answer has no body
	struct str message, rest;
	// Behind the first line come a request id and a time.
	str_cut(xml_child_text(root, "Message"), '\n', &message, &rest);
	struct provider_refusal refusal = {
		.status = r->status, .code = code.n ? code : xml_child_text(root, "Code"), .message = message};
	return provider_fail(c, codes, COUNT_OF(codes), &refusal);
}
