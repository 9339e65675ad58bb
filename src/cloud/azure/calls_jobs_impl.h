// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: jobs. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_JOBS_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_JOBS_IMPL_H

#define AZURE_OF_JOBS .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AZURE_API_ARM
#define AZURE_ML_WORKSPACE \
	"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
#define AZURE_ML_LOCATION \
	"/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}"

// clang-format off
#define AZURE_JOB_ROWS(X) \
	X(ML_CANCEL_JOB, "Jobs_Cancel", "POST", AZURE_ML_WORKSPACE "/jobs/{job}/cancel", "api-version", "Microsoft.MachineLearningServices/workspaces/jobs/cancel/action", AZURE_OF_JOBS, .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS) \
	X(ML_DELETE_JOB, "Jobs_Delete", "DELETE", AZURE_ML_WORKSPACE "/jobs/{job}", "api-version", "Microsoft.MachineLearningServices/workspaces/jobs/delete", AZURE_OF_JOBS, .repeat = CALL_REPEAT_NAMED, .async = CALL_OPERATION) \
	X(ML_GET_JOB, "Jobs_Get", "GET", AZURE_ML_WORKSPACE "/jobs/{job}", "api-version", "Microsoft.MachineLearningServices/workspaces/jobs/read", AZURE_OF_JOBS, .reads = true) \
	X(ML_LIST_JOBS, "Jobs_List", "GET", AZURE_ML_WORKSPACE "/jobs", "api-version", "Microsoft.MachineLearningServices/workspaces/jobs/read", AZURE_OF_JOBS, .reads = true) \
	X(ML_OPERATION_RESULT, "mfeOperationResults", "GET", AZURE_ML_LOCATION "/mfeOperationResults/{operation}", "api-version", "Microsoft.MachineLearningServices/locations/mfeOperationResults/read", AZURE_OF_JOBS, .reads = true) \
	X(ML_OPERATION_STATUS, "mfeOperationsStatus", "GET", AZURE_ML_LOCATION "/mfeOperationsStatus/{operation}", "api-version", "Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read", AZURE_OF_JOBS, .reads = true) \
	X(ML_PUT_ENVIRONMENT, "EnvironmentVersions_CreateOrUpdate", "PUT", AZURE_ML_WORKSPACE "/environments/{environment}/versions/{version}", "api-version", "Microsoft.MachineLearningServices/workspaces/environments/versions/write", AZURE_OF_JOBS, .repeat = CALL_REPEAT_NAMED) \
	X(ML_PUT_JOB, "Jobs_CreateOrUpdate", "PUT", AZURE_ML_WORKSPACE "/jobs/{job}", "api-version", "Microsoft.MachineLearningServices/workspaces/jobs/write", AZURE_OF_JOBS, .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS)
// clang-format on

#endif
