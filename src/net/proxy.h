// SPDX-License-Identifier: Apache-2.0
// Which calls go through a proxy: HTTPS_PROXY, HTTP_PROXY and NO_PROXY as texts, from the environment or from the
// operator's file, and the decision for one URL. Loopback is always called directly. A proxy is reached by plain http
// and asked to tunnel (CONNECT, RFC 9110 9.3.6); others (https, SOCKS) are refused, never passed over. The outbound
// guard judges the target before a proxy is asked, and the proxy's own address in place of the target's. Pure but for
// reading the environment; thread-safe.
#ifndef ISOBAR_NET_PROXY_H
#define ISOBAR_NET_PROXY_H

#include "net/guard.h"

struct proxy_settings {   // borrowed texts, "": none
	struct str https; // proxy of https addresses: "http://proxy.example:3128", "proxy:3128", with USER:PASSWORD@
	struct str http;  // proxy of http addresses
	struct str no; // what goes directly, separated by commas: HOST (and below it), .DOMAIN, ADDRESS, NET/BITS, each
		       // also with :PORT, or *
};
// The variables in lower case come before those in upper case, as elsewhere. Borrowed from the environment.
void proxy_of_environment(struct proxy_settings *out);

struct proxy {
	struct url url;  // of the proxy, scheme http; parts borrowed from the settings
	struct str user; // "USER:PASSWORD", encoded as written; "": none. A secret
	bool used;       // false: call directly
	struct str text; // as written, with user: what libcurl is told
};
// How to reach `target`. ERR_UNSUPPORTED for a proxy of another sort, ERR_INVALID for one that cannot be read; both
// name the variable and never the password.
MUST_CHECK int proxy_for(const struct proxy_settings *s, const struct url *target, struct proxy *out, struct err *e);
// Only the proxy's own host and port, in the clear: what guards the connection to it.
MUST_CHECK int proxy_guard(const struct proxy *p, struct guard **out, struct err *e);
MUST_CHECK int proxy_check_address(
	const struct guard *g, const struct proxy *p, const struct address *a, struct err *e);
// The head of a request for a tunnel to target: "CONNECT host:port HTTP/1.1 ...", with credentials when it has some.
void proxy_write_connect(const struct proxy *p, const struct url *target, struct buf *out);

#endif
