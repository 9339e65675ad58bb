// SPDX-License-Identifier: Apache-2.0
// Endpoints of Google Cloud: a model and a dedicated endpoint of Vertex AI. The container is this very program, which
// fetches the sealed model as the cloud's service account (cloud/endpoint_package.h). All ids follow from workspace,
// endpoint and generation, so that a lost answer never makes a second one: Vertex AI refuses an id that is taken, and the
// driver waits for whatever is under way. Another generation is deployed beside the one that answers, gets the traffic
// when its server is healthy, and only then the older one is undeployed; one that does not become healthy leaves the older
// one as it is. ensure() waits for the operations it needs, bounded by the call's deadline, and goes on where an earlier
// one was cut off. Sources: "projects.locations.endpoints", "projects.locations.models" (Vertex AI); "Custom container
// requirements for inference".
#ifndef ISOBAR_CLOUD_GCP_ENDPOINTS_H
#define ISOBAR_CLOUD_GCP_ENDPOINTS_H

#include "cloud/gcp/services.h"

extern const struct endpoint_ops gcp_endpoint_ops; // ctx: struct gcp_services

#endif
