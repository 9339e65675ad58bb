// SPDX-License-Identifier: Apache-2.0
// The table of routes: see gateway_kind.h.
#include "gateway/gateway_kind.h"

#include "gateway/route.h"

static void check_match(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct route_match *match = value;
	const struct node *path = node_member(n, S("path"));
	if (path && match->path.n && !route_pattern_valid(match->path))
		findings_add(f, path->at, node_path(path, f->arena), (struct str){0},
			"expected a path such as /v2/models/NAME/** (\"*\" for one segment, \"**\" only at the end), "
			"got \"%.*s\"",
			STR(match->path));
	const struct node *methods = node_member(n, S("methods"));
	for (const struct node *m = methods ? methods->first : NULL; m; m = m->next)
		if (m->type == NODE_SCALAR && !route_method_valid(m->text))
			findings_add(f, m->at, node_path(m, f->arena), (struct str){0},
				"expected a method such as GET or POST, got \"%.*s\"", STR(m->text));
}

static void check_require(const struct kind_check *c)
{
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct node *any = node_member(n, S("any"));
	for (const struct node *item = any ? any->first : NULL; item; item = item->next)
		if (item->type == NODE_SCALAR && !str_eq(item->text, S("api-key")))
			findings_add(f, item->at, node_path(item, f->arena), S("did you mean \"api-key\"?"),
				"expected api-key, got \"%.*s\"", STR(item->text));
}

static const struct field match_fields[] = {
	{.name = "path",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct route_match, path),
		.help = "which requests: \"*\" stands for one segment, \"**\" at the end for all below"},
	{.name = "methods",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_match, methods),
		.help = "which methods; GET and POST when not said"},
};
static const struct kind match_kind = {
	.singular = "match",
	.help = "which requests a route takes",
	.size = sizeof(struct route_match),
	KIND_FIELDS(match_fields),
	.check = check_match,
};

static const struct field retry_fields[] = {
	{.name = "attempts",
		.type = FIELD_INTEGER,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_retry, attempts),
		.otherwise = "1",
		.min = 1,
		.max = 10,
		.help = "targets that are tried for one request, at most"},
	{.name = "idempotent",
		.type = FIELD_BOOL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_retry, idempotent),
		.otherwise = "false",
		.help = "whether a request may be sent again after a target had it; never once an answer has begun"},
};
static const struct kind retry_kind = {
	.singular = "retry",
	.help = "what happens when a target fails",
	.size = sizeof(struct route_retry),
	KIND_FIELDS(retry_fields),
};

static const struct field require_fields[] = {
	{.name = "any",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_require, any),
		.help = "ways to identify oneself, of which one is needed: api-key"},
};
static const struct kind require_kind = {
	.singular = "require",
	.help = "how a client identifies itself",
	.size = sizeof(struct route_require),
	KIND_FIELDS(require_fields),
	.check = check_require,
};

static const char *const balances[] = {"lowest latency", NULL};

static const struct field route_fields[] = {
	{.name = "gateway",
		.type = FIELD_REF,
		.refers = "gateway",
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct route, gateway),
		.help = "the gateway that offers it"},
	{.name = "match",
		.type = FIELD_BLOCK,
		.block = &match_kind,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct route, match),
		.help = "which requests it takes"},
	{.name = "to",
		.type = FIELD_REF,
		.refers = "endpoint",
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct route, to),
		.help = "the endpoint that answers, on all its clouds"},
	{.name = "balance",
		.type = FIELD_CHOICE,
		.choices = balances,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route, balance),
		.otherwise = "lowest latency",
		.help = "how a target is chosen"},
	{.name = "retry",
		.type = FIELD_BLOCK,
		.block = &retry_kind,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route, retry),
		.help = "what happens when a target fails"},
	{.name = "require",
		.type = FIELD_BLOCK,
		.block = &require_kind,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route, require),
		.help = "how a client identifies itself; what it may do is said by roles"},
	{.name = "timeout",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route, timeout_ns),
		.otherwise = "10s",
		.help = "how long one target may take to begin its answer"},
};

const struct kind route_kind = {
	.plural = "routes",
	.singular = "route",
	.help = "a path of a gateway that leads to an endpoint",
	.example = "routes:\n"
		   "  classify:\n"
		   "    gateway: edge\n"
		   "    match: {path: /v2/models/classify/**}\n"
		   "    to: endpoint/classify\n"
		   "    balance: lowest latency\n"
		   "    retry: {attempts: 3, idempotent: true}\n"
		   "    require: {any: [api-key]}\n",
	.size = sizeof(struct route),
	KIND_FIELDS(route_fields),
};

// Routes are data of their gateway's snapshot: nothing is made for one alone.
const struct resource_handler route_handler = {.kind = &route_kind};
