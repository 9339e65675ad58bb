// SPDX-License-Identifier: Apache-2.0
// The control plane's side of the file of upstream credentials (upstreams.h): each gateway's file has an entry for every
// target in a provider's service that its published configuration names, and no other. An entry is granted anew when a
// third of its life is over (so a control plane that is gone for less than the rest harms nobody), when the gateway says
// that the service refuses it, and hourly where it does not expire. Clouds that do not answer are asked less and less
// often, last, and each with a short deadline. One thread a renewal; owned: upstream_renewal_free.
#ifndef ISOBAR_GATEWAY_UPSTREAM_RENEWAL_H
#define ISOBAR_GATEWAY_UPSTREAM_RENEWAL_H

#include "gateway/gateway_ctx.h"

struct upstream_renewal;
MUST_CHECK int upstream_renewal_new(const struct gateway_ctx *g, struct upstream_renewal **out, struct err *e);
void upstream_renewal_free(struct upstream_renewal *r); // NULL is allowed
#define AUTO_TYPE_upstream_renewal struct upstream_renewal *
static inline void upstream_renewal_autofree(struct upstream_renewal **r)
{
	upstream_renewal_free(*r);
}
// All gateways once. A cloud that grants nothing is no failure of the round: it is logged once, and its target is out of
// rotation with the reason. Fails when state or a file cannot be read or written.
MUST_CHECK int upstream_renewal_round(struct call *c, struct upstream_renewal *r);
// One round with a renewal of its own: at the end of a command.
MUST_CHECK int upstream_renewal_once(struct call *c, const struct gateway_ctx *g);
// Rounds at every change of the journal and every second, until the call ends. Apart from publishing, so that a cloud
// that does not answer keeps no other change back.
MUST_CHECK int upstream_renewal_run(struct call *c, const struct gateway_ctx *g);

#endif
