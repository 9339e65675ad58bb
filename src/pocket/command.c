// SPDX-License-Identifier: Apache-2.0
// isobar pocket: runs one pocket cloud until it is told to end (SIGTERM, SIGINT). The boundary that logs.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "pocket/pocket.h"

struct pocket_options {
	const char *as, *name, *root, *listen, *announce, *certificate, *key, *faults;
	int64_t pace;
	bool remote;
};

struct run {
	struct loop *loop;
	struct pocket *pocket;
	bool ending;
};

static void stop_loop(void *ctx)
{
	struct run *run = ctx;
	loop_stop(run->loop);
}

// The first signal lets requests end, the second does not wait.
static void on_signal(void *ctx, UNUSED int number)
{
	struct run *run = ctx;
	const int64_t grace_ns = 2 * NS_PER_S;
	if (run->ending)
		loop_stop(run->loop);
	else
		pocket_drain(run->pocket, grace_ns, stop_loop, run);
	run->ending = true;
}

static int announce(const struct pocket_options *o, const struct pocket *p, struct err *e)
{
	AUTO(json) j = json_object();
	AUTO(buf) text = {0};
	json_object_set_new(j, "url", json_string(pocket_url(p)));
	json_object_set_new(j, "pid", json_integer(getpid()));
	json_object_set_new(j, "as", json_string(o->as));
	json_object_set_new(j, "name", json_string(o->name));
	int rc = json_write_pretty(j, &text, e);
	return rc < 0 ? rc : file_write_atomic(o->announce, buf_str(&text), 0600, e);
}

static int serve(const struct pocket_options *o, struct run *run, struct err *e)
{
	sigset_t signals;
	struct pocket_config config = {.as = o->as,
		.name = o->name,
		.root = o->root,
		.listen = str_of(o->listen),
		.certificate = o->certificate,
		.key = o->key,
		.remote = o->remote,
		.faults = o->faults,
		.pace = o->pace,
		.loop = run->loop,
		.edges = edges_real()};
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error like a full disk
	int rc = loop_signals(run->loop, &signals, on_signal, run, e);
	if (rc == 0)
		rc = pocket_start(&config, &run->pocket, e);
	if (rc == 0 && o->announce)
		rc = announce(o, run->pocket, e);
	if (rc < 0)
		return rc;
	log_line(LOG_INFO, "pocket cloud %s (%s) listens on %s", o->name, o->as, pocket_url(run->pocket));
	return loop_run(run->loop, e);
}

static int run_pocket(const struct arguments *a)
{
	const struct pocket_options *o = a->options;
	struct run run = {0};
	struct err e = {0};
	if (!o->as || !o->name || !o->root) {
		fprintf(a->error, "isobar pocket: --as, --name and --root are needed; see isobar pocket --help\n");
		return err_exit_code(ERR_INVALID);
	}
	if (o->pace < 1) {
		fprintf(a->error, "isobar pocket: --pace is 1 (as slow as the provider) or more\n");
		return err_exit_code(ERR_INVALID);
	}
	int rc = loop_new(&run.loop, &e);
	if (rc == 0)
		rc = serve(o, &run, &e);
	pocket_free(run.pocket);
	loop_free(run.loop);
	if (rc == 0)
		return 0;
	log_err(LOG_ERROR, &e, "isobar pocket");
	return err_exit_code(rc);
}

static const char *const providers[] = {"aws", "gcp", "azure", NULL};
#define AT(member) offsetof(struct pocket_options, member)
static const struct option options[] = {
	{.name = "as",
		.type = OPTION_CHOICE,
		.offset = AT(as),
		.argument = "PROVIDER",
		.choices = providers,
		.help = "whose protocols to speak: S3, Cloud Storage or Blob Storage"},
	{.name = "name", .type = OPTION_TEXT, .offset = AT(name), .argument = "CLOUD", .help = "name of the cloud"},
	{.name = "root",
		.type = OPTION_TEXT,
		.offset = AT(root),
		.argument = "FOLDER",
		.help = "where its credentials and objects lie; made when absent"},
	{.name = "listen",
		.type = OPTION_TEXT,
		.offset = AT(listen),
		.argument = "HOST:PORT",
		.otherwise = "127.0.0.1:0",
		.help = "address; port 0: the one of the last run, else a free one"},
	{.name = "announce",
		.type = OPTION_TEXT,
		.offset = AT(announce),
		.argument = "FILE",
		.help = "write {url, pid, as, name} there once it listens"},
	{.name = "certificate",
		.type = OPTION_TEXT,
		.offset = AT(certificate),
		.argument = "FILE",
		.help = "TLS: certificate, PEM"},
	{.name = "key", .type = OPTION_TEXT, .offset = AT(key), .argument = "FILE", .help = "TLS: private key, PEM"},
	{.name = "faults",
		.type = OPTION_TEXT,
		.offset = AT(faults),
		.argument = "RULES|FILE",
		.help = "faults to play for tests; see isobar pocket faults"},
	{.name = "pace",
		.type = OPTION_INTEGER,
		.offset = AT(pace),
		.argument = "N",
		.otherwise = "60",
		.help = "how much faster than the provider's its waiting times pass"},
	{.name = "remote",
		.type = OPTION_FLAG,
		.offset = AT(remote),
		.help = "allow addresses other than loopback; needs --certificate and --key"},
};

const struct command pocket_command = {
	.name = "pocket",
	.help = "run a small cloud on this machine",
	.example = "isobar pocket --as aws --name aws-us --root /tmp/aws-us --announce /tmp/aws-us/announce.json",
	COMMAND_OPTIONS(options, struct pocket_options),
	.run = run_pocket,
};
