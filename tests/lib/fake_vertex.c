// SPDX-License-Identifier: Apache-2.0
// See fake_vertex.h.
#include "fake_vertex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct fake_vertex *fake;

#define PARENT "projects/p-1/locations/europe-west4/"

struct asked {
	struct call *c;
	const struct transport_request *r;
	struct str path, query; // behind PARENT
	json_t *in;
	struct transport_response *out;
};

// ---------------------------------------------------------------- answers

static int answer(const struct asked *q, int status, json_t *j)
{
	AUTO(json) owned = j;
	AUTO(buf) text = {0};
	assert_int_equal(json_write(owned, &text, NULL), 0);
	*q->out = (struct transport_response){.status = status, .body = arena_str(q->c->arena, buf_str(&text))};
	return 0;
}

static int refuse(const struct asked *q, int status, const char *word)
{
	return answer(q, status, json_pack("{s:{s:i, s:s, s:s}}", "error", "code", status, "message",
				       "the fake says no", "status", word));
}

// done at the second look
static int operation(const struct asked *q, const char *target, json_t *end)
{
	AUTO(buf) name = {0};
	buf_printf(&name, "%s/operations/%zu", target, json_object_size(fake->operations) + 1);
	end = end ? end : json_pack("{s:{}}", "response");
	json_set_str(end, "name", buf_str(&name));
	json_object_set_new(end, "looks", json_integer(0));
	json_object_set_new(fake->operations, buf_cstr(&name), end);
	return answer(q, 200, json_pack("{s:s}", "name", buf_cstr(&name)));
}

static int get_operation(const struct asked *q, const char *name)
{
	json_t *op = json_object_get(fake->operations, name);
	if (!op)
		return refuse(q, 404, "NOT_FOUND");
	int64_t looks = json_int(op, "looks", 0);
	json_object_set_new(op, "looks", json_integer(looks + 1));
	if (looks == 0)
		return answer(q, 200, json_pack("{s:s}", "name", name));
	json_object_set_new(op, "done", json_true());
	return answer(q, 200, json_deep_copy(op));
}

static int list_operations(const struct asked *q, const char *target)
{
	json_t *list = json_array(), *op;
	const char *name;
	json_object_foreach(fake->operations, name, op)
	{
		if (str_starts(str_of(name), str_of(target)))
			json_array_insert(list, 0, op);
	}
	return answer(q, 200, json_pack("{s:o}", "operations", list));
}

// ---------------------------------------------------------------- lists

// 'labels.KEY="VALUE"', joined by AND: all that the driver asks.
static bool has_labels(struct str filter, const json_t *labels)
{
	struct str key, value;
	while (filter.n) {
		assert_true(str_starts(filter, S("labels.")));
		str_cut(str_drop(filter, 7), '=', &key, &filter);
		assert_true(str_starts(filter, S("\"")));
		str_cut(str_drop(filter, 1), '"', &value, &filter);
		char name[64];
		assert_true(str_copy(name, sizeof(name), key));
		if (!str_eq(json_str(labels, name), value))
			return false;
		if (filter.n)
			filter = str_drop(filter, 5); // " AND "
	}
	return true;
}

static struct str parameter(const struct asked *q, const char *name)
{
	struct str rest = q->query, part, key, value;
	AUTO(buf) decoded = {0};
	while (rest.n && str_next(&rest, '&', &part)) {
		str_cut(part, '=', &key, &value);
		if (!str_is(key, name))
			continue;
		assert_int_equal(sign_uri_decode(value, true, &decoded), 0);
		return arena_str(q->c->arena, buf_str(&decoded));
	}
	return S("");
}

// Pages of one.
static int list(const struct asked *q, const json_t *from, const char *member)
{
	json_t *items = json_array(), *j = json_object(), *item;
	struct str token = parameter(q, "pageToken");
	int64_t skip = 0, n = 0;
	const char *name;
	if (token.n)
		assert_int_equal(str_to_i64(token, &skip), 0);
	json_object_foreach((json_t *)(uintptr_t)from, name, item)
	{
		if (!has_labels(parameter(q, "filter"), json_object_get(item, "labels")) || n++ < skip)
			continue;
		if (!json_array_size(items))
			json_array_append(items, item);
		else
			json_object_set_new(j, "nextPageToken", json_sprintf("%lld", (long long)skip + 1));
	}
	json_object_set_new(j, member, items);
	return answer(q, 200, j);
}

// ---------------------------------------------------------------- jobs

static int create_job(const struct asked *q)
{
	char name[128], time[64];
	snprintf(name, sizeof(name), PARENT "customJobs/%d", 100 + fake->made);
	snprintf(time, sizeof(time), "2026-11-24T10:00:%02d.000000Z", fake->made);
	json_t *job = json_deep_copy(q->in);
	json_object_set_new(job, "name", json_string(name));
	json_object_set_new(job, "createTime", json_string(time));
	json_object_set_new(job, "state", json_string("JOB_STATE_PENDING"));
	json_object_set_new(fake->jobs, name, job);
	fake->made++;
	return answer(q, 200, json_incref(job));
}

