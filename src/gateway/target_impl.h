// SPDX-License-Identifier: Apache-2.0
// Shared by target.c and target_table.c.
#ifndef ISOBAR_GATEWAY_TARGET_IMPL_H
#define ISOBAR_GATEWAY_TARGET_IMPL_H

#include "gateway/target.h"

void target_watch(struct target *t); // begins to look whether it needs a probe

#endif
