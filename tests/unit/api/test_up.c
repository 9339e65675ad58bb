// SPDX-License-Identifier: Apache-2.0
// The control plane's process, in a thread of the test: it answers, runs its services, starts a failed one again, holds
// the workspace, and ends gracefully on a signal. And sessions, step by step.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/handlers.h"
#include "api/services.h"
#include "api/up.h"
#include "base/file.h"
#include "base/time.h"
#include "security/principal.h"
#include "toy_kinds.h"

#define WORKSPACE "isobar: 1\nworkspace: w\nenvironments: {pocket: {pocket: true}}\ntransforms:\n  one: {}\n"

static atomic_int starts, stops, stopped; // of the toy service and of parts.stop

static int toy_service(struct call *c, const struct binding *b)
{
	assert_true(str_eq(S("w"), b->workspace));
	if (atomic_fetch_add(&starts, 1) == 0)
		return call_fail(c, ERR_FAILED, "the first start fails");
	int rc = 0;
	while (rc == 0)
		rc = call_sleep(c, 5 * NS_PER_MS);
	atomic_fetch_add(&stops, 1);
	return rc;
}

static int bind_nothing(struct call *c, const struct binding *b, struct resource_handler *rows)
{
	(void)c, (void)b, (void)rows;
	return 0;
}

static int stop(struct call *c, const struct binding *b)
{
	(void)c, (void)b;
	atomic_fetch_add(&stopped, 1);
	return 0;
}

static const struct resource_handler handlers[] = {{.kind = &toy_job_kind}, {.kind = &toy_cloud_kind}};
static const struct control_service services[] = {{"toy", toy_service}};
static const struct control_parts parts = {
	.kinds = toy_kinds,
	.handlers = handlers,
	.handler_count = COUNT_OF(handlers),
	.services = services,
	.service_count = COUNT_OF(services),
	.bind = bind_nothing,
	.stop = stop,
};

struct fixture {
	char folder[64];
	struct arena arena;
	struct call call;
	size_t findings;
	int rc;
};

static void path_of(const struct fixture *f, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", f->folder, name);
}

static void begin(struct fixture *f, const char *workspace)
{
	char path[128];
	memset(f, 0, sizeof(*f));
	snprintf(f->folder, sizeof(f->folder), "/tmp/isobar-up-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	path_of(f, "isobar.yaml", path);
	assert_int_equal(0, file_write_atomic(path, str_of(workspace), 0600, &f->call.err));
	call_init(&f->call, &f->arena, edges_real(), (struct str){0});
	f->call.principal = principal_of_process(&f->arena);
}

static void end(struct fixture *f)
{
	struct err e;
	arena_free(&f->arena);
	assert_int_equal(0, file_remove_tree(f->folder, &e));
}

static void on_event(void *ctx, json_t *event)
{
	struct fixture *f = ctx;
	f->findings += strcmp(json_text(event, "event"), "finding") == 0;
	json_decref(event);
}

static void *run(void *ctx)
{
	struct fixture *f = ctx;
	const struct up_options options = {.listen = "127.0.0.1:0", .control = {.path = f->folder, .parts = &parts}};
	f->rc = up_run(&f->call, &options, on_event, f);
	return NULL;
}

static void await(bool (*holds)(const struct fixture *f), const struct fixture *f)
{
	for (int i = 0; i < 1000 && !holds(f); i++)
		usleep(5000);
	assert_true(holds(f));
}

static bool is_announced(const struct fixture *f)
{
	char path[128];
	path_of(f, ".isobar/control.json", path);
	return file_exists(path);
}

static bool is_running(const struct fixture *f)
{
	(void)f;
	return atomic_load(&starts) == 2;
}

static void test_life(void **state)
{
	(void)state;
	struct fixture f, second;
	pthread_t thread;
	begin(&f, WORKSPACE);
	assert_int_equal(0, pthread_create(&thread, NULL, run, &f));
	await(is_announced, &f);
	await(is_running, &f); // the service that failed was started again
	begin(&second, WORKSPACE);
	const struct up_options again = {.listen = "127.0.0.1:0", .control = {.path = f.folder, .parts = &parts}};
	assert_int_equal(ERR_IN_USE, up_run(&second.call, &again, on_event, &second));
	end(&second);
	assert_int_equal(0, kill(getpid(), SIGTERM));
	pthread_join(thread, NULL);
	assert_int_equal(0, f.rc);
	assert_int_equal(1, atomic_load(&stops));
	assert_int_equal(1, atomic_load(&stopped));
	assert_false(is_announced(&f));
	end(&f);
}

static void test_a_workspace_with_mistakes(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, WORKSPACE "bukets: {}\n");
	run(&f);
	assert_int_equal(ERR_INVALID, f.rc);
	assert_int_equal(1, f.findings);
	assert_false(is_announced(&f));
	end(&f);
}

static void test_up_main(void **state)
{
	(void)state;
	struct fixture f;
	char *text = NULL;
	size_t size;
	begin(&f, "isobar: 1\n");
	FILE *error = open_memstream(&text, &size);
	const struct up_options options = {.listen = "127.0.0.1:0", .control = {.path = f.folder, .parts = &parts}};
	assert_int_equal(2, up_main(&options, true, stdout, error));
	fclose(error);
	assert_non_null(strstr(text, "/isobar.yaml:1:1: workspace: is missing"));
	assert_non_null(strstr(text, "isobar up: the workspace in"));
	free(text);
	end(&f);
}

static void test_sessions(void **state)
{
	(void)state;
	struct fixture f;
	struct control *control = NULL;
	struct session s, other;
	begin(&f, WORKSPACE);
	const struct control_options options = {.path = f.folder, .parts = &parts};
	assert_int_equal(0, control_open(&f.call, &options, &control));
	assert_null(control_state(control));
	struct api_request request = {.call = &f.call, .control = control};
	session_begin(&request, &s);
	session_begin(&request, &other);
	assert_int_equal(0, session_load(&s));
	assert_int_equal(1, s.workspace.resource_count);
	assert_int_equal(0, session_read_state(&s));
	assert_non_null(control_state(control));
	assert_int_equal(0, s.recorded_count);
	assert_int_equal(0, session_lock(&s));
	assert_int_equal(ERR_IN_USE, session_lock(&other));
	err_clear(&f.call.err);
	assert_int_equal(0, session_open_clouds(&s));
	assert_true(s.binding.pocket);
	session_close(&s);
	assert_int_equal(0, session_lock(&other));
	session_close(&other);
	json_t *result = NULL;
	assert_int_equal(0, handle_health(&request, &result));
	assert_false(json_flag(result, "serving", true));
	json_decref(result);
	control_close(control);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_a_workspace_with_mistakes),
		cmocka_unit_test(test_up_main),
		cmocka_unit_test(test_sessions),
	};
	sigset_t signals; // the loop of the control plane takes it; no other thread may
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	return cmocka_run_group_tests_name("api-up", tests, NULL, NULL);
}
