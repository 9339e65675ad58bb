// SPDX-License-Identifier: Apache-2.0
// Pages and long-running operations: see pages.h.
#include "cloud/http/pages.h"

#include "base/time.h"
#include "cloud/http/retry.h"

int pages_all(struct call *c, page_asker *ask, void *ctx)
{
	struct str token = S("");
	for (int number = 0; number < PAGES_MOST; number++) {
		struct str next = S("");
		int r = ask(c, ctx, token, &next);
		if (r || !next.n)
			return r;
		if (str_eq(next, token))
			return call_fail(c, ERR_PROTOCOL, "the next page has the same token as this one");
		token = arena_str(c->arena, next);
		if (!token.p)
			return call_no_memory(c);
	}
	return call_fail(c, ERR_LIMIT, "there are more than %d pages", PAGES_MOST);
}

static const struct retry_policy looks = {.attempts = 1 << 30, .first_ns = 200 * NS_PER_MS, .most_ns = 10 * NS_PER_S};

// Never less than half of the bound: a look is a request, too.
static int64_t pause_ns(int number, int64_t after_ns)
{
	int64_t bound = looks.first_ns;
	for (int i = 0; i < number && bound < looks.most_ns; i++)
		bound += bound / 2;
	bound = MIN(bound, looks.most_ns);
	return after_ns > 0 ? MIN(after_ns, RETRY_AFTER_MOST_S * NS_PER_S) : bound;
}

int lro_wait(struct call *c, lro_asker *ask, void *ctx, int64_t most_ns)
{
	int64_t until = most_ns ? call_mono_ns(c) + most_ns : INT64_MAX;
	for (int number = 0;; number++) {
		struct lro_look look = {0};
		int r = ask(c, ctx, &look);
		if ((r && !c->err.retryable) || (!r && look.done))
			return r;
		int64_t pause = pause_ns(number, look.after_ns);
		bool over = pause >= call_left_ns(c) || call_mono_ns(c) + pause > until;
		if (over && r)
			return r;
		if (over)
			return call_fail(c, ERR_TIMEOUT, "it is not done yet, and there is no more time to wait for it");
		err_clear(&c->err);
		if ((r = call_sleep(c, pause)))
			return r;
	}
}
