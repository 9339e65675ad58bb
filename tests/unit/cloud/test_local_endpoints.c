// SPDX-License-Identifier: Apache-2.0
// Endpoints of the local engine. The model server is this very program: it answers its readiness, and dies as its
// version says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "base/time.h"
#include "cloud/local/local.h"
#include "cloud/local/local_replica.h"
#include "fixture.h"
#include "memory_cloud.h"

// ---------------------------------------------------------------- the server that is played
static const char *argument(char **argv, const char *name)
{
	for (int i = 0; argv[i] && argv[i + 1]; i++)
		if (strcmp(argv[i], name) == 0)
			return argv[i + 1];
	_exit(80);
}

static int listen_on(const char *text, uint16_t *port)
{
	uint64_t wanted;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	if (str_to_u64(str_drop(str_of(text), 10), &wanted))
		_exit(81);
	a.sin_port = htons((uint16_t)wanted);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		_exit(82); // the port is taken
	*port = ntohs(a.sin_port);
	return fd;
}

static int play_server(char **argv)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
	uint16_t port;
	AUTO(buf) text = {0}, path = {0};
	const char *version = argument(argv, "--version");
	buf_printf(&path, "%s/weights", argument(argv, "--model"));
	if (!file_exists(buf_cstr(&path)))
		_exit(83);
	if (strcmp(version, "crash") == 0) {
		fprintf(stderr, "no such tensor: layer9\n");
		_exit(3);
	}
	int fd = listen_on(argument(argv, "--listen"), &port);
	buf_printf(&text, "{\"url\":\"http://127.0.0.1:%u\",\"pid\":%d}", port, (int)getpid());
	if (strcmp(version, "never") != 0 &&
		file_write_atomic(argument(argv, "--announce"), buf_str(&text), 0600, NULL))
		_exit(84);
	for (;;) {
		char request[1024];
		int peer = accept(fd, NULL, NULL);
		if (peer < 0 || read(peer, request, sizeof(request)) < 0 || write(peer, answer, sizeof(answer) - 1) < 0)
			_exit(85);
		close(peer);
	}
}

// ---------------------------------------------------------------- tests
struct world {
	struct fixture f;
	struct memory_cloud m;
	struct local *local;
	struct endpoint_status status;
};

static void open_engine(struct world *w)
{
	const struct local_options options = {.cloud = S("aws-us"),
		.root = str_of(fixture_path(&w->f, "local")),
		.program = process_self_path(),
		.ready_timeout_ns = 3 * NS_PER_S};
	assert_ok(&w->f, local_open_with(&w->f.call, &options, &w->m.cloud, &w->local));
}

static void open_world(struct world *w)
{
	fixture_open(&w->f);
	memory_cloud_init(&w->m, "aws-us", "aws");
	memory_cloud_bucket(&w->m, "lake");
	memory_cloud_poke(&w->m, "lake", "models/m/1/weights", S("weights"));
	memory_cloud_poke(&w->m, "lake", "models/m/1/sub/model.json", S("{}"));
	open_engine(w);
}

static void close_world(struct world *w)
{
	assert_ok(&w->f, local_endpoint_ops.delete(&w->f.call, w->local, S("classify")));
	local_close(w->local);
	memory_cloud_free(&w->m);
	fixture_close(&w->f);
}

static int ensure(struct world *w, const char *version, const char *generation, int64_t replicas)
{
	const struct endpoint_spec spec = {.name = S("classify"),
		.model = S("classify"),
		.version = str_of(version),
		.bucket = S("lake"),
		.prefix = S("models/m/1/"),
		.replicas = replicas,
		.cpu = 1,
		.memory = 64 << 20,
		.generation = str_of(generation)};
	return local_endpoint_ops.ensure(&w->f.call, w->local, &spec);
}

