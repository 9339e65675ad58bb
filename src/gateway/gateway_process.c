// SPDX-License-Identifier: Apache-2.0
// Gateways as processes: see gateway_process.h.
#include "gateway/gateway_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "gateway/gateway_kind.h"
#include "gateway/publish.h"
#include "net/address.h"
#include "security/ca.h"

enum { ANNOUNCE_MAX_BYTES = 64 << 10, LOG_MAX_BYTES = 1 << 20, PORT_TRIES = 50, START_TRIES = 5 };
#define START_NS (10 * NS_PER_S)
#define STOP_NS (12 * NS_PER_S)
#define LOOK_NS (10 * NS_PER_MS)

static const char *file_of(struct call *c, const struct gateway_ctx *g, const struct resource *r, const char *name)
{
	const char *path = gateway_path(c, g, r->name, name);
	return path ? path : "";
}

static int read_announcement(struct call *c, const char *announce, struct process *process, json_t **outputs)
{
	AUTO(json) json = NULL;
	struct err ignored = {0};
	int code = json_parse_file(announce, ANNOUNCE_MAX_BYTES, &json, &ignored);
	pid_t pid = (pid_t)json_int(json, "pid", 0);
	bool lives = code == 0 && pid > 0 && process_identify(pid, process) == 0 && process_alive(process) &&
		     process_has_argument(pid, announce);
	if (code == 0 && !lives && pid > 0)
		waitpid(pid, NULL, WNOHANG); // one that we started and that died is not left as a zombie
	if (!lives)
		return call_fail(c, ERR_NOT_FOUND, "the gateway does not run");
	*outputs = json_incref(json);
	return 0;
}

int gateway_process_find(struct call *c, const struct gateway_ctx *g, const struct resource *r, json_t **outputs)
{
	struct process process;
	return read_announcement(c, file_of(c, g, r, "announce.json"), &process, outputs);
}

// ---- where it listens

