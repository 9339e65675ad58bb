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
	struct field_accelerator accelerator; // model empty: none
};
struct endpoint_target { // "60% cpu"; what empty: none
	double share;
	struct str what; // "cpu", "memory", "accelerator"
};
struct endpoint_scale {
	int64_t min, max; // replicas on each cloud
	struct endpoint_target target;
	int64_t idle_ns; // 0: never down to none
};
struct endpoint_server {
	struct str engine; // "isobar"
	struct field_list args; // of struct str
};
struct endpoint_rollout {
	struct field_list canary; // of double: 0.05, 0.25, 1
	int64_t wait_ns;
	struct field_list judge; // of struct field_ref to monitors
};
struct endpoint {
	struct field_ref model; // name and, as qualifier, alias: classifier@champion; name "": somebody else's endpoint
	struct str api, url;    // of somebody else's endpoint
	struct str credentials; // "secret/NAME"; empty: none
	struct endpoint_server server;
	struct endpoint_rollout rollout;
	struct field_list clouds;
	struct endpoint_resources resources;
	struct endpoint_scale scale;
	double traffic; // weight in balancing, 1.0 = 100%
};
extern const struct kind endpoint_kind;
extern const struct resource_handler endpoint_handler; // ctx: const struct deploy_ctx * (deploy/deploy.h)

#endif
