// SPDX-License-Identifier: Apache-2.0
// Names to addresses by c-ares on the loop: see dns.h.
#include "net/dns.h"

#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

enum { DNS_SOCKETS = 16 };

struct dns_socket {
	struct dns *dns; // NULL: free
	struct loop_io io;
};
struct dns {
	struct loop *loop;
	ares_channel channel;
	bool ready; // the channel is set up
	struct dns_socket sockets[DNS_SOCKETS];
	struct loop_timer timer;
	struct dns_query *queries;
	bool ending;
};
struct dns_query {
	struct dns *dns;
	struct dns_query *next, **link;
	dns_answer *answer; // NULL: cancelled
	void *ctx;
	struct address addresses[DNS_MAX_ADDRESSES];
	size_t count;
	struct err err;
	uint16_t port;
	char host[256];
	struct loop_task task; // the answer is given from the loop, never from inside dns_resolve()
	bool in_ares;          // c-ares still holds it
};

static void forget(struct dns_query *q)
{
	*q->link = q->next;
	if (q->next)
		q->next->link = q->link;
	free(q);
}

static void give_answer(struct loop_task *t)
{
	struct dns_query *q = CONTAINER_OF(t, struct dns_query, task);
	if (q->answer)
		q->answer(q->ctx, q->addresses, q->count, &q->err);
	forget(q);
}

static void renew_timer(struct dns *d)
{
	struct timeval max = {.tv_sec = 1}, left;
	const struct timeval *wait = ares_timeout(d->channel, &max, &left);
	int64_t ns = wait->tv_sec * NS_PER_S + wait->tv_usec * INT64_C(1000);
	bool busy = false;
	for (const struct dns_query *q = d->queries; q; q = q->next)
		busy = busy || q->in_ares;
	// Without memory for the timer, the answer or the caller's own deadline still ends the wait.
	if (busy && loop_timer_set(d->loop, &d->timer, loop_now_ns(d->loop) + ns + NS_PER_MS))
		return;
}

static void timer_fire(struct loop_timer *t)
{
	struct dns *d = CONTAINER_OF(t, struct dns, timer);
	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	renew_timer(d);
}

static void socket_ready(struct loop_io *io, unsigned events)
{
	struct dns_socket *s = CONTAINER_OF(io, struct dns_socket, io);
	struct dns *d = s->dns;
	bool readable = events & (LOOP_READ | LOOP_HANGUP), writable = events & LOOP_WRITE;
	ares_process_fd(d->channel, readable ? io->fd : ARES_SOCKET_BAD, writable ? io->fd : ARES_SOCKET_BAD);
	renew_timer(d);
}

static struct dns_socket *find_socket(struct dns *d, int fd)
{
	struct dns_socket *unused = NULL;
	for (size_t i = 0; i < DNS_SOCKETS; i++) {
		if (d->sockets[i].dns && d->sockets[i].io.fd == fd)
			return &d->sockets[i];
		if (!d->sockets[i].dns)
			unused = &d->sockets[i];
	}
	return unused;
}

// c-ares tells which descriptors it waits for. One that does not fit is not watched: its query times out.
static void socket_changed(void *ctx, ares_socket_t fd, int readable, int writable)
{
	struct dns *d = ctx;
	struct dns_socket *s = find_socket(d, fd);
	unsigned events = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
	if (!s)
		return;
	if (!events) {
		loop_io_remove(d->loop, &s->io);
		s->dns = NULL;
	} else if (s->dns) {
		loop_io_set(d->loop, &s->io, events);
	} else {
		s->io.ready = socket_ready;
		if (loop_io_add(d->loop, &s->io, fd, events, NULL) == 0)
			s->dns = d;
	}
}

int dns_new(struct loop *l, struct dns **out, struct err *e)
{
	struct dns *d = calloc(1, sizeof(*d));
	if (!d)
		return err_set(e, ERR_NO_MEMORY, "out of memory for the resolver");
	d->loop = l;
	d->timer.fire = timer_fire;
	*out = d;
	return 0;
}

