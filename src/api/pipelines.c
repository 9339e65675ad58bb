// SPDX-License-Identifier: Apache-2.0
// Requested pipelines. See pipelines.h. Record "pipelines/last" {sequence}: the last request that has ended.
#include "api/pipelines.h"

#include "api/planes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"

enum { WATCH_S = 1, BUSY_RETRY_MS = 1000 };

static int read_last(struct call *c, const struct state *s, struct record *record, uint64_t *sequence)
{
	int rc = state_get(c, s, S("pipelines/last"), record);
	*sequence = rc == 0 ? (uint64_t)json_int(record->value, "sequence", 0) : 0;
	return rc;
}

static int read_requests(struct call *c, const struct state *s, uint64_t after, struct event **events, size_t *count)
{
	const struct state_query query = {.after = after, .type_prefix = S("pipeline.requested"), .limit = 1000};
	return s->ops->read(c, s->ctx, &query, events, count);
}

int pipeline_request(struct call *c, const struct state *s, struct str goal)
{
	struct record record;
	struct event *waiting;
	size_t count;
	uint64_t last;
	int rc = read_last(c, s, &record, &last);
	if (rc == 0)
		rc = read_requests(c, s, last, &waiting, &count);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count; i++) {
		if (str_eq(json_str(waiting[i].data, "goal"), goal))
			return 0;
	}
	json_t *data = json_object();
	json_set_str(data, "goal", goal);
	json_set_str(data, "by", c->principal);
	return state_append_one(c, s, S("pipeline.requested"), goal, data, NULL);
}

// ---------------------------------------------------------------- carrying out
static int run_here(struct call *c, const struct binding *b, struct str goal)
{
	struct str scratch = arena_printf(c->arena, "%.*s/made", STR(b->state_folder));
	const struct pipeline_env env = {
		.state = b->state,
		.clouds = b->clouds,
		.makers = b->parts->makers,
		.maker_count = b->parts->maker_count,
		.scratch = scratch.p,
		.folder = arena_cstr(c->arena, b->folder),
	};
	if (!env.scratch || !env.folder)
		return call_no_memory(c);
	int rc = file_make_dirs(env.scratch, 0700, &c->err);
	return rc < 0 ? rc : pipeline_run(c, &env, goal);
}

// Where planes share the state, under the lease that lets one of them change the workspace.
static int run_goal(struct call *c, const struct binding *b, struct str goal)
{
	struct held *held = NULL;
	struct binding fenced = *b;
	if (!b->plane.n)
		return run_here(c, b, goal);
	int rc = planes_take_turn(c, b->state, b->plane, &held);
	if (rc < 0)
		return rc;
	fenced.state = held_state(held);
	rc = run_here(c, &fenced, goal);
	held_give_back(c, held);
	return rc;
}

static bool has_ended(struct call *c)
{
	struct call probe = *c;
	return call_check(&probe) < 0;
}

// ---------------------------------------------------------------- runs whose control plane died
static int go_on(struct call *c, const struct binding *b)
{
	struct held *held = NULL;
	struct str goal = S("");
	struct binding fenced = *b;
	int rc = planes_take_turn(c, b->state, b->plane, &held);
	if (rc < 0)
		return rc;
	fenced.state = held_state(held);
	rc = planes_run_open(c, fenced.state, &goal); // it may have ended before we had the lease
	if (rc == 0 && goal.n) {
		log_line(LOG_INFO, "going on with the run of %.*s, whose control plane is gone", STR(goal));
		rc = run_here(c, &fenced, goal);
		if (rc < 0 && !has_ended(c) && !held_is_lost(held)) { // as its caller would have heard
			log_err(LOG_WARNING, &c->err, "go on with a run");
			err_clear(&c->err);
			rc = 0;
		}
		if (rc == 0)
			rc = planes_run_end(c, fenced.state);
	}
	held_give_back(c, held);
	return rc;
}

// While its control plane lives, the lease is held, and this only looks.
static int serve_open_run(struct call *c, const struct binding *b)
{
	struct str goal = S("");
	int rc = b->plane.n ? planes_run_open(c, b->state, &goal) : 0;
	if (rc == 0 && goal.n)
		rc = go_on(c, b);
	if (rc == ERR_IN_USE) {
		err_clear(&c->err);
		rc = 0;
	}
	return rc;
}

static int note_end(struct call *c, const struct state *s, const struct event *request, const struct err *e)
{
	struct record record;
	uint64_t last;
	int rc = read_last(c, s, &record, &last);
	if (rc < 0)
		return rc;
	AUTO(json) value = json_pack("{s:I}", "sequence", (json_int_t)request->sequence);
	json_t *data =
		json_pack("{s:I, s:s}", "request", (json_int_t)request->sequence, "state", e->code ? "failed" : "done");
	json_set_str(data, "goal", request->address);
	if (e->code)
		json_set_str(data, "error", str_of(e->message));
	const struct state_note note = {.key = S("pipelines/last"),
		.value = value,
		.expected = record.revision,
		.type = S("pipeline.ended"),
		.address = request->address,
		.data = data};
	return state_put_noted(c, s, &note);
}

// A run that is under way elsewhere in this workspace is waited for; any other failure ends the request, and is
// journaled.
static int serve_one(struct call *c, const struct binding *b, const struct event *request)
{
	int rc = run_goal(c, b, json_str(request->data, "goal"));
	while (rc == ERR_IN_USE) {
		err_clear(&c->err);
		rc = call_sleep(c, BUSY_RETRY_MS * NS_PER_MS);
		if (rc == 0)
			rc = run_goal(c, b, json_str(request->data, "goal"));
	}
	if (rc < 0 && has_ended(c))
		return rc; // the control plane ends: the request stays, and is taken up again
	struct err ended = c->err;
	if (rc < 0)
		log_err(LOG_WARNING, &ended, "run a requested pipeline");
	err_clear(&c->err);
	return note_end(c, b->state, request, &ended);
}

static int serve_waiting(struct call *c, const struct binding *b, uint64_t *head)
{
	struct record record;
	struct event *events;
	size_t count;
	uint64_t last;
	int rc = serve_open_run(c, b);
	if (rc == 0)
		rc = read_last(c, b->state, &record, &last);
	if (rc == 0)
		rc = read_requests(c, b->state, last, &events, &count);
	if (rc == 0 && count)
		return serve_one(c, b, &events[0]);
	return rc < 0 ? rc : state_watch(c, b->state, *head, WATCH_S * NS_PER_S, head);
}

int pipelines_serve(struct call *c, const struct binding *b)
{
	uint64_t head = 0;
	for (;;) {
		AUTO(arena) arena = {0};
		struct call round;
		call_child(&round, c, &arena, 0);
		int rc = call_check(&round);
		if (rc == 0)
			rc = serve_waiting(&round, b, &head);
		if (rc < 0) {
			c->err = round.err;
			return rc;
		}
	}
}
