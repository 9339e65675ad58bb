// SPDX-License-Identifier: Apache-2.0
// What the services of AWS share that speak the query protocol (STS, IAM): a form with an Action, signed with Signature
// Version 4, answered in XML. Source: "AWS Query protocol" (Smithy); "Common Errors" (IAM API Reference). Loop thread only;
// all in the request's arena.
#ifndef ISOBAR_POCKET_AWS_QUERY_H
#define ISOBAR_POCKET_AWS_QUERY_H

#include "pocket/aws/session.h"
#include "pocket/xml.h"

enum { AWS_QUERY_MAX_BODY = 512 << 10 };

struct aws_query_operation {
	const char *name; // "AssumeRole"
	bool open;        // needs no signature: AssumeRoleWithWebIdentity
	bool empty;       // its answer has no Result
	// Writes what stands in Result. A negative code with r->err set is answered as an error.
	int (*run)(struct front_request *r, const struct sign_parameters *form, struct buf *result);
};
struct aws_query_api {
	const char *service;  // "iam"
	const char *version;  // "2010-05-08"
	const char *name_space; // of its XML
	const struct aws_query_operation *operations;
	size_t count;
};
// Signed for the service, or unsigned with an open operation's name in the query.
bool aws_query_matches(const struct front_request *r, const struct aws_query_api *api);
void aws_query_handle(struct front_request *r, const struct aws_query_api *api);
void aws_query_fail(struct front_request *r, const struct aws_query_api *api);
void aws_query_trouble(struct front_request *r, const struct aws_query_api *api, bool throttled);
int aws_query_refuse(struct front_request *r, int status, const char *code, const char *format, ...) PRINTF_LIKE(4, 5);
// Whether the caller may: AccessDenied with IAM's words.
MUST_CHECK int aws_query_authorise(struct front_request *r, const char *action, struct str arn);
// A member that must be there: ValidationError.
MUST_CHECK int aws_query_need(
	struct front_request *r, const struct sign_parameters *form, const char *name, struct str *out);
void aws_query_time(struct buf *out, const char *name, int64_t seconds);

#endif
