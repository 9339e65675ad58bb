// SPDX-License-Identifier: Apache-2.0
// SageMaker of a pocket: training and processing jobs, models, endpoint configurations, endpoints and tags, in the wire
// form of the real one, over real processes (pocket/engine). A job's way through its states is that of its process. A
// pocket has no container runtime: with an image named "isobar" a container is this very program, with any other its
// entry point is a command of the host. /opt/ml of a container is the folder that SM_MODEL_DIR, SM_INPUT_DIR,
// SM_OUTPUT_DIR and, of a processing job, SM_PROCESSING_DIR point into. One machine a job, ten variants an endpoint.
// Source: Amazon SageMaker API Reference (2017-07-24). Loop thread only.
#ifndef ISOBAR_POCKET_AWS_SAGEMAKER_H
#define ISOBAR_POCKET_AWS_SAGEMAKER_H

#include "pocket/aws/api.h"

extern const struct pocket_service aws_sagemaker_service;

#endif
