// SPDX-License-Identifier: Apache-2.0
// Signals from the gateway's counters: see signal.h. One row a signal and kind of target says which metric and labels count.
#include "monitor/signal.h"

#include <math.h>
#include <string.h>

struct source_row {
	enum signal signal;
	const char *watch;  // kind of what is watched
	const char *metric;
	const char *label;  // that names it
};

static const struct source_row sources[] = {
	{SIGNAL_FAILED_ATTEMPTS, "endpoint", "isobar_gateway_attempts_total", "endpoint"},
	{SIGNAL_ERRORS, "endpoint", "isobar_gateway_attempts_total", "endpoint"},
	{SIGNAL_ERRORS, "route", "isobar_gateway_requests_total", "route"},
	{SIGNAL_LATENCY, "endpoint", "isobar_gateway_attempt_seconds", "endpoint"},
	{SIGNAL_LATENCY, "route", "isobar_gateway_request_seconds", "route"},
};

struct collecting {
	const struct source_row *row;
	const struct signal_target *target;
	double *values;
};

size_t signal_width(enum signal signal)
{
	switch (signal) {
	case SIGNAL_FAILED_ATTEMPTS:
	case SIGNAL_ERRORS:
		return 2;
	case SIGNAL_LATENCY:
		return SIGNAL_MAX_WIDTH;
	case SIGNAL_DRIFT:
	case SIGNAL_COUNT:
		break;
	}
	return 0;
}

static bool is_bad(struct str labels, struct arena *a)
{
	// Attempts say their outcome; requests their status, of which 5xx is our fault and 4xx the client's.
	return str_eq(metrics_label_get(labels, "outcome", a), S("failed")) || str_starts(metrics_label_get(labels, "code", a), S("5"));
}

static void add_share(struct collecting *ctx, const struct metrics_sample_read *s, struct arena *a)
{
	ctx->values[0] += s->value;
	if (is_bad(s->labels, a))
		ctx->values[1] += s->value;
}

// Cumulative buckets: bucket i of the exposition holds all values up to its bound.
static void add_bucket(struct collecting *ctx, const struct metrics_sample_read *s, struct arena *a)
{
	struct str le = metrics_label_get(s->labels, "le", a);
	double bound;
	size_t i = HISTOGRAM_BUCKETS - 1;
	if (str_to_f64(le, &bound) == 0)
		for (i = 0; i < HISTOGRAM_BUCKETS - 1 && fabs(histogram_bound(i) - bound) > 1e-4 * bound; i++)
			;
	ctx->values[i] += s->value;
}

static void add_sample(void *opaque, const struct metrics_sample_read *s)
{
	struct collecting *ctx = opaque;
	struct str metric = str_of(ctx->row->metric), suffix = str_drop(s->name, metric.n);
	AUTO(arena) arena = {0};
	if (!str_starts(s->name, metric) ||
		!str_eq(metrics_label_get(s->labels, ctx->row->label, &arena), ctx->target->watch.name))
		return;
	if (ctx->target->cloud.n && !str_eq(metrics_label_get(s->labels, "cloud", &arena), ctx->target->cloud))
		return;
	if (suffix.n == 0)
		add_share(ctx, s, &arena);
	else if (str_eq(suffix, S("_bucket")))
		add_bucket(ctx, s, &arena);
	else if (str_eq(suffix, S("_count")))
		ctx->values[HISTOGRAM_BUCKETS] += s->value;
	else if (str_eq(suffix, S("_sum")))
		ctx->values[HISTOGRAM_BUCKETS + 1] += s->value;
}

int signal_collect(
	const struct monitor_rule *rule, const struct signal_target *target, struct str exposition, double *values, struct err *e)
{
	struct collecting ctx = {.target = target, .values = values};
	for (size_t i = 0; i < COUNT_OF(sources); i++)
		if (sources[i].signal == monitor_signal_of(rule->signal) && str_eq(target->watch.kind, str_of(sources[i].watch)))
			ctx.row = &sources[i];
	if (!ctx.row)
		return err_set(e, ERR_UNSUPPORTED, "%.*s has no signal %.*s", STR(target->watch.kind), STR(rule->signal));
	return metrics_parse(exposition, add_sample, &ctx, e);
}

static struct reading judge_latency(const struct monitor_rule *rule, const double *delta)
{
	struct histogram h = {.count = (uint64_t)delta[HISTOGRAM_BUCKETS], .sum = delta[HISTOGRAM_BUCKETS + 1]};
	double below = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		h.counts[i] = (uint64_t)MAX(delta[i] - below, 0.0);
		below = delta[i];
	}
	double value = histogram_quantile(&h, rule->quantile);
	return (struct reading){.known = h.count > 0 && !isnan(value), .value = value};
}

struct reading signal_judge(const struct monitor_rule *rule, const double *delta)
{
	if (monitor_signal_of(rule->signal) == SIGNAL_LATENCY)
		return judge_latency(rule, delta);
	return (struct reading){.known = delta[0] > 0, .value = delta[0] > 0 ? delta[1] / delta[0] : 0};
}
