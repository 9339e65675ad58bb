// SPDX-License-Identifier: Apache-2.0
// Jobs of Google Cloud: custom jobs of Vertex AI. Each runs one container, which is this very program with the package of
// the job (cloud/job_package.h), as the cloud's service account for jobs. Vertex AI gives its jobs numbers of its own and
// takes no request id: so each carries a label that follows from workspace and job, and the driver looks for it before
// it asks (again) for one. Where two requests got through all the same, the older job is the job, and the younger one is
// cancelled. A job that was lost (a machine taken away too often, the provider's own failure) gets a new attempt by
// submitting it again. Spot jobs are started again by Vertex AI itself. Sources: "projects.locations.customJobs",
// "Use Spot VMs with training" (Vertex AI); "entries.list" (Cloud Logging).
#ifndef ISOBAR_CLOUD_GCP_JOBS_H
#define ISOBAR_CLOUD_GCP_JOBS_H

#include "cloud/gcp/services.h"

extern const struct job_ops gcp_job_ops; // ctx: struct gcp_services

#endif
