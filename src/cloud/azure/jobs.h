// SPDX-License-Identifier: Apache-2.0
// Jobs of Azure: command jobs of Azure Machine Learning, on serverless computes. The container is this very program with
// the package of the job (cloud/job_package.h) and the rights of the cloud's job role (a managed identity). The id is
// chosen by us, from workspace, job and attempt: a PUT that is sent again finds the first job. A spot machine that is
// taken away puts its job back into the queue, as the service does; a job that was lost gets a new attempt when it is
// submitted again. Logs are blobs, not a call of the API: what is assumed is that the workspace's storage account is the
// cloud's own, and that the service lays the output of a run NAME where it does today, in the container "azureml" as
// "ExperimentRun/dcid.NAME/user_logs/std_log.txt". Source: "Azure Machine Learning REST API: Jobs" (Microsoft).
#ifndef ISOBAR_CLOUD_AZURE_JOBS_H
#define ISOBAR_CLOUD_AZURE_JOBS_H

#include "cloud/azure/services.h"

#define AZURE_LOG_CONTAINER "azureml"

extern const struct job_ops azure_job_ops; // ctx: struct azure_services

#endif
