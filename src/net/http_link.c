// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP client: see http_client_impl.h. The guard is asked about each address before it is
// dialled; the address of a connection never changes afterwards.
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "net/http_client_impl.h"
#include "net/tls_impl.h"

#define ADDRESS_CACHE_NS (30 * NS_PER_S) // c-ares 1.18 does not tell the name's own time to live

void link_break(struct http_link *l, int code, const char *what)
{
	if (l->state != LINK_BROKEN)
		err_set(&l->err, code, "%s: %s", l->origin->text, what);
	l->state = LINK_BROKEN;
}

static void link_ready(struct loop_io *io, unsigned events)
{
	struct http_link *l = CONTAINER_OF(io, struct http_link, io);
	if (!l->fetch) { // an idle link has nothing to say but goodbye; data nobody asked for counts the same
		origin_drop_idle(l);
		return;
	}
	l->readable = l->readable || events & (LOOP_READ | LOOP_HANGUP) || l->stream.read_wants_write;
	if (l->state != LINK_OPEN)
		link_connect_step(l);
	fetch_advance(l->fetch);
}

void link_watch(struct http_link *l, unsigned events)
{
	if (l->stream.read_wants_write && events & LOOP_READ)
		events |= LOOP_WRITE;
	if (l->stream.write_wants_read && events & LOOP_WRITE)
		events = (events | LOOP_READ) & ~(unsigned)LOOP_WRITE;
	loop_io_set(l->client->options.loop, &l->io, events);
}

static void drop_socket(struct http_link *l)
{
	loop_io_remove(l->client->options.loop, &l->io);
	stream_close(&l->stream);
}

void link_destroy(struct http_link *l)
{
	dns_cancel(l->query);
	drop_socket(l);
	buf_free(&l->in);
	buf_free(&l->out);
	free(l);
}

void link_begin_tls(struct http_link *l)
{
	l->state = l->origin->url.https ? LINK_HANDSHAKE : LINK_OPEN;
	if (l->state == LINK_OPEN)
		return;
	struct err e = {0};
	l->stream.ssl = tls_connection(l->client->options.tls, l->stream.fd, false, l->origin->url.authority.host, &e);
	if (!l->stream.ssl)
		link_break(l, e.code, e.message);
	else
		link_connect_step(l);
}

static void begin_exchange(struct http_link *l)
{
	if (l->origin->via.used)
		tunnel_begin(l);
	else
		link_begin_tls(l);
}

static int check_address(const struct http_link *l, const struct address *a, struct err *e)
{
	const struct http_origin *o = l->origin;
	return o->via.used ? proxy_check_address(o->via_guard, &o->via, a, e)
			   : guard_check_address(l->client->options.guard, &o->url, a, e);
}

// Dials one address; false with the reason noted when that fails at once.
static bool dial(struct http_link *l, const struct address *a)
{
	struct loop *loop = l->client->options.loop;
	struct err e = {0};
	int on = 1;
	if (check_address(l, a, &e)) {
		l->err = e;
		return false;
	}
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		err_errno(&l->err, "%s: open a socket", l->origin->text);
		return false;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	l->stream.fd = fd;
	int done = connect(fd, &a->any, a->size);
	if ((done < 0 && errno != EINPROGRESS)) {
		err_errno(&l->err, "connect to %s", l->origin->text);
		drop_socket(l);
		return false;
	}
	if (loop_io_add(loop, &l->io, fd, LOOP_WRITE, &l->err)) {
		drop_socket(l);
		return false;
	}
	l->state = LINK_CONNECTING;
	if (done == 0)
		begin_exchange(l);
	return true;
}

static void dial_next(struct http_link *l)
{
	while (l->address_next < l->address_count)
		if (dial(l, &l->addresses[l->address_next++]))
			return;
	if (l->err.code == 0)
		err_set(&l->err, ERR_UNAVAILABLE, "connect to %s: no address", l->origin->text);
	l->state = LINK_BROKEN;
}

static void connected(struct http_link *l)
{
	int number = 0;
	socklen_t size = sizeof(number);
	getsockopt(l->stream.fd, SOL_SOCKET, SO_ERROR, &number, &size);
	if (number == 0) {
		begin_exchange(l);
		return;
	}
	errno = number;
	err_errno(&l->err, "connect to %s", l->origin->text);
	drop_socket(l);
	dial_next(l);
}

