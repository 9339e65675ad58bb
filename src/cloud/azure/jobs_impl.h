// SPDX-License-Identifier: Apache-2.0
// Private to the jobs of Azure: one as a request, and as it was found.
#ifndef ISOBAR_CLOUD_AZURE_JOBS_IMPL_H
#define ISOBAR_CLOUD_AZURE_JOBS_IMPL_H

#include "cloud/azure/jobs.h"
#include "cloud/azure/ml.h"
#include "cloud/job_package.h"

// The body of a job that runs the package: a new reference in *out.
MUST_CHECK int azure_job_request(struct call *c, struct azure_services *s, const struct job_spec *spec,
	const struct job_package *package, json_t **out);
// What Azure ML says of a job, as the provider's view of it. Texts live in the arena.
void azure_job_read(struct arena *a, const json_t *resource, struct job_status *out);
// The URL of the package in a job's command; "" when there is none.
struct str azure_job_url(const json_t *resource);

#endif
