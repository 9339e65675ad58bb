// SPDX-License-Identifier: Apache-2.0
// Inside of the HTTP client. Four files share it: http_client.c (client, origins, kept links), http_link.c (one
// connection: name, connecting, TLS, reading and writing), http_tunnel.c (through a proxy) and http_fetch.c (one
// request and its answer).
//
// As in the server, public calls only note what is wanted; fetch_advance() does the work from the loop.
#ifndef ISOBAR_NET_HTTP_CLIENT_IMPL_H
#define ISOBAR_NET_HTTP_CLIENT_IMPL_H

#include "net/dns.h"
#include "net/http1.h"
#include "net/http_client.h"
#include "net/stream_impl.h"
#include "net/url.h"

enum link_state {
	LINK_RESOLVING,
	LINK_CONNECTING,
	LINK_TUNNEL, // a proxy was asked for one
	LINK_HANDSHAKE,
	LINK_OPEN,
	LINK_BROKEN, // e in the link says why
};

struct http_link { // one connection to an origin; serves one fetch at a time, or is kept idle
	struct http_client *client;
	struct http_origin *origin;
	struct http_fetch *fetch; // NULL: idle
	struct http_link *next;   // of the idle ones, newest first
	enum link_state state;
	struct stream stream;
	struct loop_io io;
	struct dns_query *query;
	struct address addresses[DNS_MAX_ADDRESSES];
	size_t address_count, address_next;
	struct err err;
	bool reused; // it has served a fetch before
	bool readable;
	int64_t idle_since_ns;
	struct buf in;  // read, not used yet
	struct buf out; // head and streamed pieces
	size_t out_sent;
	struct str tail; // borrowed body behind out
};

enum fetch_phase { FETCH_CONNECT, FETCH_SEND, FETCH_HEAD, FETCH_BODY, FETCH_OVER };

struct http_fetch {
	struct http_client *client;
	struct http_fetch *next, **link_in_list;
	struct http_fetch_request request;
	const struct http_fetch_events *events;
	void *ctx;
	struct http_link *link;
	enum fetch_phase phase;
	struct loop_task kick;
	struct loop_timer timer;
	int64_t began_ns, phase_ns; // start of the fetch; of the present deadline's span
	bool cancelled, in_callback;
	bool replayed;
	bool first_byte;
	bool heard; // bytes of the request were written
	bool paused;
	bool sent;     // the whole request is out
	bool finished; // of a streamed body
	bool full;
	int64_t promised;       // bytes of a streamed body still to come
	struct buf queued;      // pieces of it that came before the connection stood
	unsigned informational; // 1xx answers seen
	struct arena arena;
	struct http1_scan scan;
	struct http1_body body;
	struct http_response response;
};

struct http_origin {
	struct http_client *client;
	struct http_origin *next;
	struct url url; // of its text, owned below
	char *text;     // "http://127.0.0.1:8080"
	struct str authority;
	size_t users;   // fetches that run
	size_t holders; // calls of http_client_origin() less http_origin_drop()
	bool dropped;
	struct http_link *idle;
	size_t idle_count;
	struct address addresses[DNS_MAX_ADDRESSES]; // as resolved last
	size_t address_count;
	int64_t resolved_ns;
	struct proxy via;        // .used: connections go to this proxy first, and addresses are its
	char *via_text;          // owned; NULL: none
	struct guard *via_guard; // owned; of the proxy's address
};

struct http_client {
	struct http_client_options options;
	struct dns *dns;
	struct http_origin *origins;
	size_t origin_count;
	struct http_fetch *fetches; // running
	struct http_fetch *spare;   // for reuse
	struct loop_timer sweep;    // closes what was idle too long
	struct http1_limits limits;
	char input[65536]; // one read; shared by all links
};

// Links. fetch_advance() of its fetch is called when something happened.
struct http_link *link_open(struct http_fetch *f, struct err *e); // begins to connect
void link_connect_step(struct http_link *l);                      // after an event while not LINK_OPEN
void link_begin_tls(struct http_link *l);                         // the way to the target stands
void link_destroy(struct http_link *l);
bool link_pending(const struct http_link *l);
void link_flush(struct http_link *l, uint64_t *sent);
ssize_t link_read(struct http_link *l, struct str *fresh); // as stream_read(); fresh in the client's shared buffer
void link_watch(struct http_link *l, unsigned events);
void link_break(struct http_link *l, int code, const char *what);

// Tunnels.
int tunnel_plan(struct http_origin *o, struct err *e); // fills via; ERR_UNSUPPORTED, ERR_INVALID
void tunnel_forget(struct http_origin *o);
void tunnel_begin(struct http_link *l); // connected to the proxy
void tunnel_step(struct http_link *l);  // after an event while LINK_TUNNEL

struct http_link *origin_take_idle(struct http_origin *o); // NULL: none
void origin_keep(struct http_origin *o, struct http_link *l);
void origin_leave(struct http_origin *o);   // a fetch is over
void origin_drop_idle(struct http_link *l); // an idle link that had an event
void fetch_advance(struct http_fetch *f);
void fetch_abandon(struct http_fetch *f, int code); // client is going away

#endif
