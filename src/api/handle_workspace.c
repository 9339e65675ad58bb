// SPDX-License-Identifier: Apache-2.0
// Routes about what is declared: validate, plan, apply, destroy.
#include <string.h>

#include "api/handlers.h"
#include "infra/apply.h"
#include "infra/buckets.h"
#include "state/resource_common.h"

// [{environment, resources}] of all environments that were looked at.
static json_t *checked_json(const struct workspace *w)
{
	json_t *list = json_array();
	for (size_t i = 0; i < w->checked_count; i++) {
		json_t *one = json_pack("{s:I}", "resources", (json_int_t)w->checked[i].resources);
		json_set_str(one, "environment", w->checked[i].environment);
		json_array_append_new(list, one);
	}
	if (w->environment) {
		json_t *one = json_pack("{s:I}", "resources", (json_int_t)w->resource_count);
		json_set_str(one, "environment", w->environment->name);
		json_array_append_new(list, one);
	}
	return list;
}

static size_t most_resources(const struct workspace *w)
{
	size_t most = w->resource_count;
	for (size_t i = 0; i < w->checked_count; i++)
		most = w->checked[i].resources > most ? w->checked[i].resources : most;
	return most;
}

int handle_validate(struct api_request *r, json_t **result)
{
	struct session s;
	session_begin(r, &s);
	s.check_only = true;
	int rc = session_load(&s);
	if (rc < 0 && rc != ERR_INVALID)
		return rc;
	if (rc < 0 && s.findings.count == 0)
		return rc; // a wrong --env is no finding: it stands in no file
	err_clear(&r->call->err);
	*result = json_pack("{s:b, s:o, s:I}", "valid", (int)(rc == 0), "findings", findings_to_json(&s.findings),
		"resources", (json_int_t)(rc == 0 ? most_resources(&s.workspace) : 0));
	if (rc == 0) {
		json_set_str(*result, "workspace", s.workspace.name);
		json_object_set_new(*result, "environments", checked_json(&s.workspace));
		if (s.workspace.document)
			json_object_set(*result, "document", s.workspace.document);
	}
	return 0;
}

// ---------------------------------------------------------------- plan
static json_t *plan_result(struct session *s, const struct plan *plan)
{
	AUTO(buf) text = {0};
	plan_write(plan, json_flag(s->request->body, "color", false), &text);
	json_t *out = plan_to_json(plan);
	json_set_str(out, "text", buf_str(&text));
	json_set_str(out, "workspace", s->workspace.name);
	json_set_str(out, "environment", s->workspace.environment->name);
	json_object_set_new(out, "empty", json_boolean(plan_is_empty(plan)));
	return out;
}

static int open_workspace(struct session *s)
{
	const struct environment *environment;
	int rc = session_load(s);
	if (rc == 0)
		rc = workspace_need_environment(&s->workspace, &environment, &s->call->err);
	return rc < 0 ? rc : session_read_state(s);
}

static bool looks_at_existing(const struct session *s)
{
	for (size_t i = 0; i < s->workspace.resource_count; i++) {
		const struct resource *r = &s->workspace.resources[i];
		if (resource_is_kept(r) || resource_is_adopted(r))
			return true;
	}
	return false;
}

// The first plan of a workspace starts and asks nothing: there is nothing to look at yet, unless it says that something
// exists already.
static int open_for_plan(struct session *s)
{
	int rc = open_workspace(s);
	if (rc < 0)
		return rc;
	return s->recorded_count || looks_at_existing(s) ? session_open_clouds(s) : session_bind(s);
}

int handle_plan(struct api_request *r, json_t **result)
{
	AUTO(session) s;
	session_begin(r, &s);
	struct plan plan;
	int64_t start = call_mono_ns(r->call);
	int rc = open_for_plan(&s);
	struct plan_request request = {
		.desired = json_flag(r->body, "destroy", false) ? NULL : &s.workspace,
		.refresh_only = json_flag(r->body, "refresh_only", false),
		.recorded = s.recorded,
		.recorded_count = s.recorded_count,
	};
	if (rc == 0)
		rc = plan_prepare(r->call, &s.infra, &request, &plan);
	if (rc == 0) {
		*result = plan_result(&s, &plan);
		json_object_set_new(*result, "timing",
			json_pack("{s:f, s:f}", "diff_ms", (double)request.diff_ns / 1e6, "total_ms",
				(double)(call_mono_ns(r->call) - start) / 1e6));
	}
	if (s.env) // a plan leaves everything as it was
		clouds_env_stop_started(r->call, s.env);
	return rc;
}

