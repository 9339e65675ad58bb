// SPDX-License-Identifier: Apache-2.0
// What the writers of guards.c share; see guards.h.
#ifndef ISOBAR_INFRA_GUARDS_IMPL_H
#define ISOBAR_INFRA_GUARDS_IMPL_H

#include "data/flow.h"
#include "infra/guards.h"

struct guard_list {
	struct arena *arena;
	struct guard_file *items;
	size_t count, room;
	struct err *err;
};
struct guard_cloud {
	struct str name;
	const json_t *resolved; // of the cloud
	struct flow_held held;  // what lies there
	bool bound;             // its bounds leave places out
	struct str *regions;    // of the provider, that the bounds and doors allow; by name
	size_t region_count;
	struct str *buckets; // physical names of those that Isobar makes there
	size_t bucket_count;
};

// Adds a file; j (reference stolen) is written as JSON. Errors go to list->err.
int guard_add_json(struct guard_list *list, const struct guard_file *file, json_t *j);
int guard_add(struct guard_list *list, const struct guard_file *file);
json_t *guard_strings(const struct str *items, size_t count); // new reference

int guards_aws(struct guard_list *list, const struct guard_cloud *cloud);
int guards_gcp(struct guard_list *list, const struct guard_cloud *cloud);
int guards_azure(struct guard_list *list, const struct guard_cloud *cloud);

#endif
