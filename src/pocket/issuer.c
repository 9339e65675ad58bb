// SPDX-License-Identifier: Apache-2.0
// Tokens of trusted issuers: see issuer.h.
#include "pocket/issuer.h"

#include "base/time.h"
#include "cloud/sign/jwt_rs256.h"

enum { LEEWAY_S = 60 };

// Who a token says it is from, before that is proved.
static int claimed_issuer(struct front_request *r, struct str token, struct str *issuer)
{
	struct str head, rest, body, mark;
	AUTO(buf) text = {.limit = JWT_MAX_SIZE};
	AUTO(json) claims = NULL;
	if (!str_cut(token, '.', &head, &rest) || !str_cut(rest, '.', &body, &mark) ||
		base64url_decode(body, &text) < 0 || json_parse(buf_str(&text), &claims, NULL) < 0)
		return err_set(&r->err, ERR_UNAUTHENTICATED, "the token is no JWT");
	*issuer = arena_str(r->arena, json_str(claims, "iss"));
	return issuer->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int issuer_verify(struct front_request *r, struct str token, struct issued *out)
{
	AUTO(json) all = NULL;
	struct jwt_claims claims = {0};
	struct str issuer = S("");
	const json_t *audience;
	size_t i;
	int rc = claimed_issuer(r, token, &issuer);
	if (rc < 0)
		return rc;
	rc = pocket_read_json(r->pocket, "issuers.json", &all, &r->err);
	const char *name = arena_cstr(r->arena, issuer);
	const json_t *one = rc == 0 && name ? json_object_get(all, name) : NULL;
	if (!one)
		return err_set(&r->err, ERR_UNAUTHENTICATED, "no provider is known for the issuer %.*s",
			STR(str_clip(issuer, 200)));
	rc = err_set(&r->err, ERR_UNAUTHENTICATED, "issuers.json lists no audience for it");
	json_array_foreach(json_object_get(one, "audiences"), i, audience)
	{
		struct jwt_expect expect = {.audience = json_value_str(audience),
			.now_s = front_now_ns(r) / NS_PER_S,
			.leeway_s = LEEWAY_S};
		rc = jwt_rs256_verify(token, json_str(one, "public_key"), &expect, r->arena, &claims, &r->err);
		if (rc == 0)
			break;
	}
	if (rc < 0)
		return rc;
	err_clear(&r->err);
	*out = (struct issued){.issuer = issuer,
		.subject = arena_str(r->arena, claims.subject),
		.audience = arena_str(r->arena, claims.audience)};
	return out->subject.p && out->audience.p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}
