// SPDX-License-Identifier: Apache-2.0
// The event loop: one thread, one epoll. Descriptors, timers, work posted by other threads, signals. Everything that
// runs on a loop belongs to its thread; only loop_post() and loop_stop() may be called from elsewhere.
//
// Watchers are embedded in their owner's struct and borrowed by the loop until removed; callbacks find the owner with
// CONTAINER_OF. A watcher may remove itself or any other one inside a callback, and may free its owner afterwards.
// loop_new() sets SIGPIPE to be ignored, since sockets report a closed peer as an error.
#ifndef ISOBAR_NET_LOOP_H
#define ISOBAR_NET_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

struct loop;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 }; // HANGUP: error or both directions closed; always reported

struct loop_io {
	void (*ready)(struct loop_io *io, unsigned events);
	int fd;
	unsigned events; // what is asked for
	bool added;
};
struct loop_timer {
	void (*fire)(struct loop_timer *t);
	int64_t at_ns;   // wanted, on loop_now_ns()
	int64_t heap_ns; // its place in the heap; never later than at_ns
	size_t slot;     // 1-based place in the heap; 0: not set
};
struct loop_task {
	void (*run)(struct loop_task *t);
	struct loop_task *next;
	bool queued;
};

MUST_CHECK int loop_new(struct loop **out, struct err *e);
#define AUTO_TYPE_loop struct loop *
void loop_free(struct loop *l); // NULL is allowed; watchers must be gone
static inline void loop_autofree(struct loop **l)
{
	loop_free(*l);
}

// Runs until loop_stop(). Returns 0, or ERR_IO when epoll itself fails.
MUST_CHECK int loop_run(struct loop *l, struct err *e);
// One round: waits at most timeout_ns (-1: for ever) for something to do, and does it.
MUST_CHECK int loop_round(struct loop *l, int64_t timeout_ns, struct err *e);
void loop_stop(struct loop *l);            // from any thread or signal-driven callback; loop_run() returns soon
int64_t loop_now_ns(const struct loop *l); // monotonic; read once a round

MUST_CHECK int loop_io_add(
	struct loop *l, struct loop_io *io, int fd, unsigned events, struct err *e); // io->ready is set before
void loop_io_set(struct loop *l, struct loop_io *io, unsigned events); // changes what is asked for; cheap when equal
void loop_io_remove(struct loop *l, struct loop_io *io); // the descriptor stays open; not added: nothing happens

// Sets or moves a timer (t->fire is set before). Moving it later costs nothing. ERR_NO_MEMORY leaves it unset.
MUST_CHECK int loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ns);
void loop_timer_clear(struct loop *l, struct loop_timer *t);

// From any thread: runs the task on the loop's thread in its next round. The task is borrowed until it runs, and a task
// that is queued already stays queued once.
void loop_post(struct loop *l, struct loop_task *t);
// The loop's thread only: runs the task at the end of this round, before waiting again; queued while such tasks run, it
// waits for the next round (which then does not block). For destroying an object whose
// callback is still on the stack.
void loop_later(struct loop *l, struct loop_task *t);
void loop_later_cancel(struct loop *l, struct loop_task *t);

// Delivers signals on the loop (signalfd): blocks them for this thread. One set per loop.
MUST_CHECK int loop_signals(
	struct loop *l, const sigset_t *set, void (*on_signal)(void *ctx, int number), void *ctx, struct err *e);

#endif
