// SPDX-License-Identifier: Apache-2.0
// Vertex AI of a pocket cloud: custom jobs, models, endpoints and their long-running operations, over documents
// (pocket/docs.h) and real processes (pocket/engine). What its files share. Source: "Vertex AI API, v1" (REST). A
// document holds the resource as clients see it, and beside it what the pocket has to know. What a pocket cannot do is
// UNIMPLEMENTED, never ignored. Loop thread only.
#ifndef ISOBAR_POCKET_GCP_VERTEX_IMPL_H
#define ISOBAR_POCKET_GCP_VERTEX_IMPL_H

#include "base/time.h"
#include "pocket/docs.h"
#include "pocket/engine/engine.h"
#include "pocket/gcp/google.h"
#include "pocket/gcp/vertex.h"
#include "pocket/pocket_impl.h"
#include "pocket/service.h"

enum {
	VERTEX_MAX_LABELS = 64,
	VERTEX_MAX_REPLICAS = 8,
	VERTEX_MAX_RESTARTS = 6, // of a spot job whose machine was taken away
	VERTEX_PAGE = 100,
	VERTEX_MAX_PAGE = 1000,
	VERTEX_PREDICT_LIMIT = 10 << 20, // what a dedicated endpoint takes
	VERTEX_ID_SIZE = 24,
};
// What the provider's own steps take, before --pace.
#define VERTEX_UPLOAD_NS (20 * NS_PER_S)
#define VERTEX_ENDPOINT_NS (10 * NS_PER_S)
#define VERTEX_DEPLOY_NS (60 * NS_PER_S)
#define VERTEX_DEPLOY_LIMIT_NS (1800 * NS_PER_S) // a server that is not healthy by then has failed
#define VERTEX_DELETE_NS (5 * NS_PER_S)
#define VERTEX_PROVISION_NS (10 * NS_PER_S) // of a job's machine
#define VERTEX_GRACE_NS (30 * NS_PER_S)     // between SIGTERM and SIGKILL

#define VERTEX_JOBS "vertex/custom-jobs"
#define VERTEX_MODELS "vertex/models"
#define VERTEX_ENDPOINTS "vertex/endpoints"
#define VERTEX_OPERATIONS "vertex/operations"

// Names of documents whose work goes on; a tick looks at each.
struct vertex_live {
	struct buf *names;
	size_t count, room;
};
struct vertex {
	struct pocket *pocket;
	struct vertex_live jobs, operations;
	uint64_t last_id;
	uint64_t predictions; // picks the deployed model by the traffic split
};
struct vertex *vertex_of(const struct front_request *r);

MUST_CHECK int vertex_live_add(struct vertex_live *l, struct str name, struct err *e);
void vertex_live_free(struct vertex_live *l);
// Looks at each: `look` says whether it stays.
void vertex_live_walk(struct vertex *v, struct vertex_live *l, bool (*look)(struct vertex *v, struct str name));
int64_t vertex_now_ns(const struct vertex *v); // wall clock

// ---------------------------------------------------------------- names (vertex_names.c)
// "projects/P/locations/L" of the request; PERMISSION_DENIED for another project, INVALID_ARGUMENT for odd locations.
MUST_CHECK int vertex_parent(struct front_request *r, struct str *out);
// PARENT/KIND/ID, from the first three captures.
MUST_CHECK int vertex_name(struct front_request *r, const char *kind, struct str *out);
struct str vertex_id(struct vertex *v, char room[VERTEX_ID_SIZE]); // a new one; newer ones sort first
// The id a client chose ("" for none), or a new one. INVALID_ARGUMENT.
MUST_CHECK int vertex_choose_id(struct front_request *r, struct str wanted, struct str *out);
struct str vertex_last(struct str name); // behind the last '/'
// displayName (required, at most 128 characters) and labels, as every resource has them, from the request into *to.
MUST_CHECK int vertex_take_common(struct front_request *r, const json_t *from, json_t *to);
// Members that are there and not null are copied as they are.
void vertex_copy(const json_t *from, json_t *to, const char *const *members, size_t count);
// {"cpu", "memory"} of "n1-standard-4". false: no such machine.
bool vertex_machine(struct str type, double *cpu, uint64_t *memory);
// environment and argv of a containerSpec ({"command", "args", "env"}). INVALID_ARGUMENT.
MUST_CHECK int vertex_container(struct front_request *r, const json_t *spec, json_t **argv, json_t **environment);

