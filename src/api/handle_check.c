// SPDX-License-Identifier: Apache-2.0
// The routes of check. The clouds of a real environment are opened one by one, so that what one lacks is said of that
// one; a pocket environment opens as ever, and pocket clouds that it started end again.
#include "api/handlers.h"
#include "infra/check.h"
#include "infra/permissions.h"
#include "net/url.h"

struct opened { // one cloud of the request
	struct session *s;
	const struct resource *declared;
	struct cloud own; // of a real environment; zero in a pocket one
	const struct cloud *cloud;
	const struct cloud_config *config;
	struct cloud_config own_config;
};

static int begin(struct api_request *r, struct session *s)
{
	const struct environment *environment;
	session_begin(r, s);
	int rc = session_load(s);
	if (rc == 0)
		rc = workspace_need_environment(&s->workspace, &environment, &s->call->err);
	if (rc == 0)
		rc = session_read_state(s);
	if (rc == 0 && !s->binding.pocket && !s->binding.op)
		rc = call_fail(
			r->call, ERR_DENIED, "an untrusted workspace gets no credentials, so nothing can be checked");
	if (rc == 0 && s->binding.pocket)
		rc = session_open_clouds(s);
	return rc;
}

static void end(struct session *s)
{
	if (s->env)
		clouds_env_stop_started(s->call, s->env);
	session_close(s);
}

static int open_one(struct opened *o)
{
	struct session *s = o->s;
	if (s->binding.pocket) {
		o->cloud = clouds_find(clouds_env_clouds(s->env), o->declared->name);
		o->config = clouds_env_config(s->env, o->declared->name);
		return o->cloud && o->config
			       ? 0
			       : call_fail(s->call, ERR_NOT_FOUND, "cloud/%.*s is not open", STR(o->declared->name));
	}
	int rc = check_open(s->call, s->binding.op, o->declared, &o->own_config, &o->own);
	o->config = &o->own_config;
	if (rc == 0)
		o->cloud = &o->own;
	return rc;
}

static void close_one(struct opened *o)
{
	if (o->cloud == &o->own)
		check_close(&o->own);
}

static const struct resource *declared_cloud(const struct session *s, struct str name)
{
	for (size_t i = 0; i < s->workspace.resource_count; i++) {
		const struct resource *r = &s->workspace.resources[i];
		if (str_eq(r->kind, S("cloud")) && str_eq(r->name, name))
			return r;
	}
	return NULL;
}

// ---------------------------------------------------------------- check

static int list_buckets(const struct session *s, struct str cloud, struct check_request *out)
{
	struct str *names = arena_new_array(s->call->arena, s->workspace.resource_count + 1, struct str);
	if (!names)
		return call_no_memory(s->call);
	for (size_t i = 0; i < s->workspace.resource_count; i++) {
		const struct resource *r = &s->workspace.resources[i];
		if (str_eq(r->kind, S("bucket")) && str_eq(r->cloud, cloud))
			names[out->bucket_count++] = permissions_physical(s->call, r, s->workspace.name);
	}
	out->buckets = names;
	return 0;
}

static int check_one(struct session *s, const struct resource *declared, json_t *list)
{
	struct opened o = {.s = s, .declared = declared};
	struct check_request request = {.bucket_count = 0};
	json_t *one = NULL;
	int rc = open_one(&o);
	if (rc < 0 && rc != ERR_CANCELLED && rc != ERR_NO_MEMORY) {
		json_array_append(list, check_unopened(s->call, declared->name, declared->resolved));
		return 0;
	}
	request.cloud = o.cloud;
	if (rc == 0)
		rc = list_buckets(s, declared->name, &request);
	if (rc == 0)
		rc = check_cloud(s->call, &request, &one);
	if (rc == 0)
		json_array_append(list, one);
	close_one(&o);
	return rc;
}

