// SPDX-License-Identifier: Apache-2.0
// Callers of a pocket AWS: the owner's access key, and temporary ones that STS gives. A session is its own proof: its
// token holds role, session name, times and policy under an HMAC, and its access key and secret follow from the token, so
// that the pocket keeps no list of them and a restart ends none. They end at their time, with the fault "expire", and with
// their role. Loop thread only.
#ifndef ISOBAR_POCKET_AWS_SESSION_H
#define ISOBAR_POCKET_AWS_SESSION_H

#include "cloud/sign/sigv4.h"
#include "pocket/access.h"
#include "pocket/pocket_impl.h"

enum {
	SESSION_ACCOUNT_DIGITS = 12,
	SESSION_KEY_SIZE = 21, // "ASIA" and 16
	SESSION_SECRET_SIZE = 41,
	SESSION_TOKEN_MAX = 8 << 10,
};

#define IAM_JOB_ROLE "isobar-jobs" // there from the start: what jobs and endpoints run as

struct session {
	struct str role;    // its name; "": the owner's own (GetSessionToken)
	struct str name;    // of the session
	int64_t ends_s;     // wall clock
	const json_t *policy; // a document that limits it; NULL: none
};
struct session_keys {
	char access_key[SESSION_KEY_SIZE], secret[SESSION_SECRET_SIZE];
	struct str token; // in the arena
};
MUST_CHECK int session_make(
	struct pocket *p, const struct session *s, struct arena *a, struct session_keys *out, struct err *e);

// Who signed: sets r->who and makes the signing key of the claim's scope, or refuses with S3's codes InvalidAccessKeyId,
// InvalidToken, ExpiredToken. That the signature is right is for the caller to check.
MUST_CHECK int session_identify(struct front_request *r, const struct sigv4_claim *claim, struct sigv4_key *signing);

void pocket_account(const struct pocket *p, char digits[SESSION_ACCOUNT_DIGITS + 1]);
struct str session_role_arn(const struct pocket *p, struct arena *a, struct str path, struct str role);
// The role's record of IAM, NULL when there is none; by name or by ARN.
const json_t *session_role(struct pocket *p, struct str name_or_arn);
// "AROA" or "AIDA" and 17 more, from a name.
struct str session_unique_id(const struct pocket *p, struct arena *a, const char *prefix, struct str name);

// Variables by which a process that the engine runs gets the credentials of a role, as a container of AWS does: added to
// environment. Roles that IAM does not know are ERR_NOT_FOUND.
MUST_CHECK int session_add_role(
	struct pocket *p, struct str role_arn, struct str id, json_t *environment, struct err *e);

extern const struct pocket_service aws_iam_service, aws_sts_service, aws_container_service;

#endif