static void observe(struct world *w, enum endpoint_state state)
{
	assert_ok(&w->f, local_endpoint_ops.observe(&w->f.call, w->local, S("classify"), &w->status));
	if (w->status.state != state)
		fail_msg("endpoint is %d, not %d: %.*s", (int)w->status.state, (int)state, STR(w->status.reason));
}

static void kill_replica(struct world *w, size_t i)
{
	struct process p;
	assert_int_equal(process_identify((pid_t)w->status.pids[i], &p), 0);
	process_kill_group(&p, SIGKILL);
	for (int k = 0; k < 1000 && process_alive(&p); k++)
		assert_ok(&w->f, call_sleep(&w->f.call, 2 * NS_PER_MS));
}

static void test_ready(void **state)
{
	(void)state;
	struct world w;
	struct str *names;
	size_t count;
	open_world(&w);
	assert_fails(&w.f, local_endpoint_ops.observe(&w.f.call, w.local, S("classify"), &w.status), ERR_NOT_FOUND);
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	observe(&w, ENDPOINT_READY);
	assert_true(str_starts(w.status.url, S("http://127.0.0.1:")));
	assert_str(w.status.generation, S("g1"));
	assert_true(w.status.pids[0] > 1 && w.status.pids[1] == 0);
	const struct replica r = {.url = w.status.url}, nobody = {.url = S("http://127.0.0.1:1")};
	assert_true(replica_ready(&w.f.call, &r));
	assert_false(replica_ready(&w.f.call, &nobody));
	assert_int_equal(getpgid((pid_t)w.status.pids[0]), w.status.pids[0]); // a process group of its own
	assert_str(fixture_read(&w.f, "local/endpoints/classify/g1/model/sub/model.json"), S("{}"));
	int64_t pid = w.status.pids[0];
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	local_close(w.local); // and after a restart of the control plane
	open_engine(&w);
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	observe(&w, ENDPOINT_READY);
	assert_int_equal(w.status.pids[0], pid);
	assert_ok(&w.f, local_endpoint_ops.list(&w.f.call, w.local, &names, &count));
	assert_int_equal(count, 1);
	assert_str(names[0], S("classify"));
	close_world(&w);
}

static void test_down(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	observe(&w, ENDPOINT_READY);
	struct str url = w.status.url;
	int64_t pid = w.status.pids[0];
	kill_replica(&w, 0);
	observe(&w, ENDPOINT_DOWN);
	assert_true(str_find(w.status.reason, S("has ended")) > 0);
	atomic_store(&w.m.down, true); // the cloud is down: nothing is started
	assert_fails(&w.f, ensure(&w, "1", "g1", 1), ERR_UNAVAILABLE);
	observe(&w, ENDPOINT_DOWN);
	atomic_store(&w.m.down, false);
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	observe(&w, ENDPOINT_READY);
	assert_str(w.status.url, url); // the same port again
	assert_int_not_equal(w.status.pids[0], pid);
	close_world(&w);
}

static void test_port_taken(void **state)
{
	(void)state;
	struct world w;
	uint16_t port;
	open_world(&w);
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	observe(&w, ENDPOINT_READY);
	struct str url = w.status.url;
	kill_replica(&w, 0);
	int taken = listen_on(arena_cstr(&w.f.arena, str_drop(url, 7)), &port);
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	observe(&w, ENDPOINT_READY);
	assert_false(str_eq(w.status.url, url));
	close(taken);
	close_world(&w);
}

static void test_replicas(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_fails(&w.f, ensure(&w, "1", "g1", 0), ERR_LIMIT);
	assert_fails(&w.f, ensure(&w, "1", "g1", 8), ERR_LIMIT);
	assert_ok(&w.f, ensure(&w, "1", "g1", 2));
	observe(&w, ENDPOINT_READY);
	int64_t second = w.status.pids[1];
	assert_true(second > 1);
	kill_replica(&w, 0);
	observe(&w, ENDPOINT_READY); // by the second one
	assert_true(w.status.reason.n > 0);
	assert_ok(&w.f, ensure(&w, "1", "g1", 2));
	observe(&w, ENDPOINT_READY);
	assert_int_equal(w.status.reason.n, 0);
	assert_int_equal(w.status.pids[1], second);
	close_world(&w);
}

