// SPDX-License-Identifier: Apache-2.0
// The route that takes an alias or endpoints back to an earlier version: the overrides first, then the endpoints.
#include "api/handlers.h"
#include "base/time.h"
#include "deploy/rollback.h"

static int read_request(struct api_request *r, struct rollback *out)
{
	int64_t expires_ns = json_int(r->body, "for_ns", 0);
	*out = (struct rollback){.target = json_str(r->body, "target"),
		.version = json_str(r->body, "version"),
		.reason = json_str(r->body, "reason"),
		.expires_ns = expires_ns > 0 ? call_now_ns(r->call) + expires_ns : 0};
	if (out->target.n)
		return 0;
	return call_fail(
		r->call, ERR_INVALID, "say what to roll back: \"target\", such as model/classifier@champion");
}

static json_t *answer(const struct rolled_back *back, size_t pending)
{
	json_t *addresses = json_array();
	for (size_t i = 0; i < back->count; i++)
		json_array_append_new(addresses, json_of_str(back->addresses[i]));
	json_t *j = json_pack("{s:o, s:I}", "overridden", addresses, "endpoints_pending", (json_int_t)pending);
	json_set_str(j, "model", back->model);
	json_set_str(j, "alias", back->alias);
	json_set_str(j, "from", back->from);
	json_set_str(j, "to", back->to);
	return j;
}

int handle_rollback(struct api_request *r, json_t **result)
{
	const struct control_options *o = control_get_options(r->control);
	AUTO(session) s;
	struct rollback request;
	struct rolled_back back;
	size_t pending = 0;
	session_begin(r, &s);
	int rc = read_request(r, &request);
	if (rc == 0)
		rc = session_load(&s);
	if (rc == 0)
		rc = session_read_state(&s);
	if (rc == 0)
		rc = session_lock(&s);
	if (rc == 0)
		rc = rollback_make(r->call, s.binding.state, &request, &back);
	if (rc == 0)
		rc = session_open_clouds(&s);
	if (rc == 0 && !o->serving) // inside `isobar up` its loop does this by itself
		rc = session_publish(&s, o->parts->deploy_once(r->call, &s.binding, &pending));
	if (rc == 0)
		*result = answer(&back, pending);
	return rc;
}
