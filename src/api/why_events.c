// SPDX-License-Identifier: Apache-2.0
// What each sort of event says about things and their causes: one row a type. See why.h.
#include "api/why.h"
#include "base/time.h"

struct reading {
	struct why_graph *g;
	const struct event *event;
	struct why_node *command; // the command or loop whose trace the event carries
};

static struct str text_of(const struct reading *r, const char *member)
{
	return json_str(r->event->data, member);
}

static void say(const struct reading *r, struct why_node *node, struct str text)
{
	why_say(r->g, node, r->event->time_ns, r->event->principal, text);
	r->g->subject = node;
	if (node && !node->trace.n)
		node->trace = r->event->trace;
}

#define SAY(r, node, ...) say((r), (node), arena_printf((r)->g->arena, __VA_ARGS__))

// "A/B"
static struct why_node *node_below(const struct reading *r, const char *kind, struct str a, struct str b)
{
	struct str id = arena_printf(r->g->arena, "%.*s/%.*s", STR(a), STR(b));
	return id.p ? why_node(r->g, id, kind) : NULL;
}

static struct why_node *resource_node(const struct reading *r, struct str address)
{
	return address.n ? why_node(r->g, address, "resource") : NULL;
}

// "train/NAME/RUN/round-1/aws-us/start", "dataset/NAME/RUN/...", "model/NAME/1/put": the run or version it belongs to.
static struct why_node *owner_of_action(const struct reading *r, struct str action)
{
	struct str rest = action, kind, name, run;
	if (!str_next(&rest, '/', &kind) || !str_next(&rest, '/', &name) || !str_next(&rest, '/', &run))
		return NULL;
	if (str_eq(kind, S("train")))
		kind = S("training");
	struct str id = arena_printf(r->g->arena, "%.*s/%.*s/%.*s", STR(kind), STR(name), STR(run));
	return id.p ? str_map_get(&r->g->nodes, id) : NULL;
}

// ---------------------------------------------------------------- revisions and resources
static void on_revision(const struct reading *r)
{
	size_t i;
	const json_t *change;
	struct str id = arena_printf(r->g->arena, "revision/%lld", (long long)json_int(r->event->data, "number", 0));
	struct why_node *node = id.p ? why_node(r->g, id, "revision") : NULL;
	SAY(r, node, "committed with %zu changes", json_array_size(json_object_get(r->event->data, "changes")));
	why_edge(r->g, r->command, "applied by", node);
	json_array_foreach(json_object_get(r->event->data, "changes"), i, change)
	{
		struct why_node *resource = resource_node(r, json_str(change, "address"));
		SAY(r, resource, "%s by %.*s", json_text(change, "action"), STR(id));
		why_edge(r->g, node, "declared by", resource);
	}
}

// ---------------------------------------------------------------- runs, jobs, rounds
static struct why_node *run_node(const struct reading *r)
{
	struct str run = text_of(r, "run");
	struct why_node *node = node_below(r, "run", r->event->address, run);
	why_alias(r->g, run, node);
	why_alias(r->g, text_of(r, "digest"), node);
	return node;
}

static void on_step(const struct reading *r)
{
	size_t i;
	const json_t *input;
	struct why_node *node = run_node(r);
	struct str error = text_of(r, "error");
	struct str what = str_drop(r->event->type, sizeof("step.") - 1);
	SAY(r, node, "%.*s%s%.*s", STR(what), error.n ? ": " : "", STR(error));
	why_edge(r->g, r->command, "run by", node);
	why_edge(r->g, resource_node(r, r->event->address), "declared as", node);
	json_array_foreach(json_object_get(r->event->data, "inputs"), i, input)
	{
		why_edge(r->g, node_below(r, "run", json_str(input, "address"), json_str(input, "run")),
			"made from", node);
	}
}

