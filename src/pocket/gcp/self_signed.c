// SPDX-License-Identifier: Apache-2.0
// Tokens that a service account signs for itself: see self_signed.h.
#include "pocket/gcp/self_signed.h"

#include "base/time.h"
#include "cloud/sign/jwt_rs256.h"
#include "pocket/gcs/gcs_impl.h"

enum { LEEWAY_S = 60 };

static enum self_signed scope_of(struct str scopes)
{
	enum self_signed best = SELF_SIGNED_NONE;
	struct str scope;
	while (str_next(&scopes, ' ', &scope)) {
		if (str_eq(scope, S("https://www.googleapis.com/auth/cloud-platform")))
			return SELF_SIGNED_ALL;
		if (str_eq(scope, S("https://www.googleapis.com/auth/cloud-platform.read-only")))
			best = SELF_SIGNED_READS;
	}
	return best;
}

// Clients name the provider's host as audience, or the one they were told to call.
static enum self_signed is_for(struct front_request *r, const char *service, struct str token, struct jwt_claims *claims)
{
	const struct gcs_keys *keys = r->keys;
	struct str host = front_header(r, "host");
	const struct str audiences[] = {S(""), arena_printf(r->arena, "https://%s/", service),
		arena_printf(r->arena, "https://%.*s/", STR(host)), arena_printf(r->arena, "http://%.*s/", STR(host))};
	for (size_t i = 0; i < COUNT_OF(audiences); i++) {
		const struct jwt_expect expect = {
			.audience = audiences[i], .now_s = front_now_ns(r) / NS_PER_S, .leeway_s = LEEWAY_S};
		if (jwt_rs256_verify(token, buf_str(&keys->public_key), &expect, r->arena, claims, NULL) == 0)
			return audiences[i].n ? SELF_SIGNED_ALL : scope_of(claims->scope);
	}
	return SELF_SIGNED_NONE;
}

enum self_signed self_signed(struct front_request *r, const char *service, struct str token)
{
	const struct gcs_keys *keys = r->keys;
	struct jwt_claims claims = {0};
	if (!str_starts(token, S("eyJ")))
		return SELF_SIGNED_NONE;
	enum self_signed allowed = is_for(r, service, token, &claims);
	return str_eq(claims.issuer, buf_str(&keys->email)) ? allowed : SELF_SIGNED_NONE;
}
