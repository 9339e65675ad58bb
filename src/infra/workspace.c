// SPDX-License-Identifier: Apache-2.0
// Loading a workspace: its files, then what they say in the environment in force. See workspace.h.
#include "infra/workspace.h"

#include "infra/workspace_impl.h"

int workspace_need_environment(const struct workspace *w, const struct environment **out, struct err *e)
{
	if (w->environment) {
		*out = w->environment;
		return 0;
	}
	AUTO(buf) names = {0};
	for (size_t i = 0; i < w->environment_count; i++)
		buf_printf(&names, "%s%.*s", i ? ", " : "", STR(w->environments[i].name));
	return err_set(
		e, ERR_INVALID, "which environment? say --env NAME (or ISOBAR_ENV) with one of: %s", buf_cstr(&names));
}

int workspace_load(const struct workspace_options *options, struct findings *f, struct workspace *out, struct err *e)
{
	struct workspace w = {.arena = f->arena, .options = options};
	int rc = workspace_read(options->path, f, &w, &w.root, e);
	if (rc < 0)
		return rc;
	if (w.root && options->keep_document)
		w.document = json_in_arena(f->arena, node_to_json(w.root));
	if (w.root && !w.cut_short)
		rc = workspace_build(&w, f, e);
	workspace_sort_findings(&w, f);
	if (f->count)
		return err_set(e, ERR_INVALID, "the workspace in %.*s has %zu mistake%s", STR(w.folder), f->count,
			f->count == 1 ? "" : "s");
	if (rc < 0)
		return rc;
	*out = w;
	return 0;
}
