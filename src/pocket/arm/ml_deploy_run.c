// SPDX-License-Identifier: Apache-2.0
// Online endpoints and deployments on their way. A deployment that is made or changed gets new servers, as many as its
// capacity; the ones before answer until all of the new are ready, and then end. One whose servers do not get ready is
// Failed, and what answered before goes on. All that a step needs stands in the documents, so that a pocket that was
// killed goes on where it was.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "pocket/arm/entra.h"
#include "pocket/arm/ml_endpoints_impl.h"
#include "pocket/arm/ml_jobs_impl.h"

// How long the service takes, before --pace; and how long servers may take to get ready, which no pace changes.
static const int64_t machine_ns = 30 * NS_PER_S, delete_ns = 10 * NS_PER_S, ready_ns = 120 * NS_PER_S;
enum { MOST_RESTARTS = 3 };

// ---------------------------------------------------------------- what a server is

// For images that are not isobar's a pocket, which runs no containers, has to be told.
int ml_server_check(struct arm_state *s, const json_t *properties, struct err *e)
{
	struct str id = json_str(properties, "environmentId"), model = json_str(properties, "model");
	const json_t *environment = ml_asset_find(s, "environments", id);
	const json_t *variables = json_object_get(properties, "environmentVariables");
	AUTO(arena) scratch = {0};
	struct ml_place place;
	if (!environment)
		return err_set(e, ERR_INVALID, "The environment %.*s is not found.", STR(str_clip(id, 300)));
	if (!ml_image_is_isobar(str_of(ml_environment_image(environment))) && !json_str(variables, ML_COMMAND_VARIABLE).n)
		return err_set(e, ERR_INVALID,
			"A pocket cloud runs no containers: the environment variable " ML_COMMAND_VARIABLE
			" of the deployment says which command it starts on this machine in place of the image %.200s.",
			ml_environment_image(environment));
	if (model.n && ml_place_of(s, &scratch, model, &place, e) < 0)
		return err_set(e, ERR_INVALID, "The model %.*s is not found.", STR(str_clip(model, 300)));
	return 0;
}

static json_t *words_of(const json_t *environment, const json_t *variables)
{
	if (ml_image_is_isobar(str_of(ml_environment_image(environment))))
		return json_pack("[s]", "serve"); // the command of that image
	return json_pack("[s, s, s]", "/bin/sh", "-c", json_text(variables, ML_COMMAND_VARIABLE));
}

// A container has its port to itself; processes of one machine do not. Variables that hold the port of the scoring route
// get the one that this server really has, as does PORT.
static const char *const *port_variables(struct arena *a, const json_t *variables, int port)
{
	const char **names = arena_new_array(a, json_object_size(variables) + 2, const char *);
	struct str number = arena_printf(a, "%d", port);
	size_t n = 0;
	const char *name;
	json_t *value;
	if (!names || !number.p)
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)variables, name, value)
	{
		if (str_eq(json_value_str(value), number) && strcmp(name, "PORT") != 0)
			names[n++] = name;
	}
	names[n] = "PORT";
	return names;
}

static json_t *environment_of(const json_t *variables, const struct engine_place *at, json_t *identity)
{
	json_t *j = variables ? json_deep_copy(variables) : json_object();
	json_object_del(j, ML_COMMAND_VARIABLE);
	json_object_set_new(j, "AZUREML_MODEL_DIR", json_string(at->model));
	json_object_update(j, identity);
	return j;
}

