// SPDX-License-Identifier: Apache-2.0
// Emptying buckets. See buckets.h.
#include "infra/buckets.h"

static int empty_one(struct call *c, const struct cloud *cloud, struct str bucket, uint64_t *removed)
{
	struct store_page page = {0};
	int rc = cloud_list_all(c, cloud, bucket, S(""), &page);
	if (rc == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < page.count; i++) {
		rc = CLOUD_CALL(c, cloud, store, delete, bucket, page.objects[i].key);
		*removed += rc == 0;
	}
	return rc;
}

int buckets_empty(struct call *c, const struct clouds *clouds, const struct plan *plan, struct buckets_emptied *out)
{
	uint64_t removed = 0;
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_change *change = &plan->changes[i];
		if (change->action != PLAN_DELETE || !str_eq(change->recorded->kind, S("bucket")) ||
			!change->recorded->cloud_id.n)
			continue;
		const struct cloud *cloud = clouds_find(clouds, change->recorded->cloud);
		if (!cloud)
			return call_fail(
				c, ERR_NOT_FOUND, "empty %.*s: its cloud is not declared", STR(change->address));
		if (empty_one(c, cloud, change->recorded->cloud_id, &removed) < 0)
			return call_context(c, "empty %.*s", STR(change->address));
	}
	out->objects = removed;
	return 0;
}
