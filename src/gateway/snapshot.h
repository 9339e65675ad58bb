// SPDX-License-Identifier: Apache-2.0
// A gateway's configuration as one value: read whole from snapshot.json, checked whole, swapped whole. Requests hold
// the snapshot that they began under until they end. Immutable but for its users' count; loop thread only. ERR_CORRUPT,
// ERR_INVALID name the member that is wrong; the gateway then stays with the snapshot it has.
#ifndef ISOBAR_GATEWAY_SNAPSHOT_H
#define ISOBAR_GATEWAY_SNAPSHOT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "gateway/upstreams.h"
#include "security/api_key.h"
#include "security/policy.h"

enum { SNAPSHOT_MAX_BYTES = 8 << 20, ROUTE_MAX_TARGETS = 32, ROUTE_MAX_METHODS = 8 };

struct target;
struct attempt_stats;
struct route_stats;

struct snapshot_target {
	struct str endpoint, cloud, url;
	struct str address; // "endpoint/classify on aws-us"
	double weight;      // 0: no traffic, only probes
	// Of a target in a provider's service, whose url is all of the address that requests go to:
	enum upstream_service service;
	struct str version;     // that it serves; "": unknown
	struct str description; // JSON: what GET /v2/models/NAME answers; "": nobody knows
	// Bound by targets_bind() to what outlives snapshots:
	struct target *target;
	struct attempt_stats *attempts;
};
struct snapshot_route {
	struct str name, path;
	struct str resource; // "endpoint/classify"
	struct str methods[ROUTE_MAX_METHODS];
	size_t method_count;
	struct snapshot_target *targets;
	size_t target_count;
	unsigned attempts;
	bool idempotent;
	bool needs_key;
	int64_t timeout_ns;
	struct route_stats *stats;
};
struct snapshot {
	struct arena arena;
	size_t users;
	struct str name; // of the gateway
	uint64_t generation;
	struct str listen;
	const char *certificate_file, *key_file; // NULL: plain http
	const char *audit_folder;                // NULL: no audit
	const char *ca_file;                     // for https targets; NULL: the system's
	struct secret hash_secret;
	struct api_key_table keys;
	struct policy policy;
	struct snapshot_route *routes;
	size_t route_count;
};

MUST_CHECK int snapshot_of_json(const json_t *json, struct snapshot **out, struct err *e); // one user
MUST_CHECK int snapshot_load(const char *path, struct snapshot **out, struct err *e);
struct snapshot *snapshot_hold(struct snapshot *s);
void snapshot_release(struct snapshot *s); // the last user frees it; NULL is allowed

// The most specific route for a normalised path; NULL when none matches. Methods are not looked at.
const struct snapshot_route *snapshot_route_find(const struct snapshot *s, struct str path);
bool snapshot_route_takes(const struct snapshot_route *r, struct str method);

#endif
