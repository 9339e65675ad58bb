// SPDX-License-Identifier: Apache-2.0
// Who asks a pocket Key Vault. A request without a token gets the challenge that clients look for (RFC 6750 3): where
// tokens are to be had, and for which resource. Source: "Authentication, requests and responses" (Key Vault).
#include <string.h>

#include "pocket/arm/vault_impl.h"
#include "pocket/azure/azure_impl.h"

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

// The owner's token: what only who holds the account's key can make.
static bool is_owners(struct front_request *r, struct str token)
{
	const struct azure_keys *keys = r->keys;
	AUTO(buf) text = {0};
	struct sha256 mac = hmac_sha256(buf_str(&keys->key), S(RESOURCE));
	base64url_encode(str_bytes(mac.bytes, SHA256_SIZE), &text);
	return text.n == token.n && hash_equal(text.p, token.p, text.n);
}

int vault_authenticate(struct front_request *r)
{
	struct str value = front_header(r, "authorization");
	if (!str_starts(value, S("Bearer ")))
		return challenge(r, "AKV10000: Request is missing a Bearer or PoP token.");
	if (is_owners(r, str_trim(str_drop(value, 7))))
		return 0;
	return challenge(r, "AKV10032: Invalid issuer, or the token is not valid any more.");
}

int vault_authorise(struct front_request *r)
{
	(void)r;
	return 0;
}
