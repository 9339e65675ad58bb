// SPDX-License-Identifier: Apache-2.0
// Whether a server is there: its health path is asked often until it answers 200, and then now and again. One request at
// a time a server. A server without a health path is healthy when it runs.
#include <stdio.h>

#include "base/time.h"
#include "net/guard.h"
#include "pocket/engine/engine_impl.h"
#include "pocket/pocket_impl.h"

#define PROBE_NS (50 * NS_PER_MS)        // until it is healthy
#define PROBE_HEALTHY_NS (2 * NS_PER_S)  // afterwards
#define PROBE_TIMEOUT_NS (2 * NS_PER_S)

int engine_client(struct engine *g, struct http_client **out, struct err *e)
{
	int rc = g->guard ? 0 : guard_new_loopback(&g->guard, e);
	const struct http_client_options options = {.loop = g->pocket->loop, .guard = g->guard};
	if (rc == 0 && !g->client)
		rc = http_client_new(&options, &g->client, e);
	*out = g->client;
	return rc;
}

static void probe_head(void *ctx, const struct http_response *r)
{
	struct engine_job *job = ctx;
	job->probe_ok = r->status >= 200 && r->status < 300;
}

static void probe_end(void *ctx, const struct err *e, UNUSED bool began)
{
	struct engine_job *job = ctx;
	bool ok = e->code == 0 && job->probe_ok;
	job->probe = NULL;
	job->probe_at_ns = engine_now_ns(job->engine) + (ok ? PROBE_HEALTHY_NS : PROBE_NS);
	if (ok == job->healthy)
		return;
	job->healthy = ok;
	service_wake(job->engine->pocket);
}

static const struct http_fetch_events probe_events = {.head = probe_head, .end = probe_end};

static int probe(struct engine_job *job, struct err *e)
{
	struct http_client *client = NULL;
	struct http_origin *origin = NULL;
	char url[48];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", job->report.port);
	int rc = engine_client(job->engine, &client, e);
	if (rc == 0)
		rc = http_client_origin(client, str_of(url), &origin, e);
	if (rc < 0)
		return rc;
	const struct http_fetch_request request = {.origin = origin,
		.method = S("GET"),
		.target = str_of(job->health_path),
		.replay = true,
		.connect_ns = PROBE_TIMEOUT_NS,
		.first_byte_ns = PROBE_TIMEOUT_NS,
		.total_ns = PROBE_TIMEOUT_NS};
	job->probe_ok = false;
	rc = http_fetch_start(&request, &probe_events, job, &job->probe, e);
	http_origin_drop(origin);
	return rc;
}

bool engine_health_look(struct engine_job *job)
{
	struct err e = {0};
	bool runs = job->report.state == ENGINE_RUNNING, before = job->healthy;
	if (!runs) {
		engine_health_stop(job);
		return before;
	}
	if (!job->health_path) {
		job->healthy = true;
		return !before;
	}
	int64_t now = engine_now_ns(job->engine);
	if (job->probe || now < job->probe_at_ns)
		return false;
	if (probe(job, &e) < 0) // no memory, or no port yet: the next look tries again
		job->probe_at_ns = now + PROBE_NS;
	return false;
}

void engine_health_stop(struct engine_job *job)
{
	if (job->probe)
		http_fetch_cancel(job->probe);
	job->probe = NULL;
	job->probe_at_ns = 0;
	job->healthy = false;
}
