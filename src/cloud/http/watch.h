// SPDX-License-Identifier: Apache-2.0
// A transport that tells a watcher of every request and its answer, with the bodies that were streamed: for records of
// what a driver says to a provider (cloud/call_record.h). What it hands on holds secrets: the watcher redacts. Thread-safe
// as long as the watcher is.
#ifndef ISOBAR_CLOUD_HTTP_WATCH_H
#define ISOBAR_CLOUD_HTTP_WATCH_H

#include "cloud/http/transport.h"

struct transport_watch {
	void *ctx;
	// code: of the transport; the answer is zero when it is not 0. body: of the answer, streamed or kept.
	void (*seen)(void *ctx, const struct transport_request *request, const struct transport_response *answer,
		struct str body, int code);
	// Before a request is sent; NULL: nobody wants to know.
	void (*before)(void *ctx, const struct transport_request *request);
};

enum { TRANSPORT_WATCH_MOST = 32 << 20 }; // bytes of a streamed body that are kept for the watcher

// Puts the watcher before *t, which is taken over (closed on failure, too). The watch is borrowed until it is closed.
MUST_CHECK int transport_watch_open(struct http_transport *t, const struct transport_watch *watch, struct err *e);

#endif
