// SPDX-License-Identifier: Apache-2.0
// The API over HTTP. See server.h. The loop's thread owns exchanges; a worker thread owns the call. They meet in struct
// task: the worker appends lines under its lock and posts the task to the loop, which writes them out. A task is freed
// on the loop's thread when both its exchange has closed and its worker has ended.
#include "api/server.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "net/http_server.h"
#include "security/principal.h"

enum {
	BODY_LIMIT = 4 << 20,
	MAX_WORKERS = 32,         // requests at once: a person's commands and a page or two
	PENDING_LIMIT = 64 << 20, // of lines that a slow reader has not taken
	DRAIN_GRACE_MS = 5000,
};

struct api_server {
	struct api_server_options options;
	struct http_server *http;
	struct arena arena;
	struct str token, principal;
	size_t workers;
	struct task *tasks; // running ones, for cancelling
	bool draining, http_drained;
	void (*done)(void *ctx);
	void *done_ctx;
};

struct task {
	struct api_server *server;
	struct http_exchange *exchange; // NULL: the client has left
	struct loop_task wake;
	struct task *next;
	pthread_mutex_t lock;
	struct buf pending; // guarded by lock
	bool ended;         // guarded by lock
	int status;         // of the answer, once ended
	bool lines;         // the client reads ndjson
	bool answering;     // the head is out
	bool worker_gone;
	atomic_bool cancel;
	struct str method, target;
	json_t *body;
	struct arena arena;
};

// ---------------------------------------------------------------- a task's end
static void unlist(struct api_server *s, const struct task *t)
{
	for (struct task **p = &s->tasks; *p; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			return;
		}
	}
}

static void check_drained(struct api_server *s)
{
	if (s->draining && s->http_drained && s->workers == 0 && s->done) {
		void (*done)(void *) = s->done;
		s->done = NULL;
		done(s->done_ctx);
	}
}

static void task_release(struct task *t)
{
	if (t->exchange || !t->worker_gone)
		return;
	unlist(t->server, t);
	pthread_mutex_destroy(&t->lock);
	buf_free(&t->pending);
	json_decref(t->body);
	arena_free(&t->arena);
	free(t);
}

// ---------------------------------------------------------------- on the loop's thread
static void start_lines(struct task *t)
{
	static const struct http_header headers[] = {
		HTTP_HEADER("content-type", "application/x-ndjson"), HTTP_HEADER("cache-control", "no-store")};
	const struct http_reply reply = {.status = 200, .headers = headers, .header_count = COUNT_OF(headers)};
	http_reply_start(t->exchange, &reply, HTTP_LENGTH_UNKNOWN);
	t->answering = true;
}

static void write_lines(struct task *t, struct str text, bool ended)
{
	if (!t->answering)
		start_lines(t);
	if (text.n)
		http_reply_write(t->exchange, text);
	if (ended)
		http_reply_end(t->exchange);
}

static void write_whole(struct task *t, struct str text)
{
	struct str copy = arena_str(&t->exchange->arena, text);
	if (copy.p)
		http_reply_text(t->exchange, t->status, "application/json", copy);
	else
		http_reply_error(t->exchange, 503, "out of memory");
}

static void task_wake(struct loop_task *wake)
{
	struct task *t = CONTAINER_OF(wake, struct task, wake);
	AUTO(buf) text = {0};
	pthread_mutex_lock(&t->lock);
	bool ended = t->ended;
	if (t->lines || ended) {
		text = t->pending;
		t->pending = (struct buf){.limit = PENDING_LIMIT};
	}
	pthread_mutex_unlock(&t->lock);
	if (t->exchange && t->lines)
		write_lines(t, buf_str(&text), ended);
	else if (t->exchange && ended)
		write_whole(t, buf_str(&text));
	if (ended && !t->worker_gone) {
		struct api_server *s = t->server;
		t->worker_gone = true;
		s->workers--;
		task_release(t);
		check_drained(s);
	}
}

// ---------------------------------------------------------------- on the worker's thread
static void add_line(struct task *t, const json_t *value)
{
	pthread_mutex_lock(&t->lock);
	if (json_write(value, &t->pending, NULL) == 0)
		buf_add_char(&t->pending, '\n');
	if (t->pending.failed)
		atomic_store(&t->cancel, true); // nobody reads what it says
	pthread_mutex_unlock(&t->lock);
}

static void task_emit(void *ctx, json_t *event)
{
	struct task *t = ctx;
	if (t->lines) {
		add_line(t, event);
		loop_post(t->server->options.loop, &t->wake);
	}
	json_decref(event);
}

static void task_finish(struct task *t, int rc, const struct err *e, json_t *result)
{
	AUTO(json)
	line = rc < 0     ? api_error_json(e)
	       : t->lines ? json_pack("{s:O}", "result", result)
			  : json_incref(result);
	add_line(t, line);
	pthread_mutex_lock(&t->lock);
	t->status = rc < 0 ? err_http_status(rc) : 200;
	t->ended = true;
	pthread_mutex_unlock(&t->lock);
}

