// SPDX-License-Identifier: Apache-2.0
// Targets: the endpoints' addresses that routes lead to, with what was learned about each. They outlive snapshots: a
// new snapshot is bound to the targets that it shares with the old one, so latencies, faults and counters go on. Loop
// thread only; owned by the table.
//
// A target leaves the rotation when it cannot be reached, or fails FAILURES_TO_EJECT times in a row, and comes back
// when its /v2/health/ready answers 200. Targets out of rotation, those that have no weight, and those that no request
// went to for a moment are probed; probes count as attempts.
//
// A target in a provider's service has no such path, and its health is known by what requests meet. It leaves the
// rotation also when the service refuses us or has no such endpoint, or without valid credentials, and comes back when
// an invocation with the body {} reaches the model's server (which refuses it without computing anything). Idle ones in
// rotation cost no invocation: any answer below 500 to an unsigned GET /ping says that the service is there.
#ifndef ISOBAR_GATEWAY_TARGET_H
#define ISOBAR_GATEWAY_TARGET_H

#include "base/edges.h"
#include "base/metrics.h"
#include "gateway/snapshot.h"
#include "net/http_client.h"

enum { FAILURES_TO_EJECT = 3, STATS_MAX_CODES = 32, TARGET_REASON_SIZE = 256 };

struct attempt_stats { // of one target on one route
	struct attempt_stats *next;
	struct str route, endpoint, cloud; // owned by the table's arena
	uint64_t ok, failed;
};
struct route_stats {
	struct route_stats *next;
	struct str route;
	struct {
		int status;
		uint64_t count;
	} codes[STATS_MAX_CODES];
	size_t code_count;
	struct histogram seconds;
};
struct cloud_stats { // of one endpoint on one cloud
	struct cloud_stats *next;
	struct str endpoint, cloud;
	struct histogram seconds;
};

struct target {
	struct target_table *table;
	struct target *next;
	size_t users;                    // snapshots that name it and are in use
	char *url, *prefix, *probe_path; // owned; prefix: of its path, without '/' at the end
	struct str endpoint, cloud;      // of the table's arena
	struct http_origin *origin;
	struct attempt_stats *probe_stats;
	struct cloud_stats *stats;
	double weight;
	bool listed; // in the newest snapshot
	bool ejected;
	unsigned failures; // in a row
	unsigned in_flight;
	int64_t latency_ns;  // moving average until the answer's head; 0: not measured
	int64_t measured_ns;  // when
	int64_t attempted_ns; // when the last request to it ended
	enum upstream_service service;
	char *authority;                 // owned; of a service's target: the Host that is signed
	char reason[TARGET_REASON_SIZE]; // why it is out of rotation, for people; "": unreachable, or not out
	bool unreachable;                // the last attempt found nobody there
	bool refused;                    // the last attempt was refused, or there were no credentials for one
	bool wants_credentials;          // and others may help
	int64_t busy_until_ns;           // throttled until then
	int64_t ahead_ns;                // how far the service's clock is ahead of ours, as far as it matters
	struct loop_timer probe_timer;
	struct http_fetch *probe;
	int64_t probe_began_ns, probe_planned_ns;
	int probe_status;
	struct target_call *probe_call; // of a signed one; owned
};

struct target_table {
	struct loop *loop;
	struct http_client *client;
	struct guard *guard; // exactly the targets' hosts
	const struct edges *edges;   // the wall clock that probes are signed by
	struct upstreams *upstreams; // held; NULL: none yet
	struct arena arena;  // names of statistics: bounded by what was ever configured
	struct target *targets;
	struct attempt_stats *attempts;
	struct route_stats *routes;
	struct cloud_stats *clouds;
};

MUST_CHECK int targets_init(struct target_table *t, struct loop *l, struct err *e);
void targets_free(struct target_table *t);
// Fills the bound members of the snapshot; on failure the table works on as before.
MUST_CHECK int targets_bind(struct target_table *t, struct snapshot *s, struct err *e);
// Takes over one reference; what was there before is released.
void targets_use_upstreams(struct target_table *t, struct upstreams *u);
// Before the last user lets the snapshot go. Targets that no other snapshot names end here.
void targets_unbind(struct target_table *t, struct snapshot *s);

struct target_choice {
	const struct snapshot_route *route;
	uint32_t excluded; // bit i: targets[i] was tried, or may not be used
};
// Index of the target to try next, -1: none is left. Those in rotation first, by latency x (requests in flight + 1) /
// weight.
int target_pick(const struct target_choice *choice, int64_t now_ns);
void target_begin(struct target *t);
// latency_ns: until the answer's head; failed: unreachable and refused count at once, other failures when they repeat,
// and being busy only keeps requests away for a moment.
struct target_outcome {
	bool ok, unreachable;
	bool refused;        // for credentials, or because the endpoint is not there
	bool credentials;    // of a refusal: others may help
	int64_t service_ns;  // of a refusal: the wall clock of who refused; 0: not told
	int64_t busy_ns;     // > 0: throttled for so long
	struct str reason;   // of a failure; "": none worth telling
	int64_t latency_ns;
};
void target_end(struct target *t, struct attempt_stats *s, const struct target_outcome *o);
void target_abandon(struct target *t); // the client left: neither good nor bad
// It cannot even be tried (no credentials): out of rotation, without an attempt.
void target_unusable(struct target *t, struct str reason);

struct route_stats *stats_of_route(struct target_table *t, struct str name); // NULL without memory
void stats_count(struct route_stats *s, int status, double seconds);         // s NULL: nothing

#endif
