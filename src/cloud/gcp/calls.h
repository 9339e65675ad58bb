// SPDX-License-Identifier: Apache-2.0
// What the driver of Google Cloud calls: a row a request, X(NAME, operation, method, path, query, permissions, members...),
// in a header for each part of a cloud. A row with an api of its own goes to that API's host and is signed for it
// (gcp/services.h). Sources: "IAM permissions for JSON methods" (Cloud Storage), "IAM permissions reference" (IAM), and the REST reference of each API. Replacing an object that is there asks for storage.objects.delete, too.
#ifndef ISOBAR_CLOUD_GCP_CALLS_H
#define ISOBAR_CLOUD_GCP_CALLS_H

#include "cloud/calls.h"
#include "cloud/gcp/calls_endpoints_impl.h"
#include "cloud/gcp/calls_identity_impl.h"
#include "cloud/gcp/calls_jobs_impl.h"
#include "cloud/gcp/calls_keys_impl.h"
#include "cloud/gcp/calls_logs_impl.h"
#include "cloud/gcp/calls_resources_impl.h"
#include "cloud/gcp/calls_secrets_impl.h"
#include "cloud/gcp/calls_store_impl.h"

enum gcp_api {
	GCP_API_STORE, // Cloud Storage
	GCP_API_OAUTH, // the token endpoint, and what it knows of tokens
	GCP_API_STS, // token exchange: workload identity federation
	GCP_API_IAM_CREDENTIALS, // impersonation
	GCP_API_IAM, // service accounts and custom roles
	GCP_API_PROJECTS, // Resource Manager: the policy of the project
	GCP_API_VERTEX, // LOCATION-aiplatform.googleapis.com
	GCP_API_KMS,
	GCP_API_SECRETS, // Secret Manager
	GCP_API_LOGGING,
	GCP_API_REGISTRY, // Artifact Registry
	GCP_API_MONITORING,
	GCP_API_BUDGETS,
	GCP_API_COUNT
};

#define GCP_ROWS(X) \
	GCP_STORE_ROWS(X) \
	GCP_IDENTITY_ROWS(X) \
	GCP_JOB_ROWS(X) \
	GCP_ENDPOINT_ROWS(X) \
	GCP_KEY_ROWS(X) \
	GCP_SECRET_ROWS(X) \
	GCP_RESOURCE_ROWS(X) \
	GCP_LOG_ROWS(X)

enum gcp_call {
#define X(name, ...) GCP_##name,
	GCP_ROWS(X)
#undef X
		GCP_CALL_COUNT
};
extern const struct cloud_call gcp_calls[GCP_CALL_COUNT];
extern const struct cloud_calls gcp_call_table;

#endif
