// SPDX-License-Identifier: Apache-2.0
// Open Inference Protocol v2 on the evented server: see server.h. An inference is computed inside the callback: a forward pass takes
// tens of microseconds, less than handing it to another thread.
#include "serve/server.h"

#include "base/metrics.h"
#include "serve/container.h"

// A request of MODEL_MAX_BATCH samples of 1024 numbers with 16 bytes each.
enum { BODY_LIMIT = 16 << 20 };

static struct model_server *server_of(const struct http_exchange *x)
{
	return x->ctx;
}

static void reply_json(struct http_exchange *x, const struct buf *body)
{
	struct str copy = arena_str(&x->arena, buf_str(body));
	if (!copy.p || buf_check(body, NULL) < 0)
		http_reply_error(x, 503, "out of memory");
	else
		http_reply_text(x, 200, "application/json", copy);
}

static void reply_server(struct http_exchange *x)
{
	http_reply_text(x, 200, "application/json", S("{\"name\":\"isobar\",\"version\":\"" ISOBAR_VERSION "\",\"extensions\":[]}"));
}

static void reply_live(struct http_exchange *x)
{
	http_reply_text(x, 200, "application/json", S("{\"live\":true}"));
}

static void reply_ready(struct http_exchange *x)
{
	http_reply_text(x, 200, "application/json", S("{\"ready\":true}"));
}

static void reply_model(struct http_exchange *x)
{
	AUTO(buf) body = {0};
	served_model_describe(server_of(x)->model, &body);
	reply_json(x, &body);
}

static void reply_model_ready(struct http_exchange *x)
{
	AUTO(buf) body = {0};
	buf_printf(&body, "{\"name\":\"%.*s\",\"ready\":true}", STR(server_of(x)->model->name));
	reply_json(x, &body);
}

static void reply_inferred(struct http_exchange *x, enum container_form form, const struct buf *body, size_t json_size)
{
	struct str copy = arena_str(&x->arena, buf_str(body)), length = arena_printf(&x->arena, "%zu", json_size);
	struct str type = container_form_type(&x->arena, form, json_size);
	if (!copy.p || !length.p || !type.p || buf_check(body, NULL) < 0) {
		http_reply_error(x, 503, "out of memory");
		return;
	}
	const struct http_header headers[] = {{S("content-type"), type}, {S("inference-header-content-length"), length}};
	const struct http_reply reply = {.status = 200, .headers = headers, .header_count = 2};
	http_reply(x, &reply, copy);
}

static int read_request(struct http_exchange *x, struct str body, struct infer_request *request, enum container_form *form,
	struct err *e)
{
	const struct http_headers *headers = &x->request.headers;
	struct infer_body parts = {
		.bytes = body, .max_elements = MODEL_MAX_BATCH * server_of(x)->model->mlp.sizes[0]};
	if (container_form_read(http_header_get(headers, "content-type"),
		    http_header_get(headers, "inference-header-content-length"), body.n, form, &parts.json_size))
		return err_set(e, ERR_INVALID, "the length of the request's JSON is not said, or more than its body");
	return infer_parse_body(&parts, &x->arena, request, e);
}

static void infer(struct http_exchange *x, struct str body)
{
	struct model_server *server = server_of(x);
	struct infer_request *request = arena_new(&x->arena, struct infer_request);
	struct infer_answer answer = {0};
	struct err e = {0};
	AUTO(buf) out = {0};
	enum container_form form = FORM_JSON;
	size_t json_size = 0;
	int rc = request ? read_request(x, body, request, &form, &e) : ERR_NO_MEMORY;
	if (rc == 0)
		rc = served_model_run(server->model, request, &x->arena, &answer, &e);
	if (rc < 0) {
		server->failures++;
		http_reply_error(x, rc == ERR_INVALID ? 400 : err_http_status(rc), "%s", e.message);
		return;
	}
	server->requests++;
	infer_write(request, &answer, &out, &json_size);
	if (request->binary_output)
		reply_inferred(x, form, &out, json_size);
	else
		reply_json(x, &out);
}

static void begin_infer(struct http_exchange *x)
{
	http_body_collect(x, BODY_LIMIT, infer);
}

