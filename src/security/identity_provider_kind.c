// SPDX-License-Identifier: Apache-2.0
// The table of identity providers.
#include "security/identity_provider_kind.h"

static void check_issuer(const struct kind_check *c)
{
	const struct identity_provider *p = c->value;
	if (kind_check_sound(c, "issuer") && p->issuer.n && !str_starts(p->issuer, S("https://")))
		kind_check_add(c, "issuer", S("begin it with https://"),
			"tokens and the keys that check them travel over TLS only (OpenID Connect Discovery, 3)");
}

static const struct field fields[] = {
	{.name = "issuer",
		.type = FIELD_URL,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct identity_provider, issuer),
		.help = "URL of the issuer, as its tokens name it; its keys are found below it"},
	{.name = "audience",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct identity_provider, audience),
		.help = "for whom its tokens must be made out"},
	{.name = "user_claim",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct identity_provider, user_claim),
		.otherwise = "sub",
		.help = "claim that names the user, user/NAME in roles"},
	{.name = "groups_claim",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct identity_provider, groups_claim),
		.otherwise = "groups",
		.help = "claim that lists the user's groups, group/NAME in roles"},
	{.name = "clock_skew",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct identity_provider, clock_skew_ns),
		.otherwise = "60s",
		.min = 0.001,
		.max = 600,
		.help = "how far its clock and ours may be apart"},
};

const struct kind identity_provider_kind = {
	.plural = "identity_providers",
	.singular = "identity-provider",
	.help = "an issuer of OpenID Connect tokens that says who people are and to which groups they belong",
	.example = "identity_providers:\n"
		   "  staff: {issuer: \"https://login.example.org/realms/staff\", audience: isobar, groups_claim: groups}\n",
	.size = sizeof(struct identity_provider),
	KIND_FIELDS(fields),
	.check = check_issuer,
	.waits = true,
};

const struct resource_handler identity_provider_handler = {.kind = &identity_provider_kind};
