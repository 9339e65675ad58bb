// SPDX-License-Identifier: Apache-2.0
// Azure Storage's Shared Key for the Blob service, for both sides. Source: "Authorize with Shared Key", Azure Storage
// REST API (versions from 2015-02-21 on: an empty Content-Length for 0). Pure and thread-safe. Refusals carry Azure's
// own code in err.provider_code (AuthenticationFailed, InvalidAuthenticationInfo) and its status.
#ifndef ISOBAR_CLOUD_SIGN_SHAREDKEY_H
#define ISOBAR_CLOUD_SIGN_SHAREDKEY_H

#include "base/hash.h"
#include "cloud/sign/sign_request.h"

enum { SHAREDKEY_SKEW_S = 900 };

// VERB, 11 headers, x-ms-* headers and the resource. r->path includes the account where the URL does (Azurite and
// pocket clouds).
MUST_CHECK int sharedkey_string_to_sign(
	const struct sign_request *r, struct str account, struct buf *out, struct err *e);
// Client: the value of Authorization: "SharedKey ACCOUNT:SIGNATURE". The request must already carry x-ms-date and
// x-ms-version. key: the account's key as bytes, decoded from base64.
MUST_CHECK int sharedkey_authorize(
	const struct sign_request *r, struct str account, struct str key, struct buf *authorization, struct err *e);
// Server: the account that the request names (borrowed from its header); ERR_UNAUTHENTICATED when it has none.
MUST_CHECK int sharedkey_account(const struct sign_request *r, struct str *account, struct err *e);
MUST_CHECK int sharedkey_verify(
	const struct sign_request *r, struct str account, struct str key, int64_t now_ns, struct err *e);

#endif
