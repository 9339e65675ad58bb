// SPDX-License-Identifier: Apache-2.0
// Private to the AWS driver: the links of its credential chain. Each gives 0, ERR_NOT_FOUND (this link is not there: the
// next one is asked), or the error that ends the chain.
#ifndef ISOBAR_CLOUD_AWS_CREDENTIALS_IMPL_H
#define ISOBAR_CLOUD_AWS_CREDENTIALS_IMPL_H

#include "base/json.h"
#include "cloud/aws/credentials.h"
#include "cloud/http/exchange.h"

struct aws_chain {
	struct arena arena;
	struct credential_place place;
	struct str region, sts_url;
	bool chain;
	struct str profile;                              // "": as the environment says
	struct secret access_key, secret_key, session_token; // static ones; empty: none
};

struct aws_role { // to take on
	struct str arn, external_id, session_name;
	int64_t duration_s;      // 0: an hour
	struct str token;        // web identity; "": signed with `base`
	struct credential_source *base;
};

int aws_link_environment(struct call *c, struct aws_chain *chain, struct credential_made *out);
int aws_link_profile_role(struct call *c, struct aws_chain *chain, struct credential_made *out);
int aws_link_web_identity(struct call *c, struct aws_chain *chain, struct credential_made *out);
int aws_link_profile_keys(struct call *c, struct aws_chain *chain, struct credential_made *out);
int aws_link_profile_process(struct call *c, struct aws_chain *chain, struct credential_made *out);
int aws_link_container(struct call *c, struct aws_chain *chain, struct credential_made *out);
int aws_link_instance(struct call *c, struct aws_chain *chain, struct credential_made *out);

// Keys, maybe with a session token and an end, from a JSON answer of a metadata service or a process.
struct aws_key_names {
	const char *id, *key, *token, *ends;
};
MUST_CHECK int aws_read_keys(struct call *c, const json_t *j, const struct aws_key_names *names,
	const struct transport_response *answer, struct credential_made *out);
// AssumeRole, or AssumeRoleWithWebIdentity where the role has a token.
MUST_CHECK int aws_assume(
	struct call *c, const struct aws_chain *chain, const struct aws_role *role, struct credential_made *out);

#endif
