// SPDX-License-Identifier: Apache-2.0
// Callers of a pocket Google Cloud: the service account of credentials.json, which owns the project; other service accounts
// of IAM; federated principals. An access token is its own proof (account, scopes, times, HMAC), so that the pocket keeps
// no list of them and a restart ends none; they end at their time and with the fault "expire". What others than the owner
// may is what the bindings of the project's policy say, and those of the service account that is asked about. Loop thread
// only. Sources: "Understanding roles", "Understanding allow policies" (IAM).
#ifndef ISOBAR_POCKET_GCP_TOKENS_H
#define ISOBAR_POCKET_GCP_TOKENS_H

#include "pocket/access.h"
#include "pocket/gcs/gcs_impl.h"

#define GCP_JOB_ACCOUNT "isobar-jobs" // there from the start: what jobs and endpoints run as
#define GCP_ACCOUNTS "iam/service-accounts"
#define GCP_POLICIES "iam/policies" // "project", or a service account's address
#define GCP_ROLES "iam/roles"

struct gcp_grant {
	struct str account; // address of a service account, or "principal://..."
	enum gcs_scope scope;
	int64_t lifetime_s;
};
MUST_CHECK int gcp_token_make(
	struct pocket *p, const struct gcp_grant *grant, struct arena *a, struct str *out, struct err *e);
struct gcp_opened {
	struct str account;
	enum gcs_scope scope; // GCS_NONE: no token of this pocket, or one that has ended
	int64_t ends_s;
};
// Who a token is of: sets r->who where it is good.
MUST_CHECK int gcp_token_open(struct front_request *r, struct str token, struct gcp_opened *out);
MUST_CHECK int gcp_be(struct front_request *r, struct str account); // sets r->who to that account
// Whether r->who has a permission: by the project's policy, or by that of a resource that has its own ("": none).
bool gcp_may(struct front_request *r, struct str permission, struct str resource);

struct str gcp_project(const struct pocket *p, struct arena *a);
struct str gcp_account_address(const struct pocket *p, struct arena *a, struct str id); // ID@PROJECT.iam...
// Whether there is a service account of this address (the owner's is one).
bool gcp_account_known(struct pocket *p, struct str address);
enum gcs_scope gcp_scope_of(struct str scopes); // separated by spaces
void gcp_oauth_error(struct front_request *r, int status, const char *error, const char *description);
struct str gcp_form_get(struct front_request *r, struct str form, struct str name); // decoded; "" when absent

extern const struct pocket_service gcp_sts_service, gcp_iam_service, gcp_projects_service;

#endif