static int cancel_job(const struct asked *q, const char *name)
{
	json_t *job = json_object_get(fake->jobs, name);
	struct str state = json_str(job, "state");
	if (!job)
		return refuse(q, 404, "NOT_FOUND");
	if (!str_eq(state, S("JOB_STATE_PENDING")) && !str_eq(state, S("JOB_STATE_RUNNING")))
		return refuse(q, 400, "FAILED_PRECONDITION");
	json_object_set_new(job, "state", json_string("JOB_STATE_CANCELLED"));
	return answer(q, 200, json_object());
}

// ---------------------------------------------------------------- models and endpoints

static int make(const struct asked *q, json_t *where, const char *kind, const json_t *what, struct str id)
{
	AUTO(buf) name = {0};
	buf_printf(&name, PARENT "%s/%.*s", kind, STR(id));
	if (json_object_get(where, buf_cstr(&name)))
		return refuse(q, 409, "ALREADY_EXISTS");
	json_t *j = json_deep_copy(what);
	json_object_set_new(j, "name", json_string(buf_cstr(&name)));
	json_object_set_new(where, buf_cstr(&name), j);
	fake->made++;
	return operation(q, buf_cstr(&name), NULL);
}

static int remove_from(const struct asked *q, json_t *where, const char *name)
{
	json_t *j = json_object_get(where, name);
	if (!j)
		return refuse(q, 404, "NOT_FOUND");
	if (json_array_size(json_object_get(j, "deployedModels")))
		return refuse(q, 400, "FAILED_PRECONDITION");
	json_object_del(where, name);
	return operation(q, PARENT "x/1", NULL);
}

static int find_deployed(json_t *list, const char *id)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_text(json_array_get(list, i), "id"), id) == 0)
			return (int)i;
	return -1;
}

static int deploy(const struct asked *q, const char *name)
{
	json_t *endpoint = json_object_get(fake->endpoints, name), *model = json_object_get(q->in, "deployedModel");
	json_t *list = json_object_get(endpoint, "deployedModels"), *split = json_object_get(q->in, "trafficSplit");
	if (!endpoint || !json_object_get(fake->models, json_text(model, "model")))
		return refuse(q, 404, "NOT_FOUND");
	if (find_deployed(list, json_text(model, "id")) >= 0)
		return refuse(q, 409, "ALREADY_EXISTS");
	fake->made++;
	if (fake->refuse_deploys) {
		fake->refuse_deploys--;
		return operation(q, name, json_pack("{s:{s:i, s:s}}", "error", "code", 9, "message",
						  "Model server terminated: exit_code: 3"));
	}
	if (!list)
		json_object_set_new(endpoint, "deployedModels", list = json_array());
	json_array_append(list, model);
	if (json_object_get(split, "0")) {
		json_object_set_new(split, json_text(model, "id"), json_integer(json_int(split, "0", 0)));
		json_object_del(split, "0");
	}
	json_object_set(endpoint, "trafficSplit", split);
	return operation(q, name, NULL);
}

static int undeploy(const struct asked *q, const char *name)
{
	json_t *endpoint = json_object_get(fake->endpoints, name), *list = json_object_get(endpoint, "deployedModels");
	const char *id = json_text(q->in, "deployedModelId");
	int at = find_deployed(list, id);
	if (at < 0)
		return refuse(q, 404, "NOT_FOUND");
	if (json_array_size(list) > 1 && json_int(json_object_get(endpoint, "trafficSplit"), id, 0))
		return refuse(q, 400, "FAILED_PRECONDITION");
	json_array_remove(list, (size_t)at);
	return operation(q, name, NULL);
}

static int patch(const struct asked *q, const char *name)
{
	json_t *endpoint = json_object_get(fake->endpoints, name);
	assert_non_null(endpoint);
	assert_true(str_eq(q->query, S("updateMask=trafficSplit")));
	json_object_set(endpoint, "trafficSplit", json_object_get(q->in, "trafficSplit"));
	return answer(q, 200, json_incref(endpoint));
}

static int get(const struct asked *q, const json_t *where, const char *name)
{
	json_t *j = json_object_get(where, name);
	return j ? answer(q, 200, json_incref(j)) : refuse(q, 404, "NOT_FOUND");
}

// ---------------------------------------------------------------- requests

static int route_one(const struct asked *q, const char *name, struct str verb)
{
	struct str method = str_of(q->r->method);
	json_t *where = str_starts(q->path, S("customJobs/")) ? fake->jobs
		: str_starts(q->path, S("models/"))	       ? fake->models
							       : fake->endpoints;
	if (str_find(q->path, S("/operations/")) > 0)
		return get_operation(q, name);
	if (str_eq(verb, S("cancel")))
		return cancel_job(q, name);
	if (str_eq(verb, S("deployModel")))
		return deploy(q, name);
	if (str_eq(verb, S("undeployModel")))
		return undeploy(q, name);
	if (str_eq(method, S("PATCH")))
		return patch(q, name);
	return str_eq(method, S("DELETE")) ? remove_from(q, where, name) : get(q, where, name);
}