static void on_round(const struct reading *r)
{
	const json_t *data = r->event->data;
	struct why_node *node = node_below(r, "run", r->event->address, text_of(r, "run"));
	AUTO(buf) sites = {0};
	static const char *const lists[] = {"accepted", "late", "lost"};
	for (size_t l = 0; l < COUNT_OF(lists); l++) {
		size_t i;
		const json_t *site;
		json_array_foreach(json_object_get(data, lists[l]), i, site)
		{
			struct str name = json_is_string(site) ? json_value_str(site) : json_str(site, "site");
			buf_printf(&sites, "%s%.*s", i ? ", " : sites.n ? "; " : "", STR(name));
			if (json_is_object(site))
				why_alias(r->g, json_str(site, "sha256"), node);
		}
		if (i)
			buf_printf(&sites, " %s", lists[l]);
	}
	why_alias(r->g, text_of(r, "sha256"), node);
	SAY(r, node, "round %lld: %s%.*s", (long long)json_int(data, "round", 0),
		sites.n ? "" : "aggregated into ", STR(sites.n ? buf_str(&sites) : str_take(text_of(r, "sha256"), 12)));
}

static void on_action(const struct reading *r)
{
	struct str action = text_of(r, "action"), type = text_of(r, "type");
	const json_t *input = json_object_get(r->event->data, "input");
	struct str job = json_str(input, "job");
	struct why_node *owner = owner_of_action(r, job.n ? job : action);
	r->g->subject = owner;
	why_alias(r->g, action, owner ? owner : resource_node(r, r->event->address));
	if (job.n) {
		struct why_node *node = why_node(r->g, job, "job");
		SAY(r, node, "submitted to %.*s", STR(json_str(input, "cloud")));
		why_edge(r->g, owner, "part of", node);
	}
	if (str_eq(r->event->type, S("action.failed")))
		SAY(r, owner ? owner : resource_node(r, r->event->address), "%.*s failed: %.*s", STR(type),
			STR(text_of(r, "error")));
	if (str_eq(type, S("endpoint.ensure")) && str_eq(r->event->type, S("action.intended"))) {
		struct why_node *endpoint = resource_node(r, r->event->address);
		struct str version = why_object_owner(r->g->arena, json_str(input, "prefix"));
		SAY(r, endpoint, "to serve %.*s as generation %.*s", STR(version), STR(json_str(input, "generation")));
		if (version.n && endpoint)
			endpoint->version = version;
		why_edge(r->g, version.n ? why_node(r->g, version, "version") : NULL, "serves", endpoint);
	}
}

static void on_transfer(const struct reading *r)
{
	const json_t *data = r->event->data;
	struct str id = arena_printf(r->g->arena, "event/%llu", (unsigned long long)r->event->sequence);
	struct why_node *node = id.p ? why_node(r->g, id, "transfer") : NULL;
	struct why_node *owner = owner_of_action(r, text_of(r, "id"));
	struct str line = arena_printf(r->g->arena, "cost/%.*s/%.*s", STR(text_of(r, "from")), STR(text_of(r, "to")));
	double price = json_number_value(json_object_get(data, "price"));
	uint64_t bytes = (uint64_t)json_int(data, "bytes", 0);
	if (!node)
		return;
	owner = owner ? owner : resource_node(r, r->event->address);
	SAY(r, node, "%llu bytes from %.*s to %.*s: %.6f %.*s (%.*s)", (unsigned long long)bytes,
		STR(text_of(r, "from")), STR(text_of(r, "to")), price, STR(text_of(r, "currency")),
		STR(text_of(r, "price_source")));
	node->price = price;
	node->bytes = bytes;
	why_edge(r->g, owner, "moved for", node);
	why_edge(r->g, node, "part of", line.p ? why_node(r->g, line, "cost line") : NULL);
	if (owner) {
		owner->price += price;
		owner->bytes += bytes;
		owner->currency = text_of(r, "currency");
	}
}

