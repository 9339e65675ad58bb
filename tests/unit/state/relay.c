// SPDX-License-Identifier: Apache-2.0
// See relay.h. One thread, one poll loop, few connections.
#include "relay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAIRS = 16, PIECE = 65536 };

struct pair {
	int client, server; // -1: free
	bool cut_answer;    // close when the server answers
};

static void close_pair(struct pair *p)
{
	close(p->client);
	close(p->server);
	*p = (struct pair){.client = -1, .server = -1};
}

static void accept_one(struct relay *r, struct pair *pairs)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int client = accept(r->listener, NULL, NULL);
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(at.sun_path, r->target, strlen(r->target) + 1);
	for (int i = 0; i < PAIRS && client >= 0; i++) {
		if (pairs[i].client >= 0)
			continue;
		if (connect(server, (struct sockaddr *)&at, sizeof(at)) < 0)
			break;
		pairs[i] = (struct pair){.client = client, .server = server};
		return;
	}
	close(client);
	close(server);
}

static bool send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static void from_client(struct relay *r, struct pair *p)
{
	char piece[PIECE];
	ssize_t n = recv(p->client, piece, sizeof(piece), 0);
	bool commit = n > 0 && memmem(piece, (size_t)n, "COMMIT", 7); // with the NUL that ends it
	int cut = commit ? atomic_exchange(&r->cut, RELAY_WHOLE) : RELAY_WHOLE;
	if (cut != RELAY_WHOLE)
		atomic_fetch_add(&r->cuts, 1);
	p->cut_answer = cut == RELAY_AFTER_COMMIT;
	if (n <= 0 || cut == RELAY_BEFORE_COMMIT || !send_all(p->server, piece, (size_t)n))
		close_pair(p);
}

static void from_server(struct pair *p)
{
	char piece[PIECE];
	ssize_t n = recv(p->server, piece, sizeof(piece), 0);
	if (n <= 0 || p->cut_answer || !send_all(p->client, piece, (size_t)n))
		close_pair(p);
}

static void *relay_run(void *ctx)
{
	struct relay *r = ctx;
	struct pair pairs[PAIRS];
	for (int i = 0; i < PAIRS; i++)
		pairs[i] = (struct pair){.client = -1, .server = -1};
	while (!atomic_load(&r->stop)) {
		struct pollfd waits[1 + 2 * PAIRS] = {{.fd = r->listener, .events = POLLIN}};
		for (int i = 0; i < PAIRS; i++) {
			waits[1 + 2 * i] = (struct pollfd){.fd = pairs[i].client, .events = POLLIN};
			waits[2 + 2 * i] = (struct pollfd){.fd = pairs[i].server, .events = POLLIN};
		}
		poll(waits, 1 + 2 * PAIRS, 20);
		for (int i = 0; i < PAIRS; i++) {
			if (waits[1 + 2 * i].revents && pairs[i].client >= 0)
				from_client(r, &pairs[i]);
			if (waits[2 + 2 * i].revents && pairs[i].server >= 0)
				from_server(&pairs[i]);
		}
		if (waits[0].revents)
			accept_one(r, pairs);
	}
	for (int i = 0; i < PAIRS; i++)
		if (pairs[i].client >= 0)
			close_pair(&pairs[i]);
	return NULL;
}

int relay_start(struct relay *r)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	r->listener = socket(AF_INET, SOCK_STREAM, 0);
	if (r->listener < 0 || bind(r->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
		listen(r->listener, PAIRS) < 0 || getsockname(r->listener, (struct sockaddr *)&at, &size) < 0)
		return -1;
	r->port = ntohs(at.sin_port);
	return pthread_create(&r->thread, NULL, relay_run, r) == 0 ? 0 : -1;
}

void relay_stop(struct relay *r)
{
	atomic_store(&r->stop, true);
	pthread_join(r->thread, NULL);
	close(r->listener);
}
