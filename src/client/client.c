// SPDX-License-Identifier: Apache-2.0
// The client: see client.h. Over HTTP it asks for application/x-ndjson: a line for each event, the last one holds the
// result or the error.
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "net/guard.h"
#include "net/http_call.h"
#include "net/url.h"

enum {
	CONTROL_LIMIT = 64 << 10,
	LINE_LIMIT = 64 << 20,  // of one event or result: a report is one line
	CALL_TIMEOUT_S = 86400, // a run may take hours; the call's own deadline is the caller's to set
};

struct client {
	struct arena arena;
	const struct client_local *local;
	struct str url, authorization;
	struct guard *guard;
};

// ---------------------------------------------------------------- finding the control plane
static int read_token(struct call *c, struct client *client, const char *path)
{
	AUTO(buf) token = {0};
	int rc = file_read(path, CONTROL_LIMIT, &token, &c->err);
	if (rc < 0)
		return rc;
	client->authorization = arena_printf(&client->arena, "Bearer %.*s", STR(str_trim(buf_str(&token))));
	return client->authorization.p ? 0 : call_no_memory(c);
}

// Fills url and authorization when a control plane runs in the folder; ERR_UNAVAILABLE when none does.
static int find_control(struct call *c, struct client *client, struct str state_folder)
{
	AUTO(json) control = NULL;
	struct process process;
	if (!state_folder.n)
		return call_fail(c, ERR_UNAVAILABLE, "no control plane is asked");
	const char *path = arena_printf(c->arena, "%.*s/control.json", STR(state_folder)).p;
	if (!file_exists(path))
		return call_fail(
			c, ERR_UNAVAILABLE, "no control plane runs in %.*s: start one with `isobar up`", STR(state_folder));
	int rc = json_parse_file(path, CONTROL_LIMIT, &control, &c->err);
	if (rc < 0)
		return rc;
	pid_t pid = (pid_t)json_int(control, "pid", 0);
	if (pid <= 1 || process_identify(pid, &process) < 0)
		return call_fail(c, ERR_UNAVAILABLE,
			"the control plane of %.*s (pid %d) has ended: start it again with `isobar up`", STR(state_folder),
			(int)pid);
	client->url = arena_str(&client->arena, json_str(control, "url"));
	const char *token = json_text(control, "token_file");
	return read_token(
		c, client, *token ? token : arena_printf(c->arena, "%.*s/control.token", STR(state_folder)).p);
}

int client_open(struct call *c, const struct client_options *options, struct client **out)
{
	struct client *client = calloc(1, sizeof(*client));
	if (!client)
		return call_no_memory(c);
	int rc = find_control(c, client, options->state_folder);
	if (rc == ERR_UNAVAILABLE && options->local) {
		err_clear(&c->err);
		client->local = options->local;
		rc = 0;
	} else if (rc == 0) {
		rc = guard_new_loopback(&client->guard, &c->err);
	}
	if (rc < 0) {
		client_close(client);
		return rc;
	}
	*out = client;
	return 0;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	guard_free(client->guard);
	arena_free(&client->arena);
	free(client);
}

bool client_is_remote(const struct client *client)
{
	return client->url.n > 0;
}

struct str client_url(const struct client *client)
{
	return client->url;
}

struct str client_escape(struct arena *a, struct str text)
{
	AUTO(buf) escaped = {0};
	url_encode(text, S(""), &escaped);
	return escaped.failed ? (struct str){0} : arena_str(a, buf_str(&escaped));
}

// ---------------------------------------------------------------- the answer, line by line
struct answer {
	const struct client_request *request;
	struct buf line;
	json_t *result;   // owned
	struct err error; // what the control plane said, as it said it
};

static int take_error(struct call *c, struct answer *a, const json_t *error)
{
	struct str name = json_str(error, "code"),
		   message = json_is_string(error) ? json_value_str(error) : json_str(error, "message");
	int code = err_code_of_name(name);
	call_fail(c, code ? code : ERR_PROTOCOL, "%.*s",
		STR(message.n ? message : S("the control plane gave no reason")));
	c->err.retryable = json_flag(error, "retryable", false);
	a->error = c->err;
	return c->err.code;
}

static int take_line(struct call *c, struct answer *a, struct str line)
{
	if (str_trim(line).n == 0)
		return 0; // keeps the connection alive
	AUTO(json) value = NULL;
	int rc = json_parse(line, &value, &c->err);
	if (rc < 0)
		return call_context(c, "answer of the control plane");
	const json_t *error = json_object_get(value, "error"), *result = json_object_get(value, "result");
	if (error)
		return take_error(c, a, error);
	if (result) {
		json_decref(a->result);
		a->result = json_incref((json_t *)(uintptr_t)result);
	} else if (a->request->on_event) {
		a->request->on_event(a->request->ctx, value);
	}
	return 0;
}

static int on_body(struct call *c, void *ctx, struct str piece)
{
	struct answer *a = ctx;
	struct str head, tail;
	while (str_cut(piece, '\n', &head, &tail)) {
		buf_add(&a->line, head);
		int rc = buf_check(&a->line, &c->err);
		if (rc == 0)
			rc = take_line(c, a, buf_str(&a->line));
		if (rc < 0)
			return rc;
		buf_clear(&a->line);
		piece = tail;
	}
	buf_add(&a->line, piece);
	return buf_check(&a->line, &c->err);
}

static int finish(struct call *c, struct answer *a, int status, json_t **result)
{
	int rc =
		a->line.n ? take_line(c, a, buf_str(&a->line)) : 0; // an answer of a proxy, or of an old release: no LF
	if (rc < 0)
		return rc;
	if (!a->result)
		return call_fail(c, ERR_PROTOCOL, "the control plane answered status %d without a result", status);
	*result = a->result;
	a->result = NULL;
	return 0;
}

static int call_remote(struct call *c, struct client *client, const struct client_request *request, json_t **result)
{
	AUTO(buf) body = {0};
	if (request->body && json_write(request->body, &body, &c->err) < 0)
		return c->err.code;
	const struct http_header headers[] = {
		{.name = S("authorization"), .value = client->authorization},
		HTTP_HEADER("accept", "application/x-ndjson"),
		HTTP_HEADER("content-type", "application/json"),
	};
	struct answer answer = {.request = request, .line = {.limit = LINE_LIMIT}};
	struct http_call_request r = {
		.method = str_of(request->method),
		.url = arena_printf(c->arena, "%.*s%s", STR(client->url), request->path),
		.headers = headers,
		.header_count = COUNT_OF(headers),
		.body = buf_str(&body),
		.guard = client->guard,
		.total_ns = CALL_TIMEOUT_S * NS_PER_S,
		.on_body = on_body,
		.on_body_ctx = &answer,
	};
	struct http_call_response response = {0};
	int rc = http_call(c, &r, &response);
	if (rc == 0)
		rc = finish(c, &answer, response.status, result);
	if (answer.error.code)
		c->err = answer.error; // without the address of the API before it
	buf_free(&answer.line);
	json_decref(answer.result);
	return rc;
}

int client_call(struct call *c, struct client *client, const struct client_request *request, json_t **result)
{
	if (client->local)
		return client->local->dispatch(c, client->local->ctx, request, result);
	return call_remote(c, client, request, result);
}
