// SPDX-License-Identifier: Apache-2.0
// Online endpoints: see endpoints.h. ensure looks at what is there and takes the steps that can be taken, in the order
// endpoint, deployment, traffic, old deployments; each step is a PUT or a DELETE by name, so that one whose answer was
// lost is found when it is looked at again.
#include "base/time.h"
#include "cloud/azure/endpoints_impl.h"
#include "cloud/tags.h"

static const int64_t patience_ns = 15 * NS_PER_S; // of one step

// ---------------------------------------------------------------- bodies

// An identity that is named by its resource id is the containers' own; else the endpoint gets one made for it.
static json_t *identity_of(const struct azure_services *s)
{
	struct str role = s->config.job_role;
	if (!str_starts(role, S("/")))
		return json_pack("{s:s}", "type", "SystemAssigned");
	json_t *all = json_object(), *j = json_pack("{s:s, s:o}", "type", "UserAssigned", "userAssignedIdentities", all);
	AUTO(json) key = json_of_str(role);
	if (key)
		json_object_set_new(all, json_string_value(key), json_object());
	return j;
}

json_t *azure_endpoint_body(struct call *c, const struct azure_services *s, const struct endpoint_spec *spec,
	struct str deployment)
{
	json_t *traffic = json_object(), *tags = ml_tags(s, spec->name), *body = json_object();
	const char *name = arena_cstr(c->arena, deployment);
	if (deployment.n && name)
		json_object_set_new(traffic, name, json_integer(100));
	json_set_str(tags, ML_TAG_GENERATION, spec->generation);
	json_set_str(body, "location", s->config.region);
	json_object_set_new(body, "tags", tags);
	json_object_set_new(body, "identity", identity_of(s));
	json_object_set_new(body, "properties", json_pack("{s:s, s:o}", "authMode", "Key", "traffic", traffic));
	return body;
}

static json_t *probe_of(const char *initial_delay, int failures)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:i}", "initialDelay", initial_delay, "period", "PT5S", "timeout", "PT2S",
		"failureThreshold", failures, "successThreshold", 1);
}

static json_t *variables_of(struct call *c, const struct endpoint_package *package)
{
	json_t *variables = json_object();
	json_set_str(variables, ENDPOINT_VARIABLE, package->url);
	json_set_str(variables, "ISOBAR_STORE", package->store);
	json_set_str(variables, "ISOBAR_PORT", arena_printf(c->arena, "%d", ML_SERVE_PORT));
	return variables;
}

int azure_deployment_body(
	struct call *c, struct azure_services *s, const struct endpoint_spec *spec, json_t **out)
{
	struct endpoint_package package = {0};
	const struct ml_size *size = ml_size_for(spec->cpu, spec->memory);
	struct str environment = S("");
	if (!size)
		return call_fail(c, ERR_LIMIT, "it asks for %g cores and %llu bytes of memory; the largest machine is %s",
			spec->cpu, (unsigned long long)spec->memory, ml_size_largest()->name);
	int r = endpoint_package_make(c, s->self, &s->config, spec, &package);
	if (!r)
		r = ml_environment(c, s, true, &environment);
	if (r)
		return r;
	json_t *properties = json_pack("{s:s, s:s, s:{s:s, s:i}, s:o, s:o, s:o}", "endpointComputeType", "Managed",
		"instanceType", size->name, "requestSettings", "requestTimeout", "PT60S",
		"maxConcurrentRequestsPerInstance", 100, "livenessProbe", probe_of("PT60S", 30), "readinessProbe",
		probe_of("PT1S", 120), "environmentVariables", variables_of(c, &package));
	json_t *tags = ml_tags(s, spec->name), *body = json_object();
	json_set_str(properties, "environmentId", environment);
	json_set_str(tags, ML_TAG_GENERATION, spec->generation);
	json_set_str(body, "location", s->config.region);
	json_object_set_new(body, "tags", tags);
	json_object_set_new(body, "sku", json_pack("{s:s, s:I}", "name", "Default", "capacity", (json_int_t)MAX(spec->replicas, 1)));
	json_object_set_new(body, "properties", properties);
	*out = body;
	return body ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- steps

// A little while, so that what is quick is done; what takes longer goes on without us.
static int wait_a_little(struct call *c, struct azure_services *s, const struct azure_answer *answer)
{
	struct call child;
	call_child(&child, c, c->arena, MIN(patience_ns, call_left_ns(c) / 2));
	int r = ml_wait(&child, s, answer);
	if (r == ERR_TIMEOUT)
		return call_check(c);
	c->err = child.err;
	return r;
}

static struct str endpoint_path(struct call *c, const struct azure_services *s, struct str name)
{
	return ml_path(c, s, "onlineEndpoints/%.*s", STR(name));
}

static struct str deployment_path(struct call *c, const struct azure_services *s, struct str endpoint, struct str name)
{
	return ml_path(c, s, "onlineEndpoints/%.*s/deployments/%.*s", STR(endpoint), STR(name));
}

static int put_endpoint(struct call *c, struct azure_services *s, const struct endpoint_spec *spec, struct str deployment)
{
	struct azure_answer answer;
	struct str name = azure_endpoint_name(c, s, spec->name);
	AUTO(json) body = azure_endpoint_body(c, s, spec, deployment);
	int r = body ? ml_call(c, s, AZURE_ML_PUT_ENDPOINT, endpoint_path(c, s, name), body, &answer) : call_no_memory(c);
	if (!r)
		r = wait_a_little(c, s, &answer);
	return r ? call_context(c, "the online endpoint %.*s", STR(name)) : 0;
}

static int put_deployment(struct call *c, struct azure_services *s, const struct endpoint_spec *spec, struct str name)
{
	struct azure_answer answer;
	AUTO(json) body = NULL;
	struct str endpoint = azure_endpoint_name(c, s, spec->name);
	int r = azure_deployment_body(c, s, spec, &body);
	if (!r)
		r = ml_call(c, s, AZURE_ML_PUT_DEPLOYMENT, deployment_path(c, s, endpoint, name), body, &answer);
	if (!r)
		r = wait_a_little(c, s, &answer);
	return r ? call_context(c, "the deployment %.*s of the online endpoint %.*s", STR(name), STR(endpoint)) : 0;
}

static int delete_deployment(struct call *c, struct azure_services *s, struct str endpoint, struct str name)
{
	int r = ml_call(c, s, AZURE_ML_DELETE_DEPLOYMENT, deployment_path(c, s, endpoint, name), NULL, NULL);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		r = 0;
	}
	return r ? call_context(c, "delete the deployment %.*s of the online endpoint %.*s", STR(name), STR(endpoint)) : 0;
}

