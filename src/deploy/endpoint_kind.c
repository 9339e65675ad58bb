// SPDX-License-Identifier: Apache-2.0
// endpoints: the table, when one must wait, and how one is taken down. See endpoint_kind.h.
#include "deploy/endpoint_kind.h"

#include "base/kind_scalars.h"
#include "deploy/deploy_impl.h"

// ---------------------------------------------------------------- target
static bool parse_target(const struct node *node, void *out, struct findings *f)
{
	static const char *const whats[] = {"cpu", "memory", "accelerator"};
	struct endpoint_target target = {0};
	struct str share;
	bool good = node->type == NODE_SCALAR && str_cut(node->text, ' ', &share, &target.what) &&
		    percent_parse(share, &target.share) == 0 && target.share > 0 && target.share <= 1;
	bool known = false;
	for (size_t i = 0; i < COUNT_OF(whats); i++)
		known = known || str_eq(target.what, str_of(whats[i]));
	if (good && known) {
		*(struct endpoint_target *)out = target;
		return true;
	}
	findings_add(f, node->at, node_path(node, f->arena), S("write it as 60% cpu"),
		"expected a share of cpu, memory or accelerator that replicas are to be used by");
	return false;
}

// A scale that never ends at nothing acts; down to none is another matter.
static bool is_at_least_one(const struct node *node)
{
	return !str_eq(node->text, S("0"));
}

static const struct field resource_fields[] = {
	{.name = "cpu",
		.type = FIELD_NUMBER,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint_resources, cpu),
		.otherwise = "1",
		.unit = "cores",
		.min = 0.05,
		.max = 256,
		.help = "processor cores of one replica"},
	{.name = "memory",
		.type = FIELD_SIZE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint_resources, memory),
		.otherwise = "512MiB",
		.min = 1 << 20,
		.max = 17592186044416.0,
		.help = "memory of one replica"},
	{.name = "accelerator",
		.type = FIELD_ACCELERATOR,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct endpoint_resources, accelerator),
		.help = "accelerators of one replica and how many: L4:1"},
};
static const struct kind resources_kind = {
	.singular = "resources",
	.help = "what one replica gets",
	.size = sizeof(struct endpoint_resources),
	KIND_FIELDS(resource_fields),
};

static const struct field scale_fields[] = {
	{.name = "min",
		.type = FIELD_INTEGER,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR | FIELD_BY_MONITOR | FIELD_WAITS,
		.offset = offsetof(struct endpoint_scale, min),
		.acting = is_at_least_one,
		.otherwise = "1",
		.min = 0,
		.max = 1000,
		.help = "replicas on each cloud at least; 0: none while nobody asks"},
	{.name = "max",
		.type = FIELD_INTEGER,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR | FIELD_LATER,
		.offset = offsetof(struct endpoint_scale, max),
		.otherwise = "8",
		.min = 1,
		.max = 1000,
		.help = "replicas on each cloud at most"},
	{.name = "target",
		.type = FIELD_CUSTOM,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR | FIELD_LATER,
		.offset = offsetof(struct endpoint_scale, target),
		.parse = parse_target,
		.help = "how busy replicas are to be between min and max: 60% cpu"},
	{.name = "idle",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR | FIELD_LATER,
		.offset = offsetof(struct endpoint_scale, idle_ns),
		.min = 1,
		.max = 31536000,
		.help = "how long nobody asks before it goes down to none"},
};
static void check_scale(const struct kind_check *c)
{
	const struct endpoint_scale *scale = c->value;
	bool sound = kind_check_sound(c, "min") && kind_check_sound(c, "max");
	if (sound && scale->min > scale->max)
		kind_check_add(c, "", arena_printf(c->f->arena, "write max: %lld or more", (long long)scale->min),
			"expected min to be at most max, got min %lld and max %lld", (long long)scale->min,
			(long long)scale->max);
}

static const struct kind scale_kind = {
	.singular = "scale",
	.help = "how many replicas",
	.size = sizeof(struct endpoint_scale),
	KIND_FIELDS(scale_fields),
	.check = check_scale,
};