static bool is_free(struct str listen)
{
	struct address wanted, bound;
	if (address_parse(listen, &wanted, NULL))
		return false;
	int fd = address_listen(&wanted, false, &bound, NULL);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

// A process that ended a moment ago may still hold its port while the kernel takes it apart.
static bool is_free_soon(struct call *c, struct str listen)
{
	bool free = is_free(listen);
	for (int i = 0; !free && i < PORT_TRIES && call_sleep(c, LOOK_NS) == 0; i++)
		free = is_free(listen);
	err_clear(&c->err);
	return free;
}

static struct str any_port(struct call *c, struct str declared)
{
	size_t colon = declared.n - 1;
	while (colon > 0 && declared.p[colon] != ':')
		colon--;
	return arena_printf(c->arena, "%.*s:0", STR(str_take(declared, colon)));
}

// The declared address; when its port is taken and a free one may be used, the one used last time, then any.
static int choose_listen(struct call *c, const struct gateway_ctx *g, const struct resource *r, struct str *listen)
{
	AUTO(buf) file = {0};
	struct address address;
	struct str declared = *listen, last = S("");
	int code = address_parse(declared, &address, &c->err);
	if (code)
		return code;
	if (file_read(file_of(c, g, r, "listen"), 256, &file, NULL) == 0)
		last = arena_str(c->arena, str_trim(buf_str(&file)));
	if (is_free(declared))
		return 0;
	if ((!g->free_port || str_eq(last, declared)) && is_free_soon(c, declared))
		return 0;
	if (!g->free_port)
		return call_fail(c, ERR_IN_USE,
			"%.*s cannot listen on %.*s: another process has this port; stop it, or declare another port",
			STR(r->address), STR(declared));
	*listen = last.n && is_free_soon(c, last) ? last : any_port(c, declared);
	return 0;
}

static void remember_listen(
	struct call *c, const struct gateway_ctx *g, const struct resource *r, const json_t *outputs)
{
	struct str url = json_str(outputs, "url");
	ptrdiff_t at = str_find(url, S("://"));
	struct err ignored = {0};
	if (at < 0 || file_write_atomic(file_of(c, g, r, "listen"), str_drop(url, (size_t)at + 3), 0600, &ignored))
		return; // only a convenience: the next start may get another port
}

// ---- starting

static int issue_certificate(
	struct call *c, const struct gateway_ctx *g, const struct resource *r, const struct gateway *gateway)
{
	AUTO(ca) ca = NULL;
	struct str host, port;
	str_cut(gateway->listen, ':', &host, &port);
	bool any = str_eq(host, S("0.0.0.0")) || str_starts(host, S("["));
	struct ca_request request = {.name = arena_printf(c->arena, "gateway %.*s", STR(r->name)),
		.hosts = &host,
		.host_count = any || host.n == 0 ? 0 : 1};
	struct ca_files files = {file_of(c, g, r, "cert.pem"), file_of(c, g, r, "key.pem")};
	const char *certificate = arena_printf(c->arena, "%s/ca.pem", g->state_folder).p;
	const char *key = arena_printf(c->arena, "%s/ca.key", g->state_folder).p;
	if (!certificate || !key)
		return call_no_memory(c);
	int code = ca_open(c, certificate, key, &ca);
	return code ? code : ca_issue_files(c, ca, &request, &files);
}

static struct str last_line(struct call *c, const char *path)
{
	AUTO(buf) text = {0};
	struct str line, rest, last = S("it wrote nothing to its log");
	if (file_read(path, LOG_MAX_BYTES, &text, NULL))
		return S("its log cannot be read");
	rest = str_trim(buf_str(&text));
	while (str_next(&rest, '\n', &line))
		if (line.n)
			last = line;
	return arena_str(c->arena, last);
}

static int await(struct call *c, const struct gateway_ctx *g, const struct resource *r, struct process *started,
	json_t **outputs)
{
	const char *announce = file_of(c, g, r, "announce.json");
	int64_t give_up_ns = call_mono_ns(c) + START_NS;
	for (;;) {
		struct process running;
		int code = read_announcement(c, announce, &running, outputs);
		if (code == 0)
			return 0;
		err_clear(&c->err);
		if (!process_alive(started)) {
			int status = -1;
			// Reaps it; what it said is in its log.
			code = process_wait(started, 0, &status, NULL);
			bool taken = code == 0 && WIFEXITED(status) && WEXITSTATUS(status) == err_exit_code(ERR_IN_USE);
			code = call_fail(c, taken ? ERR_IN_USE : code == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_FAILED,
				"%.*s ended at its start: %.*s", STR(r->address),
				STR(last_line(c, file_of(c, g, r, "log"))));
			c->err.retryable = taken;
			return code;
		}
		code = call_mono_ns(c) > give_up_ns
			       ? call_fail(c, ERR_TIMEOUT, "%.*s did not start within 10 s", STR(r->address))
			       : call_sleep(c, LOOK_NS);
		if (code) {
			process_stop(started, NS_PER_S);
			return code;
		}
	}
}

static int spawn(
	struct call *c, const struct gateway_ctx *g, const struct resource *r, struct str listen, struct process *out)
{
	AUTO(fd) log = open(file_of(c, g, r, "log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0)
		return call_errno(c, "open the log of %.*s", STR(r->address));
	const char *announce = file_of(c, g, r, "announce.json");
	if (unlink(announce) < 0 && errno != ENOENT)
		return call_errno(c, "remove the old %s", announce);
	const char *argv[] = {"self", "gateway", "--snapshot", file_of(c, g, r, "snapshot.json"), "--announce",
		announce, "--listen", arena_cstr(c->arena, listen), "--audit-key", file_of(c, g, r, "audit.key"), NULL};
	struct process_spec spec = {
		.argv = argv, .in = -1, .out = log, .error = log, .new_session = true, .max_descriptors = 16384};
	return process_start(&spec, out, &c->err);
}

static int start_once(struct call *c, const struct gateway_ctx *g, const struct resource *r, struct str declared,
	json_t **outputs)
{
	struct process process;
	struct str listen = declared;
	int code = choose_listen(c, g, r, &listen);
	if (code == 0)
		code = spawn(c, g, r, listen, &process);
	return code ? code : await(c, g, r, &process, outputs);
}

static int start(struct call *c, const struct gateway_ctx *g, const struct resource *r, json_t **outputs)
{
	struct gateway gateway = {0};
	int code = kind_decode_json(&gateway_kind, r->resolved, c->arena, &gateway, &c->err);
	if (code == 0 && gateway.tls.automatic)
		code = issue_certificate(c, g, r, &gateway);
	if (code == 0)
		code = start_once(c, g, r, gateway.listen, outputs);
	// Between the look at a port and the gateway's own bind somebody else may take it, if only to look, too.
	for (int i = 1; code < 0 && c->err.retryable && i < START_TRIES; i++) {
		err_clear(&c->err);
		code = start_once(c, g, r, gateway.listen, outputs);
	}
	if (code)
		return call_context(c, "start %.*s", STR(r->address));
	remember_listen(c, g, r, *outputs);
	return 0;
}

static int take_lock(struct call *c, const struct gateway_ctx *g, const struct resource *r, int *lock)
{
	const char *path = file_of(c, g, r, "lock");
	int64_t give_up_ns = call_mono_ns(c) + START_NS;
	for (;;) {
		*lock = file_lock(path, &c->err);
		if (*lock >= 0)
			return 0;
		if (*lock != ERR_IN_USE || call_mono_ns(c) > give_up_ns)
			return *lock;
		int code = call_sleep(c, LOOK_NS);
		if (code)
			return code;
	}
}

int gateway_process_ensure(struct call *c, const struct gateway_ctx *g, const struct resource *r, json_t **outputs)
{
	AUTO(fd) lock = -1;
	int code = file_make_dirs(file_of(c, g, r, ""), 0700, &c->err);
	if (code == 0)
		code = take_lock(c, g, r, &lock);
	if (code)
		return code;
	if (gateway_process_find(c, g, r, outputs) == 0)
		return 0;
	err_clear(&c->err);
	return start(c, g, r, outputs);
}

int gateway_process_stop(struct call *c, const struct gateway_ctx *g, const struct resource *r)
{
	AUTO(json) outputs = NULL;
	struct process process;
	const char *announce = file_of(c, g, r, "announce.json");
	if (read_announcement(c, announce, &process, &outputs) == 0)
		process_stop(&process, STOP_NS);
	err_clear(&c->err);
	if (unlink(announce) < 0 && errno != ENOENT)
		return call_errno(c, "remove %s", announce);
	return 0;
}
