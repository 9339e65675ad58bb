// SPDX-License-Identifier: Apache-2.0
// Vertex AI of a pocket cloud: its routes and its life. See vertex_impl.h.
#include <stdlib.h>

#include "pocket/gcp/vertex_impl.h"

#define LOCATION "projects/*/locations/*"
#define ROUTES(X)                                                                                                      \
	X(POST, LOCATION "/customJobs", "aiplatform.customJobs.create", vertex_create_job)                             \
	X(GET, LOCATION "/customJobs", "aiplatform.customJobs.list", vertex_list_jobs)                                 \
	X(GET, LOCATION "/customJobs/*", "aiplatform.customJobs.get", vertex_get_job)                                  \
	X(DELETE, LOCATION "/customJobs/*", "aiplatform.customJobs.delete", vertex_delete_job)                         \
	X(POST, LOCATION "/customJobs/*:cancel", "aiplatform.customJobs.cancel", vertex_cancel_job)                    \
	X(POST, LOCATION "/models:upload", "aiplatform.models.upload", vertex_upload_model)                            \
	X(GET, LOCATION "/models", "aiplatform.models.list", vertex_list_models)                                       \
	X(GET, LOCATION "/models/*", "aiplatform.models.get", vertex_get_model)                                        \
	X(DELETE, LOCATION "/models/*", "aiplatform.models.delete", vertex_delete_model)                               \
	X(POST, LOCATION "/endpoints", "aiplatform.endpoints.create", vertex_create_endpoint)                          \
	X(GET, LOCATION "/endpoints", "aiplatform.endpoints.list", vertex_list_endpoints)                              \
	X(GET, LOCATION "/endpoints/*", "aiplatform.endpoints.get", vertex_get_endpoint)                               \
	X(PATCH, LOCATION "/endpoints/*", "aiplatform.endpoints.update", vertex_patch_endpoint)                        \
	X(DELETE, LOCATION "/endpoints/*", "aiplatform.endpoints.delete", vertex_delete_endpoint)                      \
	X(POST, LOCATION "/endpoints/*:deployModel", "aiplatform.endpoints.deploy", vertex_deploy_model)               \
	X(POST, LOCATION "/endpoints/*:undeployModel", "aiplatform.endpoints.undeploy", vertex_undeploy_model)         \
	X(POST, LOCATION "/endpoints/*:predict", "aiplatform.endpoints.predict", vertex_predict)                       \
	X(POST, LOCATION "/endpoints/*:rawPredict", "aiplatform.endpoints.predict", vertex_raw_predict)                \
	X(GET, LOCATION "/operations/*", "", vertex_get_operation)                            \
	X(GET, LOCATION "/customJobs/*/operations/*", "", vertex_get_operation)               \
	X(GET, LOCATION "/models/*/operations/*", "", vertex_get_operation)                   \
	X(GET, LOCATION "/endpoints/*/operations/*", "", vertex_get_operation)                \
	X(GET, LOCATION "/operations", "", vertex_list_operations)                           \
	X(GET, LOCATION "/customJobs/*/operations", "", vertex_list_operations)              \
	X(GET, LOCATION "/models/*/operations", "", vertex_list_operations)                  \
	X(GET, LOCATION "/endpoints/*/operations", "", vertex_list_operations)

static const struct google_route routes[] = {
#define X(method_, path_, permission_, run_) {HTTP_##method_, path_, permission_, run_},
	ROUTES(X)
#undef X
};
// "ui" is where Google's own client library asks for operations.
static const char *const versions[] = {"v1", "v1beta1", "ui", NULL};
static const struct google_api api = {
	.service = "aiplatform.googleapis.com", .versions = versions, .routes = routes, .count = COUNT_OF(routes)};

struct vertex *vertex_of(const struct front_request *r)
{
	return r->service_state;
}

int64_t vertex_now_ns(const struct vertex *v)
{
	return v->pocket->edges->wall_ns(v->pocket->edges->ctx);
}

// ---------------------------------------------------------------- what goes on

int vertex_live_add(struct vertex_live *l, struct str name, struct err *e)
{
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct buf *names = reallocarray(l->names, room, sizeof(*names));
		if (!names)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
		l->names = names;
		l->room = room;
	}
	struct buf copy = {0};
	buf_add(&copy, name);
	int rc = buf_check(&copy, e);
	if (rc == 0)
		l->names[l->count++] = copy;
	return rc;
}

void vertex_live_free(struct vertex_live *l)
{
	for (size_t i = 0; i < l->count; i++)
		buf_free(&l->names[i]);
	free(l->names);
	*l = (struct vertex_live){0};
}

void vertex_live_walk(struct vertex *v, struct vertex_live *l, bool (*look)(struct vertex *v, struct str name))
{
	size_t kept = 0;
	for (size_t i = 0; i < l->count; i++) {
		if (look(v, buf_str(&l->names[i])))
			l->names[kept++] = l->names[i];
		else
			buf_free(&l->names[i]);
	}
	l->count = kept;
}

static bool tick(void *state, int64_t now_ns)
{
	struct vertex *v = state;
	(void)now_ns;
	vertex_live_walk(v, &v->jobs, vertex_job_look);
	vertex_live_walk(v, &v->operations, vertex_operation_look);
	return v->jobs.count || v->operations.count;
}

// ---------------------------------------------------------------- life

static int find_live(struct vertex *v, const char *collection, struct vertex_live *l, struct err *e)
{
	struct docs_row rows[64];
	struct docs_cursor from = {.collection = collection};
	size_t count = 0;
	bool more = true;
	while (more) {
		int rc = docs_list(v->pocket, &from, rows, COUNT_OF(rows), &count, &more);
		if (rc < 0)
			return err_set(e, rc, "the documents of %s cannot be read", collection);
		for (size_t i = 0; i < count; i++)
			if (json_flag(rows[i].doc, "live", false) && (rc = vertex_live_add(l, rows[i].name, e)) < 0)
				return rc;
		if (count)
			from.after = rows[count - 1].name;
	}
	return 0;
}

static void close_service(void *state)
{
	struct vertex *v = state;
	if (!v)
		return;
	vertex_live_free(&v->jobs);
	vertex_live_free(&v->operations);
	free(v);
}

static int open_service(struct pocket *p, void **state, struct err *e)
{
	struct vertex *v = calloc(1, sizeof(*v));
	if (!v)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	v->pocket = p;
	int rc = find_live(v, VERTEX_JOBS, &v->jobs, e);
	if (rc == 0)
		rc = find_live(v, VERTEX_OPERATIONS, &v->operations, e);
	if (rc < 0) {
		close_service(v);
		return rc;
	}
	*state = v;
	return 0;
}

static bool matches(const struct front_request *r)
{
	return google_api_matches(&api, r);
}

static void handle(struct front_request *r)
{
	google_api_handle(&api, r);
}

const struct pocket_service vertex_service = {.name = "aiplatform",
	.matches = matches,
	.handle = handle,
	.fail = google_fail,
	.trouble = google_trouble,
	.open = open_service,
	.close = close_service,
	.tick = tick};
