// SPDX-License-Identifier: Apache-2.0
// A steady stream of inference requests: see load.h. Slots are fixed; each holds one request under way. The loop's thread owns all
// but the counts, which a mutex guards.
#include "demo/load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/metrics.h"
#include "base/time.h"
#include "net/http_client.h"

enum { PACE_MS = 2 };

struct slot {
	struct load *load;
	struct http_fetch *fetch;
	uint32_t image;
	int status;
	int64_t began_ns;
	struct buf body, answer;
};

struct load {
	struct load_options options;
	char pixels[256][16]; // each grey value scaled to 0..1, as text
	char authorization[300];
	struct http_header headers[2]; // a fetch borrows them
	struct loop *loop;
	struct tls *tls;
	struct guard *guard;
	struct http_client *client;
	struct http_origin *origin;
	char target[300];
	struct loop_timer timer;
	int64_t started_ns;
	uint64_t issued, running;
	bool *answered; // an image at least once
	struct slot slots[LOAD_MAX_PARALLEL];
	pthread_t thread;
	pthread_mutex_t mutex; // guards what follows
	bool finishing;
	struct load_counts counts;
	struct histogram latency;
};

static void write_request(struct load *l, struct slot *s)
{
	const struct idx *images = l->options.images;
	const unsigned char *pixel = images->data + (size_t)s->image * images->record_size;
	buf_clear(&s->body);
	buf_printf(&s->body, "{\"inputs\":[{\"name\":\"image\",\"shape\":[1,%zu],\"datatype\":\"FP32\",\"data\":[", images->record_size);
	for (size_t i = 0; i < images->record_size; i++) {
		if (i)
			buf_add_char(&s->body, ',');
		buf_add(&s->body, str_of(l->pixels[pixel[i]]));
	}
	buf_add(&s->body, S("]}]}"));
}

