// SPDX-License-Identifier: Apache-2.0
// Retry policy: see retry.h.
#include "cloud/http/retry.h"

#include "base/time.h"

const struct retry_policy retry_standard = {.attempts = 5, .first_ns = 100 * NS_PER_MS, .most_ns = 5 * NS_PER_S};

int64_t retry_delay_ns(const struct retry_policy *p, int attempt, uint64_t random, int64_t retry_after)
{
	int64_t bound = p->first_ns;
	for (int i = 1; i < attempt && bound < p->most_ns; i++)
		bound *= 2;
	bound = MIN(bound, p->most_ns);
	int64_t pause = bound > 0 ? (int64_t)(random % ((uint64_t)bound + 1)) : 0;
	return MAX(pause, retry_after);
}

int64_t retry_after_ns(struct str value, int64_t now_ns)
{
	uint64_t seconds;
	int64_t at_ns;
	value = str_trim(value);
	if (str_to_u64(value, &seconds) == 0)
		return seconds > INT64_MAX / NS_PER_S ? INT64_MAX : (int64_t)seconds * NS_PER_S;
	if (time_parse_http_date(value, &at_ns) == 0)
		return MAX(at_ns - now_ns, 0);
	return 0;
}

int retry_pause(struct call *c, const struct retry_policy *p, int attempt, int64_t retry_after)
{
	struct err failed = c->err;
	uint64_t random = 0;
	if (!failed.retryable || attempt >= p->attempts || retry_after > RETRY_AFTER_MOST_S * NS_PER_S)
		return failed.code;
	int r = c->edges->random(c->edges->ctx, &random, sizeof(random));
	int64_t delay = retry_delay_ns(p, attempt, random, retry_after);
	// Waiting past the deadline would only hide the reason behind "timed out".
	if (r || delay >= call_left_ns(c))
		return failed.code;
	r = call_sleep(c, delay);
	if (r) {
		err_context(&c->err, "while waiting to try again after \"%s\"", failed.message);
		return r;
	}
	err_clear(&c->err);
	return 0;
}