void link_connect_step(struct http_link *l)
{
	unsigned events = 0;
	if (l->state == LINK_CONNECTING) {
		connected(l);
		return;
	}
	if (l->state == LINK_TUNNEL)
		tunnel_step(l);
	if (l->state != LINK_HANDSHAKE)
		return;
	struct err e = {0};
	int result = stream_handshake(&l->stream, &events, &e);
	if (result == STREAM_AGAIN)
		loop_io_set(l->client->options.loop, &l->io, events);
	else if (result == 0)
		l->state = LINK_OPEN;
	else
		link_break(l, e.code, e.message);
}

static void use_addresses(struct http_link *l)
{
	const struct http_origin *o = l->origin;
	memcpy(l->addresses, o->addresses, sizeof(l->addresses));
	l->address_count = o->address_count;
	dial_next(l);
}

static void name_resolved(void *ctx, const struct address *addresses, size_t count, const struct err *e)
{
	struct http_link *l = ctx;
	struct http_origin *o = l->origin;
	l->query = NULL;
	if (count == 0) {
		l->err = *e;
		l->state = LINK_BROKEN;
	} else {
		memcpy(o->addresses, addresses, count * sizeof(*addresses));
		o->address_count = count;
		o->resolved_ns = loop_now_ns(l->client->options.loop);
		use_addresses(l);
	}
	fetch_advance(l->fetch);
}

struct http_link *link_open(struct http_fetch *f, struct err *e)
{
	struct http_origin *o = f->request.origin;
	struct http_link *l = calloc(1, sizeof(*l));
	if (!l) {
		err_set(e, ERR_NO_MEMORY, "out of memory for a connection");
		return NULL;
	}
	l->client = f->client;
	l->origin = o;
	l->fetch = f;
	l->stream.fd = -1;
	l->io.ready = link_ready;
	const struct url *first = o->via.used ? &o->via.url : &o->url; // whom the connection is made to
	bool literal = first->authority.type != URL_HOST_NAME;
	bool fresh = o->address_count && loop_now_ns(f->client->options.loop) - o->resolved_ns < ADDRESS_CACHE_NS;
	if (literal && o->address_count == 0)
		o->address_count = address_of_literal(first->authority.host, first->port, &o->addresses[0]) == 0;
	if (literal || fresh) {
		use_addresses(l);
		return l;
	}
	const struct dns_question question = {first->authority.host, first->port, name_resolved, l};
	if (dns_resolve(f->client->dns, &question, &l->query, e)) {
		free(l);
		return NULL;
	}
	return l;
}

bool link_pending(const struct http_link *l)
{
	return l->out_sent < l->out.n || l->tail.n;
}

void link_flush(struct http_link *l, uint64_t *sent)
{
	while (l->state == LINK_OPEN && link_pending(l)) {
		struct iovec pieces[2];
		int count = 0;
		if (l->out_sent < l->out.n)
			pieces[count++] = (struct iovec){l->out.p + l->out_sent, l->out.n - l->out_sent};
		if (l->tail.n)
			pieces[count++] = (struct iovec){(void *)(uintptr_t)l->tail.p, l->tail.n};
		ssize_t n = stream_write(&l->stream, pieces, count);
		if (n == STREAM_AGAIN)
			break;
		if (n < 0) {
			// Its last words may still be read: an early answer explains more than a broken pipe does.
			l->out_sent = l->out.n;
			l->tail = (struct str){0};
			l->readable = true;
			break;
		}
		*sent += (uint64_t)n;
		size_t of_out = MIN((size_t)n, l->out.n - l->out_sent);
		l->out_sent += of_out;
		l->tail = str_drop(l->tail, (size_t)n - of_out);
	}
	if (l->out_sent == l->out.n) {
		buf_clear(&l->out);
		l->out_sent = 0;
	}
}

ssize_t link_read(struct http_link *l, struct str *fresh)
{
	ssize_t n = stream_read(&l->stream, l->client->input, sizeof(l->client->input));
	if (n == STREAM_AGAIN || (n > 0 && !l->stream.ssl && (size_t)n < sizeof(l->client->input)))
		l->readable = false;
	*fresh = (struct str){l->client->input, n > 0 ? (size_t)n : 0};
	return n;
}
