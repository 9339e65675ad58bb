// SPDX-License-Identifier: Apache-2.0
// A token bucket that learns its rate: see throttle.h.
#include "cloud/http/throttle.h"

#include "base/time.h"

// The rate falls to this part at a refusal, and is never below one request in two seconds.
static const double cut = 0.7, slowest = 0.5, growth = 0.4;
enum { WINDOW_NS = 500000000, BURST_S = 1 };

void throttle_init(struct throttle *t)
{
	*t = (struct throttle){0};
	pthread_mutex_init(&t->lock, NULL);
}

void throttle_free(struct throttle *t)
{
	if (t)
		pthread_mutex_destroy(&t->lock);
}

// Of a cube: by bisection, which needs no library.
static double cube_root(double x)
{
	double low = 0, high = x > 1 ? x : 1;
	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;
		if (middle * middle * middle < x)
			low = middle;
		else
			high = middle;
	}
	return low;
}

// Where the rate stands so long after the refusal: steep at first, flat about the rate that was refused, then steep
// again.
static double grown(const struct throttle *t, int64_t now_ns)
{
	double since = (double)(now_ns - t->refused_ns) / (double)NS_PER_S;
	double flat = cube_root(t->most * (1 - cut) / growth);
	double x = since - flat;
	double rate = growth * x * x * x + t->most;
	return rate < slowest ? slowest : rate;
}

static void fill(struct throttle *t, int64_t now_ns)
{
	double room = t->rate * BURST_S > 1 ? t->rate * BURST_S : 1;
	t->rate = grown(t, now_ns);
	t->tokens += t->rate * (double)(now_ns - t->filled_ns) / (double)NS_PER_S;
	t->tokens = t->tokens > room ? room : t->tokens;
	t->filled_ns = now_ns;
}

static void count(struct throttle *t, int64_t now_ns)
{
	int64_t passed = now_ns - t->window_ns;
	t->counted++;
	if (passed < WINDOW_NS)
		return;
	double rate = (double)t->counted * (double)NS_PER_S / (double)passed;
	t->measured = t->measured > 0 ? 0.8 * rate + 0.2 * t->measured : rate;
	t->counted = 0;
	t->window_ns = now_ns;
}

// 0, or how long until a token is there; the token is taken in either case, so that turns are kept.
static int64_t take(struct throttle *t, int64_t now_ns)
{
	int64_t wait = 0;
	pthread_mutex_lock(&t->lock);
	if (!t->window_ns)
		t->window_ns = now_ns;
	count(t, now_ns);
	if (t->bounded) {
		fill(t, now_ns);
		t->tokens -= 1;
		if (t->tokens < 0)
			wait = (int64_t)(-t->tokens / t->rate * (double)NS_PER_S);
	}
	pthread_mutex_unlock(&t->lock);
	return wait;
}

static void put_back(struct throttle *t)
{
	pthread_mutex_lock(&t->lock);
	t->tokens += 1;
	pthread_mutex_unlock(&t->lock);
}

int throttle_wait(struct call *c, struct throttle *t)
{
	int64_t wait = take(t, call_mono_ns(c));
	if (wait <= 0)
		return 0;
	if (wait >= call_left_ns(c)) {
		put_back(t);
		return call_fail(c, ERR_THROTTLED,
			"the provider asks for fewer requests; the turn of this one would come in %lld s, after its "
			"deadline",
			(long long)(wait / NS_PER_S));
	}
	return call_sleep(c, wait);
}

void throttle_told(struct call *c, struct throttle *t, bool refused)
{
	int64_t now_ns = call_mono_ns(c);
	if (!refused)
		return;
	pthread_mutex_lock(&t->lock);
	double rate = t->bounded ? t->rate : t->measured;
	if (rate < slowest && t->counted) // too soon to have been measured
		rate = (double)t->counted;
	// Requests that were under way together are refused together: that is one sign, not many.
	if (!t->bounded || now_ns - t->refused_ns > WINDOW_NS) {
		t->most = rate > slowest ? rate : slowest;
		t->rate = t->most * cut > slowest ? t->most * cut : slowest;
		t->refused_ns = t->filled_ns = now_ns;
		t->tokens = t->tokens < 0 ? t->tokens : 0;
		t->bounded = true;
	}
	pthread_mutex_unlock(&t->lock);
}
