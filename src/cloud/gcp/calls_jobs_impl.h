// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Google Cloud: jobs. See calls.h. Running as a service account asks for the right to act as
// it. Source: "Vertex AI IAM permissions".
#ifndef ISOBAR_CLOUD_GCP_CALLS_JOBS_IMPL_H
#define ISOBAR_CLOUD_GCP_CALLS_JOBS_IMPL_H

#define GCP_ON_JOBS .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = GCP_API_VERTEX

// clang-format off
#define GCP_JOB_ROWS(X) \
	X(CUSTOM_JOBS_CREATE, "aiplatform.customJobs.create", "POST", "/v1/projects/{project}/locations/{location}/customJobs", "", "aiplatform.customJobs.create iam.serviceAccounts.actAs", GCP_ON_JOBS, .repeat = CALL_REPEAT_LOOKS, .async = CALL_POLLS) \
	X(CUSTOM_JOBS_LIST, "aiplatform.customJobs.list", "GET", "/v1/projects/{project}/locations/{location}/customJobs", "", "aiplatform.customJobs.list", GCP_ON_JOBS, .reads = true) \
	X(CUSTOM_JOBS_CANCEL, "aiplatform.customJobs.cancel", "POST", "/v1/projects/{project}/locations/{location}/customJobs/{job}:cancel", "", "aiplatform.customJobs.cancel", GCP_ON_JOBS, .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS) \
	X(CUSTOM_JOBS_DELETE, "aiplatform.customJobs.delete", "DELETE", "/v1/projects/{project}/locations/{location}/customJobs/{job}", "", "aiplatform.customJobs.delete", GCP_ON_JOBS, .repeat = CALL_REPEAT_NAMED, .async = CALL_OPERATION) \
	X(OPERATIONS_GET, "aiplatform.operations.get", "GET", "/v1/projects/{project}/locations/{location}/operations/{operation}", "", "", .part = CALL_PART_JOBS, .api = GCP_API_VERTEX, .reads = true) \
	X(OPERATIONS_GET_OF, "aiplatform.operations.get (of a resource)", "GET", "/v1/projects/{project}/locations/{location}/{kind}/{id}/operations/{operation}", "", "", .part = CALL_PART_JOBS, .api = GCP_API_VERTEX, .reads = true)
// clang-format on

#endif
