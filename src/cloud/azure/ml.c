// SPDX-License-Identifier: Apache-2.0
// What jobs and endpoints of Azure ML share: see ml.h.
#include "cloud/azure/ml.h"

#include <stdarg.h>

#include "cloud/tags.h"

int ml_check_config(struct call *c, const struct azure_services *s)
{
	const struct {
		struct str value;
		const char *what;
	} needed[] = {{s->config.subscription, "subscription"}, {s->config.resource_group, "resource group"},
		{s->config.ml_workspace, "workspace of Azure Machine Learning"}, {s->config.image, "image"}};
	for (size_t i = 0; i < COUNT_OF(needed); i++)
		if (!needed[i].value.n)
			return call_fail(c, ERR_INVALID, "cloud/%.*s names no %s, which its jobs and endpoints need",
				STR(s->config.name), needed[i].what);
	return 0;
}

// ---------------------------------------------------------------- requests

struct str ml_path(struct call *c, const struct azure_services *s, const char *format, ...)
{
	AUTO(buf) path = {0};
	va_list args;
	buf_printf(&path, "%.*s/providers/Microsoft.MachineLearningServices/workspaces/%.*s/", STR(azure_group_path(c->arena, s)),
		STR(s->config.ml_workspace));
	va_start(args, format);
	buf_vprintf(&path, format, args);
	va_end(args);
	struct str text = buf_str(&path);
	if (str_ends(text, S("/")))
		text.n--;
	return path.failed ? (struct str){0} : arena_str(c->arena, text);
}

int ml_call(struct call *c, struct azure_services *s, enum azure_call call, struct str path, const json_t *body,
	struct azure_answer *out)
{
	struct azure_request request = {.call = call, .path = path, .query = ML_VERSION, .in = body};
	return path.p ? arm_json_call(c, s, &request, out) : call_no_memory(c);
}

int ml_wait(struct call *c, struct azure_services *s, const struct azure_answer *answer)
{
	bool by_status = transport_header(&answer->response, S("azure-asyncoperation")).n > 0;
	return arm_operation_wait(
		c, s, by_status ? AZURE_ML_OPERATION_STATUS : AZURE_ML_OPERATION_RESULT, answer, NULL);
}

// ---------------------------------------------------------------- lists

struct walk {
	struct azure_services *services;
	const struct ml_list *list;
};

// The address of the next page is the provider's: it is followed only to where the first page came from.
static int page_request(struct call *c, const struct walk *w, struct str token, struct azure_request *request)
{
	const struct provider *p = &w->services->apis[AZURE_API_ARM].provider;
	*request = (struct azure_request){.call = w->list->call, .path = w->list->path};
	request->query = arena_printf(c->arena, "%.*s%.*s", STR(ML_VERSION), STR(w->list->query));
	if (!token.n)
		return request->path.p && request->query.p ? 0 : call_no_memory(c);
	if (!str_starts(token, p->base) || !str_starts(str_drop(token, p->base.n), S("/")))
		return call_fail(c, ERR_PROTOCOL, "the next page is said to be at \"%.*s\", which is not at %.*s",
			STR(str_clip(token, 200)), STR(p->base));
	str_cut(str_drop(token, p->base.n), '?', &request->path, &request->query);
	return 0;
}

static int ask_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	const struct walk *w = ctx;
	struct azure_request request;
	struct azure_answer answer;
	size_t i;
	json_t *one;
	int r = page_request(c, w, token, &request);
	if (!r)
		r = arm_json_call(c, w->services, &request, &answer);
	if (r)
		return r;
	const json_t *values = json_object_get(answer.body, "value");
	if (!json_is_array(values))
		return call_fail(c, ERR_PROTOCOL, "%s: the answer has no list of values",
			azure_calls[w->list->call].operation);
	json_array_foreach(values, i, one)
	{
		if (!r)
			r = w->list->each(c, w->list->ctx, one);
	}
	*next = json_str(answer.body, "nextLink");
	return r;
}

int ml_list_all(struct call *c, struct azure_services *s, const struct ml_list *list)
{
	struct walk w = {.services = s, .list = list};
	return pages_all(c, ask_page, &w);
}

// ---------------------------------------------------------------- environments

static json_t *route(const char *path)
{
	return json_pack("{s:s, s:i}", "path", path, "port", ML_SERVE_PORT);
}

static json_t *environment_body(const struct azure_services *s, bool routes)
{
	json_t *properties = json_pack("{s:s}", "osType", "Linux");
	json_set_str(properties, "image", s->config.image);
	json_object_set_new(properties, "tags", ml_tags(s, S("")));
	if (routes)
		json_object_set_new(properties, "inferenceConfig",
			json_pack("{s:o, s:o, s:o}", "livenessRoute", route("/v2/health/live"), "readinessRoute",
				route("/v2/health/ready"), "scoringRoute", route("/score")));
	return json_pack("{s:o}", "properties", properties);
}

// A version does not change once it is made: it is named for what is in it.
int ml_environment(struct call *c, struct azure_services *s, bool routes, struct str *id)
{
	AUTO(json) body = environment_body(s, routes);
	AUTO(buf) text = {0};
	char hex[2 * SHA256_SIZE + 1];
	int r = body ? json_write(body, &text, &c->err) : call_no_memory(c);
	if (r)
		return r;
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	struct str path =
		ml_path(c, s, "environments/isobar-%s/versions/%.12s", routes ? "endpoint" : "job", hex);
	r = ml_call(c, s, AZURE_ML_PUT_ENVIRONMENT, path, body, NULL);
	if (!r)
		*id = path;
	return r ? call_context(c, "the environment of image %.*s", STR(s->config.image)) : 0;
}

json_t *ml_tags(const struct azure_services *s, struct str address)
{
	json_t *tags = json_object();
	json_set_str(tags, TAG_WORKSPACE, s->config.workspace);
	if (address.n)
		json_set_str(tags, "isobar-address", address);
	return tags;
}

// ---------------------------------------------------------------- machines

#define GIB(n) ((uint64_t)(n) << 30)
// From small to large. Source: "Sizes for virtual machines in Azure" (Microsoft).
static const struct ml_size sizes[] = {
	{"Standard_DS1_v2", 1, GIB(7) / 2},
	{"Standard_F2s_v2", 2, GIB(4)},
	{"Standard_DS2_v2", 2, GIB(7)},
	{"Standard_D2s_v3", 2, GIB(8)},
	{"Standard_E2s_v3", 2, GIB(16)},
	{"Standard_F4s_v2", 4, GIB(8)},
	{"Standard_DS3_v2", 4, GIB(14)},
	{"Standard_D4s_v3", 4, GIB(16)},
	{"Standard_E4s_v3", 4, GIB(32)},
	{"Standard_F8s_v2", 8, GIB(16)},
	{"Standard_D8s_v3", 8, GIB(32)},
	{"Standard_E8s_v3", 8, GIB(64)},
	{"Standard_F16s_v2", 16, GIB(32)},
	{"Standard_D16s_v3", 16, GIB(64)},
	{"Standard_E16s_v3", 16, GIB(128)},
	{"Standard_F32s_v2", 32, GIB(64)},
	{"Standard_D32s_v3", 32, GIB(128)},
	{"Standard_E32s_v3", 32, GIB(256)},
};

const struct ml_size *ml_size_for(double cpu, uint64_t memory)
{
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		if (sizes[i].cpu >= cpu && sizes[i].memory >= memory)
			return &sizes[i];
	return NULL;
}

const struct ml_size *ml_size_largest(void)
{
	return &sizes[COUNT_OF(sizes) - 1];
}
