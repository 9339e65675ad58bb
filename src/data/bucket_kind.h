// SPDX-License-Identifier: Apache-2.0
// The kind `bucket`: one bucket on each of its clouds under one name for all of them, and where made things go.
// The handler drives each cloud's resource_ops; its ctx is the `const struct clouds *` of the workspace.
#ifndef ISOBAR_DATA_BUCKET_KIND_H
#define ISOBAR_DATA_BUCKET_KIND_H

#include "cloud/cloud.h"
#include "state/resource.h"

struct bucket {
	struct field_list clouds;
	struct str name;               // physical name; "": WORKSPACE-NAME
	struct field_ref encrypt_with; // encryption-key; name "": none
	bool versioning;
	struct str public; // "never"
};
extern const struct kind bucket_kind;
extern const struct resource_handler bucket_handler; // ctx: const struct clouds *

// "fashion-lake": `name:` when written, else the workspace and the bucket's name. In the arena of c.
struct str bucket_physical_name(struct call *c, const struct bucket *b, struct str name);
// The physical name of a bucket on a cloud, from its resource record. name "": the only bucket there (rule 12 of the
// workspace language: none or several is an error). ERR_NOT_FOUND says what to declare; ERR_WAITING: it is not made
// yet.
MUST_CHECK int bucket_find(
	struct call *c, const struct state *s, struct str name, struct str cloud, struct str *physical);

#endif
