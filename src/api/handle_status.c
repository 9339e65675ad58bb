// SPDX-License-Identifier: Apache-2.0
// What runs: the control plane itself, clouds, endpoints, gateways. Looking starts nothing. And `down`, which ends what
// runs.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/handlers.h"
#include "base/process.h"
#include "base/time.h"
#include "data/replica.h"
#include "infra/expiry.h"

int handle_health(struct api_request *r, json_t **result)
{
	const struct control_options *o = control_get_options(r->control);
	*result = json_pack("{s:s, s:s, s:i, s:b}", "status", "ok", "version", ISOBAR_VERSION, "pid", (int)getpid(),
		"serving", (int)o->serving);
	json_set_str(*result, "folder", control_folder(r->control));
	return 0;
}

// ---------------------------------------------------------------- status
static json_t *cloud_json(struct session *s, const struct resource *r)
{
	struct pocket_cloud p = {
		.name = r->name,
		.root = arena_printf(s->call->arena, "%.*s/pocket/%.*s", STR(s->binding.state_folder), STR(r->name)),
	};
	json_t *one = json_object();
	json_set_str(one, "name", r->name);
	json_set_str(one, "provider", json_str(r->resolved, "provider"));
	json_set_str(one, "region", json_str(r->resolved, "region"));
	if (!s->binding.pocket)
		return one;
	bool up = pocket_cloud_find(s->call, &p) == 0;
	err_clear(&s->call->err);
	json_object_set_new(one, "pocket", json_true());
	json_object_set_new(one, "up", json_boolean(up));
	json_set_str(one, "url", p.url);
	json_object_set_new(one, "pid", json_integer(up ? p.process.pid : 0));
	return one;
}

static json_t *clouds_json(struct session *s)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->workspace.resource_count; i++) {
		if (str_eq(s->workspace.resources[i].kind, S("cloud")))
			json_array_append_new(list, cloud_json(s, &s->workspace.resources[i]));
	}
	return list;
}

static json_t *counts_json(const struct session *s)
{
	int ready = 0, waiting = 0, failed = 0;
	for (size_t i = 0; i < s->recorded_count; i++) {
		ready += str_eq(s->recorded[i].status, S("ready"));
		waiting += str_eq(s->recorded[i].status, S("waiting"));
		failed += str_eq(s->recorded[i].status, S("failed")) || str_eq(s->recorded[i].status, S("creating"));
	}
	return json_pack("{s:i, s:i, s:i, s:i}", "total", (int)s->recorded_count, "ready", ready, "waiting", waiting,
		"failed", failed);
}

// What was written of an endpoint holds only while its replicas live: `isobar down` ends them, and nobody looks until
// the next start.
static void correct_endpoint(json_t *one)
{
	const json_t *pids = json_object_get(one, "pids");
	pid_t first = (pid_t)json_integer_value(json_array_get(pids, 0));
	struct process process;
	if (strcmp(json_text(one, "state"), "ready") == 0 && first > 1 && process_identify(first, &process) < 0)
		json_object_set_new(one, "state", json_string("down"));
}

static int add_state(struct session *s, json_t *out)
{
	struct record revision, *endpoints;
	size_t count;
	int rc = state_get(s->call, s->binding.state, S("revision/current"), &revision);
	if (rc == 0)
		rc = state_list(s->call, s->binding.state, S("endpoint-status/"), &endpoints, &count);
	if (rc < 0)
		return rc;
	json_object_set_new(out, "revision", revision.revision ? json_incref(revision.value) : json_null());
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *one = json_copy(endpoints[i].value);
		json_set_str(one, "address",
			arena_printf(s->call->arena, "endpoint/%.*s", STR(str_drop(endpoints[i].key, 16))));
		correct_endpoint(one);
		json_array_append_new(list, one);
	}
	json_object_set_new(out, "endpoints", list);
	return 0;
}

static int add_planes(struct session *s, json_t *out)
{
	json_t *planes = NULL;
	int rc = s->binding.plane.n ? planes_list(s->call, s->binding.state, s->binding.plane, &planes) : 0;
	if (planes)
		json_object_set_new(out, "control_planes", planes);
	return rc;
}

// When the environment takes itself down, and why it did not.
static void add_expiry(struct session *s, json_t *out)
{
	struct expiry e;
	char at[TIME_TEXT_SIZE];
	if (expiry_get(s->call, s->binding.state, &e) < 0 || e.at_ns == 0) {
		err_clear(&s->call->err);
		return;
	}
	time_rfc3339(e.at_ns, 0, at);
	json_object_set_new(out, "expires", json_string(at));
	json_object_set_new(out, "expired", json_boolean(expiry_is_due(s->call, &e)));
	if (e.refused.n)
		json_set_str(out, "stays", e.refused);
}

