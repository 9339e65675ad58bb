// SPDX-License-Identifier: Apache-2.0
// Servers of a pocket cloud: their port, their health, that they are started again, and requests that go on to them.
// The server is this very program in another role.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "engine_fixture.h"
#include "net/guard.h"
#include "net/http_call.h"
#include "net/http_server.h"

// ---------------------------------------------------------------- the server

static void serve_long(struct http_exchange *x)
{
	char piece[64 << 10];
	memset(piece, 'L', sizeof(piece));
	http_reply_start(x, &(struct http_reply){.status = 200}, HTTP_LENGTH_UNKNOWN);
	for (int i = 0; i < 64; i++)
		(void)http_reply_write(x, str_bytes(piece, sizeof(piece)));
	http_reply_end(x);
}

static void serve_echo(struct http_exchange *x, struct str body)
{
	struct str type = http_header_get(&x->request.headers, "x-wish");
	struct str text = arena_printf(
		&x->arena, "%.*s %.*s %.*s %.*s", STR(x->request.method_text), STR(x->request.target), STR(type), STR(body));
	http_reply_text(x, str_starts(x->request.path, S("/fails")) ? 500 : 200, "text/plain", text);
}

static void serve(struct http_exchange *x)
{
	struct str path = x->request.path;
	if (str_eq(path, S("/health")))
		http_reply_text(x, access("sick", F_OK) == 0 ? 503 : 200, "text/plain", S("\n"));
	else if (str_eq(path, S("/long")))
		serve_long(x);
	else if (str_eq(path, S("/dies")))
		_exit(3);
	else if (!str_eq(path, S("/silent")))
		http_body_collect(x, 1 << 20, serve_echo);
}

static const struct http_service server_service = {.begin = serve};

static int serve_role(void)
{
	struct err e = {0};
	struct loop *loop = NULL;
	struct http_server *server = NULL;
	char listen_on[64];
	snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%s", getenv("TEST_PORT"));
	const struct http_server_options options = {.service = &server_service, .listen = str_of(listen_on)};
	struct http_server_options with_loop = options;
	if (loop_new(&loop, &e) < 0)
		return 1;
	with_loop.loop = loop;
	if (http_server_new(&with_loop, &server, &e) < 0)
		return 1;
	printf("%s %s\n", getenv("TEST_PORT"), getenv("OTHER_PORT"));
	fflush(stdout);
	return loop_run(loop, &e) < 0;
}

static const char *const port_names[] = {"TEST_PORT", "OTHER_PORT", NULL};

static void start_server(const char *id, const char *health_path)
{
	AUTO(json) argv = json_pack("[s]", "serve");
	start(&(struct engine_spec){.kind = ENGINE_SERVER,
		.id = str_of(id),
		.image = S("registry.example:5000/isobar:1.2@sha256:00"),
		.argv = argv,
		.port_variables = port_names,
		.health_path = health_path});
}

// ---------------------------------------------------------------- health and restarts

static void test_healthy(UNUSED void **state)
{
	start_server("s", "/health");
	await(status_of("s").healthy);
	struct engine_status s = status_of("s");
	assert_int_equal(s.kind, ENGINE_SERVER);
	assert_int_equal(s.state, ENGINE_RUNNING);
	assert_true(s.port > 0 && s.pid > 0);
	char line[64];
	snprintf(line, sizeof(line), "%d %d", s.port, s.port);
	struct engine_log log = log_from("s", 0);
	assert_line(&log, 0, line);
}

static void test_without_health_path(UNUSED void **state)
{
	start_server("plain", NULL);
	await(status_of("plain").healthy);
	assert_int_equal(status_of("plain").state, ENGINE_RUNNING);
}

static void test_restarted(UNUSED void **state)
{
	start_server("s", "/health");
	await(status_of("s").healthy);
	int pid = status_of("s").pid;
	assert_int_equal(kill(pid, SIGKILL), 0);
	await(status_of("s").restarts == 1);
	await(status_of("s").healthy);
	assert_int_not_equal(status_of("s").pid, pid);
}

static void test_supervisor_restarted(UNUSED void **state)
{
	struct engine_report report;
	struct err e = {0};
	char folder[128];
	start_server("s", "/health");
	await(status_of("s").healthy);
	snprintf(folder, sizeof(folder), "%s/engine/s", here.folder);
	assert_int_equal(engine_report_read(folder, &report, &e), 0);
	assert_int_equal(kill(report.supervisor.pid, SIGKILL), 0);
	await(!process_alive(&report.program));
	await(status_of("s").healthy && status_of("s").pid != report.program.pid);
}

