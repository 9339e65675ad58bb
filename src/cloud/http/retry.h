// SPDX-License-Identifier: Apache-2.0
// When a failed exchange is worth another try, and how long to wait before it: exponential back-off with full jitter
// ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015), never less than the provider asks for in
// Retry-After, bounded in number and by the call's deadline. The policy is pure; only retry_pause sleeps.
#ifndef ISOBAR_CLOUD_HTTP_RETRY_H
#define ISOBAR_CLOUD_HTTP_RETRY_H

#include "base/call.h"

struct retry_policy {
	int attempts;     // in all, the first included
	int64_t first_ns; // upper bound of the first pause; each next one is twice as long
	int64_t most_ns;  // upper bound of any pause
};
extern const struct retry_policy retry_standard; // 5 attempts, 100 ms, 5 s

enum { RETRY_AFTER_MOST_S = 60 }; // a provider that asks for more is answered with its own error

// attempt counts from 1: the one that failed. random: 64 uniform bits.
int64_t retry_delay_ns(const struct retry_policy *p, int attempt, uint64_t random, int64_t retry_after_ns);
// Retry-After as seconds or as date (RFC 9110 10.2.3); 0 when absent or unreadable.
int64_t retry_after_ns(struct str value, int64_t now_ns);
// Called with the error of the failed attempt in c->err. 0: the pause is over, try again (c->err is cleared). Else that
// error's code: not retryable, tried often enough, or the deadline is nearer than the pause.
MUST_CHECK int retry_pause(struct call *c, const struct retry_policy *p, int attempt, int64_t retry_after_ns);

#endif
