// SPDX-License-Identifier: Apache-2.0
// The kind `channels:` where people are told. In this release a webhook acts; e-mail and PagerDuty wait for a later one.
#ifndef ISOBAR_MONITOR_CHANNEL_KIND_H
#define ISOBAR_MONITOR_CHANNEL_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct channel_pagerduty {
	struct str routing_key; // "secret/NAME"; empty: none
};
struct channel { // one of the three is set
	struct str name;
	struct str webhook; // absolute http(s) URL
	struct str email;
	struct channel_pagerduty pagerduty;
};
extern const struct kind channel_kind;
extern const struct resource_handler channel_handler; // recorded only

#endif
