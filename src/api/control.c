// SPDX-License-Identifier: Apache-2.0
// The control plane as a value, and the sessions that requests open on it. See control.h and session.h.
#include "api/control.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/open_state.h"
#include "api/session.h"
#include "base/file.h"
#include "infra/address_index.h"
#include "infra/input_state.h"
#include "infra/secret_clouds.h"
#include "infra/stand_ins.h"
#include "infra/workspace_place.h"
#include "state/resource_scan.h"

struct control {
	struct arena arena;
	struct control_options options;
	struct workspace_place place;
	pthread_mutex_t lock;     // of state and operator while they are opened, and of changing
	struct operator_file *op; // NULL: not read yet
	struct state state;
	bool has_state;
	struct str plane; // with the state; see control_plane
	bool changing;    // a request of this process changes the workspace
};

static bool keep_list(struct control *control, const char *const *from, size_t count, const char *const **out)
{
	const char **list = arena_new_array(&control->arena, count + 1, const char *);
	for (size_t i = 0; list && i < count; i++) {
		list[i] = arena_cstr(&control->arena, str_of(from[i]));
		if (!list[i])
			return false;
	}
	*out = list;
	return list != NULL;
}

static int keep_texts(struct call *c, struct control *control)
{
	struct workspace_given *g = &control->options.given;
	bool kept = keep_list(control, g->variables, g->variable_count, &g->variables) &&
		    keep_list(control, g->variable_files, g->variable_file_count, &g->variable_files);
	return kept ? 0 : call_no_memory(c);
}

int control_open(struct call *c, const struct control_options *options, struct control **out)
{
	struct control *control = calloc(1, sizeof(*control));
	if (!control)
		return call_no_memory(c);
	control->options = *options;
	control->options.path = arena_cstr(&control->arena, str_of(options->path ? options->path : "."));
	control->options.environment = arena_str(&control->arena, options->environment);
	if (options->operator_file)
		control->options.operator_file = arena_cstr(&control->arena, str_of(options->operator_file));
	int rc = keep_texts(c, control);
	if (rc == 0)
		rc = workspace_place_find(
			control->options.path, control->options.environment, &control->arena, &control->place, &c->err);
	if (rc < 0) {
		arena_free(&control->arena);
		free(control);
		return rc;
	}
	pthread_mutex_init(&control->lock, NULL);
	*out = control;
	return 0;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	if (control->has_state)
		state_close(&control->state);
	operator_free(control->op);
	pthread_mutex_destroy(&control->lock);
	arena_free(&control->arena);
	free(control);
}

struct str control_folder(const struct control *control)
{
	return control->place.folder;
}

struct str control_state_folder(const struct control *control)
{
	return control->place.state_folder;
}

const struct control_options *control_get_options(const struct control *control)
{
	return &control->options;
}

const struct state *control_state(const struct control *control)
{
	return control->has_state ? &control->state : NULL;
}

struct str control_plane(const struct control *control)
{
	return control->plane;
}

static const char *hidden_path(struct call *c, const struct control *control, const char *name)
{
	return arena_printf(c->arena, "%.*s/%s", STR(control->place.state_folder), name).p;
}

int control_make_state_folder(struct call *c, const struct control *control)
{
	return workspace_place_make(&control->place, &c->err);
}

bool control_is_served(struct call *c, const struct control *control)
{
	const char *path = hidden_path(c, control, "control.lock");
	if (!control->place.state_folder.n || !path || !file_exists(path))
		return false;
	AUTO(fd) lock = file_lock(path, NULL);
	return lock == ERR_IN_USE;
}

static int open_state_locked(struct call *c, struct control *control, bool moving)
{
	if (control->has_state)
		return 0;
	bool shared = false;
	const struct open_state_options options = {.path = control->options.path,
		.place = &control->place,
		.operator_file = control->options.operator_file,
		.untrusted = control->options.given.untrusted,
		.moving = moving};
	int rc = open_state(c, &options, &control->state, &shared);
	control->has_state = rc == 0;
	if (rc == 0 && shared)
		rc = planes_name(c, &control->arena, &control->plane);
	return rc;
}

static int open_state_once(struct call *c, struct control *control, bool moving)
{
	pthread_mutex_lock(&control->lock);
	int rc = open_state_locked(c, control, moving);
	pthread_mutex_unlock(&control->lock);
	return rc;
}

int control_operator(struct call *c, struct control *control, const struct operator_file **out)
{
	int rc = 0;
	if (control->options.given.untrusted) {
		*out = NULL;
		return 0;
	}
	pthread_mutex_lock(&control->lock);
	if (!control->op)
		rc = operator_load(c, control->options.operator_file, &control->op);
	if (rc == 0)
		secret_clouds_fill(control->op);
	*out = control->op;
	pthread_mutex_unlock(&control->lock);
	return rc;
}

