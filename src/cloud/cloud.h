// SPDX-License-Identifier: Apache-2.0
// A cloud is six tables of functions: store, jobs, endpoints, keys, prices, resources. A NULL slot means "not offered",
// and the cloud_* functions below are the one place that answers ERR_UNSUPPORTED. Each part may come from another
// engine. A part of the same shape may wrap another (encryption, replication, failover) without its callers knowing.
// Calls block, with the deadline of struct call; a part may be used by several threads at once (drivers keep no state a
// call). Results live in call->arena, but a json_t given out by pointer is a new reference, the caller's to release.
// Signing, credentials, retry and paging are written once, below the drivers.
#ifndef ISOBAR_CLOUD_CLOUD_H
#define ISOBAR_CLOUD_CLOUD_H

#include "base/call.h"
#include "base/hash.h"
#include "base/json.h"
#include "cloud/endpoint_invoke.h"
#include "cloud/keys.h"

// ---------------------------------------------------------------- objects
struct object {
	struct str key;
	uint64_t size;       // plaintext bytes as the caller sees them
	struct str etag;     // opaque version id, without quotes
	int64_t modified_ns; // wall clock
	struct str content_type;
	uint32_t crc32c; // of the plaintext, when has_crc32c
	bool has_crc32c;
	struct json_t *metadata; // object of strings, borrowed from the call's arena; may be NULL
};

struct store_condition {     // at most one is set
	bool if_absent;      // create only: ERR_CONFLICT when the object exists
	struct str if_match; // compare-and-swap on this etag: ERR_CONFLICT when it differs
};

// Where bytes come from and go to. read returns bytes given, 0 at the end, or a negative code; write takes all or
// fails.
struct source {
	void *ctx;
	ssize_t (*read)(void *ctx, void *out, size_t n);
	int (*rewind)(void *ctx); // back to the start, for a retry; NULL: cannot
	uint64_t size;            // bytes in all; UINT64_MAX: unknown
};
struct sink {
	void *ctx;
	int (*write)(void *ctx, struct str data);
	int (*restart)(void *ctx); // forget what came, for a retry; NULL: cannot
};

struct store_get {
	struct str bucket, key;
	uint64_t offset, length; // length 0 with offset 0: all; length UINT64_MAX: to the end
	struct str if_match;     // ERR_CONFLICT when the object changed since
};
struct store_put {
	struct str bucket, key;
	struct str content_type;
	struct store_condition condition;
	const struct json_t *metadata; // object of strings; NULL: none
};
struct store_list {
	struct str bucket, prefix, delimiter; // delimiter "" or "/"
	struct str token;                     // of the last page; "": from the start
	uint32_t limit;                       // of this page; 0: the provider's
};
struct store_page {
	struct object *objects;
	size_t count;
	struct str *prefixes; // common prefixes, with a delimiter
	size_t prefix_count;
	struct str next; // token of the next page; "": that was the last
};

struct identity_ops; // identity.h
struct secret_ops;   // secrets.h
struct store_ops {
	const char *name; // "aws", "azure", "gcp", "sealed"
	int (*head)(struct call *c, void *store, struct str bucket, struct str key, struct object *out);
	// Verifies length and the provider's checksum where it covers what was read. ERR_NOT_FOUND, ERR_CONFLICT.
	int (*get)(struct call *c, void *store, const struct store_get *get, struct sink *to, struct object *out);
	// Atomic: readers see all or nothing. Sends a checksum that the provider verifies; large or unknown sizes go in
	// parts.
	int (*put)(struct call *c, void *store, const struct store_put *put, struct source *from, struct object *out);
	int (*delete)(struct call *c, void *store, struct str bucket, struct str key); // absent is fine
	int (*list)(struct call *c, void *store, const struct store_list *list, struct store_page *out);
	int (*bucket_create)(struct call *c, void *store, struct str bucket); // ours already: 0
	int (*bucket_head)(struct call *c, void *store, struct str bucket);   // ERR_NOT_FOUND
	int (*bucket_delete)(
		struct call *c, void *store, struct str bucket); // ERR_CONFLICT while not empty; absent is fine
	// What the provider calls tags, labels or metadata of a bucket: an object of texts. *tags is a new reference;
	// setting replaces all but those that the provider reserves, with names and values made what it takes.
	int (*bucket_tags)(struct call *c, void *store, struct str bucket, json_t **tags); // ERR_NOT_FOUND: no bucket
	int (*bucket_set_tags)(struct call *c, void *store, struct str bucket, const json_t *tags);
};

