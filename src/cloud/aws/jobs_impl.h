// SPDX-License-Identifier: Apache-2.0
// Private to the jobs of AWS: the two kinds that SageMaker has, and one job as it was found.
#ifndef ISOBAR_CLOUD_AWS_JOBS_IMPL_H
#define ISOBAR_CLOUD_AWS_JOBS_IMPL_H

#include "cloud/aws/calls.h"
#include "cloud/aws/jobs.h"
#include "cloud/aws/sagemaker.h"
#include "cloud/job_package.h"

struct aws_job_kind {
	const char *what; // for people
	enum aws_call create, describe, stop, delete, list;
	const char *name, *status, *started, *ended, *summaries; // members of requests and answers
	const char *program;                                     // member that holds the container's arguments
	const char *log_group;
	size_t variable_max; // bytes of an environment variable's value
	bool trains;
};
extern const struct aws_job_kind aws_job_kinds[2];
const struct aws_job_kind *aws_job_kind_of(struct str job); // by the job's name

// The body of CreateTrainingJob or CreateProcessingJob: a new reference in *out.
struct aws_job_request {
	const struct aws_job_kind *kind;
	const struct job_spec *spec;
	const struct job_package *package;
	struct str name; // at the provider
};
MUST_CHECK int aws_job_request(
	struct call *c, const struct aws_services *s, const struct aws_job_request *r, json_t **out);
// What DescribeTrainingJob or DescribeProcessingJob says, as the provider's view of the job. Texts live in the arena.
void aws_job_read(
	struct arena *a, const struct aws_job_kind *kind, const json_t *description, struct job_status *out);
// The URL of the package in a description; "" when there is none.
struct str aws_job_url(const struct aws_job_kind *kind, const json_t *description);
// What the provider keeps of a container's output whose streams begin so, oldest stream first; a group that is not
// there has nothing.
MUST_CHECK int aws_logs_send(
	struct call *c, struct aws_services *s, struct str group, struct str stream_prefix, struct sink *to);

#endif
