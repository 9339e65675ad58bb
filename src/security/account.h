// SPDX-License-Identifier: Apache-2.0
// Whose credentials a cloud is opened with, and where they may go: from the operator's file; else, for the provider's
// own addresses only, from the provider's ordinary environment variables and files. Static credentials only: roles that
// are assumed, federation, single sign-on and metadata services are ERR_UNSUPPORTED until a later release, and no
// address of theirs is ever called. Makes no call. What a workspace says about an account is checked as far as it can
// be known without one; who asks the provider afterwards is cloud_identity's business.
#ifndef ISOBAR_SECURITY_ACCOUNT_H
#define ISOBAR_SECURITY_ACCOUNT_H

#include "base/json.h"
#include "security/operator.h"

struct account_request {
	struct str cloud;     // name of its entry in the operator's file: the workspace's cloud, or "s3", "gs", "az"
	struct str provider;  // "aws", "gcp", "azure", "site"
	struct str region;    // "": what the environment says
	struct str account;   // account:, project: or subscription: of the workspace; "": not said
	struct str store_api; // `store: {api: URL}` of the workspace; "": none
	struct str assume;    // `credentials: {assume: ARN}` of the workspace; "": none
	bool environment_addresses; // AWS_ENDPOINT_URL_S3 and the like count: only where no workspace is read
};
struct account {                   // texts live in the call's arena, unless borrowed from the operator's file
	const json_t *credentials; // as cloud/config.h wants them, in the call's arena
	struct str source;         // for people: "AWS_ACCESS_KEY_ID", "profile lumen of /home/me/.aws/credentials"
	struct str region;         // the request's, else the environment's; may be ""
	struct str account;        // that they belong to, as far as is known; may be ""
	struct str store_url;      // "": the provider's own
	struct str identity_url;   // "": the provider's own
	struct str ca_file;        // only CAs of this cloud; "": none of its own
	struct str *hosts;         // further hosts that they may go to
	size_t host_count;
};

// ERR_NOT_FOUND: no credentials anywhere, and where to put some; ERR_DENIED: another account than the workspace says, a
// host that the operator's file does not list; ERR_UNSUPPORTED: of a sort that this release cannot use; ERR_INVALID.
MUST_CHECK int account_find(
	struct call *c, const struct operator_file *op, const struct account_request *request, struct account *out);

#endif
