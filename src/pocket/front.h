// SPDX-License-Identifier: Apache-2.0
// What the three protocol front ends share: one request from its head to its last byte, bodies that stream into the
// store, answers that stream out of it. A front end is a table: handle() gets each request when its head is whole,
// fail() answers an error in the provider's own form. Everything runs on the loop's thread; a front_request and all
// text in it live in the arena of the exchange.
#ifndef ISOBAR_POCKET_FRONT_H
#define ISOBAR_POCKET_FRONT_H

#include "cloud/sign/sign_request.h"
#include "net/http_server.h"
#include "pocket/access.h"
#include "pocket/condition.h"
#include "pocket/store/objects.h"
#include "pocket/store/writer.h"

struct pocket;
struct front_request;
struct front_fault;
struct forward;
struct pocket_service;

struct front {
	const char *as;     // "aws"
	bool plus_is_space; // in queries
	void (*etag)(const struct record *r, char out[OBJECT_ETAG_SIZE]);
	int64_t upload_lifetime_ns;
	uint64_t body_limit;
	int64_t spot_notice_ns; // from the word that a spot machine is taken away to its end
	void (*handle)(struct front_request *r);
	// Answers r->err. Called by the shared parts, and by the front end itself.
	void (*fail)(struct front_request *r);
	// Answers in the provider's words, in place of handle(), that it is asked too much, or that it broke.
	void (*trouble)(struct front_request *r, bool throttled);
	// Credentials: makes what is missing in the folder, loads what the front end checks by. Returned: in *keys,
	// freed by keys_free.
	int (*keys_open)(struct pocket *p, void **keys, struct err *e);
	void (*keys_free)(void *keys);
	const struct pocket_service *const *services; // NULL-ended; asked before handle() (service.h)
};

enum { FRONT_ID_SIZE = 17 };

struct front_request {
	struct http_exchange *x;
	struct pocket *pocket;
	struct arena *arena; // of the exchange
	struct objects *store;
	void *keys;               // of the front end
	const struct pocket_service *service; // whose it is; NULL: the front end's own
	void *service_state;
	struct str signed_for; // service in the scope of a SigV4 signature; empty: none
	struct pairs query;       // decoded
	struct sign_request sign; // as cloud/sign reads it
	char id[FRONT_ID_SIZE];   // x-amz-request-id and the like
	struct str bucket, key;   // decoded; empty when absent
	struct http_headers out;  // headers of the answer
	struct err err;
	const struct pocket_principal *who; // as the front end or the service found out (access.h); NULL: nobody yet
	void *own; // of the front end, in the arena; let go by release
	void (*release)(struct front_request *r);

	struct collecting *collecting; // of a body that is wanted whole
	struct writer *writer;         // of a body that streams in
	// Takes a piece of the body; a negative result (with r->err set) ends in fail().
	int (*take)(struct front_request *r, struct str piece);
	void (*done)(struct front_request *r); // the body is whole
	struct object_range range;             // of an answer that streams out
	struct forward *forward;               // to a server of the engine, whose answer this one's becomes; NULL: none
	struct front_fault *fault;             // that it has met (front_faults.h); NULL: none
};

extern const struct http_service front_service; // ctx: struct pocket

// ---------------------------------------------------------------- reading
struct str front_query(const struct front_request *r, const char *name); // "" when absent
bool front_query_has(const struct front_request *r, const char *name);
struct str front_header(const struct front_request *r, const char *name); // lower case; "" when absent
int64_t front_now_ns(const struct front_request *r);
// Cuts an encoded path "/a/b/c" at its first segment: both parts decoded. ERR_INVALID for broken escapes.
MUST_CHECK int front_cut_path(struct front_request *r, struct str path, struct str *first, struct str *rest);
// Base64 of exactly n bytes. ERR_INVALID.
MUST_CHECK int front_base64(struct str text, unsigned char *out, size_t n);
struct str front_base64_text(struct front_request *r, struct str bytes); // in the arena

// ---------------------------------------------------------------- bodies
// The body goes into r->writer (begun here) or wherever r->take, when set before, puts it; then done() is called.
// length: bytes that will come, 0 when unknown. Failures are answered by fail().
void front_stream(struct front_request *r, unsigned hashes, uint64_t length, void (*done)(struct front_request *r));
int front_write(struct front_request *r, struct str data); // into r->writer
// The whole body in memory, at most limit bytes; then done().
void front_collect(struct front_request *r, size_t limit, void (*done)(struct front_request *r, struct str body));
struct writer *front_take_writer(struct front_request *r); // for objects_put

// The digests of a body that was collected.
MUST_CHECK int front_digests(struct front_request *r, struct str body, unsigned hashes, struct digests *out);

// Answers r->err in the form of whose request it is: the service, or the front end.
void front_fail(struct front_request *r);
// A failure that is ours and not the client's (the disk, memory): into the log, once, with its whole chain. The answer
// tells less.
void front_log_failure(const struct front_request *r);

// ---------------------------------------------------------------- answers
// Adds a header unless value is empty or cannot stand in one (a stored text may hold what HTTP forbids).
void front_add(struct front_request *r, const char *name, struct str value);
void front_addf(struct front_request *r, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
void front_add_date(struct front_request *r, const char *name, int64_t wall_ns);
void front_reply(struct front_request *r, int status, struct str body); // body in the arena or constant
void front_reply_buf(
	struct front_request *r, int status, struct buf *body); // copied; a body that ran out of memory is a 500
// Bytes [offset, offset + length) of an object, for GET; only the head for HEAD.
void front_reply_object(struct front_request *r, int status, struct object *object, uint64_t offset, uint64_t length);

#endif
