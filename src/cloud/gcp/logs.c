// SPDX-License-Identifier: Apache-2.0
// The output of custom jobs in Cloud Logging: see jobs.h. Vertex AI puts a line into jsonPayload.message, or into
// textPayload. Source: "entries.list" (Cloud Logging API, v2).
#include "cloud/gcp/jobs_impl.h"

enum { LOG_PAGE_SIZE = 1000 };

struct log_asking {
	struct gcp_services *services;
	struct str filter;
	struct sink *to;
};

static int send_entries(const json_t *entries, struct sink *to)
{
	const json_t *entry;
	size_t i;
	json_array_foreach(entries, i, entry)
	{
		struct str text = json_str(entry, "textPayload");
		if (!text.n)
			text = json_str(json_object_get(entry, "jsonPayload"), "message");
		int r = to->write(to->ctx, text);
		if (!r && !str_ends(text, S("\n")))
			r = to->write(to->ctx, S("\n"));
		if (r)
			return r;
	}
	return 0;
}

static int ask_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct log_asking *l = ctx;
	const json_t *page = NULL;
	AUTO(json) body = json_pack("{s:s, s:i}", "orderBy", "timestamp asc", "pageSize", LOG_PAGE_SIZE);
	struct str project = arena_printf(c->arena, "projects/%.*s", STR(l->services->config.project));
	if (!body || !project.p)
		return call_no_memory(c);
	json_object_set_new(body, "resourceNames", json_pack("[o]", json_of_str(project)));
	json_set_str(body, "filter", l->filter);
	if (token.n)
		json_set_str(body, "pageToken", token);
	struct gcp_request request = {.call = GCP_LOG_ENTRIES_LIST, .path = S("/v2/entries:list"), .in = body};
	int r = gcp_json_call(c, l->services, &request, &page);
	if (!r)
		*next = json_str(page, "nextPageToken");
	if (!r && send_entries(json_object_get(page, "entries"), l->to))
		r = c->err.code ? c->err.code : call_fail(c, ERR_IO, "the log cannot be passed on");
	return r;
}

int gcp_logs_send(struct call *c, struct gcp_services *s, struct str job_id, struct sink *to)
{
	struct log_asking l = {.services = s, .to = to};
	l.filter = arena_printf(c->arena, "resource.type=\"ml_job\" AND resource.labels.job_id=\"%.*s\"", STR(job_id));
	return l.filter.p ? pages_all(c, ask_page, &l) : call_no_memory(c);
}
