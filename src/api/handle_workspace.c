// SPDX-License-Identifier: Apache-2.0
// Routes about what is declared, which change nothing: validate and plan.
#include <string.h>

#include "api/handlers.h"
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
	json_object_set_new(out, "approvals", json_integer(s->workspace.environment->approvals));
	return out;
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
// exists already. Nobody is asked for a workspace that is not trusted.
static int open_for_plan(struct session *s)
{
	int rc = session_open_workspace(s);
	if (rc < 0)
		return rc;
	bool look = (s->recorded_count || looks_at_existing(s)) && !s->options.given.untrusted;
	return look ? session_open_clouds(s) : session_bind(s);
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
		.protect = rc == 0 && s.workspace.environment->protect,
		.recorded = s.recorded,
		.recorded_count = s.recorded_count,
		.blind = s.options.given.untrusted,
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