static int start_server(struct arm_state *s, struct arena *a, const json_t *doc, struct str id, struct err *e)
{
	struct engine_place at;
	struct ml_machine machine = {0};
	const json_t *environment = ml_environment_of(s, doc);
	const json_t *variables = json_object_get(arm_properties_of(doc), "environmentVariables");
	int port = 0, ready_port = 0;
	struct str ready = ml_route(s, doc, "readinessRoute", &ready_port);
	(void)ml_route(s, doc, "scoringRoute", &port);
	(void)ml_machine_find(arm_text(doc, "instanceType"), &machine);
	json_t *identity = json_in_arena(a, json_object());
	int rc = engine_prepare(s->pocket->engine, id, &at, e);
	if (rc == 0)
		rc = entra_add_identity(s->pocket, id, identity, e);
	if (rc < 0)
		return rc;
	struct engine_spec spec = {.kind = ENGINE_SERVER,
		.id = id,
		.image = str_of(ml_environment_image(environment)),
		.argv = json_in_arena(a, words_of(environment, variables)),
		.environment = json_in_arena(a, environment_of(variables, &at, identity)),
		.memory = machine.memory,
		.cpu = machine.cpu,
		.port_variables = port_variables(a, variables, port),
		.health_path = arena_cstr(a, ready)};
	if (!environment || !spec.argv || !spec.environment || !spec.port_variables || !spec.health_path)
		return err_set(e, environment ? ERR_NO_MEMORY : ERR_NOT_FOUND, "the environment of the deployment is gone");
	rc = engine_start(s->pocket->engine, &spec, e);
	if (rc != ERR_EXISTS)
		return rc;
	err_clear(e);
	return 0;
}

// ---------------------------------------------------------------- coming up

static int64_t capacity_of(const json_t *doc)
{
	return json_int(json_object_get(json_object_get(doc, "resource"), "sku"), "capacity", 1);
}

static int choose_ids(struct arm_state *s, struct str name, const json_t *doc, struct err *e)
{
	char guid[ARM_GUID_SIZE], id[80];
	json_t *ids = json_array();
	int rc = arm_guid(s->pocket, guid, e);
	for (int64_t i = 0; rc == 0 && i < capacity_of(doc); i++) {
		snprintf(id, sizeof(id), "azureml-server-%s-%lld", guid, (long long)i);
		json_array_append_new(ids, json_string(id));
	}
	json_t *changes = json_pack("{s:o}", "next", ids);
	if (rc == 0)
		return ml_document_update(s, ML_DEPLOYMENTS, name, changes, e);
	json_decref(changes);
	return rc;
}

static void remove_engines(struct arm_state *s, const json_t *ids)
{
	size_t i;
	json_t *id;
	json_array_foreach(ids, i, id)
	{
		struct err e = {0};
		if (engine_remove(s->pocket->engine, json_value_str(id), &e) < 0 && e.code != ERR_NOT_FOUND)
			log_err(LOG_WARNING, &e, "a server of Azure ML");
	}
}

static void forget_transfer(struct ml_deployment *d)
{
	ml_transfer_free(d->transfer);
	d->transfer = NULL;
}

// The model, once for each server; *done when all have it.
static int stage(struct arm_state *s, struct arena *a, struct ml_deployment *d, const json_t *doc, bool *done, struct err *e)
{
	const json_t *ids = json_object_get(doc, "next");
	struct str model = arm_text(doc, "model");
	struct engine_place at;
	struct ml_place from;
	bool copied = false;
	*done = !model.n || d->staged == json_array_size(ids);
	if (*done)
		return 0;
	int rc = engine_prepare(s->pocket->engine, json_value_str(json_array_get(ids, d->staged)), &at, e);
	if (rc == 0 && !d->transfer) {
		rc = ml_place_of(s, a, model, &from, e);
		if (rc == 0)
			rc = ml_fetch_begin(s, &from, at.model, &d->transfer, e);
	}
	if (rc == 0)
		rc = ml_transfer_step(d->transfer, &copied, e);
	if (rc == 0 && copied) {
		forget_transfer(d);
		d->staged++;
	}
	return rc;
}

static int finish(struct arm_state *s, struct str name, const json_t *doc, const char *state, struct str message,
	struct err *e)
{
	bool good = strcmp(state, "Succeeded") == 0;
	json_t *changes = json_pack("{s:s, s:[]}", "state", state, "next");
	json_set_str(changes, "message", message);
	if (good)
		json_object_set(changes, "engines", json_object_get(doc, "next"));
	int rc = ml_document_update(s, ML_DEPLOYMENTS, name, changes, e);
	if (rc < 0)
		return rc;
	arm_operation_end(s, json_str(doc, "operation"), state, message);
	remove_engines(s, json_object_get(doc, good ? "engines" : "next"));
	return 0;
}

