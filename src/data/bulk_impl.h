// SPDX-License-Identifier: Apache-2.0
// What bulk.c, bulk_list.c and bulk_verify.c share.
#ifndef ISOBAR_DATA_BULK_IMPL_H
#define ISOBAR_DATA_BULK_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "data/bulk.h"

enum bulk_what { BULK_TAKE, BULK_DROP }; // take the source's item to the target; drop the target's
struct bulk_task {
	const struct bulk_item *item;
	enum bulk_what what;
};
struct bulk_run {
	const struct call *parent;
	const struct bulk_options *options;
	struct bulk_task *tasks;
	size_t count;
	atomic_size_t next;
	// Does one task; 0, or a code with c->err set. *bytes: moved or read.
	int (*act)(struct call *c, const struct bulk_run *run, const struct bulk_task *task, uint64_t *bytes);
	pthread_mutex_t lock; // of the result
	struct bulk_result *result;
};
// Does all tasks on options->parallel threads; what failed is told and counted. ERR_CANCELLED and ERR_TIMEOUT end it.
int bulk_do(struct call *c, struct bulk_run *run);
// All of a list as tasks, in the call's arena; NULL without memory.
struct bulk_task *bulk_tasks(struct call *c, const struct bulk_list *list, enum bulk_what what);
void bulk_begin(const struct bulk_run *run);
void bulk_tell(const struct bulk_run *run, const struct bulk_event *e);
// Length and CRC-32C of what lies at a place, by its store's word where it gives one, else by reading it.
int bulk_checksum(struct call *c, const struct object_place *at, uint64_t *size, uint32_t *crc);

#endif