// ---------------------------------------------------------------- apply
static void report_change(void *ctx, const struct apply_event *e)
{
	struct api_request *r = ctx;
	json_t *event = json_pack("{s:s, s:s, s:f, s:i, s:i}", "state", apply_state_word(e->state), "action",
		plan_action_word(e->action), "seconds", e->seconds, "finished", (int)e->finished, "total",
		(int)e->total);
	json_set_str(event, "address", e->address);
	if (e->error.n)
		json_set_str(event, "error", e->error);
	if (e->waiting.n)
		json_set_str(event, "waiting", e->waiting);
	session_emit(r, "change", event);
}

static int check_digest(struct session *s, const struct plan *plan)
{
	const char *approved = json_text(s->request->body, "digest");
	if (!*approved || strcmp(approved, plan->digest) == 0)
		return 0;
	return call_fail(s->call, ERR_CONFLICT, "what would be done is no longer what was approved: plan again");
}

static int run_plan(struct session *s, const struct plan *plan, json_t **result)
{
	struct apply apply = {.env = &s->infra, .plan = plan, .workspace = &s->workspace, .report = report_change, .ctx = s->request};
	struct apply_result applied = {0};
	int rc = session_publish(s, plan_apply(s->call, &apply, &applied));
	if (rc < 0)
		return rc;
	*result = json_pack("{s:I, s:i}", "revision", (json_int_t)applied.revision, "done", (int)applied.done);
	json_object_set_new(*result, "waiting", json_integer((json_int_t)plan->waits));
	return 0;
}

int handle_apply(struct api_request *r, json_t **result)
{
	AUTO(session) s;
	session_begin(r, &s);
	struct plan plan;
	struct plan_request request = {
		.desired = &s.workspace, .refresh_only = json_flag(r->body, "refresh_only", false)};
	int rc = open_workspace(&s);
	if (rc == 0)
		rc = session_lock(&s);
	if (rc == 0)
		rc = session_open_clouds(&s);
	if (rc == 0)
		rc = plan_prepare(r->call, &s.infra, &request, &plan);
	if (rc == 0)
		rc = check_digest(&s, &plan);
	return rc < 0 ? rc : run_plan(&s, &plan, result);
}

// ---------------------------------------------------------------- destroy
// A pocket cloud whose record is gone stands for nothing any more. Inside `isobar up` the clouds are up's to end.
static int end_clouds(struct session *s)
{
	if (!s->binding.pocket || control_get_options(s->request->control)->serving)
		return 0;
	return pocket_clouds_stop_all(s->call, s->binding.state_folder);
}

int handle_destroy(struct api_request *r, json_t **result)
{
	AUTO(session) s;
	session_begin(r, &s);
	struct plan plan;
	struct buckets_emptied emptied = {0};
	struct plan_request request = {0};
	int rc = open_workspace(&s);
	if (rc == 0)
		rc = session_lock(&s);
	if (rc == 0)
		rc = session_open_clouds(&s);
	if (rc == 0)
		rc = plan_prepare(r->call, &s.infra, &request, &plan);
	if (rc == 0)
		rc = check_digest(&s, &plan);
	if (rc == 0 && json_flag(r->body, "objects", false))
		rc = buckets_empty(r->call, s.binding.clouds, &plan, &emptied);
	if (rc == 0)
		rc = run_plan(&s, &plan, result);
	if (rc == 0)
		rc = end_clouds(&s);
	if (rc == 0)
		json_object_set_new(*result, "objects_removed", json_integer((json_int_t)emptied.objects));
	return rc;
}
