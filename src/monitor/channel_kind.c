// SPDX-License-Identifier: Apache-2.0
// The table of `channels:`.
#include "monitor/channel_kind.h"

static const struct field fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct channel, name), .help = "The channel's name."},
	{.name = "webhook", .type = FIELD_URL, .flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct channel, webhook),
		.help = "Where alerts are posted as JSON, in the form of Alertmanager's webhook (version 4)."},
};

const struct kind channel_kind = {
	.plural = "channels",
	.singular = "channel",
	.help = "Where people are told of alerts.",
	.example = "channels:\n  oncall: {webhook: \"http://127.0.0.1:8999/alerts\"}\n",
	.size = sizeof(struct channel),
	KIND_FIELDS(fields),
};

const struct resource_handler channel_handler = {.kind = &channel_kind};