static const char *const engines[] = {"isobar", "vllm", "triton", "sglang", NULL};
static const char *const own_engine[] = {"isobar", NULL};
static const char *const apis[] = {"open-inference", "openai", "azure-openai", NULL};

static const struct field server_fields[] = {
	{.name = "engine",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct endpoint_server, engine),
		.choices = engines,
		.acts = own_engine,
		.otherwise = "isobar",
		.help = "program that serves the model"},
	{.name = "args",
		.type = FIELD_LIST,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct endpoint_server, args),
		.item = FIELD_TEXT,
		.help = "further arguments of that program"},
};
static const struct kind server_kind = {
	.singular = "server",
	.help = "what serves the model",
	.size = sizeof(struct endpoint_server),
	KIND_FIELDS(server_fields),
};

static const struct field rollout_fields[] = {
	{.name = "canary",
		.type = FIELD_LIST,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint_rollout, canary),
		.item = FIELD_PERCENT,
		.min = 0.001,
		.max = 1,
		.help = "shares of the requests that a new version gets, one after the other: [5%, 25%, 100%]"},
	{.name = "wait",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint_rollout, wait_ns),
		.otherwise = "15m",
		.min = 1,
		.max = 2592000,
		.help = "how long each share is watched"},
	{.name = "judge",
		.type = FIELD_LIST,
		.flags = FIELD_IN_PLACE | FIELD_SOFT,
		.offset = offsetof(struct endpoint_rollout, judge),
		.item = FIELD_REF,
		.refers = "monitor",
		.help = "monitors that must stay quiet before the next share: [monitor/fraud-answers]"},
};

static void check_rollout(const struct kind_check *c)
{
	const struct endpoint_rollout *r = c->value;
	const double *shares = r->canary.items;
	bool rising = r->canary.count > 0;
	for (size_t i = 1; i < r->canary.count; i++)
		rising = rising && shares[i] > shares[i - 1];
	if (kind_check_sound(c, "canary") && !(rising && shares[r->canary.count - 1] == 1))
		kind_check_add(c, "canary", S("write [5%, 25%, 100%]"), "expected shares that rise to 100%%");
}

static const struct kind rollout_kind = {
	.singular = "rollout",
	.help = "how a new version takes over",
	.size = sizeof(struct endpoint_rollout),
	KIND_FIELDS(rollout_fields),
	.check = check_rollout,
};

static const struct field fields[] = {
	{.name = "model",
		.type = FIELD_REF,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint, model),
		.refers = "model",
		.help = "the model and the alias whose version is served: classifier@champion; of a model with a source its name alone"},
	{.name = "clouds",
		.type = FIELD_CLOUDS,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint, clouds),
		.help = "where it is served"},
	{.name = "cloud",
		.type = FIELD_CLOUD,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint, clouds),
		.help = "the one cloud where it is, in place of clouds"},
	{.name = "server",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint, server),
		.block = &server_kind,
		.help = "what serves the model"},
	{.name = "resources",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.block = &resources_kind,
		.offset = offsetof(struct endpoint, resources),
		.help = "what one replica gets"},
	{.name = "scale",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.block = &scale_kind,
		.offset = offsetof(struct endpoint, scale),
		.help = "how many replicas on each cloud"},
	{.name = "rollout",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct endpoint, rollout),
		.block = &rollout_kind,
		.help = "how a new version takes over; without it, at once when it answers"},
	{.name = "api",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct endpoint, api),
		.choices = apis,
		.help = "of an endpoint that somebody else runs: the API that it speaks"},
	{.name = "url",
		.type = FIELD_URL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint, url),
		.help = "of an endpoint that somebody else runs: only an address; credentials go there only if the operator's file lists its host"},
	{.name = "credentials",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE | FIELD_SECRET,
		.offset = offsetof(struct endpoint, credentials),
		.help = "of an endpoint that somebody else runs: the secret that it wants"},
	{.name = "traffic",
		.type = FIELD_PERCENT,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR | FIELD_BY_MONITOR,
		.offset = offsetof(struct endpoint, traffic),
		.otherwise = "100%",
		.min = 0,
		.max = 1,
		.help = "weight of this endpoint when a route balances; 0% takes it out of rotation"},
};

