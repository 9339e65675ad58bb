// SPDX-License-Identifier: Apache-2.0
// The graph of a pipeline: its steps in order, each with what it is made from and whether that changed. All in the
// arena of the call.
#ifndef ISOBAR_JOBS_PIPELINE_GRAPH_H
#define ISOBAR_JOBS_PIPELINE_GRAPH_H

#include "jobs/pipeline.h"

enum { PIPELINE_MAX_STEPS = 512 };

struct pipeline_node {
	struct pipeline_step step;
	struct resource resource;
	struct str alias;
	const struct step_maker *maker;
	size_t *inputs; // direct ones: places in nodes
	size_t input_count;
	const json_t *made; // record made/ADDRESS; NULL: never made
	enum { NODE_OPEN, NODE_CLOSED } mark;
};
struct pipeline_graph {
	const struct pipeline_env *env;
	struct pipeline_node *nodes;
	size_t count;
	size_t *order; // places in nodes: each after all that it is made from
	size_t order_count;
};
// ERR_NOT_FOUND names what is not declared; ERR_INVALID a ring, or what cannot be made.
MUST_CHECK int pipeline_graph_build(
	struct call *c, const struct pipeline_env *env, struct str goal, struct pipeline_graph *out);

#endif
