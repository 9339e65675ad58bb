// SPDX-License-Identifier: Apache-2.0
// What the providers' credential chains share: the environment they look into, requests to token endpoints and metadata
// services, lifetimes. Errors name where was asked and what came back, never what was sent. Thread-safe as its parts are.
#ifndef ISOBAR_CLOUD_CREDENTIAL_CHAIN_H
#define ISOBAR_CLOUD_CREDENTIAL_CHAIN_H

#include "cloud/config.h"
#include "cloud/credentials.h"
#include "cloud/http/transport.h"

// What opening a provider's source needs. config is copied from; the rest is borrowed until the source is freed.
struct credential_options {
	const struct cloud_config *config;
	struct http_transport transport; // to token endpoints; not closed. Metadata services have one of their own
	const char *(*variable)(void *ctx, const char *name); // of the environment; NULL: the process's own
	void *variable_ctx;
};

struct credential_place { // kept by a chain
	struct http_transport transport;
	const char *(*variable)(void *ctx, const char *name);
	void *variable_ctx;
};
void credential_place_init(struct credential_place *p, const struct credential_options *o);
struct str credential_variable(const struct credential_place *p, const char *name); // "" when not set
struct str credential_home(struct call *c, const struct credential_place *p, const char *below); // "$HOME/" + below
// A file that holds a token or a key, without white space around it; in the call's arena. Read anew each time: who
// issues tokens replaces them.
MUST_CHECK int credential_file(struct call *c, struct str path, size_t limit, struct str *out);

struct credential_request {
	const char *method; // "GET", "POST", "PUT"
	struct str url;
	struct sign_header headers[4];
	size_t header_count;
	struct str body;
	const char *what;  // for errors: "the token endpoint"
	bool metadata;     // a metadata service: its own transport, 2 s, three attempts
};
// Any status is an answer here; 429 and 5xx are tried again first.
MUST_CHECK int credential_ask(
	struct call *c, const struct credential_place *p, const struct credential_request *r, struct transport_response *out);
// An OAuth 2 token endpoint's answer {access_token, expires_in, token_type} or {error, error_description} into *out.
// expires_in may be text (metadata services of Azure); where it is absent, expires_on is read.
MUST_CHECK int credential_token_read(struct call *c, const struct credential_request *r,
	const struct transport_response *answer, struct credential_made *out);
// The error of an answer that is none: ERR_UNAUTHENTICATED for 4xx, else as its status says.
int credential_refuse(struct call *c, const struct credential_request *r, const struct transport_response *answer,
	struct str code, struct str message);
// How long until a time of the provider's clock (RFC 3339), as its answer's Date has it. ERR_PROTOCOL.
MUST_CHECK int credential_lifetime(
	struct call *c, const struct transport_response *answer, struct str ends, int64_t *lifetime_ns);
// The provider's wall clock as an answer's Date says, for what is signed with a time; ours where there is none.
int64_t credential_answer_now_ns(const struct call *c, const struct transport_response *answer);
// "name=value" of a form, encoded.
void credential_form_add(struct buf *form, const char *name, struct str value);

#endif