static struct deployment *find_deployment(struct endpoint_found *f, struct str name)
{
	for (size_t i = 0; i < f->count; i++)
		if (str_eq(f->deployments[i].name, name))
			return &f->deployments[i];
	return NULL;
}

// What is left of other generations, once all traffic goes to this one.
static int delete_others(struct call *c, struct azure_services *s, const struct endpoint_found *f, struct str kept)
{
	int r = 0;
	for (size_t i = 0; !r && i < f->count; i++) {
		const struct deployment *d = &f->deployments[i];
		bool over = d->state == PROVISIONING_DONE || d->state == PROVISIONING_FAILED;
		if (!str_eq(d->name, kept) && d->traffic == 0 && over)
			r = delete_deployment(c, s, f->name, d->name);
	}
	return r;
}

static int look(struct call *c, struct azure_services *s, struct str name, struct endpoint_found *f)
{
	int r = azure_endpoint_find(c, s, name, f);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		f->resource = NULL;
		r = 0;
	}
	return r;
}

// A deployment that failed is taken away, so that the next try can make it anew.
static int clear_failed(struct call *c, struct azure_services *s, const struct endpoint_found *f, struct str name)
{
	int r = delete_deployment(c, s, f->name, name);
	if (r)
		return r;
	return call_fail(c, ERR_FAILED,
		"Azure ML could not bring up the deployment %.*s of the online endpoint %.*s: its container did not get "
		"ready, or there was no machine for it",
		STR(name), STR(f->name));
}

// One look and the step that follows from it: *more when another may follow at once.
static int take_step(struct call *c, struct azure_services *s, const struct endpoint_spec *spec, bool *more)
{
	struct endpoint_found f;
	struct str name = azure_deployment_name(c, spec->generation);
	int r = name.n ? look(c, s, spec->name, &f) : call_no_memory(c);
	*more = false;
	if (r)
		return r;
	*more = true;
	if (!f.resource)
		return put_endpoint(c, s, spec, S(""));
	struct deployment *own = find_deployment(&f, name);
	if (f.state == PROVISIONING_DELETING || (own && own->state == PROVISIONING_DELETING))
		return call_fail(c, ERR_CONFLICT, "the online endpoint %.*s, or its deployment %.*s, is just being deleted",
			STR(f.name), STR(name));
	if (f.state == PROVISIONING_FAILED)
		return put_endpoint(c, s, spec, S(""));
	*more = f.state == PROVISIONING_DONE && (!own || own->state != PROVISIONING_UNDER_WAY);
	if (!*more) // the service works at it
		return 0;
	if (!own)
		return put_deployment(c, s, spec, name);
	if (own->state == PROVISIONING_FAILED)
		return clear_failed(c, s, &f, name);
	if (own->traffic != 100)
		return put_endpoint(c, s, spec, name);
	*more = false;
	return delete_others(c, s, &f, name);
}

