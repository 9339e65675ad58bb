// SPDX-License-Identifier: Apache-2.0
// Where credentials for endpoints in providers' services come from: a table that main.c fills, since this room knows no
// clouds. What is granted may only invoke that endpoint, and ends by itself where the provider's does.
#ifndef ISOBAR_GATEWAY_UPSTREAM_GRANT_H
#define ISOBAR_GATEWAY_UPSTREAM_GRANT_H

#include "base/call.h"
#include "base/secret.h"

struct upstream_grant {
	struct str access_key, region; // of SageMaker; in the call's arena
	struct secret secret, session; // the secret access key, token or endpoint key; the session token
	int64_t expires_ns;            // wall clock; 0: does not expire
};
void upstream_grant_free(struct upstream_grant *g); // wipes; NULL is allowed
#define AUTO_TYPE_upstream_grant struct upstream_grant
static inline void upstream_grant_autofree(struct upstream_grant *g)
{
	upstream_grant_free(g);
}

struct gateway_upstreams {
	void *ctx;
	// Blocks, with the call's deadline. *out is zero before. NULL: nobody grants any.
	int (*grant)(struct call *c, void *ctx, struct str cloud, struct str endpoint, struct upstream_grant *out);
};

#endif
