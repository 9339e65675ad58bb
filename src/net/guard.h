// SPDX-License-Identifier: Apache-2.0
// THE outbound guard: a program calls no host that was not allowed. Everything that opens a connection asks it twice:
// with the URL before resolving, and with the resolved address, which is then pinned for the connection (so that a name
// cannot be moved in between). Nobody who uses it follows redirects. Refusals are ERR_DENIED. Immutable after
// guard_new(): thread-safe.
//
// Rules: plain http only to loopback and to the literal addresses of clouds' metadata services. Loopback addresses only for literals and "localhost". Link-local (cloud
// metadata), multicast and unspecified addresses only when the pattern is that very literal. Private ranges not for
// wildcard patterns.
#ifndef ISOBAR_NET_GUARD_H
#define ISOBAR_NET_GUARD_H

#include "net/address.h"
#include "net/url.h"

struct guard;
// Patterns: "host:port", "host:*", "*.domain:port" (one or more labels before it), "[::1]:8080". ERR_INVALID names the
// wrong one.
MUST_CHECK int guard_new(const struct str *patterns, size_t count, struct guard **out, struct err *e);
// Only loopback, any port: what pocket clouds and everything on this machine need.
MUST_CHECK int guard_new_loopback(struct guard **out, struct err *e);
#define AUTO_TYPE_guard struct guard *
void guard_free(struct guard *g);
static inline void guard_autofree(struct guard **g)
{
	guard_free(*g);
}
MUST_CHECK int guard_check_url(const struct guard *g, const struct url *u, struct err *e);
MUST_CHECK int guard_check_address(const struct guard *g, const struct url *u, const struct address *a, struct err *e);

#endif
