// SPDX-License-Identifier: Apache-2.0
// endpoints: a model version served on one or more clouds. Which version is the model's alias' business; an endpoint
// whose alias has no version yet waits, and costs nothing. apply records endpoints and takes deleted ones down; the
// deploy reconciler (deploy/deploy.h) brings them up and keeps them so.
#ifndef ISOBAR_DEPLOY_ENDPOINT_KIND_H
#define ISOBAR_DEPLOY_ENDPOINT_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct endpoint_resources { // of one replica
	double cpu;         // cores
	int64_t memory;     // bytes
};
struct endpoint_scale {
	int64_t min, max; // replicas on each cloud
};
struct endpoint {
	struct field_ref model; // name and, as qualifier, alias: classifier@champion
	struct field_list clouds;
	struct endpoint_resources resources;
	struct endpoint_scale scale;
	double traffic; // weight in balancing, 1.0 = 100%
};
extern const struct kind endpoint_kind;
extern const struct resource_handler endpoint_handler; // ctx: const struct deploy_ctx * (deploy/deploy.h)

#endif
