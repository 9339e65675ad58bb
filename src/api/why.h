// SPDX-License-Identifier: Apache-2.0
// `isobar why`: the story of anything that Isobar ever printed. The journal becomes a graph: nodes are things (a
// revision, a resource, a run, a job, a version, an alias, an endpoint on a cloud, an alert, an override, a cost line, a
// command by its trace), edges go from what was the cause to what followed. A thing is found by its name or by the
// start of one of its ids; then the graph is walked both ways. Requests are read from the audit logs only when one is
// asked for. Built for one question; all memory is the arena's. One thread.
#ifndef ISOBAR_API_WHY_H
#define ISOBAR_API_WHY_H

#include "base/json.h"
#include "base/str_map.h"
#include "state/resource.h"

struct why_node;
struct why_edge { // in the list of a node
	struct why_node *node;
	const char *label; // "made from", "served by"
	struct why_edge *next;
};
struct why_line { // what happened to a thing, in order
	int64_t time_ns;
	struct str text, who;
	struct why_line *next;
};
struct why_node {
	struct str id;       // what the user may ask for next: "training/classifier/3fa2c1d20b6e"
	const char *kind;    // "run"
	struct str who;      // principal
	struct str trace;    // of the command that made it
	int64_t time_ns;     // when it was first heard of
	struct str version;  // of an endpoint: what it serves by now
	struct why_line *lines, *last_line;
	struct why_edge *causes, *effects; // newest first
	double price;                      // of the bytes that moved for it
	uint64_t bytes;
	struct str currency;
	bool seen;
};

struct why_graph {
	struct arena *arena;
	struct str_map nodes;   // by id
	struct str_map aliases; // other ids to nodes: traces, digests, runs, actions, cloud ids
	struct why_node *subject; // while it is built: what the event is about
	bool failed;              // out of memory
};

// The graph of a journal and of the resources that are recorded now.
MUST_CHECK int why_build(struct call *c, const struct event *events, size_t count, const struct resource *resources,
	size_t resource_count, struct why_graph *out);
// Makes or finds; NULL without memory (then g->failed).
struct why_node *why_node(struct why_graph *g, struct str id, const char *kind);
void why_alias(struct why_graph *g, struct str other, struct why_node *node); // the first to take it keeps it
void why_edge(struct why_graph *g, struct why_node *cause, const char *label, struct why_node *effect);
void why_say(struct why_graph *g, struct why_node *node, int64_t time_ns, struct str who, struct str text);

// What stands for several things, as its node: an address without a cloud ("endpoint/classify") for those on each cloud, a
// principal for its commands. Does nothing when `thing` is known or stands for none.
void why_group(struct why_graph *g, struct str thing, const struct event *events, size_t count);
// One request of an audit log: gateway "edge", the line as read. Adds it to the graph and gives its node.
struct why_node *why_request(struct why_graph *g, struct str gateway, const json_t *line);
// By id, alias, an object's place, or the start (six characters or more) of an id in hex. ERR_NOT_FOUND; ERR_CONFLICT
// lists the candidates.
MUST_CHECK int why_find(struct call *c, struct why_graph *g, struct str thing, struct why_node **out);
// The run or version that an object's place belongs to: "aws-us:fashion-lake/models/classifier/1/model.json" or a key
// alone. "" when the place says nothing.
struct str why_object_owner(struct arena *a, struct str place);
// {thing, kind, at, by, trace, history: [{at, by, text}], because: [{id, kind, label, depth, at, by, text}], then: [...],
// cost: {bytes, amount, currency, of_all: {bytes, amount}}}. New reference.
json_t *why_tell(struct why_graph *g, struct why_node *node);

#endif
