// SPDX-License-Identifier: Apache-2.0
// A Vertex AI of the test's own behind the transport: custom jobs, models, endpoints with what is deployed to them,
// operations that are done at the second look, and log entries. It says no to what Vertex AI says no to, and counts what
// it made. Answers can be lost before or after the act. One thread; one at a time a program.
#ifndef ISOBAR_TESTS_FAKE_VERTEX_H
#define ISOBAR_TESTS_FAKE_VERTEX_H

#include "cloud/gcp/services.h"

struct fake_vertex {
	json_t *jobs, *models, *endpoints, *operations; // by name
	json_t *entries;                                // of the log, in order
	int made;                                       // jobs, models, endpoints, deployments: how many were begun
	int lose_after; // answers of POST that are lost after the act, from now on
	int lose_before; // and requests of POST that are lost before it
	int refuse_deploys; // deployments that fail, from now on
	struct buf seen; // "POST customJobs\n"
	struct credential_source *credentials;
	struct gcp_services *services;
};
void fake_vertex_open(struct fake_vertex *f, const struct cloud *self);
void fake_vertex_close(struct fake_vertex *f);
// Whether such a line was seen.
bool fake_vertex_saw(const struct fake_vertex *f, const char *line);

#endif