static int route(const struct asked *q)
{
	bool post = strcmp(q->r->method, "POST") == 0;
	struct str head, verb;
	if (str_eq(q->path, S("customJobs")))
		return post ? create_job(q) : list(q, fake->jobs, "customJobs");
	if (str_eq(q->path, S("models")))
		return list(q, fake->models, "models");
	if (str_eq(q->path, S("models:upload")))
		return make(q, fake->models, "models", json_object_get(q->in, "model"), json_str(q->in, "modelId"));
	if (str_eq(q->path, S("endpoints")))
		return post ? make(q, fake->endpoints, "endpoints", q->in, parameter(q, "endpointId"))
			    : list(q, fake->endpoints, "endpoints");
	str_cut(q->path, ':', &head, &verb);
	if (str_ends(head, S("/operations")))
		return list_operations(q, arena_printf(q->c->arena, PARENT "%.*s", STR(head)).p);
	return route_one(q, arena_printf(q->c->arena, PARENT "%.*s", STR(head)).p, verb);
}

static int list_entries(const struct asked *q)
{
	json_t *page = json_array();
	int64_t at = 0;
	if (json_str(q->in, "pageToken").n)
		assert_int_equal(str_to_i64(json_str(q->in, "pageToken"), &at), 0);
	const json_t *entry = json_array_get(fake->entries, (size_t)at);
	assert_true(str_eq(json_str(q->in, "orderBy"), S("timestamp asc")));
	json_t *j = json_pack("{s:o}", "entries", page);
	if (entry && str_find(json_str(q->in, "filter"), json_str(entry, "job")) > 0)
		json_array_append(page, (json_t *)(uintptr_t)entry);
	if ((size_t)at + 1 < json_array_size(fake->entries))
		json_object_set_new(j, "nextPageToken", json_sprintf("%lld", (long long)at + 1));
	return answer(q, 200, j);
}

static int lose(const struct asked *q)
{
	call_fail(q->c, ERR_UNAVAILABLE, "the connection was cut");
	q->c->err.retryable = true;
	return ERR_UNAVAILABLE;
}

static int perform(struct call *c, void *ctx, const struct transport_request *r, struct transport_response *out)
{
	struct asked q = {.c = c, .r = r, .out = out};
	struct str path = str_drop(r->url, sizeof("http://127.0.0.1:4000") - 1);
	AUTO(json) in = NULL;
	bool post = strcmp(r->method, "POST") == 0;
	(void)ctx;
	str_cut(path, '?', &path, &q.query);
	if (r->body.n)
		assert_int_equal(json_parse(r->body, &in, NULL), 0);
	q.in = in;
	if (str_eq(path, S("/v2/entries:list")))
		return list_entries(&q);
	assert_true(str_starts(path, S("/v1/" PARENT)));
	q.path = str_drop(path, sizeof("/v1/" PARENT) - 1);
	buf_printf(&fake->seen, "%s %.*s\n", r->method, STR(q.path));
	if (post && fake->lose_before > 0) {
		fake->lose_before--;
		return lose(&q);
	}
	int rc = route(&q);
	if (!post || fake->lose_after == 0)
		return rc;
	fake->lose_after--;
	return lose(&q);
}

// ---------------------------------------------------------------- life

static int make_credentials(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	(void)ctx;
	out->lifetime_ns = INT64_C(3600000000000);
	return secret_set(&out->token, str_ends(audience, S("read-only")) ? S("reads") : S("hush"), &c->err);
}

static void close_credentials(void *ctx)
{
	(void)ctx;
}

void fake_vertex_open(struct fake_vertex *f, const struct cloud *self)
{
	static const struct credential_ops ops = {.make = make_credentials, .close = close_credentials};
	struct err e = {0};
	const struct cloud_config config = {.name = S("gcp-eu"),
		.provider = S("gcp"),
		.region = S("europe-west4"),
		.project = S("p-1"),
		.store_url = S("http://127.0.0.1:4000"),
		.services_url = S("http://127.0.0.1:4000"),
		.workspace = S("fashion"),
		.image = S("isobar"),
		.job_role = S("jobs@p-1.iam.gserviceaccount.com")};
	*f = (struct fake_vertex){.jobs = json_object(),
		.models = json_object(),
		.endpoints = json_object(),
		.operations = json_object(),
		.entries = json_array()};
	fake = f;
	assert_int_equal(credential_source_new(&ops, NULL, &f->credentials, &e), 0);
	const struct services_options options = {.config = &config,
		.transport = {.perform = perform},
		.credentials = f->credentials,
		.self = self};
	assert_int_equal(gcp_services_open(&options, &f->services, &e), 0);
}

void fake_vertex_close(struct fake_vertex *f)
{
	gcp_services_close(f->services);
	credential_source_free(f->credentials);
	json_decref(f->jobs);
	json_decref(f->models);
	json_decref(f->endpoints);
	json_decref(f->operations);
	json_decref(f->entries);
	buf_free(&f->seen);
	fake = NULL;
}

bool fake_vertex_saw(const struct fake_vertex *f, const char *line)
{
	struct str rest = buf_str(&f->seen), have;
	while (rest.n && str_next(&rest, '\n', &have))
		if (str_is(have, line))
			return true;
	return false;
}
