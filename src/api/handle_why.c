// SPDX-License-Identifier: Apache-2.0
// `isobar why THING`: the journal, the resources and, for a request, the audit logs of the gateways.
#include "api/handlers.h"
#include "api/why.h"
#include "security/audit_find.h"

enum { MOST_REQUESTS = 20 }; // of one trace

struct asked {
	struct session *s;
	struct why_graph *g;
	struct str thing;
	struct why_node *found;
};

static int search_gateway(struct asked *a, struct str gateway, uint64_t index, struct str trace)
{
	struct call *c = a->s->call;
	AUTO(json) lines = NULL;
	size_t i;
	const json_t *line;
	struct str folder =
		arena_printf(c->arena, "%.*s/gateways/%.*s/audit", STR(a->s->binding.state_folder), STR(gateway));
	if (!folder.p)
		return call_no_memory(c);
	const struct audit_query query = {.folder = folder.p, .index = index, .trace = trace, .most = MOST_REQUESTS};
	int rc = audit_find(c, &query, &lines);
	if (rc < 0)
		return rc;
	json_in_arena(c->arena, json_incref(lines)); // nodes borrow its texts
	json_array_foreach(lines, i, line)
	{
		struct why_node *node = why_request(a->g, gateway, line);
		struct why_node *command = trace.n ? str_map_get(&a->g->aliases, trace) : NULL;
		if (command)
			why_edge(a->g, command, "asked for", node);
		else if (trace.n)
			why_alias(a->g, trace, node);
	}
	return 0;
}

// "gateway/edge#17", or a whole trace.
static int add_requests(struct asked *a)
{
	struct str gateway, number;
	uint64_t index = UINT64_MAX;
	enum { TRACE_DIGITS = 32 };
	if (str_starts(a->thing, S("gateway/")) && str_cut(a->thing, '#', &gateway, &number)) {
		if (str_to_u64(number, &index) < 0)
			return call_fail(a->s->call, ERR_INVALID,
				"\"%.*s\": expected the index of a record behind #, as in gateway/edge#17",
				STR(a->thing));
		return search_gateway(a, str_drop(gateway, sizeof("gateway/") - 1), index, S(""));
	}
	int rc = 0;
	for (size_t i = 0; rc == 0 && a->thing.n == TRACE_DIGITS && i < a->s->recorded_count; i++)
		if (str_eq(a->s->recorded[i].kind, S("gateway")))
			rc = search_gateway(a, a->s->recorded[i].name, UINT64_MAX, a->thing);
	return rc;
}

int handle_why(struct api_request *r, json_t **result)
{
	struct session s;
	struct event *events = NULL;
	size_t count = 0;
	struct why_graph graph;
	struct asked a = {.s = &s, .g = &graph, .thing = r->parameter};
	session_begin(r, &s);
	int rc = session_read_state(&s);
	if (rc == 0)
		rc = state_read_all(r->call, s.binding.state, S(""), S(""), &events, &count);
	if (rc == 0)
		rc = why_build(r->call, events, count, s.recorded, s.recorded_count, &graph);
	if (rc == 0)
		rc = add_requests(&a);
	if (rc == 0)
		why_group(&graph, a.thing, events, count);
	if (rc == 0)
		rc = why_find(r->call, &graph, a.thing, &a.found);
	if (rc < 0)
		return rc;
	*result = why_tell(&graph, a.found);
	return *result && !graph.failed ? 0 : call_no_memory(r->call);
}
