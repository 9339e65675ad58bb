// SPDX-License-Identifier: Apache-2.0
// The parts of the report page: what each gathers lives in the call's arena. See report.c.
#ifndef ISOBAR_API_REPORT_IMPL_H
#define ISOBAR_API_REPORT_IMPL_H

#include "api/chart.h"
#include "api/handlers.h"

struct report {
	struct api_request *request;
	struct session session;
	struct buf out;
};

void report_heading(struct report *r, const char *title, const char *explained);
// An inner request to another route's handler; the result lives in the call's arena.
MUST_CHECK int report_ask(
	struct report *r, int (*handle)(struct api_request *r, json_t **result), const char *query, const json_t **out);

MUST_CHECK int report_training(struct report *r); // report_training.c: rounds, models
MUST_CHECK int report_serving(struct report *r);  // report_serving.c: traffic per cloud, failover

#endif
