// SPDX-License-Identifier: Apache-2.0
// See script_server.h.
#include "script_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_REQUESTS = 192, MOST_BYTES = 64 << 20, MOST_CONNECTIONS = 32 };

struct script_server {
	const struct script_step *steps;
	size_t count;
	int listener, stop[2];
	int port;
	char url[64];
	pthread_t thread;
	pthread_mutex_t lock;
	struct script_request requests[MOST_REQUESTS];
	size_t served;
	bool held;
	struct pollfd fds[MOST_CONNECTIONS + 2]; // stop, listener, connections
	size_t fd_count;
	struct buf in[MOST_CONNECTIONS + 2];
};

static struct str header_of(struct str headers, const char *name)
{
	struct str line;
	while (str_next(&headers, '\n', &line)) {
		struct str key, value;
		if (str_cut(line, ':', &key, &value) && str_eq_nocase(key, str_of(name)))
			return str_trim(value);
	}
	return S("");
}

static bool send_all(int fd, struct str data)
{
	while (data.n) {
		ssize_t n = send(fd, data.p, data.n, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		data = str_drop(data, (size_t)n);
	}
	return true;
}

static bool answer(struct script_server *s, int fd, const struct script_request *request, size_t number)
{
	static const struct script_step over = {.status = 500, .headers = "x-script: over\r\n"};
	const struct script_step *step = number < s->count ? &s->steps[number] : &over;
	AUTO(buf) head = {0};
	if (step->fault == SCRIPT_CLOSE)
		return false;
	buf_printf(&head, "HTTP/1.1 %d Scripted\r\n%sContent-Length: %zu\r\n\r\n", step->status,
		step->headers ? step->headers : "", step->body.n);
	if (step->fault == SCRIPT_TWICE) {
		buf_add(&head, step->body);
		AUTO(buf) both = {0};
		buf_add(&both, buf_str(&head));
		buf_add(&both, buf_str(&head));
		return send_all(fd, buf_str(&both));
	}
	if (step->fault == SCRIPT_HEAD)
		head.n -= 8; // within "Content-Length: N"
	if (!send_all(fd, buf_str(&head)) || step->fault == SCRIPT_HEAD)
		return false;
	if (str_eq(buf_str(&request->method), S("HEAD")) || step->status == 204)
		return true;
	if (step->fault == SCRIPT_CUT) {
		send_all(fd, str_take(step->body, step->body.n / 2));
		return false;
	}
	return send_all(fd, step->body);
}

static void keep(struct script_request *r, struct str head, struct str body)
{
	struct str line, method, rest, target;
	str_cut(head, '\n', &line, &head);
	str_cut(str_trim(line), ' ', &method, &rest);
	str_cut(rest, ' ', &target, &rest);
	buf_add(&r->method, method);
	buf_add(&r->target, target);
	buf_add(&r->headers, head);
	buf_add(&r->body, body);
}

// One whole request in the buffer is kept and answered; false ends the connection.
static bool serve(struct script_server *s, int fd, struct buf *in, bool *more)
{
	struct str all = buf_str(in);
	ptrdiff_t end = str_find(all, S("\r\n\r\n"));
	uint64_t length = 0;
	*more = false;
	if (end < 0)
		return in->n < MOST_BYTES;
	struct str head = str_take(all, (size_t)end + 2);
	if (header_of(head, "content-length").n && str_to_u64(header_of(head, "content-length"), &length))
		return false;
	size_t whole = head.n + 2 + (size_t)length;
	pthread_mutex_lock(&s->lock);
	bool held = s->held;
	pthread_mutex_unlock(&s->lock);
	if (all.n < whole || held)
		return true;
	struct script_request unkept = {0};
	pthread_mutex_lock(&s->lock);
	size_t number = s->served++;
	struct script_request *r = number < MOST_REQUESTS ? &s->requests[number] : &unkept;
	keep(r, head, str_take(str_drop(all, head.n + 2), (size_t)length));
	pthread_mutex_unlock(&s->lock);
	bool alive = answer(s, fd, r, number);
	buf_drop(in, whole);
	*more = alive;
	return alive;
}

static bool receive(struct script_server *s, size_t i)
{
	char bytes[65536];
	ssize_t n = recv(s->fds[i].fd, bytes, sizeof(bytes), 0);
	if (n <= 0)
		return false;
	buf_add_bytes(&s->in[i], bytes, (size_t)n);
	bool more = true, alive = true;
	while (alive && more)
		alive = serve(s, s->fds[i].fd, &s->in[i], &more);
	return alive;
}

static void drop(struct script_server *s, size_t i)
{
	shutdown(s->fds[i].fd, SHUT_RDWR);
	close(s->fds[i].fd);
	buf_free(&s->in[i]);
	s->fd_count--;
	s->fds[i] = s->fds[s->fd_count];
	s->in[i] = s->in[s->fd_count];
	s->in[s->fd_count] = (struct buf){0};
}

static void *run(void *ctx)
{
	struct script_server *s = ctx;
	while (poll(s->fds, s->fd_count, -1) >= 0 && !s->fds[0].revents) {
		for (size_t i = s->fd_count; i-- > 2;) {
			if (s->fds[i].revents && !receive(s, i))
				drop(s, i);
		}
		if (s->fds[1].revents && s->fd_count < MOST_CONNECTIONS + 2) {
			int fd = accept(s->listener, NULL, NULL);
			int now = 1; // answers are sent in two pieces
			if (fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof(now)) == 0)
				s->fds[s->fd_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
		}
	}
	while (s->fd_count > 2)
		drop(s, s->fd_count - 1);
	return NULL;
}

static bool listen_somewhere(struct script_server *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&at, size) || listen(s->listener, 16) ||
		getsockname(s->listener, (struct sockaddr *)&at, &size) || pipe(s->stop))
		return false;
	s->port = ntohs(at.sin_port);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", s->port);
	return true;
}