// ---------------------------------------------------------------- jobs
enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED, JOB_STOPPED, JOB_LOST };
struct job_input { // an object prefix that the engine puts below $ISOBAR_DATA/name before the command starts
	struct str name, bucket, prefix;
};
struct job_output { // what the command leaves below $ISOBAR_OUT goes here, then a marker object PREFIX/_SUCCESS
	struct str bucket, prefix;
};
struct job_spec {
	struct str name; // chosen by us, deterministic: submitting the same name again finds the first job, never makes
			 // a second
	const char *const
		*argv; // NULL-ended; argv[0] "builtin/NAME" runs `isobar trainer NAME` or `isobar transformer NAME`
	const char *const *environment; // NULL-ended "K=V", on top of the contract's (docs/jobs.md)
	struct str code_directory;      // local folder copied into the work folder, where the command starts; "": none
	const json_t *with;             // object: becomes the file $ISOBAR_WITH; NULL: {}
	struct job_input *inputs;
	size_t input_count;
	struct job_output output;
	double cpu;          // cores
	uint64_t memory;     // bytes; 0: engine's default
	int64_t deadline_ns; // of the run; 0: none
	bool spot; // on machines that may be taken away, where the engine has them; others run it as ever
};
struct job_status {
	enum job_state state;
	int exit_code;                // when SUCCEEDED or FAILED by exit
	struct str reason;            // why it failed or was lost, for people
	int64_t started_ns, ended_ns; // wall clock; 0: not yet
	double cpu_s;                 // used; peak_rss in bytes
	uint64_t peak_rss;
	double billed_s;      // what the engine charges for; 0: it does not say
	uint32_t interrupted; // how often its machine was taken away, as far as the engine says
	struct str id; // the engine's own id
};
struct job_ops {
	const char *name;                                                                    // "local"
	int (*submit)(struct call *c, void *jobs, const struct job_spec *spec);              // idempotent by spec->name
	int (*observe)(struct call *c, void *jobs, struct str name, struct job_status *out); // ERR_NOT_FOUND
	int (*stop)(struct call *c, void *jobs, struct str name);                            // absent or ended is fine
	int (*logs)(struct call *c, void *jobs, struct str name, struct sink *to);
	int (*list)(struct call *c, void *jobs, struct str prefix, struct str **names, size_t *count);
	int (*remove)(struct call *c, void *jobs, struct str name); // forgets an ended job and its work folder
};

// ---------------------------------------------------------------- endpoints
enum endpoint_state { ENDPOINT_STARTING, ENDPOINT_READY, ENDPOINT_DOWN, ENDPOINT_STOPPED };
struct endpoint_spec {
	struct str name;           // "classify"
	struct str model;          // name that clients use in /v2/models/NAME
	struct str version;        // model version, "3"
	struct str bucket, prefix; // where the version's files lie on this cloud
	int64_t replicas;
	double cpu;
	uint64_t memory;
	struct str generation; // digest of all above: another generation replaces the running one without downtime
};
struct endpoint_status {
	enum endpoint_state state;
	struct str url; // base URL of the first ready replica: "http://127.0.0.1:41234"
	struct str generation;
	int64_t pids[8];  // process groups of the replicas (local engine); 0 ends it
	int64_t older[8]; // of replicas of an older generation that still answer who has not heard; 0 ends it
	struct str reason;
	struct endpoint_invoke invoke;
};
struct endpoint_ops {
	const char *name;
	int (*ensure)(struct call *c, void *endpoints,
		const struct endpoint_spec *spec); // create or update; idempotent by name + generation
	int (*observe)(struct call *c, void *endpoints, struct str name, struct endpoint_status *out); // ERR_NOT_FOUND
	int (*delete)(struct call *c, void *endpoints, struct str name);                               // absent is fine
	int (*list)(struct call *c, void *endpoints, struct str **names, size_t *count);
	// Fresh credentials that may only invoke this endpoint; NULL where none are needed.
	int (*credential)(struct call *c, void *endpoints, struct str name, struct endpoint_credential *out);
};

