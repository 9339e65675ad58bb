// SPDX-License-Identifier: Apache-2.0
// The second half of the story: the endpoints and the gateway come up, those who may not get in are kept out, and all test images go
// through while one cloud dies and comes back.
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "demo/demo_impl.h"
#include "demo/load.h"
#include "demo/outage_impl.h"
#include "net/http_call.h"

#define READY_NS (60 * NS_PER_S)
enum { KEY_LIMIT = 4096 };

// Rate and parallelism that one core serves without queueing; 10,000 images then take about 25 s, longer than the outage.
#define RATE 400.0
enum { PARALLEL = 8 };

// ---------------------------------------------------------------- open
static bool all_ready(UNUSED struct demo *d, const json_t *answer)
{
	size_t i, ready = 0;
	json_t *endpoint;
	json_array_foreach(json_object_get(answer, "endpoints"), i, endpoint)
		ready += strcmp(json_text(endpoint, "state"), "ready") == 0;
	return ready == 3;
}

static bool gateway_known(struct demo *d, const json_t *answer)
{
	const json_t *gateway = demo_find(json_object_get(answer, "resources"), "address", "gateway/edge");
	return str_copy(d->gateway, sizeof(d->gateway), json_str(json_object_get(gateway, "outputs"), "url")) && d->gateway[0];
}

static int read_key(struct demo *d)
{
	AUTO(buf) text = {0};
	struct str path = arena_printf(d->call.arena, "%s/.isobar/shop-app.key", d->folder);
	int rc = file_read(path.p, KEY_LIMIT, &text, &d->call.err);
	if (rc == 0 && !str_copy(d->key, sizeof(d->key), str_trim(buf_str(&text))))
		rc = call_fail(&d->call, ERR_CORRUPT, "%s holds no key", path.p);
	return rc;
}

// One request to the gateway; *status is 0 while it cannot be reached.
static int knock(struct demo *d, const char *path, const char *key, int *status)
{
	AUTO(guard) guard = NULL;
	struct http_call_response answer;
	struct http_header header = {S("authorization"), arena_printf(d->call.arena, "Bearer %s", key)};
	struct http_call_request request = {
		.url = arena_printf(d->call.arena, "%s%s", d->gateway, path),
		.headers = &header,
		.header_count = key[0] ? 1 : 0,
		.ca_file = d->ca_file,
	};
	int rc = guard_new_loopback(&guard, &d->call.err);
	if (rc < 0)
		return rc;
	request.guard = guard;
	*status = 0;
	rc = http_call(&d->call, &request, &answer);
	if (rc == 0)
		*status = answer.status;
	bool away = rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT;
	if (away)
		err_clear(&d->call.err);
	return away ? 0 : rc;
}

static int wait_for_gateway(struct demo *d)
{
	int status = 0;
	for (int i = 0; i < 300 && status == 0; i++) {
		int rc = knock(d, "/v2/models/classify/ready", "", &status);
		if (rc == 0 && status == 0)
			rc = call_sleep(&d->call, 100 * NS_PER_MS);
		if (rc < 0)
			return rc;
	}
	return status ? 0 : call_fail(&d->call, ERR_TIMEOUT, "the gateway does not answer at %s", d->gateway);
}

// Without a key, with wrong ones, and with a key that may do something else.
static int be_refused(struct demo *d)
{
	const struct {
		const char *path, *key;
		int status;
	} knocks[] = {
		{"/v2/models/classify/ready", "", 401},
		{"/v2/models/classify/infer", "isk_0000_wrong", 401},
		{"/v2/models/classify/infer", "x", 401},
		{"/v2/models/classify", d->key, 403},
		{"/v2/models/classify/ready", d->key, 403},
	};
	json_int_t count_401 = 0, count_403 = 0;
	for (size_t i = 0; i < COUNT_OF(knocks); i++) {
		int status, rc = knock(d, knocks[i].path, knocks[i].key, &status);
		if (rc < 0)
			return rc;
		if (status != knocks[i].status)
			return call_fail(&d->call, ERR_FAILED, "%s answered %d where %d was due", knocks[i].path, status, knocks[i].status);
		count_401 += status == 401;
		count_403 += status == 403;
	}
	json_object_set_new(d->summary, "denied", json_pack("{s:I, s:I}", "401", count_401, "403", count_403));
	story_say(&d->story, "gateway", "%s: %" JSON_INTEGER_FORMAT " requests without a valid key got 401, %" JSON_INTEGER_FORMAT
		" beyond their role 403", d->gateway, count_401, count_403);
	return 0;
}

