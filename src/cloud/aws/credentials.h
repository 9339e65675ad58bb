// SPDX-License-Identifier: Apache-2.0
// The credential chain of AWS. config.credentials is one of
//   {access_key_id, secret_access_key, session_token?}     as they are
//   {chain: true, profile?}   the first of: AWS_ACCESS_KEY_ID; a profile (AWS_PROFILE, else default) that assumes a role;
//                             AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN; the profile's keys; its credential_process;
//                             a container's (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI); the instance's
// and with either {assume: ARN, external_id?, session_name?, duration_s?}: that role, taken on with what was found.
// Sources: "Credential provider chain", "Assume role", "Container", "IMDS credential provider" (AWS SDKs and Tools
// Reference Guide); AWS STS API Reference. Errors: ERR_INVALID, ERR_NOT_FOUND (no link has any), ERR_UNAUTHENTICATED,
// ERR_DENIED (a container's address that is no loopback and no metadata service).
#ifndef ISOBAR_CLOUD_AWS_CREDENTIALS_H
#define ISOBAR_CLOUD_AWS_CREDENTIALS_H

#include "cloud/credential_chain.h"

MUST_CHECK int aws_credentials_open(
	const struct credential_options *o, struct credential_source **out, struct err *e);

#endif
