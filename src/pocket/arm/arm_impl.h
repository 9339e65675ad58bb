// SPDX-License-Identifier: Apache-2.0
// Azure Resource Manager in front of a pocket Azure, and Azure ML behind it: what its files share. Sources: "Azure
// Resource Manager REST API", "Azure Machine Learning REST API" (Microsoft). A pocket has one subscription, one resource
// group and one workspace. Addresses are the provider's own below the pocket's origin: /subscriptions/S/resourceGroups/G/
// providers/Microsoft.MachineLearningServices/workspaces/W/... Whatever a pocket does not do is refused, never ignored.
#ifndef ISOBAR_POCKET_ARM_IMPL_H
#define ISOBAR_POCKET_ARM_IMPL_H

#include "pocket/pocket_impl.h"

enum {
	ARM_MAX_BODY = 1 << 20,
	ARM_NAMES = 6, // subscription, group, workspace, and three of a resource's own
	ARM_PAGE = 30, // of a list that says no $top
	ARM_MAX_PAGE = 1000,
	ARM_GUID_SIZE = 37,
};
#define ARM_TYPE "Microsoft.MachineLearningServices/workspaces"

struct entra_caller;
struct arm_jobs;      // at work, of this pocket (ml_jobs_impl.h)
struct arm_endpoints; // (ml_endpoints_impl.h)
struct arm_state {    // of the service, while the pocket runs
	struct pocket *pocket;
	struct arena arena;
	struct str tenant, subscription, group, workspace, account, location;
	struct str origin;    // "http://127.0.0.1:4000": the pocket without the account
	struct str workspace_id; // "/subscriptions/S/.../workspaces/W"
	struct str guid;      // the workspace's own id
	struct arm_jobs *jobs;
	struct arm_endpoints *endpoints;
};

struct arm_operation {
	enum http_method method;
	const char *path;   // '*' is one name
	const char *action; // that a role must allow; NULL: whoever is known
	void (*run)(struct front_request *r);
	bool body; // JSON is wanted
};

struct arm_request { // r->own
	const struct arm_operation *operation;
	struct str names[ARM_NAMES]; // decoded, in the order of the path
	size_t name_count;
	struct str scope; // the path decoded: what a permission is asked on
	json_t *body;     // borrowed from the request's arena; NULL: none
	const struct entra_caller *who;
};
struct arm_request *arm_request(const struct front_request *r);
struct arm_state *arm_state(const struct front_request *r);
// The n-th name behind the workspace's.
struct str arm_name(const struct front_request *r, size_t n);

// ---------------------------------------------------------------- errors (arm_error.c)
// Sets r->err to one of Resource Manager's own answers.
int arm_refuse(struct front_request *r, int status, const char *code, const char *format, ...) PRINTF_LIKE(4, 5);
// 400 UserError: what Azure ML says of a request that it cannot take.
int arm_user_error(struct front_request *r, const char *format, ...) PRINTF_LIKE(2, 3);
int arm_not_found(struct front_request *r, const char *type, struct str name); // 404 ResourceNotFound
void arm_fail(struct front_request *r);
void arm_trouble(struct front_request *r, bool throttled);
void arm_reply(struct front_request *r, int status, json_t *j); // takes over the reference

// ---------------------------------------------------------------- who (arm_access.c)
// Who asks: AuthenticationFailed, InvalidAuthenticationToken, ExpiredAuthenticationToken.
MUST_CHECK int arm_authenticate(struct front_request *r);
MUST_CHECK int arm_authorise(struct front_request *r, const char *action, struct str scope); // AuthorizationFailed
struct str arm_who(const struct front_request *r);                                           // name, for systemData

// ---------------------------------------------------------------- resources (arm_resource.c)
// A document: {"resource": {what the user sent: properties, tags, location, sku, identity, kind}, "created_ns",
// "modified_ns", "created_by", "modified_by"} and what a service adds. The one before is NULL for a new one; body is what
// was sent. New reference; NULL without memory.
json_t *arm_document(struct front_request *r, const json_t *before, const json_t *body);
// {"id", "name", "type", "systemData"} and what the document's resource has. New reference; NULL without memory.
json_t *arm_resource(struct str id, struct str name, const char *type, const json_t *doc);
struct str arm_id(const struct arm_state *s, struct arena *a, const char *format, ...) PRINTF_LIKE(3, 4);
// The last name of an id of the wanted kind ("environments", then the version): also "azureml:NAME:VERSION" and "NAME".
bool arm_id_cut(struct str id, const char *kind, struct str *name, struct str *version);
// A name as Azure ML takes it. UserError.
MUST_CHECK int arm_check_name(struct front_request *r, const char *what, struct str name);
json_t *arm_properties(json_t *doc); // of the document's resource; borrowed
const json_t *arm_properties_of(const json_t *doc);
struct str arm_text(const json_t *doc, const char *member); // of the properties
// Random: 8-4-4-4-12.
MUST_CHECK int arm_guid(struct pocket *p, char out[ARM_GUID_SIZE], struct err *e);
// ISO 8601 "PT1H30M", "P1D", "PT5S" as nanoseconds. ERR_INVALID.
MUST_CHECK int arm_duration(struct str text, int64_t *ns);
int64_t arm_now_ns(const struct arm_state *s); // wall clock

