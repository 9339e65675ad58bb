// SPDX-License-Identifier: Apache-2.0
// The evented HTTP client of one loop: connections are kept per origin, every call goes through the outbound guard, no
// redirect is followed. Https goes through a proxy where net/proxy.h says so. A fetch is one request and its answer.
// Loop thread only.
//
// A connection is used again only after a whole, well-formed answer to a wholly sent request. When a kept connection
// turns out to be closed before any byte of an answer came, a fetch marked `replay` is sent once more on a fresh one.
#ifndef ISOBAR_NET_HTTP_CLIENT_H
#define ISOBAR_NET_HTTP_CLIENT_H

#include "net/guard.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/proxy.h"
#include "net/tls.h"

struct http_client;
struct http_origin; // scheme, host and port, with its connections; lives as long as the client
struct http_fetch;

// Zeros mean the default in brackets.
struct http_client_options {
	struct loop *loop;
	const struct guard *guard;          // borrowed; required
	struct tls *tls;                    // client context, borrowed; NULL: https is refused
	const struct proxy_settings *proxy; // [the environment's] borrowed; asked when an origin is made
	size_t idle_per_origin;             // [32] kept connections
	size_t origins;                     // [256]
	int64_t idle_ns;                    // [30 s] a kept connection is closed after this
	size_t head_bytes;                  // [32 KiB] of an answer
};
MUST_CHECK int http_client_new(const struct http_client_options *o, struct http_client **out, struct err *e);
#define AUTO_TYPE_http_client struct http_client *
void http_client_free(struct http_client *c); // open fetches end with ERR_CANCELLED; NULL is allowed
static inline void http_client_autofree(struct http_client **c)
{
	http_client_free(*c);
}
// The origin of a URL, made at first use and then found again. ERR_DENIED by the guard, ERR_INVALID, ERR_LIMIT.
MUST_CHECK int http_client_origin(struct http_client *c, struct str url, struct http_origin **out, struct err *e);
// Closes the kept connections of an origin.
void http_origin_flush(struct http_origin *o);
// Gives an origin back, once for each http_client_origin(); the last one forgets it (a target that is gone). Fetches
// that run to it end as usual. Not needed where origins live as long as the client.
void http_origin_drop(struct http_origin *o);
// Another guard from now on (a swapped configuration); connections that stand are not asked again.
void http_client_use_guard(struct http_client *c, const struct guard *g);
void http_client_use_tls(struct http_client *c, struct tls *t); // for connections from now on

struct http_fetch_events {
	// The head of the answer (never 1xx). Borrowed until end().
	void (*head)(void *ctx, const struct http_response *r);
	void (*body)(void *ctx, struct str piece); // borrowed for the call; NULL: dropped
	void (*drained)(void *ctx);                // room for more of a streamed request body; NULL: not told
	// The last callback; the fetch is gone when it returns. e->code 0: the answer was whole. Otherwise
	// ERR_UNAVAILABLE (no connection, or cut), ERR_TIMEOUT, ERR_PROTOCOL (malformed), ERR_DENIED, ...; began: a
	// byte of the answer had come.
	void (*end)(void *ctx, const struct err *e, bool began);
};
// Everything is borrowed until the head was written, at the latest until end().
struct http_fetch_request {
	struct http_origin *origin;
	struct str method;
	struct str target; // "/v2/health/ready", encoded
	const struct http_header
		*headers; // host, content-length, transfer-encoding and connection are the client's own
	size_t header_count;
	struct str authority;  // Host header; empty: the origin's
	struct str body;       // whole body; borrowed until end()
	bool streamed;         // the body comes by http_fetch_write()
	int64_t length;        // of a streamed body; HTTP_LENGTH_UNKNOWN: chunked
	bool replay;           // may be sent again on a fresh connection when a kept one was closed unheard
	int64_t connect_ns;    // [5 s] name, connection and TLS
	int64_t first_byte_ns; // [30 s] from connected and sent to the first byte of the answer
	int64_t total_ns;      // 0: no limit
	int64_t idle_ns;       // [30 s] between two reads of the answer's body
};
// Starts it; events never come from inside this call. ctx is passed to them.
MUST_CHECK int http_fetch_start(const struct http_fetch_request *r, const struct http_fetch_events *events, void *ctx,
	struct http_fetch **out, struct err *e);
void http_fetch_cancel(struct http_fetch *f); // no further callback, not even end(); the connection is closed
void http_fetch_pause(struct http_fetch *f);  // holds the answer's body back
void http_fetch_resume(struct http_fetch *f);
bool http_fetch_write(struct http_fetch *f, struct str piece); // copies; false: wait for drained()
void http_fetch_finish(struct http_fetch *f);                  // the streamed body is whole
bool http_fetch_began(const struct http_fetch *f);             // a byte of the answer has come
// The other side may have got the request, or a part of it; may also be asked inside end().
bool http_fetch_heard(const struct http_fetch *f);

#endif
