// SPDX-License-Identifier: Apache-2.0
// Where the control plane remembers: an append-only journal of events, records with revisions, leases with fencing.
// state_ops has one conformance suite for every implementation (SQLite now). Every event is versioned and carries
// workspace, schema, time, trace, principal. Handles may be used by several threads. No SQL outside src/state.
#ifndef ISOBAR_STATE_STATE_H
#define ISOBAR_STATE_STATE_H

#include "base/call.h"
#include "base/json.h"

struct event {
	uint64_t sequence; // given by append, from 1, without gaps
	int schema;        // version of the event's form
	int64_t time_ns;
	struct str
		type; // "revision.committed", "action.intended", "action.done", "round.accepted", "override.set", ...
	struct str address; // what it is about: "endpoint/classify on aws-us"
	struct str trace, principal, workspace;
	const json_t *data; // object
};

struct record {            // a value under a key with a revision that every write raises
	struct str key;    // "resource/bucket/lake on aws-us"
	uint64_t revision; // 0: absent
	json_t *value;     // lives as long as the call's arena does
};

struct lease {
	struct str name;
	struct str holder;
	uint64_t fence; // grows with each new holder; a write under an older one is refused
	int64_t expires_ns;
};

enum {
	STATE_KEY_MAX = 1024,       // bytes of a key, type or address; valid UTF-8 without NUL
	STATE_VALUE_MAX = 16 << 20, // bytes of a value or of an event's data as JSON; ERR_LIMIT past it
	STATE_READ_MAX = 1000000,   // events of one read, whatever its limit says
};

struct state_write {           // one record in a batch
	struct record *record; // value NULL deletes; its new revision is filled in
	uint64_t expected;     // as in put
};
struct state_batch {            // events and records that become durable together, or not at all
	uint64_t expected_head; // UINT64_MAX: any
	struct event *events;
	size_t event_count;
	struct state_write *writes;
	size_t write_count;
	struct str fence_lease; // as in put
	uint64_t fence;
};

struct state_query {            // which events
	uint64_t after;         // those with a higher sequence
	struct str type_prefix; // "": all; "round."
	struct str address;     // "": all; exact
	size_t limit;           // at most; 0: STATE_READ_MAX
};

struct state_scan { // told of each record below a prefix, by key; text is its value as JSON and dies with the visit
	int (*visit)(void *ctx, struct str key, uint64_t revision, struct str text); // must not use the state
	void *ctx;
};

struct state_sink;
struct state_source;
struct state_ops {
	const char *name; // "sqlite"
	// All of the batch or nothing: ERR_CONFLICT (head or a record's revision), ERR_DENIED (fence), ERR_NO_SPACE,
	// ERR_UNAVAILABLE (another process held the database for long), ERR_CORRUPT. Durable when it returns. append
	// and put are batches of one sort.
	int (*commit)(struct call *c, void *s, const struct state_batch *batch);
	// Appends when the journal's head is still expected_head (UINT64_MAX: any); ERR_CONFLICT otherwise. Durable
	// when it returns.
	int (*append)(struct call *c, void *s, uint64_t expected_head, struct event *events, size_t count);
	int (*read)(struct call *c, void *s, const struct state_query *query, struct event **out,
		size_t *count); // in order
	// Blocks until the head passes `after`, the timeout, or the call's deadline or cancellation; *head is the head
	// then.
	int (*watch)(struct call *c, void *s, uint64_t after, int64_t timeout_ns, uint64_t *head);
	int (*get)(struct call *c, void *s, struct str key, struct record *out); // absent: 0 with revision 0
	// Writes when the revision is still `expected` (0: must be absent; UINT64_MAX: any), else ERR_CONFLICT; value
	// NULL deletes. fence_lease "" or the name of a lease that must be held with `fence`, else ERR_DENIED. The new
	// revision is in record->revision.
	int (*put)(struct call *c, void *s, struct record *record, uint64_t expected, struct str fence_lease,
		uint64_t fence);
	int (*list)(struct call *c, void *s, struct str prefix, struct record **out, size_t *count); // by key
	int (*scan)(struct call *c, void *s, struct str prefix, const struct state_scan *scan); // NULL: by list
	// Takes or renews a lease; ERR_IN_USE while another holds it.
	// The holder's name must be unique to the process (or the thing) that holds it: the same name renews.
	int (*lease)(struct call *c, void *s, struct str name, struct str holder, int64_t ttl_ns, struct lease *out);
	int (*release)(struct call *c, void *s,
		const struct lease *lease); // one that another has taken meanwhile: 0, nothing changes
	// See state/transfer.h; NULL: not offered.
	int (*dump)(struct call *c, void *s, const struct state_sink *sink);
	int (*load)(struct call *c, void *s, const struct state_source *source, bool replace);
	void (*close)(void *s);
};