// How far copies of datasets are behind, as of what state knows; no cloud is asked.
static json_t *replica_json(struct session *s, const struct replica_status *r)
{
	json_t *one = json_object();
	struct str behind = arena_printf(s->call->arena, "%lld min behind", (long long)(r->lag_ns / (60 * NS_PER_S)));
	json_set_str(one, "address", arena_printf(s->call->arena, "%.*s on %.*s", STR(r->dataset), STR(r->cloud)));
	json_set_str(one, "state", !r->synced_ns ? S("never copied") : behind);
	json_object_set_new(one, "lag_s", r->synced_ns ? json_integer(r->lag_ns / NS_PER_S) : json_null());
	json_object_set_new(one, "objects", json_integer((json_int_t)r->objects));
	json_object_set_new(one, "bytes", json_integer((json_int_t)r->bytes));
	json_object_set_new(one, "held", json_integer((json_int_t)r->held));
	json_set_str(one, "error", r->error);
	return one;
}

static int add_replicas(struct session *s, json_t *out)
{
	struct replica_status *list = NULL;
	size_t count = 0;
	json_t *all = json_array();
	json_object_set_new(out, "replicas", all);
	int rc = replica_list(s->call, s->binding.state, &list, &count);
	for (size_t i = 0; rc == 0 && i < count; i++)
		json_array_append_new(all, replica_json(s, &list[i]));
	return rc;
}

int handle_status(struct api_request *r, json_t **result)
{
	const struct control_parts *parts = control_get_options(r->control)->parts;
	AUTO(session) s;
	AUTO(json) out = json_object();
	session_begin(r, &s);
	int rc = session_load(&s);
	if (rc == 0)
		rc = session_read_state(&s);
	if (rc == 0)
		rc = session_bind(&s);
	if (rc == 0)
		rc = add_state(&s, out);
	if (rc == 0)
		rc = add_replicas(&s, out);
	if (rc == 0)
		rc = parts->describe(r->call, &s.binding, out);
	if (rc < 0)
		return rc;
	json_set_str(out, "workspace", s.workspace.name);
	json_set_str(out, "folder", control_folder(r->control));
	if (s.workspace.environment)
		json_set_str(out, "environment", s.workspace.environment->name);
	add_expiry(&s, out);
	json_object_set_new(out, "clouds", clouds_json(&s));
	json_object_set_new(out, "resources", counts_json(&s));
	json_object_set_new(out, "serving", json_boolean(control_get_options(r->control)->serving));
	rc = add_planes(&s, out);
	if (rc < 0)
		return rc;
	*result = json_incref(out);
	return 0;
}

// ---------------------------------------------------------------- down
// Another control plane that shares the state goes on with what runs: then it is not ours to end.
static int left_to_others(struct session *s, json_t **result)
{
	AUTO(json) planes = NULL;
	int rc = s->binding.plane.n ? planes_list(s->call, s->binding.state, s->binding.plane, &planes) : 0;
	if (rc == 0 && json_array_size(planes) > 0)
		*result = json_pack("{s:b, s:O}", "stopped", 0, "control_planes", planes);
	return rc;
}

// Then there is nothing to end, and nothing to lock.
static bool never_applied(struct api_request *r)
{
	struct str folder = control_state_folder(r->control);
	return folder.n && access(arena_cstr(r->call->arena, folder), F_OK) < 0 && errno == ENOENT;
}

// What outlives a command: endpoints and gateways, then the clouds that they stand on. Records stay: the next start
// finds all again.
int handle_down(struct api_request *r, json_t **result)
{
	const struct control_options *o = control_get_options(r->control);
	AUTO(session) s;
	session_begin(r, &s);
	if (o->serving)
		return call_fail(
			r->call, ERR_UNSUPPORTED, "end the process of `isobar up` instead: it stops what it started");
	int rc = session_load(&s);
	if (rc == 0 && never_applied(r)) {
		*result = json_pack("{s:b, s:b}", "stopped", 1, "nothing", 1);
		return 0;
	}
	if (rc == 0)
		rc = session_lock(&s);
	if (rc == 0)
		rc = session_read_state(&s);
	s.revive = false; // ending things starts none
	s.ending = true;
	*result = NULL;
	if (rc == 0)
		rc = left_to_others(&s, result);
	if (rc < 0 || *result)
		return rc;
	if (rc == 0)
		rc = s.recorded_count ? session_open_clouds(&s) : session_bind(&s);
	if (rc == 0)
		rc = o->parts->stop(r->call, &s.binding);
	if (rc == 0)
		rc = pocket_clouds_stop_all(r->call, s.binding.state_folder);
	if (rc == 0)
		*result = json_pack("{s:b}", "stopped", 1);
	return rc;
}
