// SPDX-License-Identifier: Apache-2.0
// The command `isobar gateway`: see gateway.h. SIGTERM and SIGINT end it gracefully: it accepts no more, lets what runs
// end (at most the grace), and leaves; a second signal ends it at once.
#include "gateway/gateway.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "gateway/worker.h"

struct gateway_options {
	const char *snapshot, *announce, *listen, *audit_key;
	int64_t grace_ns;
};

static const struct option options[] = {
	{.name = "snapshot",
		.type = OPTION_TEXT,
		.offset = offsetof(struct gateway_options, snapshot),
		.argument = "FILE",
		.help = "configuration; read again whenever it changes"},
	{.name = "announce",
		.type = OPTION_TEXT,
		.offset = offsetof(struct gateway_options, announce),
		.argument = "FILE",
		.help = "written once it listens: {\"url\", \"admin_url\", \"pid\"}"},
	{.name = "listen",
		.type = OPTION_TEXT,
		.offset = offsetof(struct gateway_options, listen),
		.argument = "ADDRESS:PORT",
		.help = "instead of the configuration's address; port 0: a free one"},
	{.name = "audit-key",
		.type = OPTION_TEXT,
		.offset = offsetof(struct gateway_options, audit_key),
		.argument = "FILE",
		.help = "Ed25519 key (PEM) that signs the audit log's heads; made when absent"},
	{.name = "grace",
		.type = OPTION_DURATION,
		.offset = offsetof(struct gateway_options, grace_ns),
		.argument = "DURATION",
		.otherwise = "10s",
		.help = "how long running requests may take when it is told to end"},
};

struct running {
	struct loop *loop;
	struct worker *worker;
	int64_t grace_ns;
	bool ending;
};

static void drained(void *ctx)
{
	loop_stop(((struct running *)ctx)->loop);
}

static void on_signal(void *ctx, int number)
{
	struct running *r = ctx;
	(void)number;
	if (r->ending)
		loop_stop(r->loop);
	else
		worker_drain(r->worker, r->grace_ns, drained, r);
	r->ending = true;
}

static int catch_signals(struct running *r, struct err *e)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return loop_signals(r->loop, &set, on_signal, r, e);
}

static int announce(const struct running *r, const char *path, struct err *e)
{
	AUTO(json) json = json_object();
	AUTO(buf) text = {0};
	if (!path)
		return 0;
	json_set_str(json, "url", str_of(worker_url(r->worker)));
	json_set_str(json, "admin_url", str_of(worker_admin_url(r->worker)));
	json_object_set_new(json, "pid", json_integer(getpid()));
	int code = json_write(json, &text, e);
	return code ? code : file_write_atomic(path, buf_str(&text), 0600, e);
}

// The signals are blocked before the worker starts its thread, so that the thread inherits the mask and only the loop
// gets them.
static int start(const struct gateway_options *o, struct running *r, struct err *e)
{
	struct worker_options worker = {
		.edges = edges_real(), .snapshot_path = o->snapshot, .audit_key_path = o->audit_key};
	int code = loop_new(&r->loop, e);
	if (code == 0)
		code = catch_signals(r, e);
	worker.loop = r->loop;
	worker.listen = o->listen ? str_of(o->listen) : (struct str){0};
	if (code == 0)
		code = worker_new(&worker, &r->worker, e);
	return code ? code : announce(r, o->announce, e);
}

static int run(const struct arguments *a)
{
	const struct gateway_options *o = a->options;
	struct running r = {.grace_ns = o->grace_ns};
	struct err e = {0};
	if (!o->snapshot) {
		fprintf(a->error, "isobar gateway: --snapshot FILE is needed\n");
		return 2;
	}
	int code = start(o, &r, &e);
	if (code == 0)
		code = loop_run(r.loop, &e);
	if (code)
		fprintf(a->error, "isobar gateway: %s\n", e.message);
	if (o->announce && r.worker)
		unlink(o->announce);
	worker_free(r.worker);
	loop_free(r.loop);
	return code ? err_exit_code(code) : 0;
}

const struct command gateway_command = {
	.name = "gateway",
	.help = "serve clients from a configuration: identify, decide, record, forward (started by isobar apply)",
	.example = "isobar gateway --snapshot .isobar/gateways/edge/snapshot.json --announce /tmp/edge.json",
	COMMAND_OPTIONS(options, struct gateway_options),
	.run = run,
};
