// SPDX-License-Identifier: Apache-2.0
// How the demo tells what happens: one line a step with the time since the start; on a terminal a progress bar that is drawn over, elsewhere
// a plain line at each quarter. Colours only on a terminal and never with NO_COLOR. One thread.
#ifndef ISOBAR_DEMO_STORY_H
#define ISOBAR_DEMO_STORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"

struct story {
	FILE *out;
	bool terminal, color;
	int64_t started_ns; // monotonic
	char bar[64];       // label of the bar that is on the screen; "": none
	int quarter;        // last quarter printed of it
};

void story_begin(struct story *s, FILE *out);
// "  12.3 s  training   10 rounds on aws-us, gcp-eu, azure-eu"
void story_say(struct story *s, const char *chapter, const char *format, ...) PRINTF_LIKE(3, 4);
void story_progress(struct story *s, const char *chapter, double done, double total);
double story_seconds(const struct story *s);

#endif
