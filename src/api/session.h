// SPDX-License-Identifier: Apache-2.0
// What one request opened: workspace, state, clouds, handlers with their contexts. A session lives as long as the
// request; all its memory is the call's arena's. Steps are taken in order and only as far as the request needs.
#ifndef ISOBAR_API_SESSION_H
#define ISOBAR_API_SESSION_H

#include "api/api.h"
#include "api/planes.h"
#include "infra/approvals.h"
#include "infra/clouds_env.h"

struct session {
	struct api_request *request;
	struct call *call;
	struct findings findings;
	struct workspace_options options;
	struct workspace workspace;
	bool loaded;
	bool check_only; // validate: nothing will be done, so all environments may be looked at
	bool revive; // start pocket clouds that ran before and are down: yes, but for inside `isobar up`, where one may
		     // be down for a reason
	bool ending; // clouds are opened to end them
	struct resource *recorded; // at the start, as resource_scan gives them: light where nothing looks at their values
	size_t recorded_count;
	struct clouds_env *env; // NULL: no cloud was needed
	struct binding binding;
	struct infra_env infra;
	int lock; // of changing requests; -1: not held
	struct held *held; // the same among the control planes that share the state; NULL: not held
};

void session_begin(struct api_request *r, struct session *out);
// Loads and checks the workspace. Each finding is also reported as event {"event": "finding", ...}.
MUST_CHECK int session_load(struct session *s);
// Opens the state and reads what was recorded.
MUST_CHECK int session_read_state(struct session *s);
// The two above, in an environment that is chosen.
MUST_CHECK int session_open_workspace(struct session *s);
// Who must approve plans of the environment in force. After session_open_workspace.
struct approval_rule session_approvals(const struct session *s);
// Opens the clouds of the workspace and of the records, and binds the handlers. Pocket clouds that never ran are
// started.
MUST_CHECK int session_open_clouds(struct session *s);
// Before session_read_state: the state may lie in another place than before, since it is moved there.
MUST_CHECK int session_move_state(struct session *s);
// Handlers bound without clouds: enough for a plan of a workspace of which nothing is recorded.
MUST_CHECK int session_bind(struct session *s);
// Only one request at a time may change the workspace, on all control planes that share its state: ERR_IN_USE. What
// the session writes from then on is fenced.
MUST_CHECK int session_lock(struct session *s);
// Tells running processes (gateways) what state says by now: a key that was taken back must not open anything, even
// when the rest of the request failed with rc. Inside `isobar up` a service does so. Returns rc, or when that is 0, its
// own error.
MUST_CHECK int session_publish(struct session *s, int rc);
void session_close(struct session *s);
#define AUTO_TYPE_session struct session
static inline void session_autofree(struct session *s)
{
	session_close(s);
}

void session_emit(struct api_request *r, const char *event, json_t *members); // adds "event"; steals members
const struct state *control_state(const struct control *control);
// Whether another process works on the workspace now: `isobar up`, or a command that changes it.
bool control_is_served(struct call *c, const struct control *control);
// The operator's file, read once; NULL in *out for an untrusted workspace, which has nothing to do with it.
MUST_CHECK int control_operator(struct call *c, struct control *control, const struct operator_file **out);
struct str control_plane(const struct control *control); // "": no other control plane can share the state
const struct control_options *control_get_options(const struct control *control);

#endif
