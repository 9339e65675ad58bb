// SPDX-License-Identifier: Apache-2.0
// The handlers of the route table (api/routes.c). Each answers one request; its result is a new reference that the
// caller owns. What they take and give is written beside the routes, and so in docs/api.md.
#ifndef ISOBAR_API_HANDLERS_H
#define ISOBAR_API_HANDLERS_H

#include "api/session.h"

// handle_workspace.c
int handle_validate(struct api_request *r, json_t **result);
int handle_plan(struct api_request *r, json_t **result);
// handle_apply.c
int handle_apply(struct api_request *r, json_t **result);
int handle_destroy(struct api_request *r, json_t **result);
// Inside `isobar up`: when the environment's end has come, it is destroyed with the objects of its buckets. What is
// refused is journaled, and tried again later.
MUST_CHECK int api_expire(struct call *c, struct control *control);
// handle_change.c
int handle_override_set(struct api_request *r, json_t **result);
int handle_adopt(struct api_request *r, json_t **result);
int handle_approve(struct api_request *r, json_t **result);
int handle_approvals(struct api_request *r, json_t **result);
// handle_run.c
int handle_run(struct api_request *r, json_t **result);
int handle_run_plan(struct api_request *r, json_t **result);
int handle_deploy(struct api_request *r, json_t **result);
// handle_rollback.c
int handle_rollback(struct api_request *r, json_t **result);
// handle_status.c
int handle_health(struct api_request *r, json_t **result);
int handle_status(struct api_request *r, json_t **result);
int handle_down(struct api_request *r, json_t **result);
// handle_read.c
int handle_resources(struct api_request *r, json_t **result);
int handle_models(struct api_request *r, json_t **result);
int handle_endpoints(struct api_request *r, json_t **result);
int handle_alerts(struct api_request *r, json_t **result);
int handle_events(struct api_request *r, json_t **result);
int handle_cost(struct api_request *r, json_t **result);
int handle_overrides(struct api_request *r, json_t **result);
int handle_override_end(struct api_request *r, json_t **result);
// handle_audit.c
int handle_audit_verify(struct api_request *r, json_t **result);
// handle_backup.c
int handle_backup(struct api_request *r, json_t **result);
int handle_restore(struct api_request *r, json_t **result);
// handle_data.c
int handle_objects_list(struct api_request *r, json_t **result);
int handle_guards(struct api_request *r, json_t **result);
int handle_permissions(struct api_request *r, json_t **result);
int handle_init(struct api_request *r, json_t **result);
int handle_check(struct api_request *r, json_t **result);
int handle_check_deep(struct api_request *r, json_t **result);
int handle_objects_read(struct api_request *r, json_t **result);
int handle_objects_remove(struct api_request *r, json_t **result);
// handle_objects.c
int handle_objects_copy(struct api_request *r, json_t **result);
int handle_objects_move(struct api_request *r, json_t **result);
int handle_objects_sync(struct api_request *r, json_t **result);
int handle_objects_clear(struct api_request *r, json_t **result);
int handle_objects_verify(struct api_request *r, json_t **result);
int handle_objects_usage(struct api_request *r, json_t **result);
// handle_why.c
int handle_why(struct api_request *r, json_t **result);
// report.c
int handle_report(struct api_request *r, json_t **result);

#endif
