// SPDX-License-Identifier: Apache-2.0
// Tags of buckets: what Isobar writes there as its mark, and whose mark stands there. A bucket that carries the mark of
// another tool, or of another Isobar workspace, is never taken over silently. Names are compared in one plain form
// (lower case, '-' for everything but letters and digits), because providers take different characters. Pure.
#ifndef ISOBAR_CLOUD_TAGS_H
#define ISOBAR_CLOUD_TAGS_H

#include "base/arena.h"
#include "base/json.h"

#define TAG_WORKSPACE "isobar-workspace"
#define TAG_UID "isobar-uid"

struct tags_owner {
	struct str by;     // "Terraform", "Isobar"; "": nobody's mark is there
	struct str mark;   // "goog-terraform-provisioned=true"
	struct str advice; // what to do where it belongs
	struct str workspace, uid; // of Isobar's own mark
};

// In lower case, with `other` for everything but a-z and 0-9, at most `most` bytes. .p NULL without memory.
struct str tags_plain(struct arena *a, struct str text, char other, size_t most);
// Whose tags these are. Texts live in a or are constant. ERR_NO_MEMORY.
MUST_CHECK int tags_find_owner(struct arena *a, const json_t *tags, struct tags_owner *out);
// The tags that are not Isobar's mark, as new reference; NULL without memory.
json_t *tags_without_mark(struct arena *a, const json_t *tags);
// tags and the mark of a resource, as new reference; NULL without memory.
json_t *tags_with_mark(const json_t *tags, struct str workspace, struct str uid);

#endif
