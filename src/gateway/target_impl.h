// SPDX-License-Identifier: Apache-2.0
// Shared by target.c, target_probe.c and target_table.c.
#ifndef ISOBAR_GATEWAY_TARGET_IMPL_H
#define ISOBAR_GATEWAY_TARGET_IMPL_H

#include "gateway/target.h"

void target_watch(struct target *t); // begins to look whether it needs a probe
void target_plan_probe(struct target *t);
void target_forget_probe(struct target *t); // cancels a running one

// Counts an attempt in the statistics.
void target_count(struct target *t, struct attempt_stats *s, const struct target_outcome *o);
// What an outcome says about the target's rotation.
void target_judge(struct target *t, const struct target_outcome *o);

#endif
