// SPDX-License-Identifier: Apache-2.0
// Online endpoints of a pocket's Azure ML: what the API (ml_endpoints.c, ml_deployments.c), the walk of a deployment
// through its states (ml_deploy_run.c) and scoring (ml_score.c) share. An endpoint is a document {"resource", "state",
// "until_ns", "operation"}; its keys are one of their own. A deployment is "ENDPOINT/NAME": {"resource", "state",
// "since_ns", "operation", "message", "engines": ids that answer, "next": ids that are coming up}.
#ifndef ISOBAR_POCKET_ARM_ML_ENDPOINTS_IMPL_H
#define ISOBAR_POCKET_ARM_ML_ENDPOINTS_IMPL_H

#include "pocket/arm/ml_files_impl.h"
#include "pocket/engine/engine.h"

#define ML_ENDPOINTS "arm/online-endpoints"
#define ML_DEPLOYMENTS "arm/deployments"
#define ML_KEYS "arm/endpoint-keys"
#define ML_ENDPOINT_TYPE ARM_TYPE "/onlineEndpoints"
#define ML_DEPLOYMENT_TYPE ML_ENDPOINT_TYPE "/deployments"
#define ML_SCORE_PATH "/.ml/" // before the endpoint's name: where a pocket plays ENDPOINT.REGION.inference.ml.azure.com
enum { ML_MAX_CAPACITY = 8, ML_KEY_SIZE = 65 };
#define ML_COMMAND_VARIABLE "ISOBAR_POCKET_COMMAND" // what a pocket starts for an image that is not isobar

struct ml_load { // requests that a deployment is answering; lives as long as any of them
	unsigned running;
	bool left; // by its deployment
};
struct ml_deployment { // one that is known to this process
	struct ml_deployment *next;
	char name[256]; // "ENDPOINT/NAME"
	struct ml_transfer *transfer;
	size_t staged; // parts that are in the folders of the engines to come
	struct ml_load *load;
	unsigned turn;
};
struct arm_endpoints {
	struct ml_deployment *first;
};
struct ml_deployment *ml_deployment_find(struct arm_state *s, struct str name); // made when it is new; NULL without memory

struct str ml_deployment_key(struct arena *a, struct str endpoint, struct str deployment);
const json_t *ml_environment_of(struct arm_state *s, const json_t *deployment); // NULL: none
// Of the environment's inferenceConfig: the path and the port of "livenessRoute", "readinessRoute" or "scoringRoute"; with
// the service's own where it says none.
struct str ml_route(struct arm_state *s, const json_t *deployment, const char *which, int *port);
bool ml_busy(struct str state); // the service works at it
MUST_CHECK int ml_document_update(
	struct arm_state *s, const char *collection, struct str name, json_t *changes, struct err *e);
MUST_CHECK int ml_make_keys(struct arm_state *s, struct str endpoint, const char *which, struct str value, struct err *e);
// A token of an endpoint of authMode AMLToken, until a time in seconds; and whether a text is one now.
struct str ml_token_make(struct arm_state *s, struct arena *a, struct str endpoint, int64_t until_s);
bool ml_token_holds(struct arm_state *s, struct arena *a, struct str endpoint, struct str token);
// Checks that do not need a process: ERR_INVALID with words for the caller.
MUST_CHECK int ml_server_check(struct arm_state *s, const json_t *properties, struct err *e);

#endif
