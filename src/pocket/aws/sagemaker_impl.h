// SPDX-License-Identifier: Apache-2.0
// Private to the pocket's SageMaker: what there is of each type (a document in the collection, named "REGION/NAME"), the
// two kinds of jobs, and the state that its ticks work on. A document holds what the user asked for ("in") beside what
// became of it; times are wall-clock nanoseconds in it, and seconds on the wire.
#ifndef ISOBAR_POCKET_AWS_SAGEMAKER_IMPL_H
#define ISOBAR_POCKET_AWS_SAGEMAKER_IMPL_H

#include "pocket/aws/rules.h"
#include "pocket/engine/engine.h"

enum sm_type { SM_TRAINING, SM_PROCESSING, SM_MODEL, SM_CONFIG, SM_ENDPOINT, SM_TYPES };

struct sm_kind {
	const char *what;       // "training job"
	const char *collection; // of documents
	const char *resource;   // in its ARN
	const char *name, *arn, *status, *summaries; // members on the wire; status NULL: it has none
	const char *ended;                           // of a summary; NULL: not shown
	bool secondary, modified, newest_first;      // of summaries: shown, shown, by default
};
extern const struct sm_kind sm_kinds[SM_TYPES];

struct sm_bringing; // inputs on their way: sagemaker_bring.c
struct sm_taking;   // outputs on their way: sagemaker_take.c
struct sm_active { // what a tick goes on with
	enum sm_type type;
	char *name; // of the document; owned
	struct sm_bringing *bringing; // owned, as the next
	struct sm_taking *taking;
	bool over;
};
struct sagemaker {
	struct pocket *pocket;
	struct sm_active *items;
	size_t count, room;
};

// ---------------------------------------------------------------- documents (sagemaker.c)
struct str sm_doc_name(const struct front_request *r, struct str name); // "REGION/NAME"
const json_t *sm_find(struct front_request *r, enum sm_type type, struct str name); // NULL: absent (r->err unset)
// A new document with what all have; the caller adds the rest. NULL without memory.
json_t *sm_doc_new(struct front_request *r, enum sm_type type, const json_t *in);
MUST_CHECK int sm_activate(struct sagemaker *s, enum sm_type type, struct str doc_name, struct err *e);
MUST_CHECK int sm_put(struct pocket *p, enum sm_type type, struct str doc_name, json_t *doc, struct err *e);
void sm_copy(const json_t *from, json_t *to, const char *const *members, size_t count); // those that are there
void sm_set_time(json_t *out, const char *member, const json_t *doc, const char *from);  // ns as seconds; 0: absent

// ---------------------------------------------------------------- operations
int sm_create_training(struct front_request *r, const json_t *in, json_t **out);
int sm_describe_training(struct front_request *r, const json_t *in, json_t **out);
int sm_stop_training(struct front_request *r, const json_t *in, json_t **out);
int sm_delete_training(struct front_request *r, const json_t *in, json_t **out);
int sm_list_training(struct front_request *r, const json_t *in, json_t **out);
int sm_create_processing(struct front_request *r, const json_t *in, json_t **out);
int sm_describe_processing(struct front_request *r, const json_t *in, json_t **out);
int sm_stop_processing(struct front_request *r, const json_t *in, json_t **out);
int sm_delete_processing(struct front_request *r, const json_t *in, json_t **out);
int sm_list_processing(struct front_request *r, const json_t *in, json_t **out);
int sm_create_model(struct front_request *r, const json_t *in, json_t **out);
int sm_describe_model(struct front_request *r, const json_t *in, json_t **out);
int sm_delete_model(struct front_request *r, const json_t *in, json_t **out);
int sm_list_models(struct front_request *r, const json_t *in, json_t **out);
int sm_create_config(struct front_request *r, const json_t *in, json_t **out);
int sm_describe_config(struct front_request *r, const json_t *in, json_t **out);
int sm_delete_config(struct front_request *r, const json_t *in, json_t **out);
int sm_list_configs(struct front_request *r, const json_t *in, json_t **out);
int sm_create_endpoint(struct front_request *r, const json_t *in, json_t **out);
int sm_update_endpoint(struct front_request *r, const json_t *in, json_t **out);
int sm_update_weights(struct front_request *r, const json_t *in, json_t **out);
int sm_describe_endpoint(struct front_request *r, const json_t *in, json_t **out);
int sm_delete_endpoint(struct front_request *r, const json_t *in, json_t **out);
int sm_list_endpoints(struct front_request *r, const json_t *in, json_t **out);
int sm_add_tags(struct front_request *r, const json_t *in, json_t **out);
int sm_list_tags(struct front_request *r, const json_t *in, json_t **out);
int sm_delete_tags(struct front_request *r, const json_t *in, json_t **out);

