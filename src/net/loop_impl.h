// SPDX-License-Identifier: Apache-2.0
// Inside of the loop: its state, and the timer heap's part of a round.
#ifndef ISOBAR_NET_LOOP_IMPL_H
#define ISOBAR_NET_LOOP_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "net/loop.h"

enum { LOOP_BATCH = 128 }; // events taken per system call

struct loop {
	int epoll;
	int64_t now_ns;
	struct epoll_event batch[LOOP_BATCH];
	int batch_at, batch_size;
	struct loop_timer **heap; // 1-based binary heap by heap_ns
	size_t heap_count, heap_room;
	struct loop_task *later, **later_last;
	pthread_mutex_t lock; // of posted
	struct loop_task *posted, **posted_last;
	struct loop_io wake;
	struct loop_io signals;
	void (*on_signal)(void *ctx, int number);
	void *on_signal_ctx;
	atomic_bool stopped;
};

int64_t loop_timer_next(const struct loop *l); // ns until the first timer, 0 when due, -1 without timers
void loop_timer_fire(struct loop *l);          // runs what is due

#endif
