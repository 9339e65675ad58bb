// SPDX-License-Identifier: Apache-2.0
// The table of `channels:`.
#include "monitor/channel_kind.h"

static const struct field pagerduty_fields[] = {
	{.name = "routing_key",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE | FIELD_SECRET,
		.offset = offsetof(struct channel_pagerduty, routing_key),
		.help = "Secret with the routing key of the service."},
};
static const struct kind pagerduty_kind = {
	.singular = "pagerduty",
	.help = "A service of PagerDuty.",
	.size = sizeof(struct channel_pagerduty),
	KIND_FIELDS(pagerduty_fields),
};

static const struct field fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct channel, name), .help = "The channel's name."},
	{.name = "webhook", .type = FIELD_URL, .flags = FIELD_IN_PLACE,
		.offset = offsetof(struct channel, webhook),
		.help = "Where alerts are posted as JSON, in the form of Alertmanager's webhook (version 4)."},
	{.name = "email",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct channel, email),
		.help = "Address that gets a message."},
	{.name = "pagerduty",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_WAITS,
		.offset = offsetof(struct channel, pagerduty),
		.block = &pagerduty_kind,
		.help = "A service of PagerDuty."},
};

static bool is_address(struct str s)
{
	struct str local, domain;
	return s.n <= 254 && str_cut(s, '@', &local, &domain) && local.n && domain.n && str_find_char(s, ' ') < 0 &&
	       str_find_char(domain, '@') < 0;
}

static void check_channel(const struct kind_check *c)
{
	const struct channel *channel = c->value;
	int ways = (channel->webhook.n != 0) + (channel->email.n != 0) + (channel->pagerduty.routing_key.n != 0);
	bool sound = kind_check_sound(c, "webhook") && kind_check_sound(c, "email") && kind_check_sound(c, "pagerduty");
	if (sound && ways != 1)
		kind_check_add(c, "", S("write webhook: URL"), "a channel is exactly one of webhook, email and pagerduty");
	if (kind_check_sound(c, "email") && channel->email.n && !is_address(channel->email))
		kind_check_add(c, "email", S("write it as oncall@example.org"), "expected an e-mail address, got \"%.*s\"",
			STR(str_clip(channel->email, 80)));
}

const struct kind channel_kind = {
	.plural = "channels",
	.singular = "channel",
	.help = "Where people are told of alerts.",
	.example = "channels:\n  oncall: {webhook: \"http://127.0.0.1:8999/alerts\"}\n",
	.size = sizeof(struct channel),
	KIND_FIELDS(fields),
	.check = check_channel,
};

const struct resource_handler channel_handler = {.kind = &channel_kind};
