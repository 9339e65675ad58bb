// SPDX-License-Identifier: Apache-2.0
// The table of routes: see gateway_kind.h.
#include "gateway/gateway_kind.h"

#include "base/kind_scalars.h"
#include "gateway/route.h"

static void check_match(const struct kind_check *c)
{
	const struct route_match *match = c->value;
	if (kind_check_sound(c, "path") && match->path.n && !route_pattern_valid(match->path))
		kind_check_add(c, "path", S("write /v2/models/NAME/**"),
			"expected a path such as /v2/models/NAME/** (\"*\" for one segment, \"**\" only at the end), "
			"got \"%.*s\"",
			STR(match->path));
	const struct node *methods = node_member(c->map, S("methods"));
	for (const struct node *m = methods ? methods->first : NULL; m; m = m->next)
		if (m->type == NODE_SCALAR && !route_method_valid(m->text))
			findings_add(c->f, m->at, node_path(m, c->f->arena), (struct str){0},
				"expected a method such as GET or POST, got \"%.*s\"", STR(m->text));
}

static bool is_way(struct str text)
{
	struct str provider = S("identity-provider/");
	bool named = str_starts(text, provider) && name_valid(str_drop(text, provider.n));
	return named || str_eq(text, S("api-key")) || str_eq(text, S("mtls"));
}

static void check_ways(const struct node *list, struct findings *f)
{
	for (const struct node *item = list ? list->first : NULL; item; item = item->next)
		if (item->type == NODE_SCALAR && !is_way(item->text))
			findings_add(f, item->at, node_path(item, f->arena), S("did you mean \"api-key\"?"),
				"expected api-key, mtls or identity-provider/NAME, got \"%.*s\"", STR(item->text));
}

static void check_require(const struct kind_check *c)
{
	check_ways(node_member(c->map, S("any")), c->f);
	check_ways(node_member(c->map, S("all")), c->f);
}

// Whoever can be identified in this release has an API key.
static bool is_api_key(const struct node *node)
{
	for (const struct node *item = node->first; item; item = item->next)
		if (!str_eq(item->text, S("api-key")))
			return false;
	return true;
}

static const struct field match_fields[] = {
	{.name = "path",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct route_match, path),
		.help = "which requests: \"*\" stands for one segment, \"**\" at the end for all below"},
	{.name = "model",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct route_match, model),
		.help = "only requests whose body names this model"},
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
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct route_require, any),
		.item = FIELD_TEXT,
		.acting = is_api_key,
		.help = "ways to identify oneself, of which one is needed: api-key, mtls, identity-provider/NAME"},
	{.name = "all",
		.type = FIELD_LIST,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct route_require, all),
		.item = FIELD_TEXT,
		.help = "ways to identify oneself that are all needed: [mtls, identity-provider/staff]"},
};
static const struct kind require_kind = {
	.singular = "require",
	.help = "how a client identifies itself",
	.size = sizeof(struct route_require),
	KIND_FIELDS(require_fields),
	.check = check_require,
};

static const struct field record_fields[] = {
	{.name = "inputs",
		.type = FIELD_PERCENT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_record, inputs),
		.otherwise = "0%",
		.min = 0,
		.max = 1,
		.help = "share of the requests whose inputs are recorded"},
	{.name = "redact",
		.type = FIELD_LIST,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_record, redact),
		.item = FIELD_NAME,
		.help = "fields that are left out of records: [customer_id, iban]"},
	{.name = "bucket",
		.type = FIELD_REF,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_record, bucket),
		.refers = "bucket",
		.help = "bucket the records go to"},
};
static const struct kind record_kind = {
	.singular = "record",
	.help = "what of requests is kept",
	.size = sizeof(struct route_record),
	KIND_FIELDS(record_fields),
};

static const char *const limited[] = {"key", "user", "route", NULL};
static const struct field limits_fields[] = {
	{.name = "per",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_limits, per),
		.choices = limited,
		.otherwise = "key",
		.help = "for whom the limits count"},
	{.name = "requests",
		.type = FIELD_RATE,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR,
		.offset = offsetof(struct route_limits, requests),
		.help = "requests at most: 100/s"},
	{.name = "tokens",
		.type = FIELD_RATE,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR,
		.offset = offsetof(struct route_limits, tokens),
		.help = "tokens in and out at most: 200k/min"},
	{.name = "money",
		.type = FIELD_MONEY,
		.flags = FIELD_IN_PLACE | FIELD_BY_OPERATOR,
		.offset = offsetof(struct route_limits, money),
		.help = "money at most: 50 EUR/month"},
};
static const struct kind limits_kind = {
	.singular = "limits",
	.help = "how much clients may ask for",
	.size = sizeof(struct route_limits),
	KIND_FIELDS(limits_fields),
};

static const char *const on_errors[] = {"refuse", "pass", NULL};
static const struct field filter_fields[] = {
	{.name = "before",
		.type = FIELD_URL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_filter, before),
		.help = "service that sees each request first, and may change or refuse it"},
	{.name = "after",
		.type = FIELD_URL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_filter, after),
		.help = "service that sees each answer before the client does"},
	{.name = "on_error",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route_filter, on_error),
		.choices = on_errors,
		.otherwise = "refuse",
		.help = "what happens to a request when the service does not answer"},
};

static void check_filter(const struct kind_check *c)
{
	const struct route_filter *filter = c->value;
	bool sound = kind_check_sound(c, "before") && kind_check_sound(c, "after");
	if (sound && !filter->before.n && !filter->after.n)
		kind_check_add(c, "", S("add before: URL"), "a filter needs before: or after:");
}

static const struct kind filter_kind = {
	.singular = "filter",
	.help = "services that see requests and answers on their way",
	.size = sizeof(struct route_filter),
	KIND_FIELDS(filter_fields),
	.check = check_filter,
};

// Several endpoints in an order are tried by a later release.
static bool is_one_endpoint(const struct node *node)
{
	return node->type == NODE_SCALAR;
}

static const char *const orders[] = {"in_order", NULL};
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
		.type = FIELD_REFS,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct route, to),
		.refers = "endpoint",
		.choices = orders,
		.acting = is_one_endpoint,
		.help = "the endpoint that answers, on all its clouds; or several that are tried one after the other, {in_order: [endpoint/a, endpoint/b]}"},
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
	{.name = "residency",
		.type = FIELD_PLACES,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct route, residency),
		.help = "where requests may go, of a route whose requests say more than its model was made from; what the model inherited holds besides"},
	{.name = "record",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct route, record),
		.block = &record_kind,
		.help = "what of requests is kept"},
	{.name = "limits",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct route, limits),
		.block = &limits_kind,
		.help = "how much clients may ask for"},
	{.name = "filter",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct route, filter),
		.block = &filter_kind,
		.help = "services that see requests and answers on their way"},
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

struct field_ref route_first_target(const struct route *r)
{
	const struct field_named_ref *targets = r->to.items;
	return r->to.count ? targets[0].ref : (struct field_ref){0};
}
