// SPDX-License-Identifier: Apache-2.0
// Requested pipelines: one request a goal, ended once, journaled, and taken up again by the next service when the first
// one is cut off.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/pipelines.h"
#include "base/file.h"
#include "base/time.h"
#include "cloud/cloud.h"

struct fixture {
	char folder[64];
	struct arena arena;
	struct call call;
	struct state state;
	struct clouds clouds;
	struct control_parts parts;
	struct binding binding;
	atomic_bool stop;
};

static void begin(struct fixture *f)
{
	char path[128];
	memset(f, 0, sizeof(*f));
	snprintf(f->folder, sizeof(f->folder), "/tmp/isobar-pipelines-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	call_init(&f->call, &f->arena, edges_real(), S("monitor/m"));
	snprintf(path, sizeof(path), "%s/state.db", f->folder);
	assert_int_equal(0, state_open_sqlite(&f->call, path, &f->state));
	f->binding = (struct binding){.folder = str_of(f->folder),
		.workspace = S("w"),
		.state = &f->state,
		.clouds = &f->clouds,
		.parts = &f->parts};
}

static void end(struct fixture *f)
{
	struct err e;
	state_close(&f->state);
	arena_free(&f->arena);
	assert_int_equal(0, file_remove_tree(f->folder, &e));
}

static size_t events(struct fixture *f, const char *type, struct event **out)
{
	size_t count;
	assert_int_equal(0, state_read_all(&f->call, &f->state, str_of(type), S(""), out, &count));
	return count;
}

static void *serve(void *ctx)
{
	struct fixture *f = ctx;
	AUTO(arena) arena = {0};
	struct call c;
	call_init(&c, &arena, edges_real(), S("reconciler/pipelines"));
	c.cancel = &f->stop;
	assert_int_equal(ERR_CANCELLED, pipelines_serve(&c, &f->binding));
	return NULL;
}

static void serve_until(struct fixture *f, size_t ended)
{
	struct event *list;
	pthread_t thread;
	atomic_store(&f->stop, false);
	assert_int_equal(0, pthread_create(&thread, NULL, serve, f));
	for (int i = 0; i < 500 && events(f, "pipeline.ended", &list) < ended; i++)
		usleep(5000);
	atomic_store(&f->stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(ended, events(f, "pipeline.ended", &list));
}

static void test_a_request_is_made_once_and_ends_once(void **state)
{
	(void)state;
	struct fixture f;
	struct event *list;
	begin(&f);
	assert_int_equal(0, pipeline_request(&f.call, &f.state, S("pipeline/none")));
	assert_int_equal(0, pipeline_request(&f.call, &f.state, S("pipeline/none"))); // it waits still
	assert_int_equal(0, pipeline_request(&f.call, &f.state, S("pipeline/other")));
	assert_int_equal(2, events(&f, "pipeline.requested", &list));
	assert_string_equal("monitor/m", json_text(list[0].data, "by"));
	serve_until(&f, 2);
	events(&f, "pipeline.ended", &list);
	assert_true(str_eq(S("pipeline/none"), list[0].address));
	assert_string_equal("failed", json_text(list[0].data, "state"));
	assert_non_null(strstr(json_text(list[0].data, "error"), "pipeline/none"));
	serve_until(&f, 2);                                                           // nothing is repeated
	assert_int_equal(0, pipeline_request(&f.call, &f.state, S("pipeline/none"))); // a new one
	assert_int_equal(3, events(&f, "pipeline.requested", &list));
	serve_until(&f, 3);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_request_is_made_once_and_ends_once)};
	return cmocka_run_group_tests_name("api-pipelines", tests, NULL, NULL);
}