// ---------------------------------------------------------------- models
static void on_registered(const struct reading *r)
{
	struct str version = text_of(r, "version"), name = str_drop(r->event->address, sizeof("model/") - 1);
	const json_t *lineage = json_object_get(r->event->data, "lineage");
	struct why_node *node = node_below(r, "version", r->event->address, version);
	const char *address;
	const json_t *run;
	why_alias(r->g, text_of(r, "sha256"), node);
	why_alias(r->g, arena_printf(r->g->arena, "%.*s@%.*s", STR(r->event->address), STR(version)), node);
	why_alias(r->g, arena_printf(r->g->arena, "%.*s@%.*s", STR(name), STR(version)), node);
	SAY(r, node, "registered with the bytes %.*s", STR(str_take(text_of(r, "sha256"), 12)));
	why_edge(r->g, resource_node(r, r->event->address), "version of", node);
	json_object_foreach((json_t *)(uintptr_t)json_object_get(lineage, "inputs"), address, run)
	{
		why_edge(r->g, node_below(r, "run", str_of(address), json_value_str(run)), "made from", node);
	}
}

static void on_measured(const struct reading *r)
{
	const char *what;
	const json_t *value;
	struct why_node *node = node_below(r, "version", r->event->address, text_of(r, "version"));
	json_object_foreach((json_t *)(uintptr_t)json_object_get(r->event->data, "metrics"), what, value)
	{
		SAY(r, node, "measured %s: %.4f", what, json_number_value(value));
	}
}

static void on_promoted(const struct reading *r)
{
	size_t i;
	const json_t *need;
	struct str model, alias, before = text_of(r, "before");
	if (!str_cut(r->event->address, '@', &model, &alias))
		return;
	struct why_node *node = why_node(r->g, r->event->address, "alias");
	struct why_node *version = node_below(r, "version", model, text_of(r, "version"));
	SAY(r, node, "version %.*s chosen%s%.*s", STR(text_of(r, "version")), before.n ? " instead of " : "",
		STR(before));
	json_array_foreach(json_object_get(r->event->data, "needs"), i, need)
	{
		SAY(r, node, "because %s: measured %.4f", json_text(need, "need"),
			json_number_value(json_object_get(need, "measured")));
	}
	why_edge(r->g, version, "stands for", node);
	why_edge(r->g, resource_node(r, model), "alias of", node);
}

// ---------------------------------------------------------------- alerts, overrides, the rest
static void on_endpoint(const struct reading *r)
{
	struct str reason = text_of(r, "reason"), version = text_of(r, "version");
	SAY(r, resource_node(r, r->event->address), "%.*s%s%.*s%s%.*s", STR(text_of(r, "state")),
		version.n ? ", version " : "", STR(version), reason.n ? ": " : "", STR(reason));
}

static struct str alert_id(const struct reading *r)
{
	struct str cloud = text_of(r, "cloud");
	return arena_printf(r->g->arena, "alert/%.*s/%lld%s%.*s", STR(text_of(r, "monitor")),
		(long long)json_int(r->event->data, "rule", 0), cloud.n ? "/" : "", STR(cloud));
}

static void on_alert(const struct reading *r)
{
	struct str id = alert_id(r), cloud = text_of(r, "cloud"), watch = text_of(r, "watch");
	struct why_node *node = id.p ? why_node(r->g, id, "alert") : NULL;
	struct str watched = cloud.n ? arena_printf(r->g->arena, "%.*s on %.*s", STR(watch), STR(cloud)) : watch;
	SAY(r, node, "%.*s: %.*s", STR(text_of(r, "state")), STR(text_of(r, "summary")));
	why_alias(r->g, r->event->address, node);
	why_edge(r->g, node_below(r, "resource", S("monitor"), text_of(r, "monitor")), "rule of", node);
	why_edge(r->g, resource_node(r, watched), "seen on", node);
}