// ---------------------------------------------------------------- sessions
void session_emit(struct api_request *r, const char *event, json_t *members)
{
	if (!r->emit || !members) {
		json_decref(members);
		return;
	}
	json_object_set_new(members, "event", json_string(event));
	r->emit(r->emit_ctx, members);
}

void session_begin(struct api_request *r, struct session *s)
{
	*s = (struct session){.request = r,
		.call = r->call,
		.lock = -1,
		.findings = {.arena = r->call->arena},
		.revive = !r->control->options.serving};
}

static void fill_binding(struct session *s)
{
	struct control *control = s->request->control;
	s->binding = (struct binding){
		.folder = control->place.folder,
		.state_folder = control->place.state_folder,
		.workspace = s->loaded ? s->workspace.name : s->call->workspace,
		.pocket = s->loaded && s->workspace.environment && s->workspace.environment->pocket,
		.plane = control->plane,
		.state = s->held ? held_state(s->held) : control_state(control),
		.parts = control->options.parts,
		.op = control->options.given.untrusted ? NULL : control->op,
	};
	s->infra.state = s->binding.state;
}

int session_move_state(struct session *s)
{
	return open_state_once(s->call, s->request->control, true);
}

// Values are read with those whose handlers look at a provider.
static int read_recorded(struct session *s)
{
	const struct control *control = s->request->control;
	const struct control_parts *parts = control->options.parts;
	const struct infra_env env = {.handlers = parts->handlers, .handler_count = parts->handler_count};
	const struct resource_filter filter = {.whole = infra_reads_whole, .ctx = (void *)(uintptr_t)&env};
	return resource_scan(s->call, control_state(control), &filter, &s->recorded, &s->recorded_count);
}

int session_read_state(struct session *s)
{
	int rc = open_state_once(s->call, s->request->control, false);
	if (rc == 0)
		rc = read_recorded(s);
	if (rc == 0)
		fill_binding(s);
	return rc;
}

static void emit_findings(struct session *s)
{
	AUTO(json) list = findings_to_json(&s->findings);
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one) session_emit(s->request, "finding", json_incref(one));
}

int session_load(struct session *s)
{
	const struct control_options *o = &s->request->control->options;
	s->options = (struct workspace_options){
		.path = o->path,
		.environment = o->environment,
		.given = o->given,
		.check_only = s->check_only,
		.keep_document = json_flag(s->request->body, "document", false),
		.kinds = o->parts->kinds,
		.handlers = o->parts->handlers,
		.handler_count = o->parts->handler_count,
	};
	int rc = control_operator(s->call, s->request->control, &s->options.op);
	struct input_reader reader = {.call = s->call, .op = s->options.op};
	if (s->options.op && !s->check_only) { // a look at the files makes no call
		s->options.read_input = input_state_read;
		s->options.read_input_ctx = &reader;
	}
	if (rc == 0)
		rc = workspace_load(&s->options, &s->findings, &s->workspace, &s->call->err);
	s->options.read_input = NULL;
	emit_findings(s);
	if (rc < 0)
		return rc;
	s->loaded = true;
	s->call->workspace = s->workspace.name;
	return 0;
}

int session_bind(struct session *s)
{
	static const struct clouds no_clouds;
	const struct control_parts *parts = s->request->control->options.parts;
	s->binding.clouds = s->env ? clouds_env_clouds(s->env) : &no_clouds;
	struct resource_handler *rows =
		arena_new_array(s->call->arena, parts->handler_count + 1, struct resource_handler);
	if (!rows)
		return call_no_memory(s->call);
	memcpy(rows, parts->handlers, parts->handler_count * sizeof(*rows));
	s->infra.handlers = rows;
	s->infra.handler_count = parts->handler_count;
	return parts->bind(s->call, &s->binding, rows);
}

int session_open_workspace(struct session *s)
{
	const struct environment *environment;
	int rc = session_load(s);
	if (rc == 0)
		rc = workspace_need_environment(&s->workspace, &environment, &s->call->err);
	return rc < 0 ? rc : session_read_state(s);
}

struct approval_rule session_approvals(const struct session *s)
{
	const struct environment *e = s->workspace.environment;
	struct str by = {0};
	if (e->approvers.name.n)
		by = arena_printf(s->call->arena, "%.*s/%.*s", STR(e->approvers.kind), STR(e->approvers.name));
	return (struct approval_rule){.needed = e->approvals, .by = by, .environment = e->name};
}

static bool opens_clouds(const struct resource *r)
{
	return str_eq(r->kind, S("cloud")) || str_eq(r->kind, S("bucket"));
}

static size_t count_opening(const struct resource *all, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += opens_clouds(&all[i]);
	return n;
}

