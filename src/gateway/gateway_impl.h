// SPDX-License-Identifier: Apache-2.0
// Inside of the gateway. One worker is one loop with all that requests need; nothing in it is shared with another
// thread but the audit log. A request lives in its exchange's arena. Files: request.c (decisions, answers, records),
// forward.c (targets, failover, relaying), forward_invoke.c (the same for providers' services), headers.c (what passes), admin.c (metrics, health), worker.c (assembling,
// reloading, draining), gateway.c (the command).
#ifndef ISOBAR_GATEWAY_GATEWAY_IMPL_H
#define ISOBAR_GATEWAY_GATEWAY_IMPL_H

#include "gateway/audit_gate.h"
#include "gateway/invoke.h"
#include "gateway/snapshot.h"
#include "gateway/target.h"
#include "gateway/worker.h"
#include "net/http_server.h"

enum {
	BODY_MAX_BYTES = 8 << 20, // of a request: kept whole, so that it can be sent to another target
	HELD_MAX_BYTES = 1 << 20, // of an answer that waits for its audit record; then its target is held back
	REQUEST_ID_MAX = 64,
};

struct worker {
	struct worker_options options;
	struct loop *loop;
	struct http_server *server, *admin;
	struct tls *tls, *client_tls;
	struct http_client *client;
	struct target_table targets;
	struct snapshot *snapshot;
	struct buf upstreams_path; // beside the snapshot
	struct audit_gate *gate; // NULL: no audit
	struct route_stats *no_route;
	uint64_t audit_failures;
	bool draining;
	int64_t wall_minus_mono_ns; // turns the loop's clock into wall time without a system call
	int64_t wall_read_ns;
	unsigned char random[512]; // for request ids: one system call for many
	size_t random_left;
	struct loop_io watch; // inotify
};

enum request_state {
	REQUEST_READING,    // the body is still coming
	REQUEST_FORWARDING, // a target has it
	REQUEST_RECORDING,  // its answer is known and waits for the audit record
	REQUEST_RELAYING,   // the answer is going out
	REQUEST_OVER,
};

struct grown { // bytes that grow inside the request's arena
	char *p;
	size_t n, room;
};

struct request {
	struct worker *worker;
	struct http_exchange *x;
	struct snapshot *snapshot;
	const struct snapshot_route *route; // NULL: none matched
	enum request_state state;
	struct str id, path, principal;
	struct str source; // address of the client
	struct grown body;
	// forwarding
	uint32_t excluded; // targets that may not be tried (again)
	unsigned attempts;
	const struct snapshot_target *target; // the present one, and then the one that answered
	struct http_fetch *fetch;
	struct http_fetch_request sent;
	int64_t attempt_ns;
	struct err failure; // of the last attempt
	const struct http_header *plain_headers; // for open targets, once made
	size_t plain_count;
	struct upstreams *with;             // held: what the present attempt was signed with
	struct invoke_error *error;         // the present attempt's answer is an error of a service, still coming
	struct invoke_judgement judgement;  // of the last one; body.p NULL: there was none
	const struct snapshot_target *judged; // whose it was
	bool other_version;                 // a target was passed over, since it serves another version
	// the answer
	int status;
	struct http_header *headers;
	size_t header_count;
	int64_t length;
	struct str own_body; // of an answer of the gateway itself
	bool own;
	bool of_target; // own words for what a target said
	struct grown held; // of a target's answer, until it may go
	bool upstream_over, upstream_cut;
	struct audit_wait wait;
	const char *outcome, *reason;
	bool recorded;
};

extern const struct http_service request_service; // ctx: struct worker *
extern const struct http_service admin_service;   // ctx: struct worker *

// The gateway's own answer, in its dialect: {"error": ...}.
void request_refuse(struct request *r, int status, const char *outcome, const char *reason);
// An answer that the gateway words itself, in JSON. text .p NULL: memory ended.
void request_answer_with(struct request *r, int status, struct str json);
// r->status and what goes with it are set: records, and releases when the record is on disk.
void request_answer(struct request *r);
// A second record of the same request: its answer was released and then broke off.
void request_note(struct request *r, const char *outcome, const char *reason);
bool grown_add(struct arena *a, struct grown *g, struct str bytes);
int64_t worker_wall_ns(struct worker *w);
bool worker_random(struct worker *w, unsigned char *out, size_t n); // n at most 512; false: the system gives none
void worker_release_snapshot(struct worker *w, struct snapshot *s);

void forward_start(struct request *r);   // the body is whole
void forward_release(struct request *r); // the record is on disk: a target's answer may go
void forward_room(struct request *r);    // the client took bytes
void forward_abandon(struct request *r); // the client left, or the answer may not go

// ---- forward_invoke.c: targets in providers' services
enum invoke_step { STEP_SEND, STEP_NEXT, STEP_OVER }; // r->sent is filled; try another target; the request was answered
enum invoke_step invoke_prepare(struct request *r);
// The head of an error: what follows is collected, and judged at its end. false without memory.
bool invoke_error_begin(struct request *r, const struct http_response *answer);
void invoke_error_add(struct request *r, struct str piece);
struct target_outcome invoke_error_end(struct request *r); // fills r->judgement

// Request headers for a target, and answer headers for the client, in the arena. false without memory.
bool headers_for_target(struct request *r, const struct http_header **out, size_t *count);
bool headers_for_client(struct request *r, const struct http_response *answer);
struct str request_credential(const struct http_headers *h, bool *ambiguous); // the API key; .p NULL: none

#endif
