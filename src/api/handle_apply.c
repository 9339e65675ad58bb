// SPDX-License-Identifier: Apache-2.0
// Routes that carry a plan out: apply and destroy, and the end of an environment that has expired.
#include <string.h>

#include "api/handlers.h"
#include "base/log.h"
#include "infra/apply.h"
#include "infra/buckets.h"
#include "infra/expiry.h"

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
	struct apply apply = {.env = &s->infra,
		.plan = plan,
		.workspace = &s->workspace,
		.report = report_change,
		.ctx = s->request};
	struct apply_result applied = {0};
	int rc = session_publish(s, plan_apply(s->call, &apply, &applied));
	if (rc < 0)
		return rc;
	*result = json_pack("{s:I, s:i}", "revision", (json_int_t)applied.revision, "done", (int)applied.done);
	json_object_set_new(*result, "waiting", json_integer((json_int_t)plan->waits));
	return 0;
}

// Opened, locked, planned, and the plan is the one that was asked for. Only then anything may be touched.
static int plan_under_lock(struct session *s, struct plan_request *request, struct plan *plan)
{
	int rc = session_open_workspace(s);
	if (rc == 0)
		rc = session_lock(s);
	if (rc == 0)
		rc = session_open_clouds(s);
	if (rc == 0) {
		request->protect = s->workspace.environment->protect;
		rc = plan_prepare(s->call, &s->infra, request, plan);
	}
	if (rc == 0)
		rc = check_digest(s, plan);
	return rc < 0 ? rc : plan_check_refusals(plan, &s->call->err);
}

static bool needs_approval(const struct plan *plan)
{
	return !plan_is_empty(plan) && !plan->refresh_only;
}

static int check_approvals(struct session *s, const struct plan *plan)
{
	struct approval_rule rule = session_approvals(s);
	return needs_approval(plan) ? approvals_check(s->call, s->binding.state, &rule, str_of(plan->digest)) : 0;
}

// ---------------------------------------------------------------- apply
int handle_apply(struct api_request *r, json_t **result)
{
	AUTO(session) s;
	session_begin(r, &s);
	struct plan plan;
	struct plan_request request = {
		.desired = &s.workspace, .refresh_only = json_flag(r->body, "refresh_only", false)};
	int rc = plan_under_lock(&s, &request, &plan);
	if (rc == 0)
		rc = check_approvals(&s, &plan);
	if (rc == 0)
		rc = buckets_check_empty(r->call, s.binding.clouds, &plan);
	if (rc == 0 && needs_approval(&plan))
		rc = approvals_spend(r->call, s.binding.state, str_of(plan.digest));
	if (rc == 0)
		rc = run_plan(&s, &plan, result);
	if (rc == 0 && !request.refresh_only)
		rc = expiry_set(r->call, s.binding.state, s.workspace.environment->expires_ns);
	return rc;
}

// ---------------------------------------------------------------- destroy
// A pocket cloud whose record is gone stands for nothing any more. Inside `isobar up` the clouds are up's to end.
static int end_clouds(struct session *s)
{
	if (!s->binding.pocket || control_get_options(s->request->control)->serving)
		return 0;
	return pocket_clouds_stop_all(s->call, s->binding.state_folder);
}

static int check_destroy(struct session *s, const struct plan *plan, bool expired)
{
	const struct environment *e = s->workspace.environment;
	if (e->protect && !plan_is_empty(plan))
		return call_fail(s->call, ERR_DENIED,
			"the environment %.*s is protected, so nothing in it is destroyed: say `protect: false` there "
			"first",
			STR(e->name));
	return expired ? 0 : check_approvals(s, plan);
}

// expired: by the environment's own end, which was approved when it was declared.
static int destroy(struct api_request *r, bool expired, json_t **result)
{
	AUTO(session) s;
	session_begin(r, &s);
	struct plan plan;
	struct buckets_emptied emptied = {0};
	struct plan_request request = {0};
	bool objects = expired || json_flag(r->body, "objects", false);
	int rc = plan_under_lock(&s, &request, &plan);
	if (rc == 0)
		rc = check_destroy(&s, &plan, expired);
	if (rc == 0)
		rc = objects ? buckets_empty(r->call, s.binding.clouds, &plan, &emptied)
			     : buckets_check_empty(r->call, s.binding.clouds, &plan);
	if (rc == 0 && needs_approval(&plan))
		rc = approvals_spend(r->call, s.binding.state, str_of(plan.digest));
	if (rc == 0)
		rc = run_plan(&s, &plan, result);
	if (rc == 0)
		rc = expiry_clear(r->call, s.binding.state, expired);
	if (rc == 0)
		rc = end_clouds(&s);
	if (rc == 0)
		json_object_set_new(*result, "objects_removed", json_integer((json_int_t)emptied.objects));
	return rc;
}

int handle_destroy(struct api_request *r, json_t **result)
{
	return destroy(r, false, result);
}

// ---------------------------------------------------------------- the end of an environment
static int take_down(struct call *c, struct control *control)
{
	AUTO(json) body = json_object();
	AUTO(json) result = NULL;
	struct api_request r = {.call = c, .control = control, .body = body};
	log_line(LOG_INFO, "the environment has expired and takes itself down");
	return destroy(&r, true, &result);
}

int api_expire(struct call *c, struct control *control)
{
	const struct state *state = control_state(control);
	struct expiry e;
	int rc = state ? expiry_get(c, state, &e) : ERR_WAITING;
	if (rc < 0 || !expiry_is_due(c, &e))
		return rc == ERR_WAITING ? 0 : rc;
	rc = take_down(c, control);
	struct err why = c->err;
	struct call probe = *c;
	if (rc == 0 || rc == ERR_IN_USE || call_check(&probe) < 0)
		return rc;
	log_err(LOG_ERROR, &why, "the environment has expired and could not take itself down");
	err_clear(&c->err);
	return expiry_refuse(c, state, str_of(why.message));
}