// What is written comes before what is recorded: a new encryption of a bucket holds from its first object on. A bucket
// that is made already keeps its name, whatever its address became.
static int all_resources(struct session *s, struct clouds_env_options *o)
{
	size_t declared = s->loaded ? s->workspace.resource_count : 0, made = 0;
	size_t written = declared ? count_opening(s->workspace.resources, declared) : 0;
	size_t room = written + count_opening(s->recorded, s->recorded_count);
	struct resource *all = arena_new_array(s->call->arena, room + 1, struct resource), *records = all + written;
	struct address_index index;
	for (size_t i = 0; all && i < s->recorded_count; i++) {
		if (opens_clouds(&s->recorded[i]))
			records[made++] = s->recorded[i];
	}
	if (!all || address_index_make(s->call->arena, records, made, sizeof(*records), &index) < 0)
		return call_no_memory(s->call);
	o->resources = all;
	o->resource_count = room;
	for (size_t i = 0, at = 0; i < declared; i++) {
		const struct resource *r = &s->workspace.resources[i];
		if (!opens_clouds(r))
			continue;
		size_t place = address_find(&index, r->address);
		if (!place && r->moved_from.n)
			place = address_find(&index, r->moved_from);
		all[at] = *r;
		if (place)
			all[at].cloud_id = records[place - 1].cloud_id;
		at++;
	}
	return 0;
}

// What exists already elsewhere is played, too.
static int place_stand_ins(struct session *s, const struct environment *environment)
{
	const struct stand_ins stand_ins = {.folder = s->binding.folder,
		.state_folder = s->binding.state_folder,
		.workspace = s->binding.workspace,
		.synthetic = environment->synthetic,
		.clouds = clouds_env_clouds(s->env),
		.resources = s->loaded ? s->workspace.resources : s->recorded,
		.count = s->loaded ? s->workspace.resource_count : s->recorded_count};
	return stand_ins_place(s->call, &stand_ins);
}

int session_open_clouds(struct session *s)
{
	const struct environment *environment;
	int rc = workspace_need_environment(&s->workspace, &environment, &s->call->err);
	struct clouds_env_options o = {.state_folder = s->binding.state_folder,
		.workspace = s->binding.workspace,
		.revive = s->revive,
		.brief = s->ending};
	if (rc == 0)
		rc = all_resources(s, &o);
	if (rc < 0)
		return rc;
	o.pocket = environment->pocket;
	o.op = s->binding.op;
	if (s->options.given.untrusted)
		return call_fail(s->call, ERR_DENIED,
			"an untrusted workspace can be validated and planned, and nothing else: its clouds are not "
			"opened");
	rc = clouds_env_open(s->call, &o, &s->env);
	if (rc == 0 && o.pocket)
		rc = place_stand_ins(s, environment);
	return rc < 0 ? rc : session_bind(s);
}

static int lock_in_process(struct session *s)
{
	struct control *control = s->request->control;
	pthread_mutex_lock(&control->lock);
	bool busy = control->changing;
	control->changing = true;
	pthread_mutex_unlock(&control->lock);
	if (busy)
		return call_fail(s->call, ERR_IN_USE, "another request is changing this workspace: wait for it to end");
	return 0;
}

static int lock_here(struct session *s)
{
	struct control *control = s->request->control;
	if (control->options.serving) {
		int rc = lock_in_process(s);
		s->lock = rc < 0 ? -1 : -2;
		return rc;
	}
	int rc = workspace_place_need(&control->place, &s->call->err);
	if (rc < 0)
		return rc;
	s->lock = file_lock(hidden_path(s->call, control, "control.lock"), &s->call->err);
	if (s->lock >= 0)
		return 0;
	s->lock = -1;
	return call_context(s->call,
		s->call->err.code == ERR_IN_USE ? "another isobar works on this workspace" : "lock this workspace");
}

int session_lock(struct session *s)
{
	struct control *control = s->request->control;
	if (control->options.given.untrusted)
		return call_fail(
			s->call, ERR_DENIED, "an untrusted workspace can be validated and planned, and nothing else");
	int rc = lock_here(s);
	if (rc == 0)
		rc = open_state_once(s->call, control, false);
	if (rc < 0 || !control->plane.n)
		return rc;
	rc = planes_take_turn(s->call, &control->state, control->plane, &s->held);
	if (rc < 0)
		return rc;
	s->binding.state = s->infra.state = held_state(s->held);
	return 0;
}

int session_publish(struct session *s, int rc)
{
	const struct control_options *o = control_get_options(s->request->control);
	struct err first = s->call->err;
	if (o->serving)
		return rc;
	err_clear(&s->call->err);
	int published = o->parts->publish(s->call, &s->binding);
	if (rc < 0)
		s->call->err = first;
	return rc < 0 ? rc : published;
}

void session_close(struct session *s)
{
	clouds_env_close(s->env);
	s->env = NULL;
	held_give_back(s->call, s->held);
	s->held = NULL;
	if (s->lock >= 0)
		fd_close(&s->lock);
	if (s->lock == -2) {
		pthread_mutex_lock(&s->request->control->lock);
		s->request->control->changing = false;
		pthread_mutex_unlock(&s->request->control->lock);
	}
	s->lock = -1;
}