static int fail(struct arm_state *s, struct str name, const json_t *doc, struct str why, struct err *e)
{
	AUTO(arena) a = {0};
	struct str message = arena_printf(&a,
		"ResourceNotReady: User container has crashed or terminated, or did not get ready: %.*s. Please see "
		"troubleshooting guide, available here: https://aka.ms/oe-tsg#error-resourcenotready",
		STR(str_clip(why, 300)));
	return finish(s, name, doc, "Failed", message.p ? message : why, e);
}

// 1: ready; 0: not yet; negative: it will not be, and why is in e.
static int look_at_server(struct arm_state *s, struct arena *a, const json_t *doc, struct str id, struct err *e)
{
	struct engine_status status;
	if (engine_status(s->pocket->engine, id, &status) < 0) {
		int rc = start_server(s, a, doc, id, e);
		return rc < 0 ? rc : 0;
	}
	bool late = arm_now_ns(s) - json_int(doc, "since_ns", 0) > ready_ns;
	if (!engine_state_ended(status.state) && status.restarts < MOST_RESTARTS && !late)
		return status.healthy;
	return err_set(e, ERR_FAILED, "%.*s", STR(status.reason.n ? status.reason : S("its program ended")));
}

static int come_up(struct arm_state *s, struct arena *a, struct ml_deployment *d, const json_t *doc, struct err *e)
{
	const json_t *ids = json_object_get(doc, "next");
	struct str name = str_of(d->name);
	bool staged = false;
	size_t ready = 0;
	if (arm_now_ns(s) - json_int(doc, "since_ns", 0) < service_pace_ns(s->pocket, machine_ns))
		return 0;
	if (!json_array_size(ids)) {
		d->staged = 0;
		return choose_ids(s, name, doc, e);
	}
	int rc = stage(s, a, d, doc, &staged, e);
	for (size_t i = 0; rc == 0 && staged && i < json_array_size(ids); i++) {
		int one = look_at_server(s, a, doc, json_value_str(json_array_get(ids, i)), e);
		rc = MIN(one, 0);
		ready += one > 0;
	}
	if (rc == 0 && ready == json_array_size(ids))
		return finish(s, name, doc, "Succeeded", S(""), e);
	if (rc == 0)
		return 0;
	struct str why = arena_printf(a, "%s", e->message);
	err_clear(e);
	forget_transfer(d);
	return fail(s, name, doc, why, e);
}

// ---------------------------------------------------------------- going

static int go_away(struct arm_state *s, struct ml_deployment *d, const json_t *doc, struct err *e)
{
	if (arm_now_ns(s) - json_int(doc, "since_ns", 0) < service_pace_ns(s->pocket, delete_ns))
		return 0;
	forget_transfer(d);
	remove_engines(s, json_object_get(doc, "engines"));
	remove_engines(s, json_object_get(doc, "next"));
	int rc = docs_delete(s->pocket, ML_DEPLOYMENTS, str_of(d->name), e);
	if (rc == 0)
		arm_operation_end(s, json_str(doc, "operation"), "Succeeded", S(""));
	return rc;
}

// True while the service works at it.
static bool step_deployment(struct arm_state *s, struct str name, json_t *doc)
{
	AUTO(arena) a = {0};
	AUTO(json) held = json_incref(doc);
	struct err e = {0};
	struct str state = json_str(held, "state");
	if (!ml_busy(state))
		return false;
	struct ml_deployment *d = ml_deployment_find(s, name);
	if (!d)
		return true;
	int rc = str_eq(state, S("Deleting")) ? go_away(s, d, held, &e) : come_up(s, &a, d, held, &e);
	if (rc < 0)
		log_err(LOG_WARNING, &e, "a deployment of Azure ML");
	return true;
}

