// SPDX-License-Identifier: Apache-2.0
// The demo's load against a pretended gateway: every image is sent, answers are counted as right, wrong or failed.
#include "demo/load.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/http_server.h"

enum { IMAGES = 40 };

struct gateway {
	struct loop *loop;
	struct http_server *http;
	pthread_t thread;
	int requests;
	int fail_from, fail_to; // requests that are answered with 503
};

// The class it answers is the image's first pixel, as scaled; right for all images but the last.
static void answer(struct http_exchange *x, struct str body)
{
	struct gateway *g = x->ctx;
	int n = g->requests++;
	double first = -1;
	ptrdiff_t at = str_find(body, S("\"data\":["));
	struct str number, rest = str_drop(body, (size_t)at + 8);
	assert_true(str_eq(http_header_get(&x->request.headers, "authorization"), S("Bearer secret")));
	assert_true(str_eq(x->request.path, S("/v2/models/m/infer")));
	assert_true(str_cut(rest, ',', &number, &rest));
	assert_int_equal(str_to_f64(number, &first), 0);
	if (n >= g->fail_from && n < g->fail_to)
		http_reply_error(x, 503, "not now");
	else
		http_reply_text(x, 200, "application/json",
			arena_printf(&x->arena, "{\"outputs\":[{\"data\":[%d]}]}", (int)(first * 255 + 0.5) % 10));
}

static void begin(struct http_exchange *x)
{
	http_body_collect(x, 1 << 20, answer);
}

static void *run(void *ctx)
{
	struct gateway *g = ctx;
	assert_int_equal(loop_run(g->loop, NULL), 0);
	return NULL;
}

static struct load_counts send_all(struct gateway *g)
{
	static const struct http_service service = {.begin = begin};
	static unsigned char pixels[IMAGES * 4], labels[IMAGES];
	char url[128];
	struct load *load;
	for (int i = 0; i < IMAGES; i++) {
		pixels[i * 4] = (unsigned char)(i % 10);
		labels[i] = (unsigned char)(i % 10);
	}
	labels[IMAGES - 1] = 0; // its answer is 9
	struct idx images = {.count = IMAGES, .rows = 2, .columns = 2, .record_size = 4, .data = pixels, .images = true};
	struct idx classes = {.count = IMAGES, .rows = 1, .columns = 1, .record_size = 1, .data = labels};
	assert_int_equal(loop_new(&g->loop, NULL), 0);
	struct http_server_options options = {.loop = g->loop, .service = &service, .ctx = g, .listen = S("127.0.0.1:0")};
	assert_int_equal(http_server_new(&options, &g->http, NULL), 0);
	assert_int_equal(pthread_create(&g->thread, NULL, run, g), 0);
	snprintf(url, sizeof(url), "%s/v2/models/m/infer", http_server_url(g->http));
	struct load_options wanted = {.url = url, .key = "secret", .images = &images, .labels = &classes, .rate = 1000, .parallel = 4};
	assert_int_equal(load_start(&wanted, &load, NULL), 0);
	struct load_counts counts = load_finish(load);
	loop_stop(g->loop);
	pthread_join(g->thread, NULL);
	http_server_free(g->http);
	loop_free(g->loop);
	return counts;
}

static void every_image_is_sent(void **state)
{
	struct gateway g = {0};
	(void)state;
	struct load_counts counts = send_all(&g);
	assert_int_equal(counts.sent, g.requests);
	assert_true(counts.sent >= IMAGES);
	assert_int_equal(counts.answered, counts.sent);
	assert_int_equal(counts.failed, 0);
	assert_int_equal(counts.images, IMAGES);
	assert_int_equal(counts.correct, IMAGES - 1);
	assert_true(counts.p50_ms > 0 && counts.p99_ms >= counts.p50_ms);
}

static void failures_are_counted(void **state)
{
	struct gateway g = {.fail_from = 3, .fail_to = 5};
	(void)state;
	struct load_counts counts = send_all(&g);
	assert_int_equal(counts.failed, 2);
	assert_int_equal(counts.answered + counts.failed, counts.sent);
	assert_string_equal(counts.first_failure, "status 503: {\"error\":\"not now\"}\n");
}

static void nobody_there_is_a_failure(void **state)
{
	static unsigned char pixel[1], label[1];
	struct idx image = {.count = 1, .rows = 1, .columns = 1, .record_size = 1, .data = pixel}, class = image;
	struct load *load;
	(void)state;
	class.data = label;
	struct load_options wanted = {.url = "http://127.0.0.1:1/x", .key = "k", .images = &image, .labels = &class, .rate = 100, .parallel = 1};
	assert_int_equal(load_start(&wanted, &load, NULL), 0);
	struct load_counts counts = load_finish(load);
	assert_true(counts.sent >= 1);
	assert_int_equal(counts.failed, counts.sent);
	assert_true(counts.first_failure[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_image_is_sent),
		cmocka_unit_test(failures_are_counted),
		cmocka_unit_test(nobody_there_is_a_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
