// SPDX-License-Identifier: Apache-2.0
// What jobs and endpoints of Google Cloud share: see vertex.h.
#include "cloud/gcp/vertex.h"

#include <string.h>

int vertex_check_config(struct call *c, const struct gcp_services *s)
{
	const char *missing = !s->config.project.n ? "project"
		: !s->config.region.n		   ? "region"
		: !s->config.job_role.n		   ? "service account for its jobs and endpoints"
		: !s->config.image.n		   ? "container image for its jobs and endpoints"
						   : NULL;
	return missing ? call_fail(c, ERR_INVALID, "cloud/%.*s has no %s", STR(s->config.name), missing) : 0;
}

// ---------------------------------------------------------------- names

struct str vertex_path(struct call *c, const struct gcp_services *s, const char *kind)
{
	return arena_printf(c->arena, "/v1/projects/%.*s/locations/%.*s/%s", STR(s->config.project),
		STR(s->config.region), kind);
}

struct str vertex_path_of(struct call *c, const struct gcp_services *s, const char *kind, struct str id, const char *verb)
{
	return arena_printf(c->arena, "/v1/projects/%.*s/locations/%.*s/%s/%.*s%s", STR(s->config.project),
		STR(s->config.region), kind, STR(id), verb);
}

struct str vertex_id_of(struct str name)
{
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/')
			return str_drop(name, i);
	return name;
}

struct str vertex_label(struct arena *a, struct str text)
{
	enum { DIGEST = 10 };
	char hex[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(text);
	bool cut = text.n > VERTEX_LABEL_MAX;
	size_t kept = cut ? VERTEX_LABEL_MAX - 1 - DIGEST : text.n;
	char *label = arena_alloc(a, VERTEX_LABEL_MAX + 1);
	if (!label)
		return (struct str){0};
	for (size_t i = 0; i < kept; i++) {
		char ch = text.p[i];
		bool fine = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_';
		label[i] = fine ? ch : ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : '-';
	}
	if (!cut)
		return str_bytes(label, kept);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	label[kept] = '-';
	memcpy(label + kept + 1, hex, DIGEST);
	return str_bytes(label, VERTEX_LABEL_MAX);
}

json_t *vertex_labels(struct arena *a, struct str workspace, struct str address)
{
	json_t *j = json_object();
	json_set_str(j, "isobar-workspace", vertex_label(a, workspace));
	json_set_str(j, "isobar-address", vertex_label(a, address));
	return j;
}

// ---------------------------------------------------------------- machines

// Offered for training and for inference alike. Source: "Machine types" in "Configure compute resources for training".
static const struct {
	const char *name;
	double cpu, gib;
} machines[] = {
	{"e2-standard-4", 4, 16},
	{"e2-highmem-4", 4, 32},
	{"e2-standard-8", 8, 32},
	{"e2-highmem-8", 8, 64},
	{"e2-standard-16", 16, 64},
	{"e2-highmem-16", 16, 128},
	{"e2-standard-32", 32, 128},
	{"n1-highmem-32", 32, 208},
	{"n1-standard-64", 64, 240},
	{"n1-highmem-64", 64, 416},
	{"n1-highmem-96", 96, 624},
};

const char *vertex_machine_for(double cpu, uint64_t memory)
{
	for (size_t i = 0; i < COUNT_OF(machines); i++)
		if (machines[i].cpu >= cpu && machines[i].gib * (double)(1 << 30) >= (double)memory)
			return machines[i].name;
	return machines[COUNT_OF(machines) - 1].name;
}

// ---------------------------------------------------------------- lists

struct listing {
	struct gcp_services *services;
	const struct vertex_list *list;
	json_t *items;
};

static int ask_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct listing *l = ctx;
	AUTO(buf) query = {0};
	const json_t *page = NULL;
	buf_printf(&query, "pageSize=%d", VERTEX_PAGE_SIZE);
	if (l->list->filter.n)
		exchange_parameter(&query, "filter", l->list->filter);
	if (token.n)
		exchange_parameter(&query, "pageToken", token);
	struct gcp_request request = {.call = l->list->call,
		.path = vertex_path(c, l->services, l->list->kind),
		.query = arena_str(c->arena, buf_str(&query))};
	int r = buf_check(&query, &c->err);
	if (!r)
		r = request.path.p && request.query.p ? gcp_json_call(c, l->services, &request, &page)
						      : call_no_memory(c);
	json_t *items = json_object_get(page, l->list->member);
	if (!r && json_array_size(items) && json_array_extend(l->items, items))
		r = call_fail(c, ERR_PROTOCOL, "the list has no array \"%s\"", l->list->member);
	if (!r)
		*next = json_str(page, "nextPageToken");
	return r;
}

int vertex_list(struct call *c, struct gcp_services *s, const struct vertex_list *list, const json_t **out)
{
	struct listing l = {.services = s, .list = list, .items = json_in_arena(c->arena, json_array())};
	if (!l.items)
		return call_no_memory(c);
	int r = pages_all(c, ask_page, &l);
	if (!r)
		*out = l.items;
	return r;
}

// ---------------------------------------------------------------- operations

int vertex_wait(struct call *c, struct gcp_services *s, const json_t *operation, const json_t **response)
{
	struct str rest = json_str(operation, "name"), part;
	size_t parts = 0;
	while (rest.n && str_next(&rest, '/', &part))
		parts++;
	const struct gcp_operation what = {
		.get = parts > 6 ? GCP_OPERATIONS_GET_OF : GCP_OPERATIONS_GET, .version = "v1", .operation = operation};
	return gcp_operation_wait(c, s, &what, response);
}

int vertex_delete(struct call *c, struct gcp_services *s, enum gcp_call call, struct str path)
{
	const json_t *operation = NULL;
	struct gcp_request request = {.call = call, .path = path};
	int r = path.p ? gcp_json_call(c, s, &request, &operation) : call_no_memory(c);
	if (!r)
		r = vertex_wait(c, s, operation, NULL);
	if (r != ERR_NOT_FOUND)
		return r;
	err_clear(&c->err);
	return 0;
}
