// SPDX-License-Identifier: Apache-2.0
// An online endpoint as it is found, and what that means to whoever deploys. Source: OnlineEndpoint, OnlineDeployment,
// EndpointProvisioningState, DeploymentProvisioningState (Azure Machine Learning REST API).
#include <string.h>

#include "cloud/azure/endpoints_impl.h"
#include "cloud/job_package.h"
#include "cloud/tags.h"

// ---------------------------------------------------------------- names

struct str azure_endpoint_name(struct call *c, const struct azure_services *s, struct str endpoint)
{
	struct str whose = arena_printf(c->arena, "%.*s\n%.*s\n%.*s", STR(s->config.workspace), STR(s->config.subscription),
		STR(s->config.ml_workspace));
	return whose.p ? job_provider_name(c->arena, whose, endpoint, 0, ML_NAME_MAX) : S("");
}

struct str azure_deployment_name(struct call *c, struct str generation)
{
	return job_provider_name(c->arena, S("generation"), generation, 0, 24);
}

// ---------------------------------------------------------------- finding

static enum provisioning state_of(const json_t *resource)
{
	struct str state = json_str(json_object_get(resource, "properties"), "provisioningState");
	if (str_eq(state, S("Succeeded")))
		return PROVISIONING_DONE;
	if (str_eq(state, S("Failed")) || str_eq(state, S("Canceled")))
		return PROVISIONING_FAILED;
	return str_eq(state, S("Deleting")) ? PROVISIONING_DELETING : PROVISIONING_UNDER_WAY;
}

static int add_deployment(struct call *c, void *ctx, const json_t *resource)
{
	struct endpoint_found *f = ctx;
	struct str name = json_str(resource, "name");
	const json_t *traffic = json_object_get(json_object_get(f->resource, "properties"), "traffic");
	const char *text = arena_cstr(c->arena, name);
	if (f->count == ML_MAX_DEPLOYMENTS)
		return call_fail(c, ERR_LIMIT, "the endpoint %.*s has more than %d deployments", STR(f->name),
			ML_MAX_DEPLOYMENTS);
	if (!text)
		return call_no_memory(c);
	f->deployments[f->count++] = (struct deployment){.name = name,
		.generation = json_str(json_object_get(resource, "tags"), ML_TAG_GENERATION),
		.state = state_of(resource),
		.traffic = json_int(traffic, text, 0)};
	return 0;
}

int azure_endpoint_find(struct call *c, struct azure_services *s, struct str endpoint, struct endpoint_found *out)
{
	struct azure_answer answer;
	struct endpoint_found *f = out;
	*f = (struct endpoint_found){.name = azure_endpoint_name(c, s, endpoint)};
	if (!f->name.n)
		return call_no_memory(c);
	int r = ml_call(c, s, AZURE_ML_GET_ENDPOINT, ml_path(c, s, "onlineEndpoints/%.*s", STR(f->name)), NULL, &answer);
	if (r)
		return r;
	const json_t *tags = json_object_get(answer.body, "tags");
	if (!str_eq(json_str(tags, TAG_WORKSPACE), s->config.workspace))
		return call_fail(c, ERR_CONFLICT, "the online endpoint %.*s is there and is not of workspace %.*s",
			STR(f->name), STR(s->config.workspace));
	f->resource = answer.body;
	f->state = state_of(answer.body);
	f->generation = json_str(tags, ML_TAG_GENERATION);
	f->url = json_str(json_object_get(answer.body, "properties"), "scoringUri");
	struct ml_list list = {.call = AZURE_ML_LIST_DEPLOYMENTS,
		.path = ml_path(c, s, "onlineEndpoints/%.*s/deployments", STR(f->name)),
		.query = S(""),
		.each = add_deployment,
		.ctx = f};
	return ml_list_all(c, s, &list);
}

// ---------------------------------------------------------------- telling

struct counted {
	const struct deployment *serving, *under_way, *failed;
	size_t idle; // done or failed, and without traffic
};

static struct counted count(const struct endpoint_found *f)
{
	struct counted n = {0};
	for (size_t i = 0; i < f->count; i++) {
		const struct deployment *d = &f->deployments[i];
		if (d->traffic > 0 && (!n.serving || d->traffic > n.serving->traffic))
			n.serving = d;
		if (d->state == PROVISIONING_UNDER_WAY)
			n.under_way = d;
		if (d->state == PROVISIONING_FAILED)
			n.failed = d;
		n.idle += d->traffic == 0 && (d->state == PROVISIONING_DONE || d->state == PROVISIONING_FAILED);
	}
	return n;
}

// Nobody waits for what does not come by itself: only what the service works at is "starting".
static void read_state(struct call *c, const struct endpoint_found *f, const struct counted *n,
	struct endpoint_status *out)
{
	out->state = ENDPOINT_DOWN;
	if (f->state == PROVISIONING_DELETING) {
		out->reason = S("the endpoint is being deleted");
	} else if (f->state == PROVISIONING_FAILED) {
		out->reason = S("Azure ML could not make the endpoint");
	} else if (n->under_way || f->state == PROVISIONING_UNDER_WAY) {
		out->state = ENDPOINT_STARTING;
		out->generation = n->under_way ? n->under_way->generation : f->generation;
	} else if (n->failed) {
		out->state = n->serving && n->serving != n->failed ? ENDPOINT_READY : ENDPOINT_DOWN;
		out->reason = arena_printf(c->arena, "the deployment %.*s failed: its log is told by `az ml online-deployment "
						     "get-logs --endpoint-name %.*s --name %.*s`",
			STR(n->failed->name), STR(f->name), STR(n->failed->name));
	} else if (!n->serving) {
		out->reason = f->count ? S("no deployment gets traffic yet") : S("it has no deployment yet");
	} else {
		out->state = ENDPOINT_READY;
		// With one of another generation left beside it, there is something to do: ensure is called again.
		out->generation = n->idle ? S("") : n->serving->generation;
		out->reason = n->idle ? S("another deployment has no traffic") : S("");
	}
}

void azure_endpoint_read(struct call *c, const struct endpoint_found *f, struct endpoint_status *out)
{
	struct counted n = count(f);
	*out = (struct endpoint_status){.url = f->url, .generation = S(""), .reason = S("")};
	read_state(c, f, &n, out);
	if (f->url.n)
		out->invoke = (struct endpoint_invoke){.how = INVOKE_AZUREML, .url = f->url};
}
