// SPDX-License-Identifier: Apache-2.0
// What jobs and endpoints of Azure Machine Learning share: addresses of a workspace's resources, operations that take
// time, pages, environments that carry our image, machines, the identity that a container runs as. Nothing is kept;
// thread-safe; results live in the call's arena. Source: "Azure Machine Learning REST API" (Microsoft), 2024-04-01.
#ifndef ISOBAR_CLOUD_AZURE_ML_H
#define ISOBAR_CLOUD_AZURE_ML_H

#include "cloud/azure/services.h"

enum { ML_NAME_MAX = 32, ML_JOB_NAME_MAX = 64 };
#define ML_VERSION S("api-version=2024-04-01")

// ERR_INVALID names what the cloud's configuration lacks (subscription, resource group, workspace, image).
MUST_CHECK int ml_check_config(struct call *c, const struct azure_services *s);
// "/subscriptions/S/resourceGroups/G/providers/Microsoft.MachineLearningServices/workspaces/W/" and what follows; .p NULL
// without memory.
struct str ml_path(struct call *c, const struct azure_services *s, const char *format, ...) PRINTF_LIKE(3, 4);
// One request below the workspace. body NULL: none; out NULL: not wanted.
MUST_CHECK int ml_call(struct call *c, struct azure_services *s, enum azure_call call, struct str path,
	const json_t *body, struct azure_answer *out);
// Until the operation that an answer names is over: at once where it names none.
MUST_CHECK int ml_wait(struct call *c, struct azure_services *s, const struct azure_answer *answer);

// Each resource of a list, page by page. query is what follows the version: "&tag=x" or "".
struct ml_list {
	enum azure_call call;
	struct str path, query;
	int (*each)(struct call *c, void *ctx, const json_t *resource);
	void *ctx;
};
MUST_CHECK int ml_list_all(struct call *c, struct azure_services *s, const struct ml_list *list);

// The environment version that carries the cloud's image, made when it is not there: its id. routes: the container
// serves the Open Inference Protocol (ml_serve_port), with its liveness, readiness and scoring routes said.
enum { ML_SERVE_PORT = 8080 };
MUST_CHECK int ml_environment(struct call *c, struct azure_services *s, bool routes, struct str *id);

struct ml_size { // of a virtual machine
	const char *name;
	double cpu;
	uint64_t memory;
};
// The smallest that has both; NULL when none has. memory 0: no wish.
const struct ml_size *ml_size_for(double cpu, uint64_t memory);
const struct ml_size *ml_size_largest(void);
// New reference: the tags of what belongs to this workspace. NULL without memory.
json_t *ml_tags(const struct azure_services *s, struct str address);

#endif
