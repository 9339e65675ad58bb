// SPDX-License-Identifier: Apache-2.0
// Token exchange of a pocket Google Cloud: an identity token of an issuer that is trusted (issuer.h) for an access token of
// a federated principal. Source: "Method: token" (Security Token Service API), RFC 8693. Any pool and provider stands for
// any issuer of issuers.json: which one may what is decided by bindings of principal:// and principalSet:// members.
#include <string.h>

#include "pocket/gcp/google.h"
#include "pocket/gcp/tokens.h"
#include "pocket/issuer.h"

enum { MAX_FORM = 64 << 10, LIFETIME_S = 3599 };

static bool matches(const struct front_request *r)
{
	return r->x->request.method == HTTP_POST && str_is(r->x->request.path, "/v1/token");
}

// "//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/POOL/providers/PROVIDER" -> what stands before
// "/providers/".
static bool pool_of(struct str audience, struct str *pool)
{
	ptrdiff_t at = str_find(audience, S("/providers/"));
	if (!str_starts(audience, S("//iam.googleapis.com/projects/")) || at < 0 ||
		str_find(audience, S("/locations/global/workloadIdentityPools/")) < 0)
		return false;
	*pool = str_take(audience, (size_t)at);
	return true;
}

static const char *check(struct front_request *r, struct str form, struct str *principal)
{
	struct issued token = {0};
	struct str pool = S("");
	if (!str_is(gcp_form_get(r, form, S("grant_type")), "urn:ietf:params:oauth:grant-type:token-exchange"))
		return "unsupported_grant_type";
	if (!pool_of(gcp_form_get(r, form, S("audience")), &pool)) {
		err_set(&r->err, ERR_INVALID, "Invalid value for \"audience\": it names no provider of a workload identity pool");
		return "invalid_request";
	}
	if (issuer_verify(r, gcp_form_get(r, form, S("subject_token")), &token) < 0)
		return "invalid_grant";
	*principal = arena_printf(r->arena, "principal:%.*s/subject/%.*s", STR(pool), STR(str_clip(token.subject, 127)));
	return principal->p ? NULL : "internal_failure";
}

static void form_done(struct front_request *r, struct str form)
{
	struct str principal = S(""), token;
	const char *refused = check(r, form, &principal);
	struct gcp_grant grant = {.account = principal,
		.scope = gcp_scope_of(gcp_form_get(r, form, S("scope"))),
		.lifetime_s = LIFETIME_S};
	if (!refused && grant.scope == GCS_NONE)
		refused = "invalid_scope";
	if (refused) {
		char why[sizeof(r->err.message)];
		str_copy(why, sizeof(why), str_of(r->err.message));
		gcp_oauth_error(r, 400, refused, why[0] ? why : "Invalid value");
		return;
	}
	if (gcp_token_make(r->pocket, &grant, r->arena, &token, &r->err) < 0) {
		google_fail(r);
		return;
	}
	json_t *j = json_pack("{s:s, s:s, s:i}", "issued_token_type", "urn:ietf:params:oauth:token-type:access_token",
		"token_type", "Bearer", "expires_in", LIFETIME_S);
	json_set_str(j, "access_token", token);
	front_add(r, "cache-control", S("no-store"));
	service_reply_json(r, 200, j);
}

static void handle(struct front_request *r)
{
	front_collect(r, MAX_FORM, form_done);
}

const struct pocket_service gcp_sts_service = {
	.name = "sts", .matches = matches, .handle = handle, .fail = google_fail, .trouble = google_trouble};
