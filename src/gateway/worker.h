// SPDX-License-Identifier: Apache-2.0
// One loop of the gateway: listener, admin listener, targets, configuration. Owned by its maker; everything on the
// loop's thread.
#ifndef ISOBAR_GATEWAY_WORKER_H
#define ISOBAR_GATEWAY_WORKER_H

#include "base/edges.h"
#include "net/loop.h"

struct worker;
struct worker_options {
	struct loop *loop;
	const struct edges *edges;
	const char *snapshot_path;
	const char *audit_key_path; // Ed25519, PEM, made when absent; NULL: heads are not signed
	struct str listen;          // instead of the snapshot's; empty: the snapshot's
};
MUST_CHECK int worker_new(const struct worker_options *o, struct worker **out, struct err *e);
void worker_free(struct worker *w); // NULL is allowed; the loop must not run afterwards
const char *worker_url(const struct worker *w);
const char *worker_admin_url(const struct worker *w);
// Reads the snapshot again (also done by inotify). On failure the old one stays.
MUST_CHECK int worker_reload(struct worker *w, struct err *e);
void worker_drain(struct worker *w, int64_t grace_ns, void (*drained)(void *ctx), void *ctx);

#endif
