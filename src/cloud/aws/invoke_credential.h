// SPDX-License-Identifier: Apache-2.0
// Credentials that may only invoke one endpoint, for the gateway: the role of jobs and endpoints (config.job_role), taken
// on for an hour with a session policy that allows sagemaker:InvokeEndpoint on that endpoint and nothing else. The role
// must trust who the control plane is, and itself allow the call. ERR_UNSUPPORTED without a role. Source: AssumeRole
// (AWS STS API Reference), "Session policies" (IAM User Guide).
#ifndef ISOBAR_CLOUD_AWS_INVOKE_CREDENTIAL_H
#define ISOBAR_CLOUD_AWS_INVOKE_CREDENTIAL_H

#include "cloud/aws/services.h"
#include "cloud/endpoint_invoke.h"

// endpoint: its name at SageMaker.
MUST_CHECK int aws_invoke_credential(
	struct call *c, struct aws_services *s, struct str endpoint, struct endpoint_credential *out);

#endif
