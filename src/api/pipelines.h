// SPDX-License-Identifier: Apache-2.0
// Pipelines that something other than a person asks for (a monitor's fix): a request is an event of the journal, and a
// service of `isobar up` carries requests out, one after the other. Where it stands is kept in state, so that a restart
// neither loses a request nor repeats one that has ended.
#ifndef ISOBAR_API_PIPELINES_H
#define ISOBAR_API_PIPELINES_H

#include "api/control.h"

// Event "pipeline.requested" {goal, by}. A request for the same goal that still waits is enough: no second one is
// added.
MUST_CHECK int pipeline_request(struct call *c, const struct state *s, struct str goal);
// The service; ends with the call. Events "pipeline.ended" {goal, request, state: done | failed, error?}.
MUST_CHECK int pipelines_serve(struct call *c, const struct binding *b);

#endif
