// SPDX-License-Identifier: Apache-2.0
// Inside deploy: one cloud's endpoints as desired (desired.c), their records (endpoint_status.c) and the reconciler of
// one cloud (cloud_reconciler.c). See deploy.h.
#ifndef ISOBAR_DEPLOY_DEPLOY_IMPL_H
#define ISOBAR_DEPLOY_DEPLOY_IMPL_H

#include "deploy/deploy.h"
#include "state/resource.h"

// "endpoint-status/NAME on CLOUD": what was last seen. All in an arena.
struct status_record {
	struct str state; // "ready", "starting", "down", "stopped", "absent", "waiting", "unreachable"; "": no record
	struct str url, version, generation, reason;
	struct endpoint_invoke invoke;
	int64_t pids[COUNT_OF(((struct endpoint_status *)0)->pids)];
	int64_t starts; // how often it was brought up: with the resource's uid it gives each action a name of its own
			// for ever
	uint64_t revision;
};
struct str status_key(struct arena *a, struct str name, struct str cloud);
MUST_CHECK int status_read(struct call *c, const struct state *s, struct str key, struct status_record *out);
// Writes record and event "endpoint.changed" when anything but the time differs. Another writer's change is left alone
// (0).
MUST_CHECK int status_write(struct call *c, const struct state *s, struct str address,
	const struct status_record *before, const struct status_record *now);
MUST_CHECK int status_forget(struct call *c, const struct state *s, struct str address);
const char *status_word(enum endpoint_state state);

struct desired {                         // one endpoint on one cloud
	const struct resource *resource; // NULL: no longer declared, to be taken down
	struct str address, name;
	struct str waiting; // why it must wait; "": spec is filled
	struct endpoint_spec spec;
};
// All endpoints of a cloud that are declared or recorded, by address.
MUST_CHECK int desired_read(
	struct call *c, const struct deploy_ctx *d, struct str cloud, struct desired **out, size_t *count);
json_t *desired_spec_to_json(const struct endpoint_spec *spec);
void desired_spec_of_json(const json_t *j, struct endpoint_spec *out); // texts borrowed from j

struct item { // an endpoint as the pure decision sees it
	struct desired want;
	struct status_record recorded;
	enum { SEEN_UNREACHABLE, SEEN_ABSENT, SEEN_PRESENT } seen;
	struct endpoint_status status; // when SEEN_PRESENT
	struct str reason;             // when unreachable
	bool cloud_answers;            // asked only when something is to be started
	int64_t failures;              // of the action that would be next, since the run began
	struct str failure;            // what the last one said; "": none
};
struct cloud_view {
	struct item *items;
	size_t count;
};
struct cloud_runner { // ctx of the reconciler; used by one thread
	const struct deploy_ctx *deploy;
	const struct cloud *cloud;
	size_t pending;   // endpoints that are neither ready nor waiting, as last observed
	char name[80];    // of the reconciler: "deploy/aws-us"
	int64_t began_ns; // 0: everything that failed counts
};
struct reconciler cloud_reconciler(struct cloud_runner *r, const struct deploy_ctx *d, const struct cloud *cloud);
struct str item_action_name(struct arena *a, const struct item *item);
// The decision, exposed for tests. view: struct cloud_view.
int cloud_decide(struct arena *a, const void *view, int64_t now_ns, struct actions *out);

#endif