// Who runs it is among the fields of every resource, which only what a user wrote has: not the record of one.
static void check_existing(const struct kind_check *c, const struct endpoint *e)
{
	const struct node *existing = node_member(c->map, S("existing"));
	bool foreign = existing && str_eq(existing->text, S("keep"));
	if (foreign && e->model.name.n)
		kind_check_add(c, "model", S("leave it out, and give api: and url:"),
			"what it serves is the business of whoever runs it");
	else if (!foreign && e->url.n && c->map->at.line)
		kind_check_add(c, "url", S("add existing: keep"),
			"only an endpoint that somebody else runs has an address of its own");
}

// Somebody else's endpoint has an address in place of a model.
static void check_endpoint(const struct kind_check *c)
{
	const struct endpoint *e = c->value;
	if (!kind_check_sound(c, "model") || !kind_check_sound(c, "url") || !kind_check_sound(c, "api"))
		return;
	if (!e->model.name.n && !e->url.n && !e->api.n)
		kind_check_add(c, "", S("add model: NAME@ALIAS"), "\"model\" is missing; expected a model and one of its aliases");
	else if (!e->url.n != !e->api.n)
		kind_check_add(c, e->url.n ? "url" : "api", e->url.n ? S("add api:") : S("add url:"),
			"an endpoint that somebody else runs has both api: and url:");
	check_existing(c, e);
}

const struct kind endpoint_kind = {
	.plural = "endpoints",
	.singular = "endpoint",
	.help = "a model version that answers requests, on one or more clouds",
	.example = "endpoints:\n"
		   "  classify:\n"
		   "    model: classifier@champion\n"
		   "    clouds: all\n"
		   "    resources: {cpu: 1, memory: 512MiB}\n"
		   "    scale: {min: 1, max: 2}\n",
	.size = sizeof(struct endpoint),
	KIND_FIELDS(fields),
	.check = check_endpoint,
	.at_providers = true,
};

static int endpoint_waiting(struct call *c, void *ctx, const struct resource *r, struct str *reason)
{
	const struct deploy_ctx *d = ctx;
	struct endpoint e = {0};
	int rc = kind_decode_json(&endpoint_kind, r->resolved, c->arena, &e, &c->err);
	if (rc < 0)
		return call_context(c, "read %.*s", STR(r->address));
	if (!e.model.qualifier.n)
		return 0; // what it waits for is in its fields
	struct record alias;
	struct str key = arena_printf(c->arena, "model-alias/%.*s/%.*s", STR(e.model.name), STR(e.model.qualifier));
	rc = state_get(c, d->state, key, &alias);
	if (rc < 0)
		return rc;
	*reason = alias.revision > 0 ? S("")
				     : arena_printf(c->arena, "model/%.*s has no version with the alias %.*s",
					       STR(e.model.name), STR(e.model.qualifier));
	return 0;
}

// The reconciler would take it down as well; doing it here lets a destroy finish without a running control plane.
static int endpoint_delete(struct call *c, void *ctx, const struct resource *r)
{
	const struct deploy_ctx *d = ctx;
	const struct cloud *cloud = clouds_find(d->clouds, r->cloud);
	if (!cloud)
		return call_fail(
			c, ERR_NOT_FOUND, "delete %.*s: there is no cloud \"%.*s\"", STR(r->address), STR(r->cloud));
	int rc = CLOUD_CALL(c, cloud, endpoints, delete, r->name);
	if (rc < 0)
		return call_context(c, "delete %.*s", STR(r->address));
	return status_forget(c, d->state, r->address);
}

const struct resource_handler endpoint_handler = {
	.kind = &endpoint_kind,
	.per_cloud = true,
	.delete = endpoint_delete,
	.waiting = endpoint_waiting,
};
