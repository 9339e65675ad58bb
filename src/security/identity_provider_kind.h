// SPDX-License-Identifier: Apache-2.0
// identity_providers: who says who people are: an issuer of OpenID Connect tokens. Declared and recorded in this release;
// the gateway reads its tokens in a later one, so everything that requires one waits.
#ifndef ISOBAR_SECURITY_IDENTITY_PROVIDER_KIND_H
#define ISOBAR_SECURITY_IDENTITY_PROVIDER_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct identity_provider {
	struct str issuer;   // "https://login.example.org/realms/staff": the `iss` of its tokens
	struct str audience; // the `aud` that is accepted
	struct str user_claim, groups_claim;
	int64_t clock_skew_ns;
};
extern const struct kind identity_provider_kind;
extern const struct resource_handler identity_provider_handler;

#endif
