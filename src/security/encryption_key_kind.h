// SPDX-License-Identifier: Apache-2.0
// encryption_keys: a key in each cloud's own key service, made and rotated there; bytes of the key never come here.
#ifndef ISOBAR_SECURITY_ENCRYPTION_KEY_KIND_H
#define ISOBAR_SECURITY_ENCRYPTION_KEY_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct encryption_key {
	struct field_list clouds;
	int64_t rotate_ns; // 0: never
};
extern const struct kind encryption_key_kind;
extern const struct resource_handler encryption_key_handler; // ctx: const struct security_ctx *

#endif
