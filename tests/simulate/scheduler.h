// SPDX-License-Identifier: Apache-2.0
// Threads that run one at a time, in an order that a seed decides: the linker gives the program these functions in place of pthread's
// (--wrap), so that the code under test is unchanged. A thread may lose its turn whenever it takes or gives back a lock; time is
// virtual and passes only when every thread sleeps or waits. The same seed gives the same run, to the last instruction that matters.
#ifndef ISOBAR_TESTS_SCHEDULER_H
#define ISOBAR_TESTS_SCHEDULER_H

#include <stdbool.h>

#include "base/edges.h"

// Begins with the calling thread as the only one; the edges' clock and sleeping become the scheduler's.
void scheduler_begin(struct edges_fake *edges, uint64_t seed);
void scheduler_end(void); // all other threads must have been joined
void scheduler_yield(void);
void scheduler_hold(bool hold); // while held, locks are no place to lose the turn
void scheduler_set_clock(int64_t by_ns); // the wall clock alone
uint64_t scheduler_draw(uint64_t bound); // from the seed: [0, bound)

#endif