static int64_t class_of(struct str answer)
{
	AUTO(json) j = NULL;
	if (json_parse(answer, &j, NULL) < 0)
		return -1;
	const json_t *output = json_array_get(json_object_get(j, "outputs"), 0);
	const json_t *value = json_array_get(json_object_get(output, "data"), 0);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static void on_head(void *ctx, const struct http_response *r)
{
	struct slot *s = ctx;
	s->status = r->status;
}

static void on_body(void *ctx, struct str piece)
{
	struct slot *s = ctx;
	buf_add(&s->answer, piece);
}

static void count_failure(struct load *l, const struct slot *s, const struct err *e)
{
	l->counts.failed++;
	if (l->counts.first_failure[0])
		return;
	if (e->code)
		snprintf(l->counts.first_failure, sizeof(l->counts.first_failure), "%s", e->message);
	else
		snprintf(l->counts.first_failure, sizeof(l->counts.first_failure), "status %d: %.*s", s->status,
			STR(str_take(buf_str(&s->answer), 120)));
}

static void on_end(void *ctx, const struct err *e, UNUSED bool began)
{
	struct slot *s = ctx;
	struct load *l = s->load;
	int64_t class = e->code == 0 && s->status == 200 ? class_of(buf_str(&s->answer)) : -1;
	pthread_mutex_lock(&l->mutex);
	if (class < 0) {
		count_failure(l, s, e);
	} else {
		l->counts.answered++;
		histogram_add(&l->latency, (double)(loop_now_ns(l->loop) - s->began_ns) / 1e9);
		if (!l->answered[s->image]) {
			l->answered[s->image] = true;
			l->counts.images++;
			l->counts.correct += class == l->options.labels->data[s->image];
		}
	}
	pthread_mutex_unlock(&l->mutex);
	s->fetch = NULL;
	l->running--;
}

static bool issue(struct load *l)
{
	static const struct http_fetch_events events = {.head = on_head, .body = on_body, .end = on_end};
	struct slot *s = l->slots;
	while (s->fetch)
		s++;
	s->image = (uint32_t)(l->issued % l->options.images->count);
	s->status = 0;
	s->began_ns = loop_now_ns(l->loop);
	buf_clear(&s->answer);
	write_request(l, s);
	// The client itself never retries: a request that the gateway fails counts as failed.
	struct http_fetch_request request = {
		.origin = l->origin, .method = S("POST"), .target = str_of(l->target), .headers = l->headers,
		.header_count = COUNT_OF(l->headers), .body = buf_str(&s->body), .total_ns = 30 * NS_PER_S};
	struct err e = {0};
	l->issued++;
	bool started = http_fetch_start(&request, &events, s, &s->fetch, &e) == 0;
	pthread_mutex_lock(&l->mutex);
	l->counts.sent++;
	if (!started)
		count_failure(l, s, &e);
	pthread_mutex_unlock(&l->mutex);
	l->running += started;
	return started;
}

static bool is_done(struct load *l)
{
	pthread_mutex_lock(&l->mutex);
	bool finishing = l->finishing;
	pthread_mutex_unlock(&l->mutex);
	return finishing && l->issued >= l->options.images->count;
}

static void on_pace(struct loop_timer *t)
{
	struct load *l = CONTAINER_OF(t, struct load, timer);
	int64_t now_ns = loop_now_ns(l->loop);
	double due = (double)(now_ns - l->started_ns) / 1e9 * l->options.rate;
	bool done = is_done(l);
	while (!done && (double)l->issued < due && l->running < l->options.parallel && issue(l))
		done = is_done(l);
	if (done && l->running == 0)
		loop_stop(l->loop);
	else if (loop_timer_set(l->loop, t, now_ns + PACE_MS * NS_PER_MS) < 0)
		loop_stop(l->loop);
}

static void *run(void *ctx)
{
	struct load *l = ctx;
	struct err e = {0};
	if (loop_run(l->loop, &e) < 0) {
		pthread_mutex_lock(&l->mutex);
		l->counts.failed++;
		snprintf(l->counts.first_failure, sizeof(l->counts.first_failure), "%s", e.message);
		pthread_mutex_unlock(&l->mutex);
	}
	return NULL;
}

static void load_free(struct load *l)
{
	http_client_free(l->client);
	guard_free(l->guard);
	tls_free(l->tls);
	loop_free(l->loop);
	for (size_t i = 0; i < LOAD_MAX_PARALLEL; i++) {
		buf_free(&l->slots[i].body);
		buf_free(&l->slots[i].answer);
	}
	pthread_mutex_destroy(&l->mutex);
	free(l->answered);
	free(l);
}

static void prepare(struct load *l)
{
	for (int i = 0; i < 256; i++)
		snprintf(l->pixels[i], sizeof(l->pixels[i]), "%.9g", (double)((float)i / 255.0F));
	for (size_t i = 0; i < LOAD_MAX_PARALLEL; i++)
		l->slots[i] = (struct slot){.load = l, .answer = {.limit = 1 << 20}};
	snprintf(l->authorization, sizeof(l->authorization), "Bearer %s", l->options.key);
	l->headers[0] = (struct http_header){S("content-type"), S("application/json")};
	l->headers[1] = (struct http_header){S("authorization"), str_of(l->authorization)};
	const char *path = strstr(l->options.url, "://");
	path = path ? strchr(path + 3, '/') : NULL;
	snprintf(l->target, sizeof(l->target), "%s", path ? path : "/");
	pthread_mutex_init(&l->mutex, NULL);
	l->timer.fire = on_pace;
}

static int connect_client(struct load *l, struct err *e)
{
	struct tls_config tls = {.ca_file = l->options.ca_file};
	int rc = tls_new(&tls, &l->tls, e);
	if (rc == 0)
		rc = guard_new_loopback(&l->guard, e);
	if (rc == 0)
		rc = loop_new(&l->loop, e);
	struct http_client_options options = {.loop = l->loop, .guard = l->guard, .tls = l->tls};
	if (rc == 0)
		rc = http_client_new(&options, &l->client, e);
	if (rc == 0)
		rc = http_client_origin(l->client, str_of(l->options.url), &l->origin, e);
	if (rc == 0) {
		l->started_ns = loop_now_ns(l->loop);
		rc = loop_timer_set(l->loop, &l->timer, l->started_ns);
	}
	return rc;
}

int load_start(const struct load_options *options, struct load **out, struct err *e)
{
	struct load *l = calloc(1, sizeof(*l));
	if (!l)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	l->options = *options;
	l->options.parallel = MIN(options->parallel, (unsigned)LOAD_MAX_PARALLEL);
	prepare(l);
	l->answered = calloc(options->images->count, sizeof(*l->answered));
	int rc = l->answered ? connect_client(l, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0 && pthread_create(&l->thread, NULL, run, l) != 0)
		rc = err_set(e, ERR_LIMIT, "starting the load's thread");
	if (rc < 0)
		load_free(l);
	else
		*out = l;
	return rc;
}

struct load_counts load_progress(struct load *l)
{
	pthread_mutex_lock(&l->mutex);
	struct load_counts counts = l->counts;
	counts.p50_ms = histogram_quantile(&l->latency, 0.5) * 1000;
	counts.p99_ms = histogram_quantile(&l->latency, 0.99) * 1000;
	pthread_mutex_unlock(&l->mutex);
	return counts;
}

struct load_counts load_finish(struct load *l)
{
	pthread_mutex_lock(&l->mutex);
	l->finishing = true;
	pthread_mutex_unlock(&l->mutex);
	pthread_join(l->thread, NULL);
	struct load_counts counts = load_progress(l);
	load_free(l);
	return counts;
}