static int delete_deployments(struct arm_state *s, struct str endpoint, bool *left, struct err *e)
{
	AUTO(arena) a = {0};
	struct docs_cursor from = {.collection = ML_DEPLOYMENTS, .prefix = ml_deployment_key(&a, endpoint, S(""))};
	struct docs_row rows[16];
	size_t count = 0;
	bool more = false;
	int rc = arm_read_docs(docs_list(s->pocket, &from, rows, COUNT_OF(rows), &count, &more), e);
	*left = count > 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct str name = arena_str(&a, rows[i].name);
		bool begun = str_eq(json_str(rows[i].doc, "state"), S("Deleting"));
		if (!begun)
			rc = ml_document_update(s, ML_DEPLOYMENTS, name,
				json_pack("{s:s, s:I}", "state", "Deleting", "since_ns", (json_int_t)0), e);
	}
	return rc;
}

static bool step_endpoint(struct arm_state *s, struct str name, json_t *doc)
{
	AUTO(json) held = json_incref(doc);
	struct err e = {0};
	struct str state = json_str(held, "state");
	bool deleting = str_eq(state, S("Deleting")), left = false;
	if (!ml_busy(state))
		return false;
	int rc = deleting ? delete_deployments(s, name, &left, &e) : 0;
	if (rc == 0 && (left || arm_now_ns(s) < json_int(held, "until_ns", 0)))
		return true;
	if (rc == 0 && deleting) {
		rc = docs_delete(s->pocket, ML_ENDPOINTS, name, &e);
		if (rc == 0 && docs_delete(s->pocket, ML_KEYS, name, &e) < 0)
			err_clear(&e);
	} else if (rc == 0) {
		rc = ml_document_update(s, ML_ENDPOINTS, name, json_pack("{s:s}", "state", "Succeeded"), &e);
	}
	if (rc < 0)
		log_err(LOG_WARNING, &e, "an endpoint of Azure ML");
	else
		arm_operation_end(s, json_str(held, "operation"), "Succeeded", S(""));
	return rc < 0;
}

// What is stepped may be put and deleted: names are copied before.
static bool step_all(
	struct arm_state *s, const char *collection, bool (*step)(struct arm_state *s, struct str name, json_t *doc))
{
	AUTO(arena) a = {0};
	struct docs_cursor from = {.collection = collection};
	struct docs_row rows[16];
	size_t count = 0;
	bool more = true, busy = false;
	while (more && docs_list(s->pocket, &from, rows, COUNT_OF(rows), &count, &more) == 0 && count) {
		struct str names[COUNT_OF(rows)];
		for (size_t i = 0; i < count; i++)
			names[i] = arena_str(&a, rows[i].name);
		for (size_t i = 0; i < count; i++) {
			const json_t *doc = docs_get(s->pocket, collection, names[i], NULL);
			if (doc && step(s, names[i], (json_t *)(uintptr_t)doc))
				busy = true;
		}
		from.after = names[count - 1];
	}
	return busy;
}

bool ml_endpoints_tick(struct arm_state *s)
{
	bool deployments = step_all(s, ML_DEPLOYMENTS, step_deployment);
	return step_all(s, ML_ENDPOINTS, step_endpoint) || deployments;
}

// ---------------------------------------------------------------- life

struct ml_deployment *ml_deployment_find(struct arm_state *s, struct str name)
{
	for (struct ml_deployment *d = s->endpoints->first; d; d = d->next)
		if (str_eq(name, str_of(d->name)))
			return d;
	struct ml_deployment *d = calloc(1, sizeof(*d));
	struct ml_load *load = calloc(1, sizeof(*load));
	if (!d || !load || !str_copy(d->name, sizeof(d->name), name)) {
		free(d);
		free(load);
		return NULL;
	}
	d->load = load;
	d->next = s->endpoints->first;
	s->endpoints->first = d;
	return d;
}

int ml_endpoints_open(struct arm_state *s, struct err *e)
{
	s->endpoints = calloc(1, sizeof(*s->endpoints));
	return s->endpoints ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

void ml_endpoints_close(struct arm_state *s)
{
	while (s->endpoints && s->endpoints->first) {
		struct ml_deployment *d = s->endpoints->first;
		s->endpoints->first = d->next;
		forget_transfer(d);
		d->load->left = true;
		if (!d->load->running)
			free(d->load);
		free(d);
	}
	free(s->endpoints);
	s->endpoints = NULL;
}
