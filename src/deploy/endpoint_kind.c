// SPDX-License-Identifier: Apache-2.0
// endpoints: the table, when one must wait, and how one is taken down. See endpoint_kind.h.
#include "deploy/endpoint_kind.h"

#include "deploy/deploy_impl.h"

static void check_model(const struct endpoint *e, const struct node *n, struct findings *f)
{
	const struct node *model = node_member(n, S("model"));
	if (!model || e->model.name.n == 0 || e->model.qualifier.n > 0)
		return;
	findings_add(f, model->at, node_path(model, f->arena),
		arena_printf(f->arena, "write %.*s@ALIAS", STR(e->model.name)),
		"expected a model and one of its aliases, such as %.*s@champion", STR(e->model.name));
}

static void check_endpoint(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct endpoint *e = value;
	check_model(e, n, f);
	if (e->scale.min <= e->scale.max)
		return;
	const struct node *scale = node_member(n, S("scale"));
	const struct node *at = scale ? scale : n;
	findings_add(f, at->at, node_path(at, f->arena), (struct str){0},
		"expected min to be at most max, got min %lld and max %lld", (long long)e->scale.min,
		(long long)e->scale.max);
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
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR | FIELD_BY_MONITOR,
		.offset = offsetof(struct endpoint_scale, min),
		.otherwise = "1",
		.min = 1,
		.max = 8,
		.help = "replicas on each cloud at least"},
	{.name = "max",
		.type = FIELD_INTEGER,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR,
		.offset = offsetof(struct endpoint_scale, max),
		.otherwise = "8",
		.min = 1,
		.max = 8,
		.help = "replicas on each cloud at most"},
};
static const struct kind scale_kind = {
	.singular = "scale",
	.help = "how many replicas",
	.size = sizeof(struct endpoint_scale),
	KIND_FIELDS(scale_fields),
};

static const struct field fields[] = {
	{.name = "model",
		.type = FIELD_REF,
		.refers = "model",
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint, model),
		.help = "the model and the alias whose version is served: classifier@champion"},
	{.name = "clouds",
		.type = FIELD_CLOUDS,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct endpoint, clouds),
		.help = "where it is served"},
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
	{.name = "traffic",
		.type = FIELD_PERCENT,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR | FIELD_BY_MONITOR,
		.offset = offsetof(struct endpoint, traffic),
		.otherwise = "100%",
		.min = 0,
		.max = 1,
		.help = "weight of this endpoint when a route balances; 0% takes it out of rotation"},
};

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
