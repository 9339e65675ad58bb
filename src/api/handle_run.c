// SPDX-License-Identifier: Apache-2.0
// Routes that make things: runs of pipelines, and endpoints brought to their declared state.
#include "api/handlers.h"
#include "base/file.h"

static int open_for_run(struct session *s)
{
	int rc = session_load(s);
	if (rc == 0)
		rc = session_read_state(s);
	if (rc == 0 && s->recorded_count == 0)
		rc = call_fail(s->call, ERR_WAITING,
			"nothing of the workspace %.*s is applied yet: run `isobar apply` first",
			STR(s->workspace.name));
	return rc;
}

static void report_progress(void *ctx, const struct progress_event *e)
{
	struct api_request *r = ctx;
	json_t *event =
		json_pack("{s:f, s:f, s:s}", "done", e->done, "total", e->total, "unit", e->unit ? e->unit : "");
	json_set_str(event, "step", e->step);
	json_set_str(event, "what", e->what);
	if (e->text.n)
		json_set_str(event, "text", e->text);
	session_emit(r, "progress", event);
}

static int fill_env(struct session *s, const struct progress *progress, struct pipeline_env *out)
{
	const struct control_parts *parts = control_get_options(s->request->control)->parts;
	struct str scratch = arena_printf(s->call->arena, "%.*s/made", STR(s->binding.state_folder));
	char *folder = arena_cstr(s->call->arena, s->binding.folder);
	if (!scratch.p || !folder)
		return call_no_memory(s->call);
	*out = (struct pipeline_env){
		.state = s->binding.state,
		.clouds = s->binding.clouds,
		.makers = parts->makers,
		.maker_count = parts->maker_count,
		.progress = progress,
		.scratch = scratch.p,
		.folder = folder,
	};
	return file_make_dirs(scratch.p, 0700, &s->call->err);
}

static json_t *steps_json(const struct pipeline_step *steps, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *one = json_object();
		json_set_str(one, "step", steps[i].address);
		json_set_str(one, "run", steps[i].run);
		json_set_str(one, "digest", steps[i].digest);
		json_object_set_new(one, "need", json_string(pipeline_need_text(steps[i].need)));
		json_object_set_new(one, "up_to_date", json_boolean(steps[i].need == PIPELINE_UP_TO_DATE));
		json_array_append_new(list, one);
	}
	return list;
}

static int need_goal(struct api_request *r, struct str *goal)
{
	*goal = json_str(r->body, "goal");
	return goal->n ? 0
		       : call_fail(
				 r->call, ERR_INVALID, "say what to make: \"goal\", such as model/classifier@champion");
}

int handle_run_plan(struct api_request *r, json_t **result)
{
	AUTO(session) s;
	session_begin(r, &s);
	struct pipeline_env env;
	struct pipeline_step *steps;
	struct str goal;
	size_t count;
	int rc = need_goal(r, &goal);
	if (rc == 0)
		rc = open_for_run(&s);
	if (rc == 0)
		rc = session_bind(&s);
	if (rc == 0)
		rc = fill_env(&s, NULL, &env);
	if (rc == 0)
		rc = pipeline_plan(r->call, &env, goal, &steps, &count);
	if (rc == 0)
		*result = json_pack("{s:o}", "steps", steps_json(steps, count));
	return rc;
}

// Inside `isobar up` (here, or another that shares the state) its deploy loop does this by itself, and looks after the
// endpoints from then on.
static int deploy_here(struct session *s, size_t *pending)
{
	const struct control_options *o = control_get_options(s->request->control);
	struct held *held = NULL;
	struct binding binding = s->binding;
	if (o->serving)
		return 0;
	if (binding.plane.n) {
		int rc = planes_take_service(
			s->call, control_state(s->request->control), binding.plane, "deploy", NULL, &held);
		if (rc == ERR_IN_USE) {
			err_clear(&s->call->err);
			return session_publish(s, 0);
		}
		if (rc < 0)
			return rc;
		binding.state = held_state(held);
	}
	int rc = session_publish(s, o->parts->deploy_once(s->call, &binding, pending));
	held_give_back(s->call, held);
	return rc;
}

static int deploy(struct session *s, json_t *result)
{
	size_t pending = 0;
	int rc = deploy_here(s, &pending);
	if (rc == 0)
		json_object_set_new(result, "endpoints_pending", json_integer((json_int_t)pending));
	return rc;
}

// What the control planes that share the state know of the run: another goes on with it when this one dies.
static int run_known(struct session *s, const struct pipeline_env *env, struct str goal)
{
	struct call *c = s->call;
	bool shared = s->held != NULL;
	int rc = shared ? planes_run_begin(c, s->binding.state, s->binding.plane, goal) : 0;
	if (rc == 0)
		rc = pipeline_run(c, env, goal);
	struct call probe = *c;
	if (!shared || held_is_lost(s->held) || call_check(&probe) < 0)
		return rc;
	struct err first = c->err;
	int ended = planes_run_end(c, s->binding.state);
	if (rc < 0)
		c->err = first;
	return rc < 0 ? rc : ended;
}

static int run_goal(struct session *s, struct str goal, json_t **result)
{
	struct progress progress = {.ctx = s->request, .report = report_progress};
	struct pipeline_env env;
	struct pipeline_step *steps;
	size_t count;
	int rc = fill_env(s, &progress, &env);
	if (rc == 0)
		rc = pipeline_plan(s->call, &env, goal, &steps, &count);
	if (rc < 0)
		return rc;
	json_t *event = json_pack("{s:o}", "steps", steps_json(steps, count));
	json_set_str(event, "goal", goal);
	session_emit(s->request, "run", event);
	rc = run_known(s, &env, goal);
	if (rc < 0)
		return rc;
	AUTO(json) out = json_pack("{s:o}", "steps", steps_json(steps, count));
	json_set_str(out, "goal", goal);
	rc = deploy(s, out);
	if (rc == 0)
		*result = json_incref(out);
	return rc;
}

int handle_run(struct api_request *r, json_t **result)
{
	AUTO(session) s;
	session_begin(r, &s);
	struct str goal;
	int rc = need_goal(r, &goal);
	if (rc == 0)
		rc = open_for_run(&s);
	if (rc == 0)
		rc = session_lock(&s);
	if (rc == 0)
		rc = session_open_clouds(&s);
	return rc < 0 ? rc : run_goal(&s, goal, result);
}

int handle_deploy(struct api_request *r, json_t **result)
{
	AUTO(session) s;
	session_begin(r, &s);
	int rc = open_for_run(&s);
	if (rc == 0)
		rc = session_lock(&s);
	if (rc == 0)
		rc = session_open_clouds(&s);
	if (rc < 0)
		return rc;
	AUTO(json) out = json_object();
	rc = deploy(&s, out);
	if (rc == 0)
		*result = json_incref(out);
	return rc;
}
