// SPDX-License-Identifier: Apache-2.0
// A pocket cloud in a thread of the test, in a folder of its own, and plain HTTP calls to it. One at a time a program.
#ifndef ISOBAR_TESTS_POCKET_POCKET_FIXTURE_H
#define ISOBAR_TESTS_POCKET_POCKET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/sign/sign_request.h"
#include "net/http_call.h"
#include "pocket/pocket.h"

static struct cloud {
	const char *as;
	char folder[64];
	struct loop *loop;
	struct pocket *pocket;
	pthread_t thread;
	struct guard *guard;
	struct arena arena; // of the running test
	struct call call;
	json_t *credentials;
	int64_t pace; // 0: the usual
} cloud;

static void *cloud_run(void *loop)
{
	struct err e = {0};
	return loop_run(loop, &e) == 0 ? NULL : loop;
}

static inline void cloud_start(void)
{
	struct err e = {0};
	struct pocket_config config = {.as = cloud.as,
		.name = "Unit-Test",
		.root = cloud.folder,
		.listen = S("127.0.0.1:0"),
		.pace = cloud.pace,
		.edges = edges_real()};
	assert_int_equal(loop_new(&cloud.loop, &e), 0);
	config.loop = cloud.loop;
	if (pocket_start(&config, &cloud.pocket, &e) < 0)
		fail_msg("%s", e.message);
	char path[128];
	snprintf(path, sizeof(path), "%s/credentials.json", cloud.folder);
	assert_int_equal(json_parse_file(path, 1 << 16, &cloud.credentials, &e), 0);
	assert_int_equal(pthread_create(&cloud.thread, NULL, cloud_run, cloud.loop), 0);
}

static inline void cloud_stop(void)
{
	void *failed = NULL;
	loop_stop(cloud.loop);
	pthread_join(cloud.thread, &failed);
	assert_null(failed);
	pocket_free(cloud.pocket);
	loop_free(cloud.loop);
	json_decref(cloud.credentials);
	cloud.credentials = NULL;
}

static inline int cloud_setup(const char *as)
{
	struct err e = {0};
	cloud.as = as;
	snprintf(cloud.folder, sizeof(cloud.folder), "/tmp/isobar-test-pocket-XXXXXX");
	if (!mkdtemp(cloud.folder) || guard_new_loopback(&cloud.guard, &e) < 0)
		return -1;
	cloud_start();
	return 0;
}

static inline int cloud_teardown(UNUSED void **state)
{
	cloud_stop();
	guard_free(cloud.guard);
	return file_remove_tree(cloud.folder, NULL);
}

static inline int cloud_test_end(UNUSED void **state)
{
	arena_free(&cloud.arena);
	return 0;
}

// One request to the pocket's server; target from its first '/'. The answer lives until the test ends.
struct exchange {
	struct str method, target, body;
	struct http_header headers[24];
	size_t count;
	int status;
	struct http_headers answered;
	struct str text;
};

static inline void exchange_add(struct exchange *x, const char *name, struct str value)
{
	assert_true(x->count < COUNT_OF(x->headers));
	x->headers[x->count++] = (struct http_header){.name = str_of(name), .value = value};
}

static inline struct str origin_of(struct str url)
{
	ptrdiff_t slash = str_find_char(str_drop(url, 7), '/');
	return slash < 0 ? url : str_take(url, 7 + (size_t)slash);
}

static inline struct str cloud_host(void)
{
	return str_drop(origin_of(str_of(pocket_url(cloud.pocket))), 7);
}

static inline void exchange_send(struct exchange *x)
{
	struct http_call_response response = {0};
	struct str url = origin_of(str_of(pocket_url(cloud.pocket)));
	struct http_call_request request = {.method = x->method,
		.url = arena_printf(&cloud.arena, "%.*s%.*s", STR(url), STR(x->target)),
		.headers = x->headers,
		.header_count = x->count,
		.body = x->body,
		.guard = cloud.guard};
	call_init(&cloud.call, &cloud.arena, edges_real(), S("test"));
	if (http_call(&cloud.call, &request, &response) < 0)
		fail_msg("%s", cloud.call.err.message);
	x->status = response.status;
	x->answered = response.headers;
	x->text = response.body;
}

// The request as cloud/sign reads it, with the Host that the client will send.
static inline struct sign_request exchange_signable(struct exchange *x, struct sign_header *room)
{
	struct sign_request r = {.method = x->method, .headers = room, .header_count = x->count + 1};
	str_cut(x->target, '?', &r.path, &r.query);
	room[0] = (struct sign_header){.name = S("host"), .value = cloud_host()};
	for (size_t i = 0; i < x->count; i++)
		room[i + 1] = (struct sign_header){.name = x->headers[i].name, .value = x->headers[i].value};
	return r;
}

static inline struct str answered(const struct exchange *x, const char *name)
{
	struct str value = http_header_get(&x->answered, name);
	return value.p ? value : S("");
}

static inline void assert_str(struct str got, struct str wanted)
{
	if (!str_eq(got, wanted))
		fail_msg("got \"%.*s\", wanted \"%.*s\"", STR(got), STR(wanted));
}

static inline void assert_status(const struct exchange *x, int status)
{
	if (x->status != status)
		fail_msg("%.*s %.*s: %d instead of %d: %.*s", STR(x->method), STR(x->target), x->status, status,
			STR(x->text));
}

static inline void assert_contains(struct str text, struct str part)
{
	if (str_find(text, part) < 0)
		fail_msg("\"%.*s\" is not in: %.*s", STR(part), STR(text));
}

#endif
