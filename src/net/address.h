// SPDX-License-Identifier: Apache-2.0
// Socket addresses and listening sockets. Literals only: names are net/dns.h's. Thread-safe.
#ifndef ISOBAR_NET_ADDRESS_H
#define ISOBAR_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

enum { ADDRESS_TEXT_SIZE = 64 };

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t size;
};

// "127.0.0.1" or "::1" (no brackets), no name; ERR_INVALID.
MUST_CHECK int address_of_literal(struct str host, uint16_t port, struct address *out);
// "127.0.0.1:8443", "[::1]:0", "localhost:80" (127.0.0.1); ERR_INVALID.
MUST_CHECK int address_parse(struct str text, struct address *out, struct err *e);
void address_text(const struct address *a, char out[ADDRESS_TEXT_SIZE]); // "127.0.0.1:8443", "[::1]:8443"
uint16_t address_port(const struct address *a);
bool address_is_loopback(const struct address *a); // 127/8, ::1, also as IPv4-mapped
// A listening, non-blocking, close-on-exec socket; *bound is what it got (port 0: a free one). ERR_IN_USE says which
// address. reuse_port lets several loops share one port (SO_REUSEPORT).
MUST_CHECK int address_listen(const struct address *a, bool reuse_port, struct address *bound, struct err *e);

#endif
