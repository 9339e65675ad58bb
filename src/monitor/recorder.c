// SPDX-License-Identifier: Apache-2.0
// The recorder: see recorder.h. Messages are few and small, so each is written as it comes.
#include "monitor/recorder.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/edges.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "net/http_server.h"

enum { MESSAGE_LIMIT = 1 << 20 };

struct recorder {
	struct loop *loop;
	struct http_server *http;
	pthread_t thread;
	int fd;
};

static json_t *record_of(const struct http_exchange *x, struct str body)
{
	char at[TIME_TEXT_SIZE];
	json_t *parsed = NULL, *record = json_object();
	int64_t now_ns = edges_real()->wall_ns(edges_real()->ctx);
	time_rfc3339(now_ns, 3, at);
	json_object_set_new(record, "at", json_string(at));
	json_object_set_new(record, "at_ns", json_integer(now_ns));
	json_set_str(record, "path", x->request.path);
	if (json_parse(body, &parsed, NULL) == 0)
		json_object_set_new(record, "body", parsed);
	else
		json_object_set_new(record, "size", json_integer((json_int_t)body.n));
	return record;
}

static void record(struct http_exchange *x, struct str body)
{
	const struct recorder *r = x->ctx;
	AUTO(json) line = record_of(x, body);
	AUTO(buf) text = {0};
	struct err e = {0};
	int rc = json_write(line, &text, &e);
	buf_add_char(&text, '\n');
	if (rc == 0)
		rc = file_write_all(r->fd, buf_str(&text), "the recorder's file", &e);
	if (rc < 0)
		http_reply_error(x, 500, "%s", e.message);
	else
		http_reply_text(x, 200, "application/json", S("{}"));
}

static void begin(struct http_exchange *x)
{
	http_body_collect(x, MESSAGE_LIMIT, record);
}

static const struct http_service service = {.begin = begin};

static void *run(void *ctx)
{
	struct recorder *r = ctx;
	struct err e = {0};
	if (loop_run(r->loop, &e) < 0)
		log_err(LOG_ERROR, &e, "recorder");
	return NULL;
}

static int listen_at(struct recorder *r, const char *listen, struct err *e)
{
	struct http_server_options options = {.loop = r->loop, .service = &service, .ctx = r, .listen = str_of(listen)};
	int rc = http_server_new(&options, &r->http, e);
	if (rc != ERR_IN_USE)
		return rc;
	options.listen = S("127.0.0.1:0");
	return http_server_new(&options, &r->http, e);
}

int recorder_start(const char *listen, const char *file, struct recorder **out, struct err *e)
{
	struct recorder *r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	r->fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = r->fd < 0 ? err_errno(e, "opening %s", file) : loop_new(&r->loop, e);
	if (rc == 0)
		rc = listen_at(r, listen, e);
	if (rc == 0 && pthread_create(&r->thread, NULL, run, r) != 0)
		rc = err_set(e, ERR_LIMIT, "starting the recorder's thread");
	if (rc == 0) {
		*out = r;
		return 0;
	}
	http_server_free(r->http);
	loop_free(r->loop);
	fd_close(&r->fd);
	free(r);
	return rc;
}

const char *recorder_url(const struct recorder *r)
{
	return http_server_url(r->http);
}

void recorder_stop(struct recorder *r)
{
	if (!r)
		return;
	loop_stop(r->loop);
	pthread_join(r->thread, NULL);
	http_server_free(r->http);
	loop_free(r->loop);
	fd_close(&r->fd);
	free(r);
}
