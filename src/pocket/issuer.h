// SPDX-License-Identifier: Apache-2.0
// Issuers of identity tokens that a pocket cloud trusts: what AWS calls an OIDC provider, Google a workload identity pool
// provider, Entra a federated credential. They stand in the file issuers.json of the pocket's folder,
//   {"https://issuer.test": {"public_key": PEM, "audiences": ["sts.amazonaws.com"]}},
// which is read for each token, so that it can be written while the pocket runs; a pocket asks no network for keys. Tokens
// are JWTs signed with RS256. Errors: ERR_UNAUTHENTICATED with what is wrong.
#ifndef ISOBAR_POCKET_ISSUER_H
#define ISOBAR_POCKET_ISSUER_H

#include "pocket/pocket_impl.h"

struct issued {
	struct str issuer, subject, audience; // in the request's arena
};
MUST_CHECK int issuer_verify(struct front_request *r, struct str token, struct issued *out);

#endif
