// SPDX-License-Identifier: Apache-2.0
// A kind is one table: what a user may declare, field by field. The table alone drives parsing with positions and "did
// you mean", validation, defaults, references, the plan's diff, `isobar explain`, the JSON Schema and the reference
// manual. Each room exports `extern const struct kind NAME_kind;` and the C struct that it fills; main.c owns the array
// of all. Tables are constant; everything decoded lives in the caller's arena.
#ifndef ISOBAR_BASE_KIND_H
#define ISOBAR_BASE_KIND_H

#include <stddef.h>

#include "base/node.h"

// The type of a field, the C type at its offset, and what a user writes.
enum field_type {
	FIELD_TEXT,    // struct str
	FIELD_NAME,    // struct str           letters, digits, '-', '_', '.'; starts with a letter or digit; at most 63
	FIELD_BOOL,    // bool                 true | false
	FIELD_INTEGER, // int64_t              between min and max
	FIELD_NUMBER,  // double               between min and max
	FIELD_DURATION, // int64_t ns           30d, 60s, 250ms
	FIELD_SIZE,     // int64_t bytes        512MiB, 5GB
	FIELD_PERCENT,  // double, 1.0 = 100%   5%
	FIELD_RANGE,    // struct field_range   0..1
	FIELD_MONEY,    // struct field_money   40 EUR, 50 EUR/month
	FIELD_CHOICE,   // struct str           one of `choices`
	FIELD_REF,      // struct field_ref     a name of kind `refers`, or kind/name
	FIELD_URL,      // struct str           absolute http(s) or file URL
	FIELD_CLOUDS,   // struct field_list of struct str: a list of cloud names, or "all" (then empty and all = true)
	FIELD_LIST,     // struct field_list of the type `item`
	FIELD_BLOCK,    // the struct of the sub-table `block`, in place; absent: zero with defaults
	FIELD_BLOCKS,   // struct field_list of the struct of `block`: a list of maps
	FIELD_NAMED,    // struct field_list of the struct of `block`: a map, its keys in the FIELD_KEY field of the
			// sub-table
	FIELD_KEY,      // struct str           filled with the map's key
	FIELD_PRESENT,  // bool                 true when the block was written: tells an absent block from one of
			// defaults
	FIELD_ANY,      // const struct node *  read by whoever knows it (`with:`), kept as written
	FIELD_CUSTOM,   // whatever `parse` of the row makes of the node; also for "a scalar or a map" fields
	FIELD_CLOUD,    // struct field_list of struct str: one cloud's name, as a list of one: beside a FIELD_CLOUDS row
			// of the same offset, for what lies on one cloud
	FIELD_LABELS,   // struct field_list of struct field_label: a map of texts
	FIELD_REFS,     // struct field_list of struct field_named_ref: one reference, a list of them, or a map of names
			// to one or a list of them
	FIELD_PATH,     // struct str           a relative path inside the workspace's folder, "./" dropped
	FIELD_PLACES,   // struct field_list of struct str: a country or law, a list of them ([EU, CH]), or "anywhere"
			// (then empty and all = true)
	FIELD_RATE,     // struct field_rate    200k/min, 5/s
	FIELD_DATE,     // int64_t ns since 1970, at the start of that day, UTC   2027-06-30
	FIELD_ACCELERATOR, // struct field_accelerator  H100:4, L4
};

enum field_flags {
	FIELD_REQUIRED = 1,
	FIELD_IN_PLACE = 2,    // a change updates the resource; without it a change replaces it
	FIELD_BY_OPERATOR = 4, // an operator's command may override it at run time
	FIELD_BY_MONITOR = 8,  // a monitor may override it at run time
	FIELD_SECRET = 16,     // holds the name of a secret, never its value
	FIELD_LATER = 32,      // read and recorded, and no code of this release acts on it; the resource acts without it
	FIELD_SOFT = 128,      // a reference that need not be made first: both may name each other
	FIELD_WAITS = 64,      // the same, and the resource cannot act without it: it waits for a later release
};

struct field_list {
	void *items; // array in the arena
	size_t count;
	bool all; // FIELD_CLOUDS: "all" was written; FIELD_PLACES: "anywhere"
};
struct field_ref {
	struct str kind; // singular, with hyphens: "encryption-key"; empty when several fit and none was written
	struct str name;
	struct str qualifier; // behind '@': an alias ("champion"); behind '/': a part ("train" of prepared/train); else
			      // empty
	char mark;     // '@', '/', or 0 without a qualifier
	struct str on; // cloud, of "bucket/lake on munich"; else empty
};
struct field_named_ref {
	struct str name; // key of the map; empty without a map
	struct field_ref ref;
};
struct field_range {
	double low, high;
};
struct field_money {
	double amount;
	struct str currency; // "EUR"
	struct str per;      // "month", "h"; empty: once
};
struct field_label {
	struct str name, value;
};
struct field_rate {
	double amount;
	struct str per; // "s", "min", "h", "d"
};
struct field_accelerator {
	struct str model; // "H100"; empty: none
	int64_t count;
};

