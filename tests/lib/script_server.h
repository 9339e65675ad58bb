// SPDX-License-Identifier: Apache-2.0
// An HTTP server that answers by a script, for tests of clients: request i gets step i, and what was asked is kept to
// be checked. One thread, loopback, a free port; a connection serves one request after the other. More requests than
// steps get a 500.
#ifndef ISOBAR_TESTS_SCRIPT_SERVER_H
#define ISOBAR_TESTS_SCRIPT_SERVER_H

#include "base/buf.h"

enum script_fault {
	SCRIPT_WHOLE,
	SCRIPT_CUT,   // the head and half of the body, then the connection ends
	SCRIPT_HEAD,  // most of the head, then the connection ends
	SCRIPT_TWICE, // the same answer twice, in one piece
	SCRIPT_CLOSE, // the request is read, then the connection ends without an answer
};
struct script_step {
	int status;
	const char *headers; // "ETag: \"1\"\r\n" and so on; Content-Length is added; NULL: none
	struct str body;     // with a HEAD only its length is told
	enum script_fault fault;
};
struct script_request {                           // what came
	struct buf method, target, headers, body; // headers: "Name: value\r\n" lines
};
struct script_server;

// steps are borrowed until script_server_stop. NULL when there is no socket or thread.
struct script_server *script_server_start(const struct script_step *steps, size_t count);
int script_server_port(const struct script_server *s);
const char *script_server_url(const struct script_server *s); // "http://127.0.0.1:41234"
size_t script_server_served(struct script_server *s);         // requests so far
// Request i, after it was answered; valid until the server is stopped.
const struct script_request *script_server_request(struct script_server *s, size_t i);
// Value of a header of request i, any case of the name; "" when absent. Borrowed.
struct str script_server_header(struct script_server *s, size_t i, const char *name);
void script_server_hold(struct script_server *s); // from now on, requests are read and never answered
void script_server_stop(struct script_server *s);

#endif
