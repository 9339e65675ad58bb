// SPDX-License-Identifier: Apache-2.0
// Private to the jobs of Google Cloud.
#ifndef ISOBAR_CLOUD_GCP_JOBS_IMPL_H
#define ISOBAR_CLOUD_GCP_JOBS_IMPL_H

#include "cloud/gcp/jobs.h"
#include "cloud/gcp/vertex.h"
#include "cloud/job_package.h"

#define GCP_JOB_LABEL "isobar-job"

// The body of customJobs.create: a new reference in *out.
struct gcp_job_request {
	const struct job_spec *spec;
	const struct job_package *package;
	struct str label; // of GCP_JOB_LABEL
};
MUST_CHECK int gcp_job_request(
	struct call *c, const struct gcp_services *s, const struct gcp_job_request *r, json_t **out);
// What a custom job says, as the provider's view. Texts live in the arena.
void gcp_job_read(struct arena *a, const json_t *job, struct job_status *out);
// The URL of the package in a custom job; "" when there is none.
struct str gcp_job_url(const json_t *job);
int64_t gcp_job_time(const json_t *job, const char *member); // 0: absent
// What Cloud Logging keeps of a custom job's output, oldest first.
MUST_CHECK int gcp_logs_send(struct call *c, struct gcp_services *s, struct str job_id, struct sink *to);

#endif
