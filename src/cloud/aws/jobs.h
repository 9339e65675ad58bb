// SPDX-License-Identifier: Apache-2.0
// Jobs of AWS: Amazon SageMaker. What fits weights ("train/..." by its name) is a training job, which alone may run on
// managed spot machines; every other job (a transform, a measurement, a command of `isobar run`) is a processing job.
// Both run the same container, which is this very program with the package of the job (cloud/job_package.h) and the
// rights of the cloud's job role. Names follow from workspace, job and attempt, so that a lost answer never makes a
// second job: SageMaker refuses the name (ResourceInUse), and the driver looks whose the first one is. A job that was
// lost (no machine in time, the provider's own failure) gets a new attempt by submitting it again.
// Sources: CreateTrainingJob, CreateProcessingJob (Amazon SageMaker API Reference); "Log groups and streams that
// SageMaker sends to CloudWatch Logs".
#ifndef ISOBAR_CLOUD_AWS_JOBS_H
#define ISOBAR_CLOUD_AWS_JOBS_H

#include "cloud/aws/services.h"

extern const struct job_ops aws_job_ops; // ctx: struct aws_services

#endif