struct state {
	const struct state_ops *ops;
	void *ctx;
};

// Time, trace, principal and workspace of an event that leaves them empty come from the call; schema 0 becomes 1.
// Revisions grow over all keys: one that was deleted and written again never has an old revision.

MUST_CHECK int state_commit(struct call *c, const struct state *s, const struct state_batch *batch);
MUST_CHECK int state_list(struct call *c, const struct state *s, struct str prefix, struct record **out, size_t *count);
MUST_CHECK int state_scan(struct call *c, const struct state *s, struct str prefix, const struct state_scan *scan);
MUST_CHECK int state_watch(struct call *c, const struct state *s, uint64_t after, int64_t timeout_ns, uint64_t *head);
// A record and the event that tells of it, together; data's reference is stolen, value's is not.
struct state_note {
	struct str key;
	json_t *value; // NULL: deletes
	uint64_t expected;
	struct str type, address;
	json_t *data;
};
MUST_CHECK int state_put_noted(struct call *c, const struct state *s, const struct state_note *note);
// One event with json data built by the caller (reference stolen); at any head.
MUST_CHECK int state_append_one(
	struct call *c, const struct state *s, struct str type, struct str address, json_t *data, uint64_t *sequence);
MUST_CHECK int state_read(
	struct call *c, const struct state *s, const struct state_query *query, struct event **out, size_t *count);
// All events (up to STATE_READ_MAX: ERR_LIMIT past it).
MUST_CHECK int state_read_all(struct call *c, const struct state *s, struct str type_prefix, struct str address,
	struct event **out, size_t *count);
MUST_CHECK int state_get(struct call *c, const struct state *s, struct str key, struct record *out);
// value is borrowed; revision may be NULL.
MUST_CHECK int state_put(
	struct call *c, const struct state *s, struct str key, json_t *value, uint64_t expected, uint64_t *revision);

// Opens (creates, migrates) a database file, mode 0600, or an empty state that is gone with its handle. ERR_UNSUPPORTED with the reason when a newer program wrote it.
#define STATE_IN_MEMORY ":memory:"
MUST_CHECK int state_open_sqlite(struct call *c, const char *path, struct state *out);
// Opens (creates, migrates) a schema of a PostgreSQL database by its URL (state/postgres_url.h): ERR_UNSUPPORTED also
// without libpq (the package is named), ERR_UNAVAILABLE, ERR_UNAUTHENTICATED, ERR_DENIED. Messages name host, database
// and schema, never a password.
struct secret;
struct state_place {
	struct str url;    // postgresql://..., or the path of a SQLite file
	struct str schema; // when a URL names none; "": "isobar"
	const struct secret *password; // NULL: none
	const char *ca_file;           // of the server's certificate; NULL: the system's
};
MUST_CHECK int state_open_postgres(struct call *c, const struct state_place *place, struct state *out);
// Either of the two, by the URL.
MUST_CHECK int state_open(struct call *c, const struct state_place *place, struct state *out);
void state_close(struct state *s);

#endif