// ---------------------------------------------------------------- documents (vertex_names.c)
// The document, with a resource that clients may see. NOT_FOUND in Vertex's words.
MUST_CHECK int vertex_get(struct front_request *r, const char *collection, struct str name, const json_t **out);
void vertex_reply_resource(struct front_request *r, const json_t *document);
// A page of a collection below the request's parent: {"customJobs": [...], "nextPageToken"}.
void vertex_reply_list(struct front_request *r, const char *collection, const char *member);
MUST_CHECK int vertex_put(struct vertex *v, const char *collection, const json_t *document, struct err *e);

// ---------------------------------------------------------------- operations (vertex_operations.c)
// What is to happen when its time has come: a word of the table in vertex_operations.c, on a resource.
struct vertex_act {
	const char *word;   // "upload", "deploy", ...
	struct str target;  // name of the resource
	const char *kind;   // of the metadata: "UploadModelOperationMetadata"
	int64_t takes_ns;   // before --pace
	json_t *with;       // of the act; the reference is taken over; NULL: {}
};
// Keeps the operation and answers it.
void vertex_begin(struct front_request *r, const struct vertex_act *act);
// Whether an act of that word on that resource is under way; word NULL: any.
bool vertex_under_way(struct vertex *v, struct str target, const char *word);
bool vertex_operation_look(struct vertex *v, struct str name);
void vertex_get_operation(struct front_request *r);
void vertex_list_operations(struct front_request *r);

// What an act did when it was looked at.
enum vertex_outcome { VERTEX_GOES_ON, VERTEX_DONE, VERTEX_FAILED };
// Shows a resource that an act has made; VERTEX_DONE also when it is gone.
enum vertex_outcome vertex_make_visible(struct vertex *v, const char *collection, struct str name);
// Whether a name is taken: by a resource, or by one that is being made.
bool vertex_taken(struct vertex *v, const char *collection, struct str name);
struct vertex_step {
	struct str target;
	const json_t *with;
	int64_t begun_ns; // wall clock
	bool due;         // its time has come
	json_t *response; // of VERTEX_DONE; NULL: google.protobuf.Empty
	int code;         // of VERTEX_FAILED: google.rpc.Code
	char message[512];
};
enum vertex_outcome vertex_finish_upload(struct vertex *v, struct vertex_step *s);
enum vertex_outcome vertex_finish_delete_model(struct vertex *v, struct vertex_step *s);
enum vertex_outcome vertex_finish_delete_job(struct vertex *v, struct vertex_step *s);
enum vertex_outcome vertex_finish_endpoint(struct vertex *v, struct vertex_step *s);
enum vertex_outcome vertex_finish_delete_endpoint(struct vertex *v, struct vertex_step *s);
enum vertex_outcome vertex_finish_deploy(struct vertex *v, struct vertex_step *s);
enum vertex_outcome vertex_finish_undeploy(struct vertex *v, struct vertex_step *s);

// ---------------------------------------------------------------- methods
void vertex_create_job(struct front_request *r);
void vertex_get_job(struct front_request *r);
void vertex_list_jobs(struct front_request *r);
void vertex_cancel_job(struct front_request *r);
void vertex_delete_job(struct front_request *r);
bool vertex_job_look(struct vertex *v, struct str name);
struct str vertex_engine_id(struct arena *a, struct str name, int64_t attempt); // of an attempt of a job
void vertex_upload_model(struct front_request *r);
void vertex_get_model(struct front_request *r);
void vertex_list_models(struct front_request *r);
void vertex_delete_model(struct front_request *r);
void vertex_create_endpoint(struct front_request *r);
void vertex_get_endpoint(struct front_request *r);
void vertex_list_endpoints(struct front_request *r);
void vertex_patch_endpoint(struct front_request *r);
void vertex_delete_endpoint(struct front_request *r);
void vertex_deploy_model(struct front_request *r);
void vertex_undeploy_model(struct front_request *r);
void vertex_predict(struct front_request *r);
void vertex_raw_predict(struct front_request *r);
// "vertex-LOCATION-ENDPOINT-DEPLOYED-REPLICA": a server of a deployed model, in the arena.
struct str vertex_server_id(struct arena *a, struct str endpoint, struct str deployed, size_t replica);
// What an endpoint's deployed model is, by its id; NULL.
json_t *vertex_deployed(const json_t *endpoint, struct str id);
// Notes at a model that it is deployed somewhere, or no longer.
int vertex_note_deployed(struct vertex *v, struct str endpoint, const json_t *deployed, bool add, struct err *e);
// {"id": percent}: all of deployed models of the endpoint (or "0", the one to come), 100 together. INVALID_ARGUMENT.
MUST_CHECK int vertex_check_split(
	struct front_request *r, const json_t *split, const json_t *endpoint, struct str coming);

#endif