static void on_override(const struct reading *r)
{
	struct str author = text_of(r, "author"), by = text_of(r, "ended_by"), address = text_of(r, "address");
	struct str id = arena_printf(r->g->arena, "override/%.*s#%.*s", STR(address), STR(text_of(r, "field")));
	struct why_node *node = id.p ? why_node(r->g, id, "override") : NULL;
	AUTO(buf) value = {0};
	if (json_write(json_object_get(r->event->data, "value"), &value, NULL) < 0)
		return;
	why_alias(r->g, str_drop(id, sizeof("override/") - 1), node);
	if (by.n)
		SAY(r, node, "ended by %.*s: %.*s", STR(by), STR(text_of(r, "why")));
	else
		SAY(r, node, "set to %.*s by %.*s: %.*s", STR(buf_str(&value)), STR(author), STR(text_of(r, "reason")));
	if (str_starts(author, S("monitor/")))
		why_edge(r->g, resource_node(r, author), "fixed by", node);
	why_edge(r->g, node, "overrides", resource_node(r, address));
}

// Any other event is a line in the history of its address, with what its data says in short.
static void on_other(const struct reading *r)
{
	AUTO(buf) text = {0};
	struct why_node *node = resource_node(r, r->event->address);
	if (node && json_write(r->event->data, &text, NULL) == 0)
		SAY(r, node, "%.*s %.*s", STR(r->event->type), STR(str_clip(buf_str(&text), 300)));
	why_edge(r->g, r->command, "done by", node);
}

static const struct {
	const char *prefix;
	void (*read)(const struct reading *r);
} rows[] = {
	{"revision.committed", on_revision},
	{"step.", on_step},
	{"round.", on_round},
	{"action.", on_action},
	{"transfer.done", on_transfer},
	{"model.registered", on_registered},
	{"model.measured", on_measured},
	{"model.promoted", on_promoted},
	{"endpoint.changed", on_endpoint},
	{"alert.", on_alert},
	{"override.", on_override},
	{"", on_other},
};

// A command or a loop: everything under one trace. Its first event says who it was.
static struct why_node *command_node(struct why_graph *g, const struct event *event)
{
	if (!event->trace.n)
		return NULL;
	struct str id = arena_printf(g->arena, "trace/%.*s", STR(event->trace));
	struct why_node *node = id.p ? why_node(g, id, "command") : NULL;
	why_alias(g, event->trace, node);
	if (node && !node->lines)
		why_say(g, node, event->time_ns, event->principal,
			arena_printf(g->arena, "%.*s began with %.*s%s%.*s", STR(event->principal), STR(event->type),
				event->address.n ? " " : "", STR(event->address)));
	return node;
}

static void read_event(struct why_graph *g, const struct event *event)
{
	const struct reading r = {.g = g, .event = event, .command = command_node(g, event)};
	struct str id = arena_printf(g->arena, "event/%llu", (unsigned long long)event->sequence);
	g->subject = NULL;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (str_starts(event->type, str_of(rows[i].prefix))) {
			rows[i].read(&r);
			break;
		}
	if (!g->subject && event->address.n)
		g->subject = str_map_get(&g->nodes, event->address);
	why_alias(g, id, g->subject ? g->subject : r.command);
}

static void read_resource(struct why_graph *g, const struct resource *r)
{
	struct why_node *node = why_node(g, r->address, "resource");
	why_alias(g, r->uid, node);
	why_alias(g, r->cloud_id, node);
	for (size_t i = 0; i < r->need_count; i++)
		why_edge(g, why_node(g, r->needs[i], "resource"), "needs", node);
	why_say(g, node, 0, S(""),
		arena_printf(g->arena, "now %.*s%s%.*s", STR(r->status), r->reason.n ? ": " : "", STR(r->reason)));
}

