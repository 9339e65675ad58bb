// SPDX-License-Identifier: Apache-2.0
// The keys of a cloud: one of the six tables of cloud.h, which says how such tables are called. A key has a name of ours
// and lives in the provider's key service under a deterministic one, so that a lost answer never makes a second. NULL
// slots are "not offered". A disabled key, or one that waits for its deletion, is ERR_DENIED to wrap and unwrap.
#ifndef ISOBAR_CLOUD_KEYS_H
#define ISOBAR_CLOUD_KEYS_H

#include "base/call.h"
#include "base/json.h"

struct key_ops {
	const char *name;
	int (*create)(struct call *c, void *keys, struct str name); // ours already: 0
	// Wraps a data key of at most 64 bytes. context is authenticated with it ("bucket/lake on aws-us").
	int (*wrap)(
		struct call *c, void *keys, struct str name, struct str context, struct str plain, struct str *wrapped);
	int (*unwrap)(
		struct call *c, void *keys, struct str name, struct str context, struct str wrapped, struct str *plain);
	int (*rotate)(struct call *c, void *keys, struct str name); // older versions still unwrap
	int (*describe)(struct call *c, void *keys, struct str name,
		json_t **out);                                      // {versions, created, rotated, ...}; ERR_NOT_FOUND
	int (*delete)(struct call *c, void *keys, struct str name); // absent is fine; data wrapped by it is lost
	// Until it is enabled again a key neither wraps nor unwraps (ERR_DENIED). Both may be repeated. ERR_NOT_FOUND.
	int (*disable)(struct call *c, void *keys, struct str name);
	int (*enable)(struct call *c, void *keys, struct str name);
	// Who else may use the key: a list of {"principal": in the provider's own form, "may": "wrap" | "unwrap" |
	// "use" (both)}. set replaces what set wrote before and leaves other statements of the key's policy alone.
	int (*grants)(struct call *c, void *keys, struct str name, json_t **out);
	int (*set_grants)(struct call *c, void *keys, struct str name, const json_t *grants);
};

#endif
