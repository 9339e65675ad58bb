// SPDX-License-Identifier: Apache-2.0
// The service that keeps copies of datasets up to date inside `isobar up`: each dataset with `replicas:` is brought up
// to date when its `refresh` is due (at once when it never was, a minute after a failure), and a copy that is behind
// for longer than `lag_alert` is an alert. Record "refresh/dataset/NAME" {at_ns, ok}; records alert/..., events
// alert.firing and alert.resolved as the monitor's.
#ifndef ISOBAR_API_REPLICAS_H
#define ISOBAR_API_REPLICAS_H

#include "api/control.h"

int replicas_serve(struct call *c, const struct binding *b); // a control_service
// One look at all datasets: refreshes those that are due. For the service, and for tests.
MUST_CHECK int replicas_tick(struct call *c, const struct binding *b);

#endif
