// SPDX-License-Identifier: Apache-2.0
// The peak of the memory that all processes of a run have resident together: /proc is read twice a second on a thread of its own, and
// counts what is this very program and works in the run's folder. Linux.
#ifndef ISOBAR_DEMO_MEMORY_H
#define ISOBAR_DEMO_MEMORY_H

#include "base/err.h"

struct memory_watch;
MUST_CHECK int memory_watch_start(const char *folder, struct memory_watch **out, struct err *e); // folder is copied
double memory_watch_stop(struct memory_watch *w); // MB (10^6) at the peak; frees. NULL gives 0

#endif