// The pocket dies: the server goes on. The pocket ends: the server ends, and comes back with it.
static void test_outlives_the_pocket(UNUSED void **state)
{
	struct err e = {0};
	start_server("s", "/health");
	await(status_of("s").healthy);
	struct process program;
	assert_int_equal(process_identify(status_of("s").pid, &program), 0);
	close_pocket();
	assert_true(process_alive(&program));
	open_pocket();
	await(status_of("s").healthy);
	assert_int_equal(status_of("s").pid, program.pid);
	close_pocket();
	assert_int_equal(engine_end_root(here.folder, 20 * NS_PER_S, &e), 0);
	assert_false(process_alive(&program));
	open_pocket();
	await(status_of("s").healthy);
	assert_int_not_equal(status_of("s").pid, program.pid);
}

static void test_stopped(UNUSED void **state)
{
	struct err e = {0};
	start_server("s", "/health");
	await(status_of("s").healthy);
	assert_int_equal(engine_stop(here.engine, S("s"), 20 * NS_PER_S, &e), 0);
	assert_int_equal(await_end("s").state, ENGINE_STOPPED); // and is not started again
	assert_false(status_of("s").healthy);
}

// ---------------------------------------------------------------- forwarding, by a service of the test's own

static struct engine_forward how; // what the service is to do
static char failed_with[256];

static bool takes_all(const struct front_request *r)
{
	return str_starts(r->x->request.path, S("/go"));
}

static int add_headers(struct front_request *r, const struct http_response *response)
{
	front_add(r, "content-type", http_header_get(&response->headers, "content-type"));
	front_add(r, "x-served-by", S("one"));
	return response->status == 500 ? 0 : response->status;
}

static void whole(struct front_request *r, int status, struct str body)
{
	front_reply(r, 424, arena_printf(r->arena, "model said %d: %.*s", status, STR(body)));
}

static void collected(struct front_request *r, struct str body)
{
	static const struct http_header wish[] = {{.name = S_INIT("x-wish"), .value = S_INIT("wished")}};
	struct engine_forward f = how;
	f.method = r->x->request.method_text;
	f.target = str_drop(r->x->request.target, 3);
	f.body = body;
	f.headers = wish;
	f.header_count = 1;
	f.head = add_headers;
	f.whole = whole;
	engine_forward(r, &f);
}

static void handle(struct front_request *r)
{
	front_collect(r, 1 << 20, collected);
}

static void fail_it(struct front_request *r)
{
	snprintf(failed_with, sizeof(failed_with), "%s: %s", err_name(r->err.code), r->err.message);
	front_reply(r, err_http_status(r->err.code), str_of(failed_with));
}

static const struct pocket_service service = {.name = "test", .matches = takes_all, .handle = handle, .fail = fail_it};
static const struct pocket_service *const services[] = {&service, NULL};
static struct front front; // the pocket's own with this service

// A request needs another thread, since the pocket's loop runs on this one.
struct asked {
	struct str method, target, body;
	pthread_t thread;
	struct arena arena;
	struct http_call_response response;
	int rc;
	bool done;
};