struct script_server *script_server_start(const struct script_step *steps, size_t count)
{
	struct script_server *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->steps = steps;
	s->count = count;
	pthread_mutex_init(&s->lock, NULL);
	if (!listen_somewhere(s)) {
		free(s);
		return NULL;
	}
	s->fds[0] = (struct pollfd){.fd = s->stop[0], .events = POLLIN};
	s->fds[1] = (struct pollfd){.fd = s->listener, .events = POLLIN};
	s->fd_count = 2;
	if (pthread_create(&s->thread, NULL, run, s)) {
		free(s);
		return NULL;
	}
	return s;
}

int script_server_port(const struct script_server *s)
{
	return s->port;
}

const char *script_server_url(const struct script_server *s)
{
	return s->url;
}

size_t script_server_served(struct script_server *s)
{
	pthread_mutex_lock(&s->lock);
	size_t served = s->served;
	pthread_mutex_unlock(&s->lock);
	return served;
}

const struct script_request *script_server_request(struct script_server *s, size_t i)
{
	static const struct script_request none = {0};
	return i < script_server_served(s) && i < MOST_REQUESTS ? &s->requests[i] : &none;
}

struct str script_server_header(struct script_server *s, size_t i, const char *name)
{
	return header_of(buf_str(&script_server_request(s, i)->headers), name);
}

void script_server_hold(struct script_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->held = true;
	pthread_mutex_unlock(&s->lock);
}

void script_server_stop(struct script_server *s)
{
	if (!s)
		return;
	if (write(s->stop[1], "x", 1) == 1)
		pthread_join(s->thread, NULL);
	close(s->stop[0]);
	close(s->stop[1]);
	close(s->listener);
	for (size_t i = 0; i < MOST_REQUESTS; i++) {
		buf_free(&s->requests[i].method);
		buf_free(&s->requests[i].target);
		buf_free(&s->requests[i].headers);
		buf_free(&s->requests[i].body);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}
