// SPDX-License-Identifier: Apache-2.0
// The route of the guards: policies for the providers, from what the workspace declares. Reads the workspace alone.
#include "api/handlers.h"
#include "infra/guards.h"

static json_t *file_json(const struct guard_file *f)
{
	json_t *j = json_object();
	json_set_str(j, "path", f->path);
	json_set_str(j, "content", f->content);
	json_set_str(j, "about", f->about);
	json_set_str(j, "put", f->put);
	return j;
}

int handle_guards(struct api_request *r, json_t **result)
{
	struct session s;
	struct guard_file *files = NULL;
	size_t count = 0;
	session_begin(r, &s);
	int rc = session_load(&s);
	if (rc < 0)
		return rc;
	const struct guard_input in = {.resources = s.workspace.resources,
		.count = s.workspace.resource_count,
		.workspace = s.workspace.name,
		.now_ns = call_now_ns(r->call)};
	rc = guards_make(r->call->arena, &in, &files, &count, &r->call->err);
	if (rc < 0)
		return rc;
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, file_json(&files[i]));
	*result = json_pack("{s:o}", "files", list);
	return 0;
}
