// SPDX-License-Identifier: Apache-2.0
// Progress of a long act: "dataset/images: aws-us 3.1 of 9.8 MB". Whoever shows it (a terminal, an API stream, a log)
// gives a struct progress; whoever works calls progress_report, from any thread, so `report` must be thread-safe and
// quick.
#ifndef ISOBAR_DATA_PROGRESS_H
#define ISOBAR_DATA_PROGRESS_H

#include <stdint.h>

#include "base/str.h"

struct progress_event {
	struct str step;    // address of what is being made: "training/classifier"
	struct str what;    // "aws-us", "round 3", "round 3 on gcp-eu"
	double done, total; // total 0: unknown
	const char *unit;   // "bytes", "records", "rounds", "samples", "objects"; "" for a message alone
	struct str text;    // a line for people about what just happened; may be empty
};
struct progress {
	void *ctx;
	void (*report)(void *ctx, const struct progress_event *e); // borrows e while it runs
};
void progress_report(const struct progress *p, const struct progress_event *e); // p NULL: nobody looks

#endif