// ---------------------------------------------------------------- the operations

static int azure_endpoint_ensure(struct call *c, void *endpoints, const struct endpoint_spec *spec)
{
	enum { STEPS = 8 }; // endpoint, deployment, traffic, the rest; a lost answer needs one more
	struct azure_services *s = endpoints;
	bool more = true;
	int r = ml_check_config(c, s);
	for (int i = 0; !r && more && i < STEPS; i++)
		r = take_step(c, s, spec, &more);
	return r ? call_context(c, "%.*s: endpoint %.*s", STR(s->config.name), STR(spec->name)) : 0;
}

static int azure_endpoint_observe(struct call *c, void *endpoints, struct str name, struct endpoint_status *out)
{
	struct azure_services *s = endpoints;
	struct endpoint_found f;
	if (azure_endpoint_find(c, s, name, &f))
		return call_context(c, "%.*s: endpoint %.*s", STR(s->config.name), STR(name));
	azure_endpoint_read(c, &f, out);
	return 0;
}

// With its deployments. What is another's with this name is not ours to delete.
static int azure_endpoint_delete(struct call *c, void *endpoints, struct str name)
{
	struct azure_services *s = endpoints;
	struct azure_answer answer;
	struct endpoint_found f;
	int r = look(c, s, name, &f);
	if (r || !f.resource)
		return r ? call_context(c, "%.*s: delete endpoint %.*s", STR(s->config.name), STR(name)) : 0;
	r = ml_call(c, s, AZURE_ML_DELETE_ENDPOINT, endpoint_path(c, s, f.name), NULL, &answer);
	if (!r)
		r = ml_wait(c, s, &answer);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		r = 0;
	}
	return r ? call_context(c, "%.*s: delete endpoint %.*s", STR(s->config.name), STR(name)) : 0;
}

struct names {
	struct azure_services *services;
	struct str *items;
	size_t count, room;
};

static int add_name(struct call *c, void *ctx, const json_t *resource)
{
	struct names *names = ctx;
	const json_t *tags = json_object_get(resource, "tags");
	struct str name = json_str(tags, "isobar-address");
	if (!name.n || !str_eq(json_str(tags, TAG_WORKSPACE), names->services->config.workspace) ||
		!str_eq(azure_endpoint_name(c, names->services, name), json_str(resource, "name")))
		return 0;
	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 16;
		struct str *items = arena_new_array(c->arena, room, struct str);
		if (!items)
			return call_no_memory(c);
		for (size_t i = 0; i < names->count; i++)
			items[i] = names->items[i];
		names->items = items;
		names->room = room;
	}
	names->items[names->count++] = name;
	return 0;
}

static int azure_endpoint_list(struct call *c, void *endpoints, struct str **out, size_t *count)
{
	struct azure_services *s = endpoints;
	struct names names = {.services = s};
	struct ml_list list = {.call = AZURE_ML_LIST_ENDPOINTS,
		.path = ml_path(c, s, "onlineEndpoints"),
		.query = S(""),
		.each = add_name,
		.ctx = &names};
	if (ml_list_all(c, s, &list))
		return call_context(c, "%.*s: list endpoints", STR(s->config.name));
	*out = names.items;
	*count = names.count;
	return 0;
}

static int azure_endpoint_credential(struct call *c, void *endpoints, struct str name, struct endpoint_credential *out)
{
	struct azure_services *s = endpoints;
	struct azure_answer answer;
	struct str provider_name = azure_endpoint_name(c, s, name);
	struct str path = ml_path(c, s, "onlineEndpoints/%.*s/listKeys", STR(provider_name));
	int r = ml_call(c, s, AZURE_ML_LIST_KEYS, path, NULL, &answer);
	struct str key = r ? S("") : json_str(answer.body, "primaryKey");
	if (!r && !key.n)
		r = call_fail(c, ERR_PROTOCOL, "the answer has no primaryKey");
	*out = (struct endpoint_credential){.how = INVOKE_AZUREML};
	if (!r)
		r = secret_set(&out->secret, key, &c->err);
	return r ? call_context(c, "%.*s: the key of endpoint %.*s", STR(s->config.name), STR(name)) : 0;
}

const struct endpoint_ops azure_endpoint_ops = {
	.name = "azure",
	.ensure = azure_endpoint_ensure,
	.observe = azure_endpoint_observe,
	.delete = azure_endpoint_delete,
	.list = azure_endpoint_list,
	.credential = azure_endpoint_credential,
};
