// SPDX-License-Identifier: Apache-2.0
// The monitor's tick from end to end: a gateway's counters are scraped, an alert fires, traffic is shifted, the channel is told; all of
// it ends when the rule clears, survives a restart of the monitor, and stops where a person decided otherwise.
#include "monitor/monitor.h"
#include "monitor/monitor_kind.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/time.h"
#include "monitor/recorder.h"
#include "net/http_server.h"
#include "state/override.h"
#include "state/resource.h"

struct fixture {
	char folder[64];
	struct arena arena;
	struct edges_fake edges;
	struct call call;
	struct state state;
	struct guard *guard;
	struct recorder *recorder;
	struct monitors *monitors;
	struct loop *loop; // of the pretended gateway
	struct http_server *http;
	pthread_t thread;
	int ok, failed; // its counters for azure-eu
};

static void reply_metrics(struct http_exchange *x)
{
	const struct fixture *f = x->ctx;
	struct str text = arena_printf(&x->arena,
		"isobar_gateway_attempts_total{route=\"r\",endpoint=\"classify\",cloud=\"azure-eu\",outcome=\"ok\"} %d\n"
		"isobar_gateway_attempts_total{route=\"r\",endpoint=\"classify\",cloud=\"azure-eu\",outcome=\"failed\"} %d\n"
		"isobar_gateway_attempts_total{route=\"r\",endpoint=\"classify\",cloud=\"aws-us\",outcome=\"ok\"} 1000\n",
		f->ok, f->failed);
	http_reply_text(x, 200, "text/plain; version=0.0.4", text);
}

static void *run(void *ctx)
{
	struct fixture *f = ctx;
	assert_int_equal(loop_run(f->loop, NULL), 0);
	return NULL;
}

static void put(struct fixture *f, const char *address, const char *resolved, const char *outputs)
{
	struct resource r = {.address = str_of(address), .uid = str_of(address), .status = S("ready")};
	json_t *inputs = NULL, *observed = NULL;
	assert_int_equal(resource_parse_address(r.address, &r.kind, &r.name, &r.cloud), 0);
	assert_int_equal(json_parse(str_of(resolved), &inputs, NULL), 0);
	assert_int_equal(json_parse(str_of(outputs), &observed, NULL), 0);
	r.written = r.resolved = json_in_arena(&f->arena, inputs);
	r.outputs = json_in_arena(&f->arena, observed);
	assert_int_equal(resource_put(&f->call, &f->state, &r), 0);
}

static int start_monitors(struct fixture *f)
{
	struct monitor_options options = {.state = &f->state, .guard = f->guard, .recorder = str_of(recorder_url(f->recorder))};
	return monitors_new(&options, &f->monitors, &f->call.err);
}