static void *task_run(void *ctx)
{
	struct task *t = ctx;
	struct loop *loop = t->server->options.loop;
	AUTO(arena) arena = {0};
	struct call c;
	call_init(&c, &arena, t->server->options.edges, t->server->principal);
	c.cancel = &t->cancel;
	json_t *result = NULL;
	const struct api_call call = {
		.method = t->method, .target = t->target, .body = t->body, .emit = task_emit, .emit_ctx = t};
	int rc = api_dispatch(&c, t->server->options.control, &call, &result);
	task_finish(t, rc, &c.err, result);
	json_decref(result);
	loop_post(loop, &t->wake); // the task is the loop's from here on
	return NULL;
}

// ---------------------------------------------------------------- a request
static bool is_allowed(const struct api_server *s, const struct http_exchange *x)
{
	struct str value = http_header_get(&x->request.headers, "authorization"), scheme, token;
	if (!value.p || !str_cut(value, ' ', &scheme, &token) || !str_eq_nocase(scheme, S("bearer")))
		return false;
	struct sha256 given = sha256_of(token), wanted = sha256_of(s->token);
	return hash_equal(given.bytes, wanted.bytes, SHA256_SIZE);
}

static int parse_body(struct task *t, struct str body, struct err *e)
{
	return body.n ? json_parse(body, &t->body, e) : 0;
}

static struct task *task_new(struct api_server *s, struct http_exchange *x)
{
	struct task *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	struct str accept = http_header_get(&x->request.headers, "accept");
	*t = (struct task){.server = s, .exchange = x, .wake = {.run = task_wake}, .pending = {.limit = PENDING_LIMIT}};
	t->lines = accept.p && http_list_has(accept, S("application/x-ndjson"));
	t->method = arena_str(&t->arena, x->request.method_text);
	t->target = arena_str(&t->arena, x->request.target);
	pthread_mutex_init(&t->lock, NULL);
	t->next = s->tasks;
	s->tasks = t;
	x->data = t;
	return t;
}

static bool start_worker(struct task *t)
{
	pthread_attr_t attributes;
	pthread_t thread;
	if (pthread_attr_init(&attributes))
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	bool started = pthread_create(&thread, &attributes, task_run, t) == 0;
	pthread_attr_destroy(&attributes);
	t->server->workers += started;
	t->worker_gone = !started;
	return started;
}

static void got_body(struct http_exchange *x, struct str body)
{
	struct api_server *s = x->ctx;
	struct err e = {0};
	struct task *t = s->workers < MAX_WORKERS && !s->draining ? task_new(s, x) : NULL;
	if (!t) {
		http_reply_error(x, 503, "the control plane is busy: try again");
		return;
	}
	t->worker_gone = true; // until it runs
	if (parse_body(t, body, &e) < 0)
		http_reply_error(x, 400, "the body is no JSON: %s", e.message);
	else if (!start_worker(t))
		http_reply_error(x, 503, "out of threads");
}

static void on_begin(struct http_exchange *x)
{
	if (!is_allowed(x->ctx, x)) {
		static const struct http_header challenge[] = {HTTP_HEADER("www-authenticate", "Bearer")};
		const struct http_reply reply = {
			.status = 401, .headers = challenge, .header_count = COUNT_OF(challenge)};
		http_reply(x, &reply,
			S("{\"error\":{\"code\":\"UNAUTHENTICATED\",\"message\":\"the token of .isobar/control.token "
			  "is needed\"}}\n"));
		return;
	}
	http_body_collect(x, BODY_LIMIT, got_body);
}

static void on_closed(struct http_exchange *x)
{
	struct task *t = x->data;
	if (!t)
		return;
	t->exchange = NULL;
	atomic_store(&t->cancel, true);
	task_release(t);
}

// ---------------------------------------------------------------- the server
static const struct http_service service = {.begin = on_begin, .closed = on_closed};

int api_server_new(const struct api_server_options *options, struct api_server **out, struct err *e)
{
	struct api_server *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	s->options = *options;
	s->token = arena_str(&s->arena, options->token);
	s->principal = principal_of_process(&s->arena);
	const struct http_server_options http = {
		.loop = options->loop,
		.service = &service,
		.ctx = s,
		.listen = options->listen,
		.limits = {.body_bytes = BODY_LIMIT, .connections = 256},
	};
	int rc = http_server_new(&http, &s->http, e);
	if (rc < 0) {
		api_server_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

const char *api_server_url(const struct api_server *s)
{
	return http_server_url(s->http);
}

static void on_http_drained(void *ctx)
{
	struct api_server *s = ctx;
	s->http_drained = true;
	check_drained(s);
}

void api_server_drain(struct api_server *s, void (*done)(void *ctx), void *ctx)
{
	s->draining = true;
	s->done = done;
	s->done_ctx = ctx;
	for (struct task *t = s->tasks; t; t = t->next)
		atomic_store(&t->cancel, true);
	http_server_drain(s->http, DRAIN_GRACE_MS * INT64_C(1000000), on_http_drained, s);
}

void api_server_free(struct api_server *s)
{
	if (!s)
		return;
	http_server_free(s->http);
	arena_free(&s->arena);
	free(s);
}
