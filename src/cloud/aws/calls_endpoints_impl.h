// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of AWS: endpoints. See calls.h.
#ifndef ISOBAR_CLOUD_AWS_CALLS_ENDPOINTS_IMPL_H
#define ISOBAR_CLOUD_AWS_CALLS_ENDPOINTS_IMPL_H

// clang-format off
#define AWS_ENDPOINT_ROWS(X) \
	X(CREATE_ENDPOINT, "CreateEndpoint", "POST", "/", "", "sagemaker:CreateEndpoint sagemaker:AddTags", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.CreateEndpoint", .repeat = CALL_REPEAT_CONDITION, .async = CALL_POLLS, .price = "sagemaker.hosting") \
	X(CREATE_ENDPOINT_CONFIG, "CreateEndpointConfig", "POST", "/", "", "sagemaker:CreateEndpointConfig sagemaker:AddTags", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.CreateEndpointConfig", .repeat = CALL_REPEAT_CONDITION) \
	X(CREATE_MODEL, "CreateModel", "POST", "/", "", "sagemaker:CreateModel sagemaker:AddTags iam:PassRole", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.CreateModel", .repeat = CALL_REPEAT_CONDITION) \
	X(DELETE_ENDPOINT, "DeleteEndpoint", "POST", "/", "", "sagemaker:DeleteEndpoint", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.DeleteEndpoint", .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS) \
	X(DELETE_ENDPOINT_CONFIG, "DeleteEndpointConfig", "POST", "/", "", "sagemaker:DeleteEndpointConfig", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.DeleteEndpointConfig", .repeat = CALL_REPEAT_NAMED) \
	X(DELETE_MODEL, "DeleteModel", "POST", "/", "", "sagemaker:DeleteModel", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.DeleteModel", .repeat = CALL_REPEAT_NAMED) \
	X(DESCRIBE_ENDPOINT, "DescribeEndpoint", "POST", "/", "", "sagemaker:DescribeEndpoint", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.DescribeEndpoint", .reads = true) \
	X(DESCRIBE_ENDPOINT_CONFIG, "DescribeEndpointConfig", "POST", "/", "", "sagemaker:DescribeEndpointConfig", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.DescribeEndpointConfig", .reads = true) \
	X(LIST_ENDPOINTS, "ListEndpoints", "POST", "/", "", "sagemaker:ListEndpoints", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.ListEndpoints", .reads = true) \
	X(LIST_ENDPOINT_CONFIGS, "ListEndpointConfigs", "POST", "/", "", "sagemaker:ListEndpointConfigs", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.ListEndpointConfigs", .reads = true) \
	X(LIST_MODELS, "ListModels", "POST", "/", "", "sagemaker:ListModels", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.ListModels", .reads = true) \
	X(LIST_SAGEMAKER_TAGS, "ListTags", "POST", "/", "", "sagemaker:ListTags", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.ListTags", .reads = true) \
	X(UPDATE_ENDPOINT, "UpdateEndpoint", "POST", "/", "", "sagemaker:UpdateEndpoint", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.UpdateEndpoint", .repeat = CALL_REPEAT_LOOKS, .async = CALL_POLLS) \
	X(UPDATE_ENDPOINT_WEIGHTS, "UpdateEndpointWeightsAndCapacities", "POST", "/", "", "sagemaker:UpdateEndpointWeightsAndCapacities", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.UpdateEndpointWeightsAndCapacities", .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS)
// clang-format on

#endif
