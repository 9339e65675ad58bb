// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: endpoints. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_ENDPOINTS_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_ENDPOINTS_IMPL_H

#define AZURE_OF_ENDPOINTS .scope = CALL_ON_ACCOUNT, .part = CALL_PART_ENDPOINTS, .api = AZURE_API_ARM
#define AZURE_ML_ENDPOINTS \
	"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}/onlineEndpoints"

// clang-format off
#define AZURE_ENDPOINT_ROWS(X) \
	X(ML_DELETE_DEPLOYMENT, "OnlineDeployments_Delete", "DELETE", AZURE_ML_ENDPOINTS "/{endpoint}/deployments/{deployment}", "api-version", "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/delete", AZURE_OF_ENDPOINTS, .repeat = CALL_REPEAT_NAMED, .async = CALL_OPERATION) \
	X(ML_DELETE_ENDPOINT, "OnlineEndpoints_Delete", "DELETE", AZURE_ML_ENDPOINTS "/{endpoint}", "api-version", "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/delete", AZURE_OF_ENDPOINTS, .repeat = CALL_REPEAT_NAMED, .async = CALL_OPERATION) \
	X(ML_GET_ENDPOINT, "OnlineEndpoints_Get", "GET", AZURE_ML_ENDPOINTS "/{endpoint}", "api-version", "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/read", AZURE_OF_ENDPOINTS, .reads = true) \
	X(ML_LIST_DEPLOYMENTS, "OnlineDeployments_List", "GET", AZURE_ML_ENDPOINTS "/{endpoint}/deployments", "api-version", "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/read", AZURE_OF_ENDPOINTS, .reads = true) \
	X(ML_LIST_ENDPOINTS, "OnlineEndpoints_List", "GET", AZURE_ML_ENDPOINTS, "api-version", "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/read", AZURE_OF_ENDPOINTS, .reads = true) \
	X(ML_LIST_KEYS, "OnlineEndpoints_ListKeys", "POST", AZURE_ML_ENDPOINTS "/{endpoint}/listKeys", "api-version", "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/listKeys/action", AZURE_OF_ENDPOINTS, .repeat = CALL_REPEAT_NAMED) \
	X(ML_PUT_DEPLOYMENT, "OnlineDeployments_CreateOrUpdate", "PUT", AZURE_ML_ENDPOINTS "/{endpoint}/deployments/{deployment}", "api-version", "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/write", AZURE_OF_ENDPOINTS, .repeat = CALL_REPEAT_NAMED, .async = CALL_OPERATION) \
	X(ML_PUT_ENDPOINT, "OnlineEndpoints_CreateOrUpdate", "PUT", AZURE_ML_ENDPOINTS "/{endpoint}", "api-version", "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write", AZURE_OF_ENDPOINTS, .repeat = CALL_REPEAT_NAMED, .async = CALL_OPERATION)
// clang-format on

#endif
