// SPDX-License-Identifier: Apache-2.0
// A first workspace: an empty one that explains itself, or one of what the present credentials can see. Looking calls
// only what reads, and what could not be seen is named. The texts are complete files; whoever asked writes them. They
// live in the call's arena.
#ifndef ISOBAR_INFRA_INIT_H
#define ISOBAR_INFRA_INIT_H

#include "base/json.h"
#include "security/operator.h"

enum { INIT_MAX_BUCKETS = 500 }; // of one account that are looked at; more are named as not seen

struct init_request {
	struct str name;                // of the workspace
	const struct operator_file *op; // credentials and addresses; NULL: none, as for an untrusted one
	const struct str *from;         // "aws", "gcp", "azure", "kubernetes", "slurm"; none: an empty workspace
	size_t from_count;
	struct str region; // for accounts that do not say where they lie; "": none
};
// *out: {workspace, text, clouds: [{cloud, provider, region, who, account, buckets: COUNT}], unseen: [TEXT]}.
// ERR_INVALID for a source that is none of these. What one source lacks stops none of the others.
MUST_CHECK int init_workspace(struct call *c, const struct init_request *r, json_t **out);
// A workspace name from that of a folder: lower case, digits and '-'; "workspace" when nothing is left.
struct str init_name_of(struct arena *a, struct str folder);

#endif
