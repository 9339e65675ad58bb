// SPDX-License-Identifier: Apache-2.0
// A key service in front of an older one, as one table of keys: what is new goes to the first, and what the older one
// closed it still opens, told apart by the bytes themselves (key_wrap.h). So a workspace whose keys lay in the local
// engine goes on working when its clouds' own key services take over: a key that only the older service has wraps there
// until it is rotated, which makes it in the first; whoever keeps wrapped data keys wraps them anew then. Borrows both
// services; the route must not move while it is used. Thread-safe as they are.
#ifndef ISOBAR_CLOUD_KEY_ROUTE_H
#define ISOBAR_CLOUD_KEY_ROUTE_H

#include "cloud/keys.h"

struct key_service {
	const struct key_ops *ops;
	void *ctx;
};
struct key_route {
	struct key_ops ops; // hand out &route.ops with the route as its ctx
	struct key_service first, older;
};
void key_route_init(struct key_route *r, struct key_service first, struct key_service older);

#endif