int arm_read_docs(int rc, struct err *e); // the outcome of docs_list, with words
// One page of a collection: each document that takes() wants, as told() makes it. Answers {"value", "nextLink"}.
struct arm_list {
	const char *collection;
	struct str prefix; // of the documents' names
	bool (*takes)(struct front_request *r, struct str name, const json_t *doc);     // NULL: all
	json_t *(*tell)(struct front_request *r, struct str name, const json_t *doc); // new reference
};
void arm_reply_list(struct front_request *r, const struct arm_list *list);
void arm_reply_values(struct front_request *r, json_t *values); // a whole list; takes over the reference

// ---------------------------------------------------------------- operations that take time (arm_operation.c)
// An operation on what `resource` names: {"until_ns"} or until arm_operation_end(). Adds Azure-AsyncOperation or
// Location, and Retry-After. resource: the id, for people.
enum arm_told { ARM_TOLD_ASYNC, ARM_TOLD_LOCATION, ARM_TOLD_BOTH };
MUST_CHECK int arm_operation_begin(
	struct front_request *r, struct str resource, enum arm_told told, struct str *operation);
// status: "Succeeded", "Failed", "Canceled"; message: why it failed.
void arm_operation_end(struct arm_state *s, struct str operation, const char *status, struct str message);
void arm_operation_status(struct front_request *r);
void arm_operation_result(struct front_request *r);

// ---------------------------------------------------------------- what there is
void arm_list_subscriptions(struct front_request *r), arm_get_subscription(struct front_request *r),
	arm_list_tenants(struct front_request *r), arm_list_locations(struct front_request *r),
	arm_list_groups(struct front_request *r), arm_get_group(struct front_request *r),
	arm_get_provider(struct front_request *r);
void ml_list_workspaces(struct front_request *r), ml_get_workspace(struct front_request *r),
	ml_workspace_keys(struct front_request *r), ml_storage_keys(struct front_request *r),
	ml_list_datastores(struct front_request *r), ml_get_datastore(struct front_request *r),
	ml_datastore_secrets(struct front_request *r), ml_get_default_datastore(struct front_request *r);
void ml_list_containers(struct front_request *r), ml_get_container(struct front_request *r),
	ml_put_container(struct front_request *r), ml_delete_container(struct front_request *r),
	ml_list_versions(struct front_request *r), ml_get_version(struct front_request *r),
	ml_put_version(struct front_request *r), ml_delete_version(struct front_request *r);
void ml_list_computes(struct front_request *r), ml_get_compute(struct front_request *r),
	ml_put_compute(struct front_request *r), ml_delete_compute(struct front_request *r);
void ml_list_jobs(struct front_request *r), ml_get_job(struct front_request *r), ml_put_job(struct front_request *r),
	ml_delete_job(struct front_request *r), ml_cancel_job(struct front_request *r);
void ml_list_endpoints(struct front_request *r), ml_get_endpoint(struct front_request *r),
	ml_put_endpoint(struct front_request *r), ml_patch_endpoint(struct front_request *r),
	ml_delete_endpoint(struct front_request *r), ml_endpoint_keys(struct front_request *r),
	ml_regenerate_keys(struct front_request *r), ml_endpoint_token(struct front_request *r);
void ml_list_deployments(struct front_request *r), ml_get_deployment(struct front_request *r),
	ml_put_deployment(struct front_request *r), ml_patch_deployment(struct front_request *r),
	ml_delete_deployment(struct front_request *r), ml_deployment_logs(struct front_request *r),
	ml_deployment_skus(struct front_request *r);

// A document of an environment, model, code or data version by what a job or a deployment calls it; NULL when there is
// none.
const json_t *ml_asset_find(struct arm_state *s, const char *kind, struct str id);
// Whether a compute of that id is there ("" and "serverless" always are).
bool ml_compute_exists(struct arm_state *s, struct str id);
const char *ml_environment_image(const json_t *environment); // "" when the environment says none

// ---------------------------------------------------------------- life
MUST_CHECK int ml_jobs_open(struct arm_state *s, struct err *e);
void ml_jobs_close(struct arm_state *s);
bool ml_jobs_tick(struct arm_state *s);
MUST_CHECK int ml_endpoints_open(struct arm_state *s, struct err *e);
void ml_endpoints_close(struct arm_state *s);
bool ml_endpoints_tick(struct arm_state *s);

extern const struct pocket_service arm_service, ml_score_service;

#endif
