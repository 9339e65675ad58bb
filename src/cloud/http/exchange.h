// SPDX-License-Identifier: Apache-2.0
// One operation against a provider: builds the URL, has each attempt signed anew, sends it, turns a refusal into an
// error in the provider's own words, and tries again where that helps. Every operation that drivers send is safe to
// repeat; what a repetition means for a conditional write is the driver's to judge, by `attempts`. A request that does
// not fit its row of the table of calls is not sent (ERR_INTERNAL), so that what permissions are written from is what
// is called. Thread-safe as long as the provider's tables are.
#ifndef ISOBAR_CLOUD_HTTP_EXCHANGE_H
#define ISOBAR_CLOUD_HTTP_EXCHANGE_H

#include "cloud/calls.h"
#include "cloud/credentials.h"
#include "cloud/http/retry.h"
#include "cloud/http/throttle.h"
#include "cloud/http/transport.h"
#include "net/url.h"

enum {
	EXCHANGE_MAX_HEADERS = 64,
	EXCHANGE_PATIENCE_S = 120, // no further attempt is begun after this, whatever their number: a server that hangs
};

struct exchange {
	const struct cloud_call *call; // the row of the driver's table: says the method
	struct str path;               // encoded, from the first '/'; behind the provider's base path
	struct str query;              // encoded, without '?'
	struct sign_header headers[EXCHANGE_MAX_HEADERS];
	size_t header_count;
	struct str body;
	// What a success must say, so that an answer that comes twice is never taken for the next request's: a header that
	// it must have (NULL: none), and one that must be as was sent where it has it. Else ERR_CORRUPT, and once more.
	const char *proof;
	struct sign_header echo;
	int accept; // a status beside 2xx that is an answer, not an error (308); 0: none
	// Streaming, as in transport.h; NULL data: the body is kept.
	int (*head)(void *ctx, const struct transport_response *r);
	int (*data)(void *ctx, struct str piece);
	void *ctx;
	// Called before each attempt but the first, to change headers (a range that has moved on); NULL: none.
	int (*again)(struct call *c, void *ctx, struct exchange *x);
	bool once;        // no repetition of what may have been done: the caller has to look first
	uint64_t serial;  // of the credentials of this attempt: authorize says which it used; 0: they cannot change
	int attempts;     // made, so far; a hook may set it back when it got further
	int64_t began_ns; // of the first of these attempts
};

struct provider;
struct provider_ops {
	const char *name; // "aws"
	// Adds what authorises this attempt. r->path and r->query are complete; r->headers are x->headers with Host in
	// front.
	int (*authorize)(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x);
	// Sets c->err from an answer that is no success, and returns its code.
	int (*refused)(struct call *c, struct provider *p, const struct transport_response *r);
};
// What a driver's store begins with; owned by the driver.
struct provider {
	const struct provider_ops *ops;
	struct http_transport transport;
	struct retry_policy retry;
	struct str base;      // "http://127.0.0.1:4000", or with a path: no '/' at its end
	struct str host;      // Host: "127.0.0.1:4000"
	struct str base_path; // "" or "/account"
	bool secure;          // https
	// All NULL where there is none: refused credentials are fetched anew, a clock that is wrong is corrected, and who is
	// called too fast is called slower, each before the next attempt.
	struct credential_source *credentials;
	struct str audience; // of the credentials
	struct provider_clock *clock;
	struct throttle *throttle;
};

// Splits base_url (kept in the arena) and sets the rest; ERR_INVALID for a URL with a query or of another scheme.
MUST_CHECK int provider_init(
	struct provider *p, const struct provider_ops *ops, struct str base_url, struct arena *a, struct err *e);

// A header with a value in the call's arena; text is borrowed. Too many are an ERR_INTERNAL at exchange_run.
void exchange_header(struct exchange *x, const char *name, struct str value);
// name=value with value encoded, joined by '&'.
void exchange_parameter(struct buf *query, const char *name, struct str value);
MUST_CHECK int exchange_run(struct call *c, struct provider *p, struct exchange *x, struct transport_response *out);

#endif
