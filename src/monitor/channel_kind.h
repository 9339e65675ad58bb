// SPDX-License-Identifier: Apache-2.0
// The kind `channels:` where people are told. In this release a channel is a webhook.
#ifndef ISOBAR_MONITOR_CHANNEL_KIND_H
#define ISOBAR_MONITOR_CHANNEL_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct channel {
	struct str name;
	struct str webhook; // absolute http(s) URL
};
extern const struct kind channel_kind;
extern const struct resource_handler channel_handler; // recorded only

#endif
