// SPDX-License-Identifier: Apache-2.0
// Telling a channel: one POST in the form of Alertmanager's webhook (version 4), so that receivers written for it work as they are.
#ifndef ISOBAR_MONITOR_NOTIFY_H
#define ISOBAR_MONITOR_NOTIFY_H

#include "monitor/alert.h"
#include "monitor/channel_kind.h"
#include "net/guard.h"

// The message as JSON; new reference. receiver is the channel's name.
json_t *notify_message(struct str receiver, const struct alert *a, const struct alert_place *place, const struct monitor_rule *rule);
// Posts it. url: the channel's, or the recorder's in its place. ERR_UNAVAILABLE and the like are worth another try; an answer
// outside 2xx is ERR_FAILED (4xx: never again) or ERR_UNAVAILABLE (5xx, 429).
MUST_CHECK int notify_post(struct call *c, const struct guard *guard, struct str url, const json_t *message);
// In a pocket environment nothing leaves the machine: the recorder's origin with the path of the channel's URL.
struct str notify_redirect(struct arena *a, struct str recorder, struct str url);

#endif
