// SPDX-License-Identifier: Apache-2.0
// budgets: how much money some things may cost in a time, who is told, and what happens when it is spent. Declared and
// recorded in this release; a later one counts and stops.
#ifndef ISOBAR_MONITOR_BUDGET_KIND_H
#define ISOBAR_MONITOR_BUDGET_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct budget_of { // all that is written must hold; empty: everything
	struct field_ref owner;
	struct field_list labels; // of struct field_label
	struct field_list clouds;
};
struct budget {
	struct budget_of of;
	struct field_money at_most;
	double warn_at; // 1.0 = all of it
	struct str when_spent;
	struct field_list notify; // of struct field_ref to channels
};
extern const struct kind budget_kind;
extern const struct resource_handler budget_handler;

#endif
