// SPDX-License-Identifier: Apache-2.0
// The HTTP server's listening side: see http_server.h; how a connection works is in http_connection.c.
#include "net/http_server.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "net/http_server_impl.h"

enum { ACCEPT_BATCH = 64 };
#define ACCEPT_PAUSE_NS (100 * NS_PER_MS) // when descriptors ran out

static void default_limits(struct http_server_limits *l)
{
	if (!l->http1.head_bytes)
		l->http1 = http1_default_limits;
	l->body_bytes = l->body_bytes ? l->body_bytes : UINT64_C(1) << 30;
	l->connections = l->connections ? l->connections : 1024;
	l->write_buffer = l->write_buffer ? l->write_buffer : 256 << 10;
	l->head_ns = l->head_ns ? l->head_ns : 10 * NS_PER_S;
	l->body_ns = l->body_ns ? l->body_ns : 30 * NS_PER_S;
	l->write_ns = l->write_ns ? l->write_ns : 30 * NS_PER_S;
	l->idle_ns = l->idle_ns ? l->idle_ns : 60 * NS_PER_S;
	l->arena_bytes = l->arena_bytes ? l->arena_bytes : 64 << 20;
}

static void adjust_accepting(struct http_server *s)
{
	bool open = !s->draining && s->count < s->limits.connections && s->retry.slot == 0;
	loop_io_set(s->options.loop, &s->listener, open ? LOOP_READ : 0);
}

static void accept_ready(struct loop_io *io, unsigned events)
{
	struct http_server *s = CONTAINER_OF(io, struct http_server, listener);
	(void)events;
	for (int i = 0; i < ACCEPT_BATCH && s->count < s->limits.connections && !s->draining; i++) {
		struct address peer = {.size = sizeof(peer.v6)};
		int fd = accept4(io->fd, &peer.any, &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
			if (exhausted && loop_timer_set(s->options.loop, &s->retry,
						 loop_now_ns(s->options.loop) + ACCEPT_PAUSE_NS))
				return;
			break;
		}
		int on = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		connection_begin(s, fd, &peer);
	}
	adjust_accepting(s);
}

static void finish_drain(struct loop_task *t)
{
	struct http_server *s = CONTAINER_OF(t, struct http_server, drained_task);
	void (*drained)(void *ctx) = s->drained;
	s->drained = NULL;
	if (drained)
		drained(s->drained_ctx);
}

static void cut_all(struct http_server *s)
{
	while (s->connections)
		connection_destroy(s->connections);
}

// Two uses that exclude each other: accepting again after a pause, and the end of the grace.
static void retry_fire(struct loop_timer *t)
{
	struct http_server *s = CONTAINER_OF(t, struct http_server, retry);
	if (s->draining)
		cut_all(s);
	else
		adjust_accepting(s);
}

void server_forget(struct http_connection *c)
{
	struct http_server *s = c->server;
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	s->count--;
	if (s->draining && s->count == 0) {
		loop_timer_clear(s->options.loop, &s->retry);
		loop_later(s->options.loop, &s->drained_task);
	}
	if (!s->draining)
		adjust_accepting(s);
}

static int listen_at(struct http_server *s, struct err *e)
{
	struct address address;
	int code = address_parse(s->options.listen, &address, e);
	if (code)
		return code;
	int fd = address_listen(&address, s->options.reuse_port, &s->bound, e);
	if (fd < 0)
		return fd;
	s->listener.ready = accept_ready;
	code = loop_io_add(s->options.loop, &s->listener, fd, LOOP_READ, e);
	if (code)
		close(fd);
	return code;
}

int http_server_new(const struct http_server_options *o, struct http_server **out, struct err *e)
{
	struct http_server *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, ERR_NO_MEMORY, "out of memory for an HTTP server");
	s->options = *o;
	s->limits = o->limits;
	default_limits(&s->limits);
	s->retry.fire = retry_fire;
	s->drained_task.run = finish_drain;
	s->options.listen = o->listen;
	int code = listen_at(s, e);
	s->options.listen = (struct str){0}; // borrowed only for this call
	if (code) {
		free(s);
		return code;
	}
	char text[ADDRESS_TEXT_SIZE];
	address_text(&s->bound, text);
	snprintf(s->url, sizeof(s->url), "%s://%s", o->tls ? "https" : "http", text);
	*out = s;
	return 0;
}

static void stop_listening(struct http_server *s)
{
	if (!s->listener.added)
		return;
	loop_io_remove(s->options.loop, &s->listener);
	close(s->listener.fd);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	stop_listening(s);
	s->draining = true;
	s->drained = NULL;
	cut_all(s);
	loop_timer_clear(s->options.loop, &s->retry);
	loop_later_cancel(s->options.loop, &s->drained_task);
	free(s);
}

uint16_t http_server_port(const struct http_server *s)
{
	return address_port(&s->bound);
}

const char *http_server_url(const struct http_server *s)
{
	return s->url;
}

size_t http_server_connections(const struct http_server *s)
{
	return s->count;
}

void http_server_drain(struct http_server *s, int64_t grace_ns, void (*drained)(void *ctx), void *ctx)
{
	if (s->draining)
		return;
	s->draining = true;
	s->drained = drained;
	s->drained_ctx = ctx;
	stop_listening(s);
	loop_timer_clear(s->options.loop, &s->retry);
	if (s->count == 0)
		loop_later(s->options.loop, &s->drained_task);
	else if (loop_timer_set(s->options.loop, &s->retry, loop_now_ns(s->options.loop) + grace_ns))
		cut_all(s); // without memory for a timer there is no grace
	for (struct http_connection *c = s->connections; c; c = c->next)
		connection_finish_soon(c);
}

const char *server_date(struct http_server *s)
{
	int64_t now_s = loop_now_ns(s->options.loop) / NS_PER_S;
	if (s->date[0] && s->date_s == now_s)
		return s->date;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	char text[TIME_TEXT_SIZE];
	time_http_date((int64_t)now.tv_sec * NS_PER_S, text);
	snprintf(s->date, sizeof(s->date), "%s", text);
	s->date_s = now_s;
	return s->date;
}