static int no_such_cloud(struct session *s, struct str cloud)
{
	AUTO(buf) names = {0};
	for (size_t i = 0; i < s->workspace.resource_count && names.n < 500; i++) {
		if (str_eq(s->workspace.resources[i].kind, S("cloud")))
			buf_printf(&names, "%s%.*s", names.n ? ", " : "; it has ", STR(s->workspace.resources[i].name));
	}
	return call_fail(s->call, ERR_NOT_FOUND, "the workspace has no cloud/%.*s%.*s", STR(str_clip(cloud, 80)),
		STR(buf_str(&names)));
}

static int check_all(struct session *s, struct str only, json_t *list)
{
	int rc = 0;
	if (only.n && !declared_cloud(s, only))
		return no_such_cloud(s, only);
	for (size_t i = 0; rc == 0 && i < s->workspace.resource_count; i++) {
		const struct resource *r = &s->workspace.resources[i];
		if (str_eq(r->kind, S("cloud")) && (!only.n || str_eq(r->name, only)))
			rc = check_one(s, r, list);
	}
	return rc;
}

int handle_check(struct api_request *r, json_t **result)
{
	struct session s;
	struct str only = url_query_get(r->query, "cloud", r->call->arena);
	json_t *list = json_array();
	int rc = begin(r, &s);
	if (rc == 0)
		rc = check_all(&s, only.p ? only : S(""), list);
	end(&s);
	if (rc < 0) {
		json_decref(list);
		return rc;
	}
	bool ok = true;
	size_t i;
	const json_t *one;
	json_array_foreach(list, i, one) ok = ok && json_flag(one, "ok", false);
	*result = json_pack("{s:b, s:o}", "ok", (int)ok, "clouds", list);
	return 0;
}

// ---------------------------------------------------------------- check --deep

struct telling {
	struct api_request *request;
	const char *step;
};

static void tell(void *ctx, struct str what, unsigned done)
{
	const struct telling *t = ctx;
	json_t *event = json_pack("{s:s, s:i}", "step", t->step, "done", (int)done);
	json_set_str(event, "what", what);
	json_object_set_new(event, "unit", json_string("cases"));
	session_emit(t->request, "progress", event);
}

static const char *kind_of(const struct opened *o)
{
	return o->s->binding.pocket ? "pocket" : o->config->store_url.n ? "server" : "account";
}

static int run_deep(struct opened *o, struct str cloud, json_t **result)
{
	struct api_request *r = o->s->request;
	struct telling telling = {.request = r, .step = arena_printf(r->call->arena, "check/%.*s", STR(cloud)).p};
	json_t *found = NULL;
	int rc = open_one(o);
	if (rc < 0)
		return rc;
	struct check_deep deep = {.config = o->config,
		.at_most = json_str(r->body, "at_most"),
		.record_path = json_str(r->body, "record"),
		.kind = str_of(kind_of(o)),
		.server = json_str(r->body, "server"),
		.progress = tell,
		.ctx = &telling};
	if (!deep.server.n)
		deep.server = o->s->binding.pocket ? S("isobar pocket " ISOBAR_VERSION) : S("the provider");
	rc = check_deep(r->call, &deep, &found);
	if (rc == 0)
		*result = json_incref(found);
	close_one(o);
	return rc;
}

int handle_check_deep(struct api_request *r, json_t **result)
{
	struct session s;
	struct str cloud, at_most;
	int rc = json_need_str(r->body, "cloud", &cloud, &r->call->err);
	if (rc == 0)
		rc = json_need_str(r->body, "at_most", &at_most, &r->call->err);
	if (rc < 0)
		return rc;
	rc = begin(r, &s);
	struct opened o = {.s = &s, .declared = rc < 0 ? NULL : declared_cloud(&s, cloud)};
	if (rc == 0 && !o.declared)
		rc = no_such_cloud(&s, cloud);
	if (rc == 0)
		rc = run_deep(&o, cloud, result);
	end(&s);
	return rc;
}
