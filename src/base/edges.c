// SPDX-License-Identifier: Apache-2.0
// The real edges, and fake ones for tests and simulation: see edges.h.
#include "base/edges.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/err.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t real_wall(UNUSED void *ctx)
{
	return read_clock(CLOCK_REALTIME);
}

static int64_t real_mono(UNUSED void *ctx)
{
	return read_clock(CLOCK_MONOTONIC);
}

static void real_sleep(UNUSED void *ctx, int64_t ns)
{
	if (ns <= 0)
		return;
	struct timespec pause = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	nanosleep(&pause, NULL);
}

static int real_random(UNUSED void *ctx, void *out, size_t n)
{
	char *at = out;
	while (n) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_IO;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

const struct edges *edges_real(void)
{
	static const struct edges real = {
		.wall_ns = real_wall, .mono_ns = real_mono, .sleep_ns = real_sleep, .random = real_random};
	return &real;
}

static int64_t fake_now(void *ctx)
{
	const struct edges_fake *f = ctx;
	return f->now_ns;
}

static void fake_sleep(void *ctx, int64_t ns)
{
	struct edges_fake *f = ctx;
	f->now_ns += ns;
}

// SplitMix64 (Steele, Lea, Flood 2014): good enough for tests, one word of state.
static uint64_t split_mix(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int fake_random(void *ctx, void *out, size_t n)
{
	struct edges_fake *f = ctx;
	char *at = out;
	while (n) {
		uint64_t word = split_mix(&f->seed);
		size_t step = MIN(n, sizeof(word));
		memcpy(at, &word, step);
		at += step;
		n -= step;
	}
	return 0;
}

void edges_fake_init(struct edges_fake *f, int64_t now_ns, uint64_t seed)
{
	*f = (struct edges_fake){
		.edges = {.ctx = f, .wall_ns = fake_now, .mono_ns = fake_now, .sleep_ns = fake_sleep, .random = fake_random},
		.now_ns = now_ns,
		.seed = seed,
	};
}
