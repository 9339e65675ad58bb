// SPDX-License-Identifier: Apache-2.0
// Approvals: an environment may ask that so many people approve a plan before it is applied. What is approved is the
// plan's digest, so that another plan needs approvals of its own; once applied, they are spent. Records
// "approval/DIGEST", events approval.given and approval.spent. A `group/NAME` is a group of the system's users until
// identity providers say more.
#ifndef ISOBAR_INFRA_APPROVALS_H
#define ISOBAR_INFRA_APPROVALS_H

#include "state/state.h"

struct approval_rule {     // of an environment
	int64_t needed;    // 0: none
	struct str by;     // "group/platform", "user/anna"; "": anybody who may approve
	struct str environment;
};

// c->principal approves. ERR_INVALID: no digest of a plan; ERR_DENIED: not one of those who may. *given: by how many
// people so far.
MUST_CHECK int approvals_give(struct call *c, const struct state *s, const struct approval_rule *rule,
	struct str digest, struct str note, int64_t *given);
// 0 when enough people approved; else ERR_DENIED says who did and what to run.
MUST_CHECK int approvals_check(
	struct call *c, const struct state *s, const struct approval_rule *rule, struct str digest);
MUST_CHECK int approvals_spend(struct call *c, const struct state *s, struct str digest); // none: 0
// {"digest", "by": [{"who", "at", "note"}]} of all that are not spent; new reference.
MUST_CHECK int approvals_list(struct call *c, const struct state *s, json_t **out);
// Whether a principal is the user, or a member of the group, that `by` names; "": everybody is.
bool approver_fits(struct str principal, struct str by);

#endif
