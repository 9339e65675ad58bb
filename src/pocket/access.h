// SPDX-License-Identifier: Apache-2.0
// Who asks a pocket cloud, and whether they may. A principal is made by the provider's authentication (aws/session.h,
// gcp/tokens.h) and lives in the request's arena as r->who; NULL is nobody. The owner (credentials.json) may all; others
// what policies grant: deny wins, then allow, and what nobody grants is denied. Policies are IAM documents, {"Statement":
// [{"Effect", "Action" | "NotAction", "Resource" | "NotResource", "Condition"?}]}; a statement with a condition that is not
// known allows nothing and denies everything that it names. Pure but for r->err. Source: "IAM JSON policy reference".
#ifndef ISOBAR_POCKET_ACCESS_H
#define ISOBAR_POCKET_ACCESS_H

#include "base/arena.h"
#include "base/json.h"

struct front_request;

struct pocket_principal {
	struct str name;    // "arn:aws:sts::1:assumed-role/jobs/s", "jobs@p.iam.gserviceaccount.com"
	struct str id;      // "AROA...:session"; "" where a provider has none
	struct str account; // number, project
	struct str role;    // name of the role that was taken on; "": a user or a service account itself
	bool owner;
	const json_t *policies; // array of documents: what it may; NULL: nothing, or all as owner
	const json_t *limit;    // a document that must allow it, too (a session's policy); NULL: none
	int64_t ends_s;         // wall clock; 0: never
};

enum access { ACCESS_NONE, ACCESS_ALLOW, ACCESS_DENY };
struct access_question {
	struct str action, resource;
	const json_t *context; // object of texts: condition keys; NULL: none
};
// '*' and '?' as IAM has them; actions in any case.
bool access_pattern_fits(struct str pattern, struct str text, bool any_case);
enum access access_of_document(const json_t *document, const struct access_question *q);
bool access_allowed(const struct pocket_principal *who, const struct access_question *q);
// 0, or ERR_DENIED with a message that says who may not do what; the service's fail() has the words of its provider.
MUST_CHECK int pocket_authorise(struct front_request *r, struct str action, struct str resource);

#endif
