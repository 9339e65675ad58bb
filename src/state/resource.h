// SPDX-License-Identifier: Apache-2.0
// Resource records: what the revision declares and what became of it, under "resource/ADDRESS" in state. A record keeps
// address, uid and cloud id apart (an address may move, a uid never changes), and holds inputs as written, inputs
// resolved and outputs observed, so that a diff is always three-way. Domains read each other's resources here and
// decode them with their own kind tables. A handler is how a room makes its kind real; rooms export `const struct
// resource_handler`s, main.c gives the array to infra.
#ifndef ISOBAR_STATE_RESOURCE_H
#define ISOBAR_STATE_RESOURCE_H

#include "base/kind.h"
#include "state/state.h"

struct resource {
	struct str address;     // "bucket/lake on aws-us", "route/classify"
	struct str kind;        // singular: "bucket"
	struct str name;        // "lake"
	struct str cloud;       // "aws-us"; "": not on a cloud
	struct str uid;         // given at creation, never changes
	struct str cloud_id;    // the provider's id: "fashion-lake"; "": none
	struct str status;      // "ready" | "waiting" | "creating" | "failed"
	struct str reason;      // why waiting or failed
	const json_t *written;  // inputs as written, in canonical written form with defaults
	const json_t *resolved; // with references and names resolved: what kind_decode_json reads
	const json_t *outputs;  // observed; NULL: none
	struct str *needs;      // addresses that must exist before
	size_t need_count;
	uint64_t revision; // of the record in state
	// Of a declared resource, filled by workspace_resolve; records keep them as of the last apply.
	const struct resource_common *common; // NULL: all of it as when nothing is written
	struct str moved_from; // address (with its cloud) that `moved:` says it had before; "": none
	struct str later;      // written fields that a later release acts on: "subject, purpose"; "": none
	struct str waits_for;  // what it cannot act without and a later release brings: "sql"; "": none
	uint64_t sum[2]; // of resolved and common, as resource_sum gives it; of records that resource_scan read
	bool light;      // only address, uid, cloud_id, status, revision and sum are there: resource_load gets the rest
	// Set by apply for a handler, never recorded:
	const struct resource *before; // update: the record of the last apply; NULL else
	bool reverts;                  // update: what changed outside is undone, too (`drift: revert`)
	bool resumed;                  // create: begun before, so what is there may be ours
};

// All live in c->arena. prefix: "bucket/" for a kind, "" for all; in order of address.
MUST_CHECK int resource_get(
	struct call *c, const struct state *s, struct str address, struct resource *out); // ERR_NOT_FOUND
MUST_CHECK int resource_list(
	struct call *c, const struct state *s, struct str prefix, struct resource **out, size_t *count);
MUST_CHECK int resource_put(struct call *c, const struct state *s, struct resource *r); // at r->revision; raises it
// The record that resource_put would write, for a batch of a caller's own; lives in c->arena. Gives a uid, not a revision.
MUST_CHECK int resource_record(struct call *c, struct resource *r, struct record *out);
// The same with the event that tells of it, in one commit; data's reference is stolen.
MUST_CHECK int resource_put_noted(
	struct call *c, const struct state *s, struct resource *r, struct str event, json_t *data);
MUST_CHECK int resource_delete(struct call *c, const struct state *s, const struct resource *r);
// r has a new address and takes over from the record `from`, which goes, in one commit; event resource.moved {from, to,
// uid, cloud_id}. ERR_CONFLICT when something has the new address already.
MUST_CHECK int resource_move(struct call *c, const struct state *s, const struct resource *from, struct resource *r);
// "bucket/lake on aws-us" -> kind, name, cloud.
MUST_CHECK int resource_parse_address(struct str address, struct str *kind, struct str *name, struct str *cloud);
struct str resource_address(struct arena *a, struct str kind, struct str name, struct str cloud);

struct resource_handler {
	const struct kind *kind;
	bool per_cloud; // one resource for each cloud in its `clouds:` field, else one in all
	// NULL create: the kind is only recorded (datasets, trainings, roles, ...). All idempotent under the resource's
	// uid.
	int (*create)(struct call *c, void *ctx, const struct resource *r, json_t **outputs, struct str *cloud_id);
	int (*read)(struct call *c, void *ctx, const struct resource *r, json_t **outputs); // ERR_NOT_FOUND: gone
	int (*update)(struct call *c, void *ctx, const struct resource *r, const json_t *before, json_t **outputs);
	int (*delete)(struct call *c, void *ctx, const struct resource *r);
	// Says why the resource must wait ("model/classifier has no version with the alias champion"); 0 with "" when
	// it need not.
	int (*waiting)(struct call *c, void *ctx, const struct resource *r, struct str *reason);
	void *ctx; // the room's own; filled by main.c in its copy of the row
};

#endif
