// SPDX-License-Identifier: Apache-2.0
// One blocking HTTP call for sequential code: runs a private loop until the answer is whole, the call's deadline passes
// or it is cancelled. Answers of any status are answers, not errors. Thread-safe (nothing is shared).
#ifndef ISOBAR_NET_HTTP_CALL_H
#define ISOBAR_NET_HTTP_CALL_H

#include "base/call.h"
#include "net/guard.h"
#include "net/http.h"

struct http_call_request {
	struct str method; // empty: GET
	struct str url;
	const struct http_header *headers;
	size_t header_count;
	struct str body;
	const struct guard *guard; // required
	const char *ca_file;       // for https; NULL: the system's store
	size_t body_limit;         // of the answer; 0: 16 MiB. More is ERR_LIMIT
	int64_t connect_ns;        // 0: 5 s
	int64_t total_ns;          // 0: 30 s; the call's deadline holds as well
	// Streamed answer: called for each piece instead of collecting it; a non-zero return cancels with that code
	// (the message is then already in c->err).
	int (*on_body)(struct call *c, void *ctx, struct str piece);
	void *on_body_ctx;
};
struct http_call_response {
	int status;
	struct http_headers headers; // all in c->arena
	struct str body;
};
MUST_CHECK int http_call(struct call *c, const struct http_call_request *r, struct http_call_response *out);

#endif
