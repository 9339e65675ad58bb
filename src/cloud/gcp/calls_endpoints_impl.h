// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Google Cloud: endpoints. See calls.h. Invoking is the gateway's call, not the driver's.
#ifndef ISOBAR_CLOUD_GCP_CALLS_ENDPOINTS_IMPL_H
#define ISOBAR_CLOUD_GCP_CALLS_ENDPOINTS_IMPL_H

#define GCP_ON_ENDPOINTS .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = GCP_API_VERTEX

// clang-format off
#define GCP_ENDPOINT_ROWS(X) \
	X(MODELS_UPLOAD, "aiplatform.models.upload", "POST", "/v1/projects/{project}/locations/{location}/models:upload", "", "aiplatform.models.upload", GCP_ON_ENDPOINTS, .repeat = CALL_REPEAT_CONDITION, .async = CALL_OPERATION) \
	X(MODELS_GET, "aiplatform.models.get", "GET", "/v1/projects/{project}/locations/{location}/models/{model}", "", "aiplatform.models.get", GCP_ON_ENDPOINTS, .reads = true) \
	X(MODELS_LIST, "aiplatform.models.list", "GET", "/v1/projects/{project}/locations/{location}/models", "", "aiplatform.models.list", GCP_ON_ENDPOINTS, .reads = true) \
	X(MODELS_DELETE, "aiplatform.models.delete", "DELETE", "/v1/projects/{project}/locations/{location}/models/{model}", "", "aiplatform.models.delete", GCP_ON_ENDPOINTS, .repeat = CALL_REPEAT_NAMED, .async = CALL_OPERATION) \
	X(ENDPOINTS_CREATE, "aiplatform.endpoints.create", "POST", "/v1/projects/{project}/locations/{location}/endpoints", "endpointId", "aiplatform.endpoints.create", GCP_ON_ENDPOINTS, .repeat = CALL_REPEAT_CONDITION, .async = CALL_OPERATION) \
	X(ENDPOINTS_GET, "aiplatform.endpoints.get", "GET", "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}", "", "aiplatform.endpoints.get", GCP_ON_ENDPOINTS, .reads = true) \
	X(ENDPOINTS_LIST, "aiplatform.endpoints.list", "GET", "/v1/projects/{project}/locations/{location}/endpoints", "", "aiplatform.endpoints.list", GCP_ON_ENDPOINTS, .reads = true) \
	X(ENDPOINTS_PATCH, "aiplatform.endpoints.patch", "PATCH", "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}", "updateMask", "aiplatform.endpoints.update", GCP_ON_ENDPOINTS, .repeat = CALL_REPEAT_NAMED) \
	X(ENDPOINTS_DELETE, "aiplatform.endpoints.delete", "DELETE", "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}", "", "aiplatform.endpoints.delete", GCP_ON_ENDPOINTS, .repeat = CALL_REPEAT_NAMED, .async = CALL_OPERATION) \
	X(ENDPOINTS_DEPLOY, "aiplatform.endpoints.deployModel", "POST", "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}:deployModel", "", "aiplatform.endpoints.deploy iam.serviceAccounts.actAs", GCP_ON_ENDPOINTS, .repeat = CALL_REPEAT_CONDITION, .async = CALL_OPERATION) \
	X(ENDPOINTS_UNDEPLOY, "aiplatform.endpoints.undeployModel", "POST", "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}:undeployModel", "", "aiplatform.endpoints.undeploy", GCP_ON_ENDPOINTS, .repeat = CALL_REPEAT_CONDITION, .async = CALL_OPERATION) \
	X(ENDPOINT_OPERATIONS_LIST, "aiplatform.operations.list (of an endpoint)", "GET", "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}/operations", "", "", .part = CALL_PART_ENDPOINTS, .api = GCP_API_VERTEX, .reads = true)
// clang-format on

#endif