int demo_open(struct demo *d)
{
	const struct demo_wait endpoints = {"/v1/endpoints", "three ready endpoints", READY_NS, all_ready};
	const struct demo_wait gateway = {"/v1/resources", "the gateway", READY_NS, gateway_known};
	json_t *answer;
	int rc = demo_wait_for(d, &endpoints, &answer);
	if (rc == 0) {
		story_say(&d->story, "endpoints", "model/classifier@champion answers on aws-us, gcp-eu and azure-eu");
		rc = demo_wait_for(d, &gateway, &answer);
	}
	if (rc == 0)
		rc = read_key(d);
	if (rc == 0)
		rc = wait_for_gateway(d);
	return rc < 0 ? rc : be_refused(d);
}

// ---------------------------------------------------------------- serve
static int wait_for_share(struct demo *d, struct load *load, double share)
{
	for (;;) {
		struct load_counts counts = load_progress(load);
		story_progress(&d->story, "serving", (double)counts.answered, d->images.count);
		if ((double)counts.answered >= share * d->images.count)
			return 0;
		if (counts.failed)
			return call_fail(&d->call, ERR_FAILED, "a request failed before anything was killed: %s", counts.first_failure);
		int rc = call_sleep(&d->call, 100 * NS_PER_MS);
		if (rc < 0)
			return rc;
	}
}

static void add_counts(struct demo *d, const struct load_counts *counts)
{
	json_object_set_new(d->summary, "requests", json_integer((json_int_t)counts->sent));
	json_object_set_new(d->summary, "failed_requests", json_integer((json_int_t)counts->failed));
	json_object_set_new(d->summary, "served_accuracy", json_real((double)counts->correct / d->images.count));
	json_object_set_new(d->summary, "latency_ms", json_pack("{s:f, s:f}", "p50", counts->p50_ms, "p99", counts->p99_ms));
	story_say(&d->story, "serving", "%" PRIu64 " requests, %" PRIu64 " failed; p50 %.1f ms, p99 %.1f ms; accuracy through the gateway %.4f",
		counts->sent, counts->failed, counts->p50_ms, counts->p99_ms, (double)counts->correct / d->images.count);
}

static int judge(struct demo *d, const struct load_counts *counts)
{
	if (counts->failed)
		return call_fail(&d->call, ERR_FAILED, "%" PRIu64 " requests failed; the first: %s", counts->failed, counts->first_failure);
	if (counts->images != d->images.count)
		return call_fail(&d->call, ERR_FAILED, "only %" PRIu64 " of %u images were answered", counts->images, d->images.count);
	// The same model answers, so its accuracy must be the measured one.
	double served = (double)counts->correct / d->images.count, measured = json_num(d->summary, "accuracy", 0);
	if (served < measured - 0.002 || served > measured + 0.002)
		return call_fail(&d->call, ERR_FAILED, "accuracy through the gateway is %.4f, measured was %.4f", served, measured);
	return 0;
}

int demo_serve(struct demo *d)
{
	struct str url = arena_printf(d->call.arena, "%s/v2/models/classify/infer", d->gateway);
	struct load_options options = {.url = url.p, .ca_file = d->ca_file, .key = d->key, .images = &d->images, .labels = &d->labels,
		.rate = RATE, .parallel = PARALLEL};
	struct load *load;
	int rc = load_start(&options, &load, &d->call.err);
	if (rc < 0)
		return rc;
	rc = wait_for_share(d, load, 0.25);
	if (rc == 0)
		rc = demo_outage(d, load);
	struct load_counts counts = load_finish(load);
	add_counts(d, &counts);
	return rc < 0 ? rc : judge(d, &counts);
}
