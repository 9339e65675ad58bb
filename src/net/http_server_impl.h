// SPDX-License-Identifier: Apache-2.0
// Inside of the HTTP server. Three files share it: http_server.c (listening, limits, draining), http_connection.c (a
// connection's states, input, deadlines) and http_reply.c (output).
//
// The one rule that keeps callbacks simple: the public calls only note what is wanted and queue the connection; all
// work is done in connection_advance(), which runs from the loop and is never entered twice.
#ifndef ISOBAR_NET_HTTP_SERVER_IMPL_H
#define ISOBAR_NET_HTTP_SERVER_IMPL_H

#include "net/http_server.h"
#include "net/stream_impl.h"

enum connection_state {
	CONNECTION_HANDSHAKE, // TLS
	CONNECTION_HEAD,      // between requests, or reading a head
	CONNECTION_EXCHANGE,  // a request is being served
	CONNECTION_LINGER,    // the last answer is out; unread input is thrown away so that the client gets to read it
	CONNECTION_DEAD,      // to be destroyed
};
enum reply_state { REPLY_NONE, REPLY_STREAMING, REPLY_COMPLETE };
enum deadline_type { DEADLINE_NONE, DEADLINE_CUT, DEADLINE_SLOW_BODY };

struct http_connection {
	struct http_exchange x; // first member: the exchange that a service holds is its connection
	struct http_server *server;
	struct http_connection *next, **link;
	enum connection_state state;
	struct stream stream;
	struct loop_io io;
	struct loop_timer timer;
	enum deadline_type deadline_type;
	struct loop_task kick; // runs connection_advance() at the end of the round
	struct address peer;
	bool readable; // more may be read at once
	bool ended;    // the client closed its direction

	// input
	struct buf in; // bytes read but not used yet
	struct http1_scan scan;
	int64_t head_began_ns; // first byte of a head; 0: none
	struct http1_body body;
	bool wants_body; // the service asked for it
	bool paused;
	bool end_told;
	uint64_t discarded;
	struct buf collected;
	size_t collect_limit;
	void (*collect_done)(struct http_exchange *x, struct str body);

	// output
	struct buf out;
	size_t out_sent;
	struct str tail; // borrowed: behind out
	struct http_file file;
	bool has_file;
	enum reply_state reply;
	bool chunked, bodiless, full;
	bool continue_sent;
	bool close;                      // after this exchange
	bool linger;                     // refused: unread input is likely
	int64_t promised;                // bytes of a streamed body still to come; HTTP_LENGTH_UNKNOWN: any
	int64_t in_mark_ns, out_mark_ns; // see connection_progress()
};

struct http_server {
	struct http_server_options options;
	struct http_server_limits limits;
	struct loop_io listener;
	struct address bound;
	char url[ADDRESS_TEXT_SIZE + 16];
	struct http_connection *connections;
	size_t count;
	struct loop_timer retry; // accepting again after descriptors ran out; the grace of draining
	bool draining;
	void (*drained)(void *ctx);
	void *drained_ctx;
	struct loop_task drained_task;
	char date[48];
	int64_t date_s;
	char input[65536]; // one read; shared by all connections of the loop
};

void connection_begin(struct http_server *s, int fd, const struct address *peer);
void connection_kick(struct http_connection *c);
void connection_destroy(struct http_connection *c);
void connection_finish_soon(struct http_connection *c); // draining: closes it unless a request is being served
// A deadline that moves on with the bytes, at 1 KiB a second at least: a trickle does not keep a connection.
void connection_progress(int64_t *mark_ns, int64_t now_ns, uint64_t bytes);

// Output: true when all is sent; false when more must wait; a broken stream sets the state.
bool reply_flush(struct http_connection *c);
bool reply_pending(const struct http_connection *c);
void reply_continue(struct http_connection *c);
// An answer of the server itself (400, 408, 413), with the connection closed behind it.
void reply_refuse(struct http_connection *c, int status, const char *message);
void reply_reset(struct http_connection *c); // after an exchange
void server_forget(struct http_connection *c);
const char *server_date(struct http_server *s);

#endif