static void test_generations(void **state)
{
	(void)state;
	struct world w;
	struct process old;
	open_world(&w);
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	observe(&w, ENDPOINT_READY);
	assert_int_equal(process_identify((pid_t)w.status.pids[0], &old), 0);
	assert_fails(&w.f, ensure(&w, "crash", "g2", 1), ERR_FAILED); // a version that does not start changes nothing
	observe(&w, ENDPOINT_READY);
	assert_str(w.status.generation, S("g1"));
	assert_int_equal(w.status.pids[0], old.pid);
	assert_ok(&w.f, ensure(&w, "2", "g3", 1));
	observe(&w, ENDPOINT_READY);
	assert_str(w.status.generation, S("g3"));
	assert_int_not_equal(w.status.pids[0], old.pid);
	assert_true(process_alive(&old)); // it answers who has not heard yet
	assert_int_equal(w.status.older[0], old.pid);
	assert_int_equal(w.status.older[1], 0);
	assert_ok(&w.f, local_endpoint_ops.delete(&w.f.call, w.local, S("classify")));
	assert_false(process_alive(&old));
	close_world(&w);
}

static void test_bad_servers(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_int_equal(ensure(&w, "crash", "g1", 1), ERR_FAILED);
	assert_non_null(strstr(w.f.call.err.message, "ended before it answered: no such tensor: layer9"));
	err_clear(&w.f.call.err);
	assert_false(file_exists(fixture_path(&w.f, "local/endpoints/classify/g1/model"))); // it may be damaged
	observe(&w, ENDPOINT_STARTING);
	local_close(w.local);
	const struct local_options options = {.cloud = S("aws-us"),
		.root = str_of(fixture_path(&w.f, "local")),
		.program = process_self_path(),
		.ready_timeout_ns = 100 * NS_PER_MS};
	assert_ok(&w.f, local_open_with(&w.f.call, &options, &w.m.cloud, &w.local));
	assert_fails(&w.f, ensure(&w, "never", "g1", 1), ERR_TIMEOUT);
	const struct endpoint_spec none = {.name = S("classify"),
		.model = S("m"),
		.version = S("1"),
		.bucket = S("lake"),
		.prefix = S("models/none/"),
		.replicas = 1,
		.generation = S("g9")};
	assert_fails(&w.f, local_endpoint_ops.ensure(&w.f.call, w.local, &none), ERR_NOT_FOUND);
	const struct endpoint_spec bad = {
		.name = S("../x"), .prefix = S("models/m/1/"), .replicas = 1, .generation = S("g")};
	assert_fails(&w.f, local_endpoint_ops.ensure(&w.f.call, w.local, &bad), ERR_INVALID);
	close_world(&w);
}

// The control plane was killed after it started a server and before it could say so: the server is found, not doubled.
static void test_adopted(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	observe(&w, ENDPOINT_READY);
	int64_t pid = w.status.pids[0];
	assert_int_equal(unlink(fixture_path(&w.f, "local/endpoints/classify/status.json")), 0);
	assert_ok(&w.f, ensure(&w, "1", "g1", 1));
	observe(&w, ENDPOINT_READY);
	assert_int_equal(w.status.pids[0], pid);
	struct process server;
	assert_int_equal(process_identify((pid_t)pid, &server), 0);
	assert_int_equal(unlink(fixture_path(&w.f, "local/endpoints/classify/status.json")), 0);
	assert_ok(&w.f, ensure(&w, "1", "g2", 1)); // of another generation: it ends
	assert_false(process_alive(&server));
	close_world(&w);
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "serve") == 0)
		return play_server(argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_port_taken),
		cmocka_unit_test(test_replicas),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_bad_servers),
		cmocka_unit_test(test_adopted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
