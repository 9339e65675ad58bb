// SPDX-License-Identifier: Apache-2.0
// What the services of AWS share that speak JSON 1.1 (SageMaker, CloudWatch Logs, KMS, Secrets Manager ...): a table of
// operations by X-Amz-Target, each with the resource that its permission is about; who asks (Signature Version 4); what
// they may; and refusals in AWS' own form, {"__type", "message"}. An operation runs only when its caller may run it.
// Sources: "AWS JSON 1.1 protocol" (Smithy); "Common Errors" (Amazon SageMaker API Reference). Loop thread only; all in
// the request's arena.
#ifndef ISOBAR_POCKET_AWS_API_H
#define ISOBAR_POCKET_AWS_API_H

#include "pocket/pocket_impl.h"

#define AWS_BY_ITSELF "" // as resource of an operation: it asks for its permission itself

enum { AWS_API_MAX_BODY = 4 << 20, AWS_ACCOUNT_DIGITS = 12, AWS_ARN_MAX = 2048 };

struct aws_operation {
	const char *name;     // "CreateTrainingJob"
	const char *resource; // in the ARN that the permission is asked for: "training-job", "log-group:"; "": the member
			      // is the whole ARN; NULL: "*"
	const char *member;   // of the request, that names it
	// The body of the answer, a new reference; NULL: an empty one. A negative code with r->err set is answered by
	// aws_api_fail.
	int (*run)(struct front_request *r, const json_t *in, json_t **out);
};
struct aws_api {
	const char *service; // what it is signed for, and where its actions begin: "sagemaker"
	const char *target;  // before the '.' in X-Amz-Target: "SageMaker"
	const struct aws_operation *operations;
	size_t count;
};

bool aws_api_matches(const struct front_request *r, const struct aws_api *api);
void aws_api_handle(struct front_request *r, const struct aws_api *api);
void aws_api_fail(struct front_request *r); // answers r->err
void aws_api_trouble(struct front_request *r, bool throttled);

// Sets r->err to a refusal of that status (400 where none is given) and code. Returns the code of ours.
int aws_refuse(struct front_request *r, const char *code, const char *format, ...) PRINTF_LIKE(3, 4);
int aws_refuse_status(struct front_request *r, int status, const char *code, const char *format, ...) PRINTF_LIKE(4, 5);

// Whose request it is and where: the pocket's account, and the region that it was signed for.
struct str aws_account(const struct front_request *r);
struct str aws_region(const struct front_request *r);
// "arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE" in the arena.
struct str aws_arn(const struct front_request *r, const char *service, struct str resource);
// Checks the signature of a request to `service` with this body, for services that speak no JSON 1.1.
MUST_CHECK int aws_authenticate(struct front_request *r, const char *service, struct str body);
// Whether the caller may do `action` ("sagemaker:InvokeEndpoint") on the ARN ("*": on everything).
MUST_CHECK int aws_authorise(struct front_request *r, const char *action, struct str arn);

// A time as JSON 1.1 has it: epoch seconds with a fraction.
json_t *aws_time(int64_t wall_ns);

#endif
