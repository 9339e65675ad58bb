// SPDX-License-Identifier: Apache-2.0
// One place decides that nobody may be looking.
#include "data/progress.h"

void progress_report(const struct progress *p, const struct progress_event *e)
{
	if (p && p->report)
		p->report(p->ctx, e);
}
