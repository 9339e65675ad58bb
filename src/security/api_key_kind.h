// SPDX-License-Identifier: Apache-2.0
// api_keys: a key for a program. Creating one makes the key, stores its keyed digest under "api-key/NAME" and delivers
// the text once, to a file of mode 0600 inside the workspace.
#ifndef ISOBAR_SECURITY_API_KEY_KIND_H
#define ISOBAR_SECURITY_API_KEY_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct api_key {
	int64_t expires_ns; // after creation; 0: never
	struct str deliver; // "file:.isobar/shop-app.key"
};
extern const struct kind api_key_kind;
extern const struct resource_handler api_key_handler; // ctx: const struct security_ctx *

#endif