void dns_free(struct dns *d)
{
	if (!d)
		return;
	d->ending = true;
	for (struct dns_query *q = d->queries; q; q = q->next)
		q->answer = NULL;
	if (d->ready)
		ares_destroy(d->channel); // calls back for what is open
	while (d->queries) {
		loop_later_cancel(d->loop, &d->queries->task);
		forget(d->queries);
	}
	loop_timer_clear(d->loop, &d->timer);
	free(d);
}

static int set_up(struct dns *d, struct err *e)
{
	struct ares_options options = {
		.timeout = DNS_TIMEOUT_MS / 2, .tries = 2, .sock_state_cb = socket_changed, .sock_state_cb_data = d};
	if (d->ready)
		return 0;
	int status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS)
		status = ares_init_options(
			&d->channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS)
		return err_set(e, ERR_UNAVAILABLE, "set up the resolver: %s", ares_strerror(status));
	d->ready = true;
	return 0;
}

static void take_addresses(struct dns_query *q, const struct ares_addrinfo *info)
{
	for (const struct ares_addrinfo_node *n = info->nodes; n && q->count < DNS_MAX_ADDRESSES; n = n->ai_next) {
		struct address *a = &q->addresses[q->count];
		if (n->ai_addrlen > sizeof(a->v6) || (n->ai_family != AF_INET && n->ai_family != AF_INET6))
			continue;
		memcpy(&a->v6, n->ai_addr, n->ai_addrlen);
		a->size = n->ai_addrlen;
		if (n->ai_family == AF_INET)
			a->v4.sin_port = htons(q->port);
		else
			a->v6.sin6_port = htons(q->port);
		q->count++;
	}
}

static void resolved(void *ctx, int status, int timeouts, struct ares_addrinfo *info)
{
	struct dns_query *q = ctx;
	(void)timeouts;
	q->in_ares = false;
	if (status == ARES_SUCCESS)
		take_addresses(q, info);
	if (info)
		ares_freeaddrinfo(info);
	bool unknown = status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_SUCCESS;
	if (q->count == 0)
		err_set(&q->err, unknown ? ERR_NOT_FOUND : (status == ARES_ETIMEOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE),
			"resolve \"%s\": %s", q->host, status ? ares_strerror(status) : "no address");
	if (!q->dns->ending)
		loop_later(q->dns->loop, &q->task);
}

// Literals and the one name that never leaves the machine (RFC 6761).
static bool answer_at_once(struct dns_query *q, struct str host)
{
	if (str_eq_nocase(host, S("localhost"))) {
		q->count += address_of_literal(S("127.0.0.1"), q->port, &q->addresses[q->count]) == 0;
		q->count += address_of_literal(S("::1"), q->port, &q->addresses[q->count]) == 0;
	} else if (address_of_literal(host, q->port, &q->addresses[0]) == 0) {
		q->count = 1;
	}
	return q->count > 0;
}

static int ask(struct dns *d, struct dns_query *q, struct err *e)
{
	char service[8];
	struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NUMERICSERV};
	int code = set_up(d, e);
	if (code)
		return code;
	snprintf(service, sizeof(service), "%u", q->port);
	q->in_ares = true;
	ares_getaddrinfo(d->channel, q->host, service, &hints, resolved, q);
	renew_timer(d);
	return 0;
}

int dns_resolve(struct dns *d, const struct dns_question *question, struct dns_query **out, struct err *e)
{
	struct dns_query *q = calloc(1, sizeof(*q));
	if (!q)
		return err_set(e, ERR_NO_MEMORY, "out of memory for a name");
	*q = (struct dns_query){.dns = d,
		.answer = question->answer,
		.ctx = question->ctx,
		.port = question->port,
		.next = d->queries,
		.link = &d->queries};
	q->task.run = give_answer;
	if (q->next)
		q->next->link = &q->next;
	d->queries = q;
	if (!str_copy(q->host, sizeof(q->host), question->host)) {
		forget(q);
		return err_set(e, ERR_INVALID, "a host name of %zu bytes", question->host.n);
	}
	if (answer_at_once(q, question->host)) {
		loop_later(d->loop, &q->task);
	} else {
		int code = ask(d, q, e);
		if (code) {
			forget(q);
			return code;
		}
	}
	*out = q;
	return 0;
}

void dns_cancel(struct dns_query *q)
{
	if (!q)
		return;
	q->answer = NULL; // its end is reached as usual, and nobody is told
}