static int start(void **state)
{
	static const struct http_service service = {.begin = reply_metrics};
	struct fixture *f = calloc(1, sizeof(*f));
	char path[128];
	snprintf(f->folder, sizeof(f->folder), "/tmp/isobar-monitor-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	edges_fake_init(&f->edges, INT64_C(1764000000000000000), 1);
	call_init(&f->call, &f->arena, &f->edges.edges, S("system"));
	f->call.workspace = S("test");
	snprintf(path, sizeof(path), "%s/state.db", f->folder);
	assert_int_equal(state_open_sqlite(&f->call, path, &f->state), 0);
	assert_int_equal(guard_new_loopback(&f->guard, &f->call.err), 0);
	snprintf(path, sizeof(path), "%s/recorder.jsonl", f->folder);
	assert_int_equal(recorder_start("127.0.0.1:0", path, &f->recorder, &f->call.err), 0);
	assert_int_equal(loop_new(&f->loop, &f->call.err), 0);
	struct http_server_options options = {.loop = f->loop, .service = &service, .ctx = f, .listen = S("127.0.0.1:0")};
	assert_int_equal(http_server_new(&options, &f->http, &f->call.err), 0);
	snprintf(path, sizeof(path), "{\"admin_url\":\"%s\"}", http_server_url(f->http));
	put(f, "gateway/edge", "{}", path);
	put(f, "endpoint/classify on aws-us", "{}", "{}");
	put(f, "endpoint/classify on azure-eu", "{}", "{}");
	put(f, "channel/oncall", "{\"webhook\":\"http://127.0.0.1:1/alerts\"}", "{}");
	put(f, "monitor/cloud-lost",
		"{\"watch\":\"endpoint/classify\",\"per\":\"cloud\",\"rules\":[{\"signal\":\"failed_attempts\",\"above\":\"5%\",\"over\":\"2s\"}],"
		"\"then\":[\"shift traffic\"],\"notify\":[\"channel/oncall\"]}", "{}");
	assert_int_equal(start_monitors(f), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;
	loop_stop(f->loop);
	pthread_join(f->thread, NULL);
	http_server_free(f->http);
	loop_free(f->loop);
	monitors_free(f->monitors);
	recorder_stop(f->recorder);
	guard_free(f->guard);
	state_close(&f->state);
	assert_int_equal(file_remove_tree(f->folder, NULL), 0);
	arena_free(&f->arena);
	free(f);
	return 0;
}

// A quarter second of the monitor's life, in which that many attempts at azure-eu went well or not.
static void tick(struct fixture *f, int ok, int failed)
{
	f->ok += ok;
	f->failed += failed;
	f->edges.now_ns += NS_PER_S / 4;
	if (monitors_tick(&f->call, f->monitors) < 0)
		fail_msg("%s", f->call.err.message);
}

static const struct override *shift(struct fixture *f)
{
	const struct override *o;
	assert_int_equal(override_find(&f->call, &f->state, S("endpoint/classify on azure-eu"), S("traffic"), &o), 0);
	return o;
}

// The statuses that the channel heard, as "firing,resolved,".
static struct str told(struct fixture *f)
{
	AUTO(buf) text = {0}, statuses = {0};
	char path[128];
	struct str line;
	snprintf(path, sizeof(path), "%s/recorder.jsonl", f->folder);
	assert_int_equal(file_read(path, 1 << 20, &text, NULL), 0);
	struct str rest = buf_str(&text);
	while (str_next(&rest, '\n', &line)) {
		AUTO(json) j = NULL;
		if (line.n == 0)
			continue;
		assert_int_equal(json_parse(line, &j, NULL), 0);
		assert_string_equal(json_text(j, "path"), "/alerts");
		buf_printf(&statuses, "%s,", json_text(json_object_get(j, "body"), "status"));
	}
	return arena_str(&f->arena, buf_str(&statuses));
}

static void a_lost_cloud_is_noticed_and_forgotten(void **state)
{
	struct fixture *f = *state;
	struct event *events;
	size_t count;
	for (int i = 0; i < 12; i++)
		tick(f, 30, 0);
	assert_null(shift(f));
	tick(f, 0, 20); // 20 of 230 in the window
	assert_non_null(shift(f));
	assert_true(json_integer_value(shift(f)->value) == 0);
	assert_true(str_eq(shift(f)->author, S("monitor/cloud-lost")));
	assert_true(str_eq(told(f), S("firing,")));
	for (int i = 0; i < 8; i++)
		tick(f, 0, 1);
	assert_non_null(shift(f));
	for (int i = 0; i < 10; i++)
		tick(f, 1, 0);
	assert_null(shift(f));
	assert_true(str_eq(told(f), S("firing,resolved,")));
	assert_int_equal(state_read_all(&f->call, &f->state, S("alert."), S(""), &events, &count), 0);
	assert_int_equal(count, 2);
	assert_true(str_eq(events[0].type, S("alert.firing")) && str_eq(events[1].type, S("alert.resolved")));
}

static void a_restart_goes_on(void **state)
{
	struct fixture *f = *state;
	tick(f, 30, 0);
	tick(f, 0, 20);
	assert_non_null(shift(f));
	monitors_free(f->monitors);
	f->monitors = NULL;
	assert_int_equal(start_monitors(f), 0);
	for (int i = 0; i < 10; i++)
		tick(f, 0, 1);
	assert_true(str_eq(told(f), S("firing,"))); // not told twice
	for (int i = 0; i < 10; i++)
		tick(f, 10, 0);
	assert_null(shift(f));
	assert_true(str_eq(told(f), S("firing,resolved,")));
}

static void what_a_person_ended_stays_ended(void **state)
{
	struct fixture *f = *state;
	tick(f, 30, 0);
	tick(f, 0, 20);
	assert_int_equal(override_end(&f->call, &f->state, shift(f), S("user/root"), S("I know better")), 0);
	for (int i = 0; i < 5; i++)
		tick(f, 0, 5);
	assert_null(shift(f));
	for (int i = 0; i < 10; i++)
		tick(f, 10, 0);
	assert_true(str_eq(told(f), S("firing,resolved,")));
}

static void no_answer_is_no_verdict(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 4; i++)
		tick(f, 30, 0);
	put(f, "gateway/second", "{}", "{\"admin_url\":\"http://127.0.0.1:1\"}");
	for (int i = 0; i < 4; i++)
		tick(f, 0, 50);
	assert_null(shift(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_lost_cloud_is_noticed_and_forgotten, start, stop),
		cmocka_unit_test_setup_teardown(a_restart_goes_on, start, stop),
		cmocka_unit_test_setup_teardown(what_a_person_ended_stays_ended, start, stop),
		cmocka_unit_test_setup_teardown(no_answer_is_no_verdict, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
