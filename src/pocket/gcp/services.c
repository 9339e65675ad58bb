// SPDX-License-Identifier: Apache-2.0
// The services that a pocket Google Cloud has besides its object store. The first that says a request is its own gets it.
#include "pocket/gcp/kms.h"
#include "pocket/gcp/metadata.h"
#include "pocket/gcp/tokens.h"
#include "pocket/gcp/vertex.h"
#include "pocket/service.h"

const struct pocket_service *const gcp_services[] = {
	&gcp_iam_service,
	&gcp_kms_service,
	&gcp_projects_service,
	&gcp_secrets_service,
	&gcp_sts_service,
	&logging_service,
	&metadata_service,
	&vertex_service,
	NULL,
};
