// SPDX-License-Identifier: Apache-2.0
// Many objects at once: what `isobar data cp -r | sync | mv | du | verify` do below a place, in parallel, a failure of
// one not being the end of the others. What is at the target already, in the same size and not older (or with the same
// checksum, where that is asked for), is not moved again, so that a run that was cut goes on where it ended. Every
// object is proven at its target as data/copy.h says before its source is removed. Links and special files are passed
// over. Lists are held in memory. The call's arena is used by one thread; `tell` comes from any.
#ifndef ISOBAR_DATA_BULK_H
#define ISOBAR_DATA_BULK_H

#include "data/objects.h"
#include "data/select.h"

struct bulk_item {       // one object or file
	struct str name; // relative to the place
	uint64_t size;
	int64_t modified_ns;
};
struct bulk_list {
	struct bulk_item *items; // sorted by name
	size_t count;
};
// As bulk_list, of a place that is copied, verified or counted: a folder that is not there is ERR_NOT_FOUND, so that a name
// that was mistyped is never taken for an empty folder. An empty prefix is none.
MUST_CHECK int bulk_list_source(
	struct call *c, const struct object_place *at, const struct select *select, struct bulk_list *out);
// All below a place that are selected; a folder or prefix that is not there gives none.
MUST_CHECK int bulk_list(
	struct call *c, const struct object_place *at, const struct select *select, struct bulk_list *out);
// The place of one of them.
MUST_CHECK int bulk_place(struct call *c, const struct object_place *below, struct str name, struct object_place *out);
// Removes an object, or a file.
MUST_CHECK int bulk_remove(struct call *c, const struct object_place *at);

struct bulk_event {         // about one object
	const char *action; // "copy", "delete", "move", "verify", "fail"
	struct str from, to;
	uint64_t bytes;
	struct str why; // of a failure
};
struct bulk_options {
	const struct object_env *env;
	struct object_place from, to; // folders or prefixes
	bool update;                  // what is there already is passed over
	bool delete_others;           // at the target, what the source has not (and is selected)
	bool move;                    // the source is removed once the target is proven
	bool checksum;                // "already there" is decided by checksum, not by size and time
	bool dry_run;                 // only tell
	struct select select;
	size_t parallel;                                            // 0: BULK_PARALLEL
	void (*begin)(void *ctx, uint64_t objects, uint64_t bytes); // what is to be copied or read; NULL: not wanted
	void (*tell)(void *ctx, const struct bulk_event *e);        // NULL: not wanted
	void *ctx;
};
enum { BULK_PARALLEL = 8, BULK_PARALLEL_MOST = 64 };
struct bulk_result {
	uint64_t copied, skipped, deleted, failed, bytes;
	struct err first; // of the failures
};
// 0 also when some objects failed: the result says so. Negative when nothing could be done.
MUST_CHECK int bulk_run(struct call *c, const struct bulk_options *options, struct bulk_result *out);

struct bulk_usage {
	struct str name; // of what is directly below the place: "datasets/", "README"
	uint64_t objects, bytes;
};
MUST_CHECK int bulk_usage(struct call *c, const struct bulk_list *list, struct bulk_usage **out, size_t *count);

// Removes what is selected below `from`.
MUST_CHECK int bulk_clear(struct call *c, const struct bulk_options *options, struct bulk_result *out);

// Reads every object below `from` whole, so that its store's checksum is compared with the bytes; with a `to`, compares
// them with what lies there under the same name. copied: in order; failed: not, with an event each.
MUST_CHECK int bulk_verify(struct call *c, const struct bulk_options *options, struct bulk_result *out);

#endif
