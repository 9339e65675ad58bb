// SPDX-License-Identifier: Apache-2.0
// The evented HTTP server: one loop, many connections, HTTP/1.1 now. A service is a table of callbacks; each request is
// an exchange with an arena of its own. Loop thread only: another thread answers by loop_post().
//
// Life of an exchange: begin() when the head is whole. The service then either answers, or asks for the body with
// http_body_resume() (only that sends "100 Continue"): body() for each piece, end() after the last (also when the body
// is empty). It answers when it likes, from any callback on the loop, exactly once. closed() is always the last
// callback, whether the answer went out or the client left; afterwards the exchange and its arena are gone. Bodies that
// are left unread are drained up to a limit, else the connection closes. Requests that the parser refuses never reach
// the service: they get 400 (or 414, 431, ...) and a closed connection.
#ifndef ISOBAR_NET_HTTP_SERVER_H
#define ISOBAR_NET_HTTP_SERVER_H

#include "base/arena.h"
#include "net/address.h"
#include "net/http.h"
#include "net/http1.h"
#include "net/loop.h"
#include "net/tls.h"

struct http_server;

struct http_exchange {
	struct http_request request;
	struct arena arena;
	struct loop *loop;
	void *ctx;  // of the service
	void *data; // the service's own for this exchange
	struct address peer;
	bool secure;               // came over TLS
	int64_t began_ns;          // when its head was whole
	struct str client_subject; // of a verified client certificate; empty: none
};

struct http_service {
	void (*begin)(struct http_exchange *x);
	void (*body)(struct http_exchange *x, struct str piece); // NULL: pieces are dropped
	void (*end)(struct http_exchange *x);                    // NULL: not told
	void (*drained)(
		struct http_exchange *x); // http_reply_write() said "full", and there is room again; NULL: not told
	void (*closed)(struct http_exchange *x); // NULL: not told
	// The server itself answered (400, 408, 413, ...): before begin() when the head was refused (then only peer,
	// ctx, loop and secure are set, and closed() is not called), else in the middle of the exchange. NULL: not
	// told.
	void (*refused)(struct http_exchange *x, int status, const char *why);
};

// Zeros mean the default in brackets.
struct http_server_limits {
	struct http1_limits http1; // [8 KiB, 32 KiB, 100]
	uint64_t body_bytes;       // [1 GiB] more is 413
	size_t connections;        // [1024] more wait in the kernel's queue
	size_t write_buffer;       // [256 KiB] http_reply_write() says "full" above it
	int64_t head_ns;           // [10 s] from the first byte of a head to its end; also the TLS handshake
	int64_t body_ns;           // [30 s] between two pieces of a body that the service waits for
	int64_t write_ns;          // [30 s] without the client taking a byte
	int64_t idle_ns;           // [60 s] between two requests
	size_t arena_bytes;        // [64 MiB] of one exchange
};

struct http_server_options {
	struct loop *loop;
	const struct http_service *service;
	void *ctx;
	struct str listen; // "127.0.0.1:0"
	struct tls *tls;   // NULL: plain http. Borrowed; tls_reload() takes effect for new connections
	bool reuse_port;
	struct http_server_limits limits;
};

// ERR_IN_USE when the port is taken, ERR_INVALID for a bad address.
MUST_CHECK int http_server_new(const struct http_server_options *o, struct http_server **out, struct err *e);
void http_server_free(struct http_server *s); // cuts what is open (closed() is called); NULL is allowed
uint16_t http_server_port(const struct http_server *s);
const char *http_server_url(const struct http_server *s); // "http://127.0.0.1:41234", "https://..."
size_t http_server_connections(const struct http_server *s);
// Graceful end: accepts no more, closes idle connections, lets the running exchanges end (each with "connection:
// close"), cuts what is left after grace_ns, then calls drained (once, from the loop; may be NULL). The server is still
// to be freed.
void http_server_drain(struct http_server *s, int64_t grace_ns, void (*drained)(void *ctx), void *ctx);

// ---- request body
void http_body_resume(struct http_exchange *x); // pieces may come; sends "100 Continue" if the client waits for it
void http_body_pause(struct http_exchange *x);  // no more pieces until resumed: the client is held back
// The whole body at once: collects up to limit bytes (more: 413 is answered) and calls done instead of body() and
// end().
void http_body_collect(struct http_exchange *x, size_t limit, void (*done)(struct http_exchange *x, struct str body));

// ---- answer. Header names in lower case; content-length, transfer-encoding, date and connection are the server's own.
// Names and values are copied. Invalid ones (CR, LF, ...) turn the answer into a 500 without any of them.
struct http_reply {
	int status;
	const struct http_header *headers;
	size_t header_count;
};
// Whole: body is borrowed until closed() (arena or constant).
void http_reply(struct http_exchange *x, const struct http_reply *r, struct str body);
// The same answer twice on the wire, as a broken server might: only for servers that play one. body is copied.
void http_reply_twice(struct http_exchange *x, const struct http_reply *r, struct str body);
// Content type and body in one line; body as above.
void http_reply_text(struct http_exchange *x, int status, const char *content_type, struct str body);
// {"error": message} as JSON.
void http_reply_error(struct http_exchange *x, int status, const char *format, ...) PRINTF_LIKE(3, 4);
// Streamed: length HTTP_LENGTH_UNKNOWN is chunked (until close for HTTP/1.0).
void http_reply_start(struct http_exchange *x, const struct http_reply *r, int64_t length);
// Copies the piece. false: the buffer is above its mark; drained() will tell when to go on (writing more stays
// allowed).
bool http_reply_write(struct http_exchange *x, struct str piece);
void http_reply_end(struct http_exchange *x); // fewer bytes than the length promised: the connection is cut
// [offset, offset + length) of an open file, by sendfile where the connection is plain. The descriptor is owned from
// here on.
struct http_file {
	int fd;
	uint64_t offset, length;
};
void http_reply_file(struct http_exchange *x, const struct http_reply *r, struct http_file file);
bool http_reply_began(const struct http_exchange *x); // an answer was given or begun
// Cuts the connection: the only honest end of an answer that cannot be finished.
void http_exchange_abort(struct http_exchange *x);

#endif
