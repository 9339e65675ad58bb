// SPDX-License-Identifier: Apache-2.0
// Who asks a pocket Key Vault. A request without a token gets the challenge that clients look for (RFC 6750 3): where
// tokens are to be had, and for which resource. Source: "Authentication, requests and responses" (Key Vault).
#include <string.h>

#include "pocket/arm/vault_impl.h"

#define RESOURCE "https://vault.azure.net"

static int challenge(struct front_request *r, const char *why)
{
	AUTO(json) credentials = NULL;
	struct str tenant = S("pocket"), base = vault_base(r);
	if (pocket_read_json(r->pocket, "credentials.json", &credentials, NULL) == 0 && json_str(credentials, "tenant").n)
		tenant = json_str(credentials, "tenant");
	front_addf(r, "www-authenticate", "Bearer authorization=\"%.*s/%.*s\", resource=\"" RESOURCE "\"", STR(base),
		STR(tenant));
	return vault_refuse(r, 401, "Unauthorized", "%s", why);
}

int vault_authenticate(struct front_request *r)
{
	struct str value = front_header(r, "authorization");
	if (!str_starts(value, S("Bearer ")))
		return challenge(r, "AKV10000: Request is missing a Bearer or PoP token.");
	if (entra_authenticate(r, entra_audience_vault, &vault_request(r)->who) == 0)
		return 0;
	bool expired = strcmp(r->err.provider_code, "ExpiredAuthenticationToken") == 0;
	bool audience = strcmp(r->err.provider_code, "InvalidAuthenticationTokenAudience") == 0;
	return challenge(r, expired    ? "AKV10046: The token has expired."
			    : audience ? "AKV10022: Invalid audience. Expected " RESOURCE "."
				       : "AKV10032: Invalid issuer, or the token is not valid any more.");
}

int vault_authorise(struct front_request *r)
{
	const struct vault_request *v = vault_request(r);
	struct str action = arena_printf(r->arena, "Microsoft.KeyVault/vaults/%s", v->route->action);
	if (!action.p)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (entra_may(&v->who, action.p))
		return 0;
	return vault_refuse(r, 403, "Forbidden",
		"Caller is not authorized to perform action on resource. Caller: appid=%.*s;oid=%.*s Action: '%s'",
		STR(v->who.client_id), STR(v->who.object_id), action.p);
}
