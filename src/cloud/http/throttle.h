// SPDX-License-Identifier: Apache-2.0
// How fast an API may be called, learned from its refusals: no bound until the provider first says "too fast" (429,
// SlowDown, ThrottlingException), then a token bucket whose rate is cut with every such answer and grows again with
// time, as a cubic (the idea of RFC 9438, which AWS's clients use for this, too). One a provider's API, shared by all
// calls to it. Thread-safe; a zero throttle with throttle_init is unbounded.
#ifndef ISOBAR_CLOUD_HTTP_THROTTLE_H
#define ISOBAR_CLOUD_HTTP_THROTTLE_H

#include <pthread.h>

#include "base/call.h"

struct throttle {
	pthread_mutex_t lock; // of all
	bool bounded;
	double rate, tokens;     // requests a second; what may go at once
	double most;             // rate at the last refusal
	int64_t refused_ns;      // of that refusal, on the monotonic clock
	int64_t filled_ns;       // when tokens was right
	double measured;         // requests a second, of late
	int64_t window_ns;       // the window that is being counted began then
	unsigned counted;        // requests in it
};
void throttle_init(struct throttle *t);
void throttle_free(struct throttle *t);
// Waits until the next request may go. The error of the wait: ERR_TIMEOUT, ERR_CANCELLED; ERR_THROTTLED when its turn
// would come after the deadline.
MUST_CHECK int throttle_wait(struct call *c, struct throttle *t);
void throttle_told(struct call *c, struct throttle *t, bool refused); // how the request went

#endif
