// SPDX-License-Identifier: Apache-2.0
// A cloud dies while requests run: its process and its endpoint's process group are killed together, held down for ten seconds, and the
// cloud is started again. Checks that the monitor saw it, told the channel and shifted traffic, and that all of it ended by itself.
#ifndef ISOBAR_DEMO_OUTAGE_IMPL_H
#define ISOBAR_DEMO_OUTAGE_IMPL_H

#include "demo/demo_impl.h"
#include "demo/load.h"

MUST_CHECK int demo_outage(struct demo *d, struct load *load);

#endif