// ---------------------------------------------------------------- prices
struct price { // of one unit, from the dated table
	double amount;
	struct str currency, unit, source, date, confidence;
};
struct catalog_need;
struct price_ops {
	const char *name;
	// USD per GB from this cloud's region to ("internet", "same-cloud", or "PROVIDER/REGION").
	int (*egress)(struct call *c, void *prices, struct str to, struct price *out);
	int (*compute)(struct call *c, void *prices, double cpu, uint64_t memory, struct price *out); // per hour
	// An hour of the cheapest machine of the catalog (catalog.h) that fits, accelerators and spot included; provider and
	// region of the need are this cloud's. ERR_NOT_FOUND: none is known.
	int (*machine)(struct call *c, void *prices, const struct catalog_need *need, struct price *out);
};

// ---------------------------------------------------------------- resources
// Uniform create, read, update, delete over per-type tables. Types in this release: "bucket", "encryption-key".
struct resource_ops {
	const char *name;
	int (*create)(struct call *c, void *resources, struct str type, struct str id, const json_t *inputs,
		json_t **outputs);
	int (*read)(struct call *c, void *resources, struct str type, struct str id, json_t **outputs); // ERR_NOT_FOUND
	int (*update)(struct call *c, void *resources, struct str type, struct str id, const json_t *inputs,
		json_t **outputs);
	int (*delete)(struct call *c, void *resources, struct str type, struct str id); // absent is fine
	int (*list)(struct call *c, void *resources, struct str type, struct str **ids, size_t *count);
};

struct cloud {
	struct str name;     // "aws-us", as declared
	struct str provider; // "aws", "gcp", "azure", "site"
	struct str region;   // "us-east-1"; of a site ""
	struct str location; // ISO country from the region table, or as a site says: "US", "NL"
	struct str law;      // whose law binds the operator: "US", "EU"; "": nobody knows
	const struct store_ops *store;
	void *store_ctx;
	const struct job_ops *jobs;
	void *jobs_ctx;
	const struct endpoint_ops *endpoints;
	void *endpoints_ctx;
	const struct key_ops *keys;
	void *keys_ctx;
	const struct price_ops *prices;
	void *prices_ctx;
	const struct resource_ops *resources;
	void *resources_ctx;
	const struct identity_ops *identity; // beside the six: identity.h
	void *identity_ctx;
	const struct secret_ops *secrets; // beside the six: secrets.h
	void *secrets_ctx;
};

// All clouds of a workspace, in the order declared. Built by cloud/registry.c; owned by struct app.
struct clouds {
	struct cloud *items;
	size_t count;
};
struct cloud *clouds_find(const struct clouds *all, struct str name); // NULL when absent

// Whole objects in memory, for small ones; data lives in c->arena. ERR_LIMIT past limit.
MUST_CHECK int cloud_get_bytes(
	struct call *c, const struct cloud *cloud, struct str bucket, struct str key, size_t limit, struct str *out);
MUST_CHECK int cloud_put_bytes(
	struct call *c, const struct cloud *cloud, const struct store_put *put, struct str data, struct object *out);
// Files: put streams from a descriptor (rewinds for retries), get writes to one.
MUST_CHECK int cloud_put_fd(
	struct call *c, const struct cloud *cloud, const struct store_put *put, int fd, struct object *out);
MUST_CHECK int cloud_get_fd(
	struct call *c, const struct cloud *cloud, const struct store_get *get, int fd, struct object *out);
// All objects below a prefix, all pages.
MUST_CHECK int cloud_list_all(
	struct call *c, const struct cloud *cloud, struct str bucket, struct str prefix, struct store_page *out);

// CLOUD_CALL(c, cloud, store, head, bucket, key, &object): calls the slot, or fails with ERR_UNSUPPORTED naming cloud,
// part and slot.
#define CLOUD_CALL(c, cl, part, slot, ...)                                                                             \
	((cl)->part && (cl)->part->slot ? (cl)->part->slot((c), (cl)->part##_ctx, __VA_ARGS__)                         \
					: cloud_unsupported((c), (cl), #part, #slot))
int cloud_unsupported(struct call *c, const struct cloud *cloud, const char *part, const char *slot);

#endif