static void *ask_thread(void *p)
{
	struct asked *a = p;
	struct guard *guard = NULL;
	struct call c;
	call_init(&c, &a->arena, edges_real(), S("test"));
	a->rc = guard_new_loopback(&guard, &c.err);
	const struct http_call_request request = {.method = a->method,
		.url = arena_printf(&a->arena, "%s%.*s", pocket_url(here.pocket), STR(a->target)),
		.body = a->body,
		.guard = guard,
		.body_limit = 16 << 20};
	if (a->rc == 0)
		a->rc = http_call(&c, &request, &a->response);
	guard_free(guard);
	__atomic_store_n(&a->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void ask(struct asked *a, const char *method, const char *target)
{
	*a = (struct asked){.method = str_of(method), .target = str_of(target), .body = method[0] == 'P' ? S("question") : S("")};
	assert_int_equal(pthread_create(&a->thread, NULL, ask_thread, a), 0);
	await(__atomic_load_n(&a->done, __ATOMIC_ACQUIRE));
	pthread_join(a->thread, NULL);
}

static int forward_setup(void **state)
{
	struct err e = {0};
	if (engine_setup(state) < 0)
		return -1;
	services_close(here.pocket);
	front = *here.pocket->front;
	front.services = services;
	here.pocket->front = &front;
	how = (struct engine_forward){.id = S("s")};
	return services_open(here.pocket, &e);
}

static void test_forwarded(UNUSED void **state)
{
	struct asked a;
	start_server("s", "/health");
	await(status_of("s").healthy);
	ask(&a, "POST", "/go/x%20y?z=1");
	assert_int_equal(a.rc, 0);
	assert_int_equal(a.response.status, 200);
	assert_true(str_eq(a.response.body, S("POST /x%20y?z=1 wished question")));
	assert_true(str_eq(http_header_get(&a.response.headers, "x-served-by"), S("one")));
	assert_true(str_eq(http_header_get(&a.response.headers, "content-type"), S("text/plain")));
	arena_free(&a.arena);
	ask(&a, "POST", "/go/fails"); // an answer that the service words itself
	assert_int_equal(a.response.status, 424);
	assert_true(str_eq(a.response.body, S("model said 500: POST /fails wished question")));
	arena_free(&a.arena);
}

// Four megabytes of unknown length, through buffers that hold less.
static void test_streamed(UNUSED void **state)
{
	struct asked a;
	start_server("s", "/health");
	await(status_of("s").healthy);
	ask(&a, "GET", "/go/long");
	assert_int_equal(a.rc, 0);
	assert_int_equal(a.response.status, 200);
	assert_int_equal(a.response.body.n, 4 << 20);
	assert_true(a.response.body.p[0] == 'L' && a.response.body.p[(4 << 20) - 1] == 'L');
	arena_free(&a.arena);
}

// The switchboard ends spot jobs and tokens when a request comes, which itself goes on.
static void test_faults_on_the_whole_cloud(UNUSED void **state)
{
	struct asked a;
	struct err e = {0};
	start_server("s", "/health");
	start_script("spot", "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done",
		&(struct engine_spec){.spot = true});
	await(status_of("s").healthy && log_from("spot", 0).count);
	assert_int_equal(faults_parse(S("interrupt POST times=1; expire times=1"), &here.pocket->faults, &e), 0);
	ask(&a, "POST", "/go/x");
	assert_int_equal(a.response.status, 200);
	arena_free(&a.arena);
	struct engine_status s = await_end("spot");
	assert_int_equal(s.state, ENGINE_INTERRUPTED);
	assert_int_equal(s.exit_code, 9);
	assert_int_equal(here.pocket->tokens_ended_ns, 0);
	int64_t before = edges_real()->wall_ns(NULL);
	ask(&a, "POST", "/go/x");
	assert_int_equal(a.response.status, 200);
	arena_free(&a.arena);
	assert_true(here.pocket->tokens_ended_ns >= before);
}

static void test_forward_fails(UNUSED void **state)
{
	struct asked a;
	ask(&a, "GET", "/go/x");
	assert_int_equal(a.response.status, 404);
	assert_string_equal(failed_with, "NOT_FOUND: s: there is no such server");
	arena_free(&a.arena);
	start_server("s", "/fails");
	await_state("s", ENGINE_RUNNING);
	ask(&a, "GET", "/go/x");
	assert_int_equal(a.response.status, 503);
	assert_string_equal(failed_with, "UNAVAILABLE: s: the server is not ready");
	arena_free(&a.arena);
	start_server("t", "/health");
	await(status_of("t").healthy);
	how.id = S("t");
	how.timeout_ns = 100 * NS_PER_MS;
	ask(&a, "GET", "/go/silent");
	assert_int_equal(a.response.status, 504);
	assert_true(str_starts(str_of(failed_with), S("TIMEOUT: t: ")));
	arena_free(&a.arena);
	how.timeout_ns = 0;
	ask(&a, "GET", "/go/dies");
	assert_int_equal(a.response.status, 503);
	assert_true(str_starts(str_of(failed_with), S("UNAVAILABLE: t: ")));
	arena_free(&a.arena);
	start_script("job", "sleep 0.01", NULL);
	how.id = S("job");
	ask(&a, "GET", "/go/x");
	assert_int_equal(a.response.status, 404);
	arena_free(&a.arena);
}

int main(int argc, char **argv)
{
	int role = engine_test_role(argc, argv);
	if (role >= 0)
		return role;
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve_role();
#define T(name) cmocka_unit_test_setup_teardown(name, engine_setup, engine_teardown)
#define F(name) cmocka_unit_test_setup_teardown(name, forward_setup, engine_teardown)
	const struct CMUnitTest tests[] = {
		T(test_healthy),
		T(test_without_health_path),
		T(test_restarted),
		T(test_supervisor_restarted),
		T(test_outlives_the_pocket),
		T(test_stopped),
		F(test_forwarded),
		F(test_streamed),
		F(test_faults_on_the_whole_cloud),
		F(test_forward_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