int sm_list(struct front_request *r, const json_t *in, enum sm_type type, json_t **out);
MUST_CHECK int sm_check_job(struct front_request *r, const json_t *in, enum sm_type type); // sagemaker_check.c
MUST_CHECK int sm_check_tags(struct front_request *r, const json_t *tags);

// ---------------------------------------------------------------- jobs
struct str sm_engine_id(struct arena *a, enum sm_type type, struct str doc_name, int64_t attempt);
// One step of a job's way; false when there is no more to come.
bool sm_job_step(struct sagemaker *s, struct sm_active *active);
bool sm_job_ended(const json_t *doc);
// Another state of the job: SecondaryStatus with its transition, and with status (NULL: as before).
void sm_job_enter(json_t *doc, const char *status, const char *secondary, int64_t now_ns);
MUST_CHECK int sm_job_spec(struct arena *a, enum sm_type type, const json_t *doc, const struct engine_place *place,
	struct engine_spec *out);
double sm_shape_cpu(struct str instance);     // 0: unknown
uint64_t sm_shape_memory(struct str instance); // 0: unknown

// ---------------------------------------------------------------- endpoints
// A document of an endpoint holds what answers ("config", "variants") and, while it changes, what will ("pending": the
// same members, "began", "change": create, update or capacity). A variant: {"name", "model", "weight", "count",
// "servers": [engine ids], "instance", "timeout"}; a server that no variant has any more is in "retired" until its last
// answers are given.
bool sm_endpoint_at_work(const json_t *doc);
bool sm_endpoint_step(struct sagemaker *s, struct sm_active *active); // one step; false: there is no more to come
// The production variants of a configuration, without servers: a new reference; NULL when a model is gone (r->err).
json_t *sm_variants_of(struct front_request *r, const json_t *config);
// What a model's container is as a server, all but its id. ERR_NO_MEMORY.
MUST_CHECK int sm_server_spec(struct arena *a, const json_t *model, const json_t *variant,
	const struct engine_place *place, struct engine_spec *out);

// ---------------------------------------------------------------- files of jobs
// What InputDataConfig or ProcessingInputs name comes below the work folder; what is left there goes to S3; a piece each
// time. 1: there is more to come; 0: done; negative: e says why not.
struct sm_files {
	struct pocket *pocket;
	enum sm_type type;
	const json_t *doc;
	const struct engine_place *place;
};
int sm_bring(const struct sm_files *f, struct sm_bringing **state, struct err *e);
int sm_take(const struct sm_files *f, struct sm_taking **state, struct err *e);
void sm_bringing_free(struct sm_bringing *b); // NULL is allowed
void sm_taking_free(struct sm_taking *t);     // NULL is allowed
// "s3://bucket/a/b": bucket and key. ERR_INVALID.
MUST_CHECK int sm_read_s3(struct str url, struct str *bucket, struct str *key, struct err *e);
// /opt/ml/processing/x of a container, below the work folder.
struct str sm_processing_path(struct arena *a, const struct engine_place *place, struct str local);

#endif
