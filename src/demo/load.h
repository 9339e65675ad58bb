// SPDX-License-Identifier: Apache-2.0
// The demo's clients: sends every test image to the gateway at a steady rate over a few kept connections, from a thread with a loop of
// its own, and counts what came back. After the last image it starts over, until it is told to finish; it ends only when every image
// was sent. Progress may be asked from any thread.
#ifndef ISOBAR_DEMO_LOAD_H
#define ISOBAR_DEMO_LOAD_H

#include "base/err.h"
#include "math/idx.h"

struct load_options {
	const char *url;     // "https://127.0.0.1:8443/v2/models/classify/infer"
	const char *ca_file;
	const char *key;     // API key, sent as a bearer token
	const struct idx *images, *labels; // borrowed until load_finish
	double rate;         // requests a second
	unsigned parallel;   // most requests under way; at most LOAD_MAX_PARALLEL
};
enum { LOAD_MAX_PARALLEL = 64 };

struct load_counts {
	uint64_t sent, answered; // answered: with 200 and a class
	uint64_t failed;         // any other end
	uint64_t images;         // different ones that were answered
	uint64_t correct;        // of these, on their first answer
	double p50_ms, p99_ms;
	char first_failure[200];
};

struct load;
MUST_CHECK int load_start(const struct load_options *options, struct load **out, struct err *e);
struct load_counts load_progress(struct load *l);
// Waits until every image was answered or failed, ends the thread, frees; the counts are final.
struct load_counts load_finish(struct load *l);

#endif
