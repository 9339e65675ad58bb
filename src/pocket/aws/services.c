// SPDX-License-Identifier: Apache-2.0
// The services that a pocket aws has besides its object store. The first that says a request is its own gets it.
#include "pocket/aws/kms.h"
#include "pocket/aws/logs.h"
#include "pocket/aws/runtime.h"
#include "pocket/aws/sagemaker.h"
#include "pocket/aws/session.h"
#include "pocket/service.h"

const struct pocket_service *const aws_services[] = {
	&aws_container_service,
	&aws_iam_service,
	&aws_kms_service,
	&aws_logs_service,
	&aws_runtime_service,
	&aws_sagemaker_service,
	&aws_secrets_service,
	&aws_sts_service, // last: also forms that are not signed
	NULL,
};
