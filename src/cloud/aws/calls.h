// SPDX-License-Identifier: Apache-2.0
// What the driver of AWS calls: a row a request, X(NAME, operation, method, path, query, permissions, members...),
// in a header for each part of a cloud. A row with an api of its own goes to that API's host and is signed for it
// (aws/services.h). Sources: "Actions, resources, and condition keys" (Service Authorization Reference), and the API Reference of each service. Permissions are IAM actions.
#ifndef ISOBAR_CLOUD_AWS_CALLS_H
#define ISOBAR_CLOUD_AWS_CALLS_H

#include "cloud/calls.h"
#include "cloud/aws/calls_endpoints_impl.h"
#include "cloud/aws/calls_identity_impl.h"
#include "cloud/aws/calls_jobs_impl.h"
#include "cloud/aws/calls_keys_impl.h"
#include "cloud/aws/calls_logs_impl.h"
#include "cloud/aws/calls_resources_impl.h"
#include "cloud/aws/calls_secrets_impl.h"
#include "cloud/aws/calls_store_impl.h"

enum aws_api {
	AWS_API_STORE, // s3
	AWS_API_STS,
	AWS_API_IAM,
	AWS_API_SAGEMAKER, // the API of jobs and endpoints: JSON 1.1, target "SageMaker.CreateTrainingJob"
	AWS_API_RUNTIME, // what invokes endpoints: REST, signed for "sagemaker"
	AWS_API_KMS, // JSON 1.1, target "TrentService.Encrypt"
	AWS_API_SECRETS, // Secrets Manager: JSON 1.1, target "secretsmanager.GetSecretValue"
	AWS_API_LOGS, // CloudWatch Logs: JSON 1.1, target "Logs_20140328.GetLogEvents"
	AWS_API_REGISTRY, // ECR: JSON 1.1, target "AmazonEC2ContainerRegistry_V20150921.CreateRepository"
	AWS_API_ALARMS, // CloudWatch: query, version 2010-08-01
	AWS_API_BUDGETS, // JSON 1.1, target "AWSBudgetServiceGateway.CreateBudget"
	AWS_API_COUNT
};

#define AWS_ROWS(X) \
	AWS_STORE_ROWS(X) \
	AWS_IDENTITY_ROWS(X) \
	AWS_JOB_ROWS(X) \
	AWS_ENDPOINT_ROWS(X) \
	AWS_KEY_ROWS(X) \
	AWS_SECRET_ROWS(X) \
	AWS_RESOURCE_ROWS(X) \
	AWS_LOG_ROWS(X)

enum aws_call {
#define X(name, ...) AWS_##name,
	AWS_ROWS(X)
#undef X
		AWS_CALL_COUNT
};
extern const struct cloud_call aws_calls[AWS_CALL_COUNT];
extern const struct cloud_calls aws_call_table;

#endif
