// SPDX-License-Identifier: Apache-2.0
// What the chapters of the demo share. One struct, owned by the command; the chapters run one after the other on its thread. Each takes
// what it needs from the struct, adds its figures to the summary, and returns 0 or an error in call.err.
#ifndef ISOBAR_DEMO_DEMO_IMPL_H
#define ISOBAR_DEMO_DEMO_IMPL_H

#include "base/call.h"
#include "base/json.h"
#include "base/process.h"
#include "client/client.h"
#include "demo/memory.h"
#include "demo/story.h"
#include "math/idx.h"

// The gate of the yardstick: 10 rounds on three sites must reach this.
#define DEMO_ACCURACY 0.87
// How long the killed cloud is held down.
#define DEMO_DOWN_NS (10 * INT64_C(1000000000))
#define DEMO_VICTIM "azure-eu"
#define DEMO_DATA "/usr/share/datasets/fashion-mnist"

struct demo {
	struct call call;
	struct story story;
	const char *out;     // folder of summary and report
	char folder[512];    // of the workspace
	struct process plane; // `isobar up`
	struct client *client;
	struct memory_watch *memory;
	json_t *summary;
	char gateway[200];   // "https://127.0.0.1:8443"
	char key[256];       // API key of shop-app
	char ca_file[600];
	struct buf image_bytes, label_bytes; // own what images and labels borrow
	struct idx images, labels;           // of the test set
};

// ---- plane.c: the control plane that the demo drives
MUST_CHECK int demo_start_plane(struct demo *d);
void demo_stop_plane(struct demo *d);
// One request; the result is owned by the call's arena. body: reference stolen; NULL: none.
MUST_CHECK int demo_ask(struct demo *d, const char *method, const char *path, json_t *body, json_t **result);
MUST_CHECK int demo_ask_events(struct demo *d, const struct client_request *request, json_t **result);
// Asks again every 100 ms until done(ctx, answer) says yes; ERR_TIMEOUT with `what` after timeout_ns.
struct demo_wait {
	const char *path, *what;
	int64_t timeout_ns;
	bool (*done)(struct demo *d, const json_t *answer);
};
MUST_CHECK int demo_wait_for(struct demo *d, const struct demo_wait *wait, json_t **answer);
const json_t *demo_find(const json_t *list, const char *member, const char *value); // the object of a list with that member

// ---- the chapters, in the order they are told
MUST_CHECK int demo_declare(struct demo *d); // learn.c: plan, apply, an empty second plan
MUST_CHECK int demo_learn(struct demo *d);   // learn.c: ingest, transform, train, register, promote
MUST_CHECK int demo_open(struct demo *d);    // serve.c: endpoints and gateway ready; 401 and 403 for those who may not
MUST_CHECK int demo_serve(struct demo *d);   // serve.c: all test images, one cloud killed and brought back
MUST_CHECK int demo_prove(struct demo *d);   // prove.c: audit log, cost, report

#endif