static void reply_metrics(struct http_exchange *x)
{
	struct model_server *server = server_of(x);
	AUTO(buf) body = {0}, labels = {0};
	metrics_label(&labels, "model", server->model->name);
	metrics_head(&body, "isobar_serve_requests_total", "counter", "Inference requests answered.");
	metrics_sample(&body, "isobar_serve_requests_total", buf_cstr(&labels), (double)server->requests);
	metrics_head(&body, "isobar_serve_failures_total", "counter", "Inference requests refused or failed.");
	metrics_sample(&body, "isobar_serve_failures_total", buf_cstr(&labels), (double)server->failures);
	metrics_head(&body, "isobar_serve_samples_total", "counter", "Samples classified.");
	metrics_sample(&body, "isobar_serve_samples_total", buf_cstr(&labels), (double)server->model->samples);
	struct str copy = arena_str(&x->arena, buf_str(&body));
	http_reply_text(x, 200, "text/plain; version=0.0.4", copy);
}

static void reply_sketch(struct http_exchange *x)
{
	struct served_model *model = server_of(x)->model;
	AUTO(json) inputs = json_object();
	AUTO(buf) body = {0};
	struct err e = {0};
	if (model->has_sketch)
		json_object_set_new(inputs, "input", sketch_to_json(&model->sketch));
	if (json_write(inputs, &body, &e) < 0)
		http_reply_error(x, 503, "%s", e.message);
	else
		reply_json(x, &body);
}

struct route {
	enum http_method method;
	struct str path;  // below /v2/models/NAME[/versions/V] when `model`
	bool model;
	void (*reply)(struct http_exchange *x);
};

#define PATH(literal) {.p = (literal), .n = sizeof(literal) - 1}
static const struct route routes[] = {
	{HTTP_GET, PATH("/v2"), false, reply_server},
	{HTTP_GET, PATH("/v2/health/live"), false, reply_live},
	{HTTP_GET, PATH("/v2/health/ready"), false, reply_ready},
	{HTTP_GET, PATH(""), true, reply_model},
	{HTTP_GET, PATH("/ready"), true, reply_model_ready},
	{HTTP_POST, PATH("/infer"), true, begin_infer},
	{HTTP_GET, PATH("/"), false, reply_live},
	{HTTP_GET, PATH("/ping"), false, reply_ready},
	{HTTP_POST, PATH("/invocations"), false, begin_infer},
	{HTTP_POST, PATH("/score"), false, begin_infer},
	{HTTP_GET, PATH("/metrics"), false, reply_metrics},
	{HTTP_GET, PATH("/sketch"), false, reply_sketch},
};

// What follows /v2/models/NAME or /v2/models/NAME/versions/V of this very model; .p NULL for another path.
static struct str below_model(const struct served_model *m, struct str path)
{
	struct str rest = path, version;
	if (!str_starts(rest, S("/v2/models/")))
		return (struct str){0};
	rest = str_drop(rest, sizeof("/v2/models/") - 1);
	if (!str_starts(rest, m->name))
		return (struct str){0};
	rest = str_drop(rest, m->name.n);
	version = str_drop(rest, sizeof("/versions/") - 1);
	if (str_starts(rest, S("/versions/")) && str_starts(version, m->version))
		rest = str_drop(version, m->version.n);
	return rest.n == 0 || rest.p[0] == '/' ? rest : (struct str){0};
}

// A path that the provider chose stands for one of ours.
static struct str meant_path(const struct model_server *server, struct str path)
{
	if (server->health_path.n && str_eq(path, server->health_path))
		return S("/ping");
	return server->predict_path.n && str_eq(path, server->predict_path) ? S("/invocations") : path;
}

static void begin(struct http_exchange *x)
{
	struct str path = meant_path(server_of(x), x->request.path), below = below_model(server_of(x)->model, path);
	bool known = false;
	enum http_method method = x->request.method == HTTP_HEAD ? HTTP_GET : x->request.method;
	for (size_t i = 0; i < COUNT_OF(routes); i++) {
		const struct route *route = &routes[i];
		if (route->model ? !below.p || !str_eq(below, route->path) : !str_eq(path, route->path))
			continue;
		known = true;
		if (method == route->method) {
			route->reply(x);
			return;
		}
	}
	if (known)
		http_reply_error(x, 405, "method %.*s is not allowed here", STR(x->request.method_text));
	else
		http_reply_error(x, 404, "no such path; this server has the model \"%.*s\"", STR(server_of(x)->model->name));
}

static const struct http_service service = {.begin = begin};

int model_server_start(struct model_server *server, struct loop *loop, struct str listen, struct err *e)
{
	struct http_server_options options = {
		.loop = loop,
		.service = &service,
		.ctx = server,
		.listen = listen,
		.limits = {.body_bytes = BODY_LIMIT, .arena_bytes = 256 << 20},
	};
	return http_server_new(&options, &server->http, e);
}

void model_server_stop(struct model_server *server)
{
	http_server_free(server->http);
	server->http = NULL;
}
