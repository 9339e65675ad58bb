// SPDX-License-Identifier: Apache-2.0
// `isobar demo`: the main job, told as it goes. It starts a control plane for a copy of examples/fashion, plans, applies, trains, serves all
// test images while one cloud is killed, and proves the audit log; it exits 0 only when all of that held. Results:
// OUT/summary.json and OUT/report.html.
#ifndef ISOBAR_DEMO_DEMO_H
#define ISOBAR_DEMO_DEMO_H

#include "base/options.h"

extern const struct command demo_command;

#endif
