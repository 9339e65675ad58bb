// SPDX-License-Identifier: Apache-2.0
// What jobs and endpoints of AWS share: calls to SageMaker's control API, and tags. SageMaker answers ValidationException
// also where something is not there or is there already, and only the words tell; they become ERR_NOT_FOUND and
// ERR_EXISTS here. Thread-safe as aws/services.h is.
#ifndef ISOBAR_CLOUD_AWS_SAGEMAKER_H
#define ISOBAR_CLOUD_AWS_SAGEMAKER_H

#include "cloud/aws/services.h"

enum { AWS_NAME_MAX = 63, AWS_ARGUMENT_MAX = 256, AWS_TAG_MAX = 256, AWS_PAGE = 100 };

// aws_json_call with what refusals mean: ERR_NOT_FOUND, ERR_EXISTS (a name that is taken), ERR_UNSUPPORTED (a server
// that has not this operation), ERR_CONFLICT (not in its present state), else as they are. *out may be NULL.
MUST_CHECK int aws_sagemaker_call(
	struct call *c, struct aws_services *s, enum aws_call call, const json_t *in, const json_t **out);
// The same with one member, a name: {"EndpointName": "..."}.
struct aws_named {
	const char *member;
	struct str name;
};
MUST_CHECK int aws_sagemaker_named(struct call *c, struct aws_services *s, enum aws_call call,
	const struct aws_named *named, const json_t **out);

// Tags of what we make: [{"Key","Value"}], values made what SageMaker takes. A new reference.
json_t *aws_sagemaker_tags(struct arena *a, struct str workspace, struct str address);

#endif