int why_build(struct call *c, const struct event *events, size_t count, const struct resource *resources,
	size_t resource_count, struct why_graph *out)
{
	*out = (struct why_graph){.arena = c->arena};
	if (!str_map_init(&out->nodes, c->arena, count) || !str_map_init(&out->aliases, c->arena, count))
		return call_no_memory(c);
	for (size_t i = 0; i < count; i++)
		read_event(out, &events[i]);
	for (size_t i = 0; i < resource_count; i++)
		read_resource(out, &resources[i]);
	return out->failed ? call_no_memory(c) : 0;
}

static void group_clouds(struct why_graph *g, struct str thing)
{
	struct str *ids = arena_new_array(g->arena, g->nodes.count + 1, struct str);
	size_t count = ids ? str_map_keys(&g->nodes, ids) : 0;
	struct str prefix = arena_printf(g->arena, "%.*s on ", STR(thing));
	if (!ids || !prefix.p)
		g->failed = true;
	for (size_t i = 0; i < count && !g->failed; i++) {
		if (str_starts(ids[i], prefix))
			why_edge(g, why_node(g, thing, "resource on several clouds"), "on", str_map_get(&g->nodes, ids[i]));
	}
}

void why_group(struct why_graph *g, struct str thing, const struct event *events, size_t count)
{
	if (!thing.n || str_map_get(&g->nodes, thing) || str_map_get(&g->aliases, thing))
		return;
	group_clouds(g, thing);
	for (size_t i = count; i > 0; i--) {
		const struct event *event = &events[i - 1];
		if (event->trace.n && str_eq(event->principal, thing))
			why_edge(g, why_node(g, thing, "principal"), "command of", str_map_get(&g->aliases, event->trace));
	}
}

static void link_request(struct why_graph *g, struct why_node *request, const char *label, struct str cause)
{
	if (cause.n)
		why_edge(g, why_node(g, cause, "resource"), label, request);
}

// A record that is no request: the log begins, lacks something, goes on.
static struct why_node *why_entry(struct why_graph *g, struct why_node *node, const json_t *body)
{
	int64_t time_ns = 0;
	if (time_parse_rfc3339(json_str(body, "time"), &time_ns) < 0)
		time_ns = 0;
	node->kind = "audit record";
	why_say(g, node, time_ns, json_str(body, "writer"),
		arena_printf(g->arena, "%s of the audit log %s", json_text(body, "kind"), json_text(body, "log")));
	return node;
}

struct why_node *why_request(struct why_graph *g, struct str gateway, const json_t *line)
{
	const json_t *body = json_object_get(line, "body"), *detail = json_object_get(body, "detail");
	struct str cloud = json_str(body, "cloud"), served = json_str(body, "resource");
	struct str id = arena_printf(
		g->arena, "gateway/%.*s#%lld", STR(gateway), (long long)json_int(line, "index", 0));
	struct why_node *node = id.p ? why_node(g, id, "request") : NULL;
	struct str endpoint = cloud.n ? arena_printf(g->arena, "%.*s on %.*s", STR(served), STR(cloud)) : served;
	int64_t time_ns = 0, attempts = json_int(detail, "attempts", 1);
	if (node && json_str(body, "kind").n && !str_eq(json_str(body, "kind"), S("request")))
		return why_entry(g, node, body);
	if (!node)
		return NULL;
	if (time_parse_rfc3339(json_str(body, "time"), &time_ns) < 0)
		time_ns = 0; // told without a time
	why_say(g, node, time_ns, json_str(body, "principal"),
		arena_printf(g->arena, "%s %s: %lld, %s by rule \"%s\"%s", json_text(detail, "method"),
			json_text(detail, "path"), (long long)json_int(body, "status", 0), json_text(body, "outcome"),
			json_text(body, "reason"), attempts > 1 ? ", after clouds that failed" : ""));
	node->trace = json_str(body, "trace");
	struct str route = json_str(detail, "route");
	link_request(g, node, "came by", route.n ? arena_printf(g->arena, "route/%.*s", STR(route)) : route);
	link_request(g, node, "asked by", json_str(body, "principal"));
	link_request(g, node, "answered by", endpoint);
	return node;
}
