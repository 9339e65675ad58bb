// SPDX-License-Identifier: Apache-2.0
// How a driver reaches its provider: one HTTP request, one answer, blocking, under the call's deadline and
// cancellation. An edge: tests put in their own. curl_transport_open gives the real one: libcurl, loaded when first
// needed, a pool of handles that keep their connections, no redirects, and the outbound guard asked with each URL and
// each address; through a proxy only where net/proxy.h says so, and then the proxy's address is the one asked about.
// Thread-safe. An answer of any status is success here; what fails is the way: ERR_UNAVAILABLE (connect, cut, no answer
// in time), ERR_TIMEOUT (the call's deadline), ERR_CANCELLED, ERR_DENIED (guard, certificate), ERR_PROTOCOL, ERR_LIMIT
// (an answer larger than allowed).
#ifndef ISOBAR_CLOUD_HTTP_TRANSPORT_H
#define ISOBAR_CLOUD_HTTP_TRANSPORT_H

#include "base/call.h"
#include "cloud/sign/sign_request.h"
#include "net/proxy.h"

enum {
	TRANSPORT_MAX_HEADERS = 100, // of an answer
	TRANSPORT_MAX_HEADER_BYTES = 64 << 10,
	TRANSPORT_MAX_KEPT_BODY = 32 << 20, // a page of 5,000 names of 1,024 bytes as XML, with room
	TRANSPORT_CONNECT_MS = 10000,
	TRANSPORT_STALL_S = 30, // without a single byte either way
	TRANSPORT_HEAD_S = 60,  // from the last byte of a request to the end of an answer's head
	TRANSPORT_KEPT_S = 300, // from there to the end of a body that is kept, which is a page of a list at most
};

struct transport_response {
	int status;
	struct sign_header *headers; // in the call's arena
	size_t header_count;
	struct str body; // kept body, in the call's arena; "" when it went to `data`
};

struct transport_request {
	const char *method;                // "GET"
	struct str url;                    // absolute, encoded
	const struct sign_header *headers; // Host and Content-Length are the transport's own
	size_t header_count;
	struct str body; // at most a part of an object
	// Where the body of an answer of 200 or 206 goes; NULL: it is kept, as that of any other status always is.
	// head comes once, before the first byte (also when there is none). Both return 0 or a code, which ends the
	// call.
	int (*head)(void *ctx, const struct transport_response *r);
	int (*data)(void *ctx, struct str piece);
	void *ctx;
};

struct http_transport {
	void *ctx;
	int (*perform)(struct call *c, void *ctx, const struct transport_request *r, struct transport_response *out);
	void (*close)(void *ctx);
};

struct transport_options {
	struct str ca_file;    // the only CAs; "": the system's, where SSL_CERT_FILE and SSL_CERT_DIR say others
	struct str trust_file; // CAs beside the system's, when ca_file is ""; "": none
	const struct proxy_settings *proxy; // copied; NULL: the environment's
	const struct str *hosts;            // patterns of net/guard.h: "127.0.0.1:4000"
	size_t host_count;
	int64_t head_ns, kept_ns; // instead of TRANSPORT_HEAD_S and TRANSPORT_KEPT_S; 0: these
};
// ERR_UNSUPPORTED when libcurl is absent, ERR_INVALID for a wrong host pattern.
MUST_CHECK int curl_transport_open(const struct transport_options *o, struct http_transport *out, struct err *e);

// "HOST:PORT" of a URL, as a pattern for `hosts`; in the arena. ERR_INVALID for what is no http(s) URL.
MUST_CHECK int transport_host(struct str url, struct arena *a, struct str *out, struct err *e);
// The first header of that name, any case; "" when absent.
struct str transport_header(const struct transport_response *r, struct str name);

#endif
