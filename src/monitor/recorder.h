// SPDX-License-Identifier: Apache-2.0
// The recorder of a pocket environment: whatever would leave the machine (alerts to channels now) is posted to it instead, for real, over
// HTTP. It answers 200 and appends one JSON line a message to a file: {"at","at_ns","path","body"}. It runs a loop on a
// thread of its own; start and stop from any one thread.
#ifndef ISOBAR_MONITOR_RECORDER_H
#define ISOBAR_MONITOR_RECORDER_H

#include "base/err.h"

struct recorder;
// listen: "127.0.0.1:8999"; when that port is taken a free one is used. file is created 0600 and appended to.
MUST_CHECK int recorder_start(const char *listen, const char *file, struct recorder **out, struct err *e);
const char *recorder_url(const struct recorder *r); // "http://127.0.0.1:8999"
void recorder_stop(struct recorder *r);             // NULL is fine

#endif
