// SPDX-License-Identifier: Apache-2.0
// Endpoints of AWS: Amazon SageMaker real-time endpoints. An endpoint's name follows from workspace and name; each
// generation has a model and an endpoint configuration of its own, and its production variant is named after it, so
// that one look says which generation answers. Another generation replaces the running one by UpdateEndpoint, which
// SageMaker does blue/green: the old one answers until the new one is healthy, and goes on where it never is. The
// container is this very program, started with the word "serve", which finds the model's place in its environment
// (cloud/endpoint_package.h). Asked by POST .../endpoints/NAME/invocations, signed. Sources: CreateModel,
// CreateEndpointConfig, CreateEndpoint, UpdateEndpoint, DescribeEndpoint (Amazon SageMaker API Reference); "Use your own
// inference code with hosting services".
#ifndef ISOBAR_CLOUD_AWS_ENDPOINTS_H
#define ISOBAR_CLOUD_AWS_ENDPOINTS_H

#include "cloud/aws/services.h"

extern const struct endpoint_ops aws_endpoint_ops; // ctx: struct aws_services

#endif