struct kind;
struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	size_t offset;
	const char *otherwise;      // default as the user would write it; NULL: none
	const char *help;           // one line
	const char *unit;           // for the manual; NULL: none
	double min, max;            // both 0: no bounds. Durations in seconds, sizes in bytes, percentages as fractions
	const char *const *choices; // NULL-ended; FIELD_REFS: the only names of the map, NULL: any
	const char *refers;   // FIELD_REF: singular kinds, separated by '|'; NULL: any, and kind/name is written out
	const char *follows;  // `bucket:` alone: the member that names what it is made from, whose bucket is taken without one
	enum field_type item; // FIELD_LIST: type of an item (no list or block)
	size_t item_size;     // FIELD_LIST of FIELD_CUSTOM: size of what `parse` makes of an item
	const struct kind *block; // FIELD_BLOCK, FIELD_BLOCKS, FIELD_NAMED
	// With FIELD_LATER or FIELD_WAITS: the values (NULL-ended) that this release does act on; NULL: none but the
	// default.
	const char *const *acts;
	bool (*acting)(const struct node *node); // the same as a function, for what is no choice; NULL: none
	// FIELD_CUSTOM: reads node into out; adds findings. Returns false when it added any. Memory comes from
	// f->arena's owner: what it keeps must be in f->arena.
	bool (*parse)(const struct node *node, void *out, struct findings *f);
	// FIELD_CUSTOM: the normal form of what parse takes (new reference); NULL: as it was written.
	json_t *(*normal)(const struct node *node);
};

// What a check across fields gets. It runs also when some fields are wrong: these hold zero, and kind_check_sound() says so.
struct kind_check {
	const struct kind *kind;
	const void *value;      // the kind's C struct
	const struct node *map; // as written
	struct findings *f;
	uint64_t wrong; // one bit a row of the table: it has a finding of its own
};

struct kind {
	const char *plural;   // key in the file: "encryption_keys"; NULL for a sub-table
	const char *singular; // in addresses: "encryption-key"; for a sub-table its name in messages
	const char *help;     // one line
	const char *example;  // a few lines of YAML for explain and the manual; NULL: none
	size_t size;          // of the C struct
	const struct field *fields;
	size_t field_count;
	void (*check)(const struct kind_check *c); // across fields; NULL: none
	bool waits;        // all of it belongs to a later release: read, recorded, planned as waiting
	bool no_resource;  // declares nothing that is planned: takes no common fields
	bool single;       // one map at the top (`audit: {...}`) instead of a map of names; its address is "audit/workspace"
	bool at_providers; // things of other people's making can stand in for it: takes `existing:`
};
#define KIND_FIELDS(array) .fields = (array), .field_count = COUNT_OF(array)

// Fills *out (of kind->size; zeroed first) from a map: defaults, then members; unknown names, wrong types, bounds and
// missing required fields become findings, all of them. ERR_INVALID when it added any. References are only parsed, not
// resolved. A null member counts as absent, a null or NULL map as an empty one. Texts are borrowed from the nodes, so
// these and f->arena must live as long as *out.
MUST_CHECK int kind_decode(
	const struct kind *k, const struct node *map, struct arena *a, void *out, struct findings *f);
// The same from JSON that was validated before (a resource record in state); errors there are ERR_CORRUPT. All is
// copied.
MUST_CHECK int kind_decode_json(const struct kind *k, const json_t *object, struct arena *a, void *out, struct err *e);
// The row of a member; of a resource also the rows of resource_common_kind.
const struct field *kind_field(const struct kind *k, struct str name);
const struct kind *kind_find(const struct kind *const *kinds, struct str plural_or_singular); // NULL-ended array

// For checks across fields. Sound: the member decoded, or was not written (then it holds its default).
bool kind_check_sound(const struct kind_check *c, const char *member);
// Adds a finding at a member (at the whole map when it was not written); `at` is a member or a path of them:
// "scale.min".
void kind_check_add(const struct kind_check *c, const char *at, struct str suggestion, const char *problem, ...)
	PRINTF_LIKE(4, 5);
// `cloud: NAME` of an entry becomes `clouds: [NAME]`, the form that all who read nodes know. In place.
MUST_CHECK int kind_rewrite_cloud(const struct kind *k, struct node *map, struct arena *a);

// The fields that every resource takes beside its own. kind_decode() passes over them; they are in no kind's struct.
struct resource_common {
	struct field_list labels; // of struct field_label
	bool protect;             // no plan may destroy or replace it
	struct str existing;      // "keep": used, never changed; "adopt": ours from the next apply; "": Isobar makes it
	struct str drift;         // "report" or "revert"
	struct field_ref owner;   // group or user; name "": the workspace's
	const struct node *for_each; // always NULL: whoever loads a workspace has made the copies by then
};
extern const struct kind resource_common_kind;
// Reads them from the members of an entry of kind k; as kind_decode().
MUST_CHECK int kind_decode_common(const struct kind *k, const struct node *map, struct arena *a,
	struct resource_common *out, struct findings *f);

// What of an entry waits for a later release: paths of its written fields, "subject, keep.at_most"; "" when there is
// none.
struct kind_later {
	struct str later; // recorded only; the resource acts without
	struct str waits; // the resource waits for it: "sql"; of a kind that waits as a whole its plural
};
MUST_CHECK int kind_later(
	const struct kind *k, const struct node *map, struct arena *a, struct kind_later *out, struct err *e);

// What a user is expected to write, for messages and manuals: "a duration such as 30d", "one of a, b, c".
void kind_expected(const struct field *field, struct buf *out);
// Checks the tables themselves, for a test of each room: names, helps, offsets inside the struct, defaults that decode,
// references to kinds that are there. ERR_INTERNAL names the first row that is wrong. kinds is NULL-ended.
MUST_CHECK int kind_verify(const struct kind *const *kinds, struct err *e);
// The closest of the names that is close enough to be meant; empty str when none is.
struct str kind_suggest(
	struct str written, struct str (*name_at)(const void *ctx, size_t i), const void *ctx, size_t count);

#endif
