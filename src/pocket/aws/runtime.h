// SPDX-License-Identifier: Apache-2.0
// SageMaker Runtime of a pocket: POST /endpoints/NAME/invocations to one of the endpoint's servers, by the weights of
// its variants or to the one that X-Amzn-SageMaker-Target-Variant names. What a container answers with another status
// than 2xx is a ModelError (424) with that status inside. Source: InvokeEndpoint (Amazon SageMaker Runtime API
// Reference, rest-json). Loop thread only.
#ifndef ISOBAR_POCKET_AWS_RUNTIME_H
#define ISOBAR_POCKET_AWS_RUNTIME_H

#include "pocket/aws/api.h"

enum { AWS_RUNTIME_MAX_BODY = 25 << 20 };

extern const struct pocket_service aws_runtime_service;

#endif
