// SPDX-License-Identifier: Apache-2.0
// The control plane's process. See up.h.
#include "api/up.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/server.h"
#include "api/services.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"

enum { TOKEN_BYTES = 32 };

struct up {
	struct call *call;
	const struct up_options *options;
	struct control *control;
	struct session session;
	struct services *services;
	struct loop *loop;
	struct api_server *server;
	struct str token;
	int lock;
	bool stopping;
};

static const char *hidden_path(struct up *u, const char *name)
{
	return arena_printf(u->call->arena, "%.*s/%s", STR(control_state_folder(u->control)), name).p;
}

// ---------------------------------------------------------------- signals
static void on_drained(void *ctx)
{
	loop_stop(((struct up *)ctx)->loop);
}

static void on_signal(void *ctx, int number)
{
	struct up *u = ctx;
	if (u->stopping)
		return; // a second one changes nothing: the first is being obeyed
	log_line(LOG_INFO, "signal %d: ending gracefully", number);
	u->stopping = true;
	api_server_drain(u->server, on_drained, u);
}

// ---------------------------------------------------------------- files
static int write_token(struct up *u)
{
	unsigned char bytes[TOKEN_BYTES];
	char hex[2 * TOKEN_BYTES + 1];
	struct call *c = u->call;
	if (c->edges->random(c->edges->ctx, bytes, sizeof(bytes)) < 0)
		return call_fail(c, ERR_IO, "no randomness for the control plane's token");
	hex_encode(str_bytes(bytes, sizeof(bytes)), hex);
	u->token = arena_str(c->arena, str_of(hex));
	return file_write_atomic(hidden_path(u, "control.token"), u->token, 0600, &c->err);
}

static int write_control(struct up *u)
{
	AUTO(json)
	control = json_pack("{s:s, s:s, s:i, s:s}", "url", api_server_url(u->server), "token_file",
		hidden_path(u, "control.token"), "pid", (int)getpid(), "version", ISOBAR_VERSION);
	AUTO(buf) text = {0};
	int rc = json_write(control, &text, &u->call->err);
	return rc < 0 ? rc : file_write_atomic(hidden_path(u, "control.json"), buf_str(&text), 0600, &u->call->err);
}

static void remove_control(struct up *u)
{
	if (unlink(hidden_path(u, "control.json")) < 0 && errno != ENOENT)
		log_line(LOG_WARNING, "cannot remove control.json: %s", strerror(errno));
}

// ---------------------------------------------------------------- life
static int take_lock(struct up *u)
{
	int rc = control_make_state_folder(u->call, u->control);
	if (rc < 0)
		return rc;
	u->lock = file_lock(hidden_path(u, "control.lock"), &u->call->err);
	if (u->lock >= 0)
		return 0;
	return call_context(
		u->call, u->lock == ERR_IN_USE ? "another isobar works on this workspace" : "lock this workspace");
}

static int open_workspace(struct up *u)
{
	u->session.revive = true; // a fresh start brings every cloud up
	int rc = session_load(&u->session);
	if (rc == 0)
		rc = session_read_state(&u->session);
	return rc < 0 ? rc : session_open_clouds(&u->session);
}

static int start_server(struct up *u)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	struct call *c = u->call;
	int rc = write_token(u);
	if (rc == 0)
		rc = loop_new(&u->loop, &c->err);
	if (rc == 0) // before any thread starts, so that all of them leave the signals to the loop
		rc = loop_signals(u->loop, &signals, on_signal, u, &c->err);
	struct api_server_options options = {
		.loop = u->loop,
		.control = u->control,
		.listen = str_of(u->options->listen),
		.token = u->token,
		.edges = c->edges,
	};
	return rc < 0 ? rc : api_server_new(&options, &u->server, &c->err);
}

static int serve(struct up *u)
{
	int rc = services_start(u->call, &u->session, &u->services);
	if (rc == 0)
		rc = write_control(u);
	if (rc == 0)
		rc = loop_run(u->loop, &u->call->err);
	remove_control(u);
	return rc;
}

// Whether another control plane goes on with the same state: then what runs is its to look after.
static bool others_go_on(struct up *u)
{
	const struct binding *b = &u->session.binding;
	AUTO(json) planes = NULL;
	if (!b->plane.n)
		return false;
	int rc = planes_list(u->call, b->state, b->plane, &planes);
	if (rc < 0) // rather leave something running than stop what another looks after
		log_err(LOG_WARNING, &u->call->err, "what runs is left alone: it is not known who goes on");
	err_clear(&u->call->err);
	return rc < 0 || json_array_size(planes) > 0;
}

// In reverse: what serves first, then what it stands on.
static void end(struct up *u)
{
	struct err why = u->call->err;
	services_stop(u->services);
	if (u->session.env && !others_go_on(u)) {
		if (control_get_options(u->control)->parts->stop(u->call, &u->session.binding) < 0)
			log_err(LOG_WARNING, &u->call->err, "end what runs for the workspace");
		err_clear(&u->call->err);
		clouds_env_stop_started(u->call, u->session.env);
	}
	session_close(&u->session);
	api_server_free(u->server);
	loop_free(u->loop);
	u->call->err = why;
}

int up_run(struct call *c, const struct up_options *options, void (*on_event)(void *ctx, json_t *event), void *ctx)
{
	struct up u = {.call = c, .options = options, .lock = -1};
	struct control_options control = options->control;
	control.serving = true;
	int rc = control_open(c, &control, &u.control);
	if (rc < 0)
		return rc;
	struct api_request request = {.call = c, .control = u.control, .emit = on_event, .emit_ctx = ctx};
	session_begin(&request, &u.session);
	rc = take_lock(&u);
	if (rc == 0)
		rc = start_server(&u);
	if (rc == 0)
		rc = open_workspace(&u);
	if (rc == 0)
		rc = serve(&u);
	end(&u);
	fd_close(&u.lock);
	control_close(u.control);
	return rc;
}
