// SPDX-License-Identifier: Apache-2.0
// Socket addresses: see address.h.
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/url.h"

int address_of_literal(struct str host, uint16_t port, struct address *out)
{
	char text[INET6_ADDRSTRLEN];
	struct address a;
	memset(&a, 0, sizeof(a));
	if (!str_copy(text, sizeof(text), host))
		return ERR_INVALID;
	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(port);
		a.size = sizeof(a.v4);
	} else if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) == 1) {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(port);
		a.size = sizeof(a.v6);
	} else {
		return ERR_INVALID;
	}
	*out = a;
	return 0;
}

int address_parse(struct str text, struct address *out, struct err *e)
{
	struct url_authority authority;
	bool any_port = str_ends(text, S(":0")); // the one port that no URL may hold
	struct str plain = any_port ? str_take(text, text.n - 2) : text;
	if (url_parse_authority(plain, &authority, e) || (authority.port == 0 && !any_port))
		return err_set(e, ERR_INVALID, "\"%.*s\" is not ADDRESS:PORT, such as 127.0.0.1:8443",
			STR(str_take(text, 100)));
	struct str host = str_eq_nocase(authority.host, S("localhost")) ? S("127.0.0.1") : authority.host;
	if (address_of_literal(host, authority.port, out))
		return err_set(e, ERR_INVALID, "\"%.*s\" is not an IP address (names are not resolved here)",
			STR(str_take(text, 100)));
	return 0;
}

uint16_t address_port(const struct address *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void address_text(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN] = "?";
	bool v6 = a->any.sa_family == AF_INET6;
	inet_ntop(a->any.sa_family, v6 ? (const void *)&a->v6.sin6_addr : (const void *)&a->v4.sin_addr, host,
		sizeof(host));
	snprintf(out, ADDRESS_TEXT_SIZE, v6 ? "[%s]:%u" : "%s:%u", host, (unsigned)address_port(a));
}

bool address_is_loopback(const struct address *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	const struct in6_addr *v6 = &a->v6.sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

int address_listen(const struct address *a, bool reuse_port, struct address *bound, struct err *e)
{
	char text[ADDRESS_TEXT_SIZE];
	int on = 1;
	address_text(a, text);
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(e, "open a socket for %s", text);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (reuse_port)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	bound->size = sizeof(bound->v6);
	if (bind(fd, &a->any, a->size) < 0 || listen(fd, 1024) < 0 || getsockname(fd, &bound->any, &bound->size) < 0) {
		int number = errno;
		close(fd);
		if (number == EADDRINUSE)
			return err_set(e, ERR_IN_USE,
				"cannot listen on %s: another process has this port (use port 0 for a free one)", text);
		errno = number;
		return err_errno(e, "cannot listen on %s", text);
	}
	return fd;
}
