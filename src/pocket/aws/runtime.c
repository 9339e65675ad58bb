// SPDX-License-Identifier: Apache-2.0
// Invocations: see runtime.h.
#include "pocket/aws/runtime.h"

#include <string.h>

#include "base/time.h"
#include "pocket/aws/sagemaker_impl.h"

#define PREFIX "/endpoints/"
#define SUFFIX "/invocations"
#define TIMEOUT_NS (60 * NS_PER_S)

struct invocation { // in the request's arena
	struct str endpoint, variant, server;
	const json_t *doc; // borrowed for this turn only
	struct str body;
	struct http_header headers[12];
	size_t count;
};

// ---------------------------------------------------------------- refusals
static int refuse(struct front_request *r, int status, const char *code, struct str message)
{
	return aws_refuse_status(r, status, code, "%.*s", STR(message));
}

// REST: the code is a header, and the body has the message. Signatures are refused with 403 here.
static void answer(struct front_request *r, int status, const char *code, json_t *body)
{
	r->out.count = 0;
	front_add(r, "x-amzn-requestid", str_of(r->id));
	front_add(r, "x-amzn-errortype", str_of(code));
	front_add(r, "content-type", S("application/json"));
	service_reply_json(r, status, body);
}

static void runtime_fail(struct front_request *r)
{
	static const char *const of_signature[] = {"InvalidSignatureException", "UnrecognizedClientException",
		"MissingAuthenticationTokenException", "IncompleteSignatureException", "ExpiredTokenException",
		"AccessDeniedException"};
	const char *code = r->err.provider_code;
	int status = r->err.http_status ? r->err.http_status : 500;
	if (!code[0] && (r->err.code == ERR_UNAVAILABLE || r->err.code == ERR_TIMEOUT || r->err.code == ERR_NOT_FOUND)) {
		bool late = r->err.code == ERR_TIMEOUT;
		answer(r, 424, "ModelError",
			json_pack("{s:s, s:s, s:i}", "Message",
				late ? "Received server error (0) from primary with message \"Your invocation timed out while "
				       "waiting for a response from container primary.\""
				     : "Received server error (0) from primary with message \"The container does not answer.\"",
				"OriginalMessage", r->err.message, "OriginalStatusCode", 0));
		return;
	}
	if (!code[0]) {
		front_log_failure(r);
		answer(r, 500, "InternalFailure", json_pack("{s:s}", "Message", "An internal failure occurred."));
		return;
	}
	for (size_t i = 0; i < COUNT_OF(of_signature); i++)
		if (strcmp(code, of_signature[i]) == 0)
			status = 403;
	json_t *body = json_object();
	json_set_str(body, "Message", str_of(r->err.message));
	answer(r, status, code, body);
}

static void runtime_trouble(struct front_request *r, bool throttled)
{
	if (throttled)
		refuse(r, 429, "ThrottlingException", S("Rate exceeded"));
	else
		refuse(r, 500, "InternalFailure", S("An internal failure occurred."));
	runtime_fail(r);
}

// ---------------------------------------------------------------- which server
static int no_endpoint(struct front_request *r, struct str endpoint)
{
	return refuse(r, 400, "ValidationError",
		arena_printf(r->arena, "Endpoint %.*s of account %.*s not found.", STR(str_clip(endpoint, 100)),
			STR(aws_account(r))));
}

static int find_endpoint(struct front_request *r, struct invocation *v)
{
	v->doc = sm_find(r, SM_ENDPOINT, v->endpoint);
	bool serves = v->doc && json_array_size(json_object_get(v->doc, "variants")) &&
		      !str_eq(json_str(v->doc, "status"), S("Deleting"));
	return serves ? 0 : no_endpoint(r, v->endpoint);
}

static const json_t *variant_by_weight(struct front_request *r, const json_t *variants)
{
	const json_t *one, *last = NULL;
	double all = 0, at = 0;
	uint64_t random = 0;
	size_t i;
	json_array_foreach(variants, i, one) all += json_num(one, "weight", 0);
	if (pocket_random(r->pocket, &random, sizeof(random), &r->err))
		return NULL;
	at = all * ((double)(random >> 11) / (double)(UINT64_C(1) << 53));
	json_array_foreach(variants, i, one)
	{
		double weight = json_num(one, "weight", 0);
		if (weight > 0)
			last = one;
		if (weight > 0 && at < weight)
			return one;
		at -= weight;
	}
	return last;
}

static const json_t *find_variant(struct front_request *r, const struct invocation *v)
{
	const json_t *variants = json_object_get(v->doc, "variants"), *one;
	struct str target = front_header(r, "x-amzn-sagemaker-target-variant");
	size_t i;
	if (!target.n)
		return variant_by_weight(r, variants);
	json_array_foreach(variants, i, one) if (str_eq(json_str(one, "name"), target)) return one;
	return NULL;
}

// One that is healthy, any of them alike.
static struct str pick_server(struct front_request *r, const json_t *servers)
{
	uint64_t random = 0;
	size_t count = json_array_size(servers);
	struct engine_status status;
	if (!count || pocket_random(r->pocket, &random, sizeof(random), &r->err))
		return S("");
	for (size_t i = 0; i < count; i++) {
		struct str id = json_value_str(json_array_get(servers, (size_t)((random + i) % count)));
		if (engine_status(r->pocket->engine, id, &status) == 0 && status.healthy)
			return arena_str(r->arena, id);
	}
	return S("");
}

static int choose(struct front_request *r, struct invocation *v)
{
	const json_t *variant = find_variant(r, v);
	if (!variant)
		return r->err.code ? r->err.code
				   : refuse(r, 400, "ValidationError",
					     arena_printf(r->arena, "Variant %.*s not found for Request",
						     STR(str_clip(front_header(r, "x-amzn-sagemaker-target-variant"), 64))));
	v->variant = arena_str(r->arena, json_str(variant, "name"));
	v->server = pick_server(r, json_object_get(variant, "servers"));
	return v->server.n ? 0
			   : refuse(r, 503, "ServiceUnavailable",
				     S("A transient exception occurred while retrieving variant instances. Please try "
				       "again later."));
}

// ---------------------------------------------------------------- there and back
static void pass_header(struct front_request *r, struct invocation *v, const char *name)
{
	struct str value = front_header(r, name);
	if (value.n && v->count < COUNT_OF(v->headers))
		v->headers[v->count++] = (struct http_header){.name = str_of(name), .value = value};
}

static int head(struct front_request *r, const struct http_response *response)
{
	struct str custom = http_header_get(&response->headers, "x-amzn-sagemaker-custom-attributes");
	struct str type = http_header_get(&response->headers, "content-type");
	if (response->status < 200 || response->status >= 300)
		return 0;
	front_add(r, "x-amzn-requestid", str_of(r->id));
	front_add(r, "x-amzn-invoked-production-variant", r->key);
	front_add(r, "content-type", type);
	front_add(r, "x-amzn-sagemaker-custom-attributes", custom);
	return 200;
}

static void model_error(struct front_request *r, int status, struct str body)
{
	json_t *j = json_object();
	struct str text = str_clip(body, 1024);
	struct str group = arena_printf(r->arena, "/aws/sagemaker/Endpoints/%.*s", STR(r->bucket));
	json_set_str(j, "Message",
		arena_printf(r->arena,
			"Received %s error (%d) from primary with message \"%.*s\". See "
			"https://%.*s.console.aws.amazon.com/cloudwatch/home?region=%.*s#logEventViewer:group=%.*s in account "
			"%.*s for more information.",
			status >= 500 ? "server" : "client", status, STR(text), STR(aws_region(r)), STR(aws_region(r)),
			STR(group), STR(aws_account(r))));
	json_set_str(j, "OriginalMessage", text);
	json_object_set_new(j, "OriginalStatusCode", json_integer(status));
	json_set_str(j, "LogStreamArn", aws_arn(r, "logs", arena_printf(r->arena, "log-group:%.*s", STR(group))));
	answer(r, 424, "ModelError", j);
}

static void send_on(struct front_request *r, struct invocation *v)
{
	static const char *const passed[] = {"content-type", "accept", "x-amzn-sagemaker-custom-attributes",
		"x-amzn-sagemaker-inference-id", "x-amzn-sagemaker-target-model", "x-amzn-sagemaker-session-id"};
	for (size_t i = 0; i < COUNT_OF(passed); i++)
		pass_header(r, v, passed[i]);
	r->bucket = v->endpoint; // what is said of the answer needs them
	r->key = v->variant;
	const struct engine_forward forward = {.id = v->server,
		.method = S("POST"),
		.target = S(SUFFIX),
		.body = v->body,
		.headers = v->headers,
		.header_count = v->count,
		.timeout_ns = TIMEOUT_NS,
		.head = head,
		.whole = model_error};
	engine_forward(r, &forward);
}

static struct str endpoint_of(struct str path)
{
	struct str rest = str_drop(path, sizeof(PREFIX) - 1);
	return str_take(rest, rest.n - MIN(rest.n, sizeof(SUFFIX) - 1));
}

static void run(struct front_request *r, struct str body)
{
	struct invocation *v = arena_new(r->arena, struct invocation);
	int rc = v ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = aws_authenticate(r, "sagemaker", body);
	if (rc == 0) {
		v->endpoint = endpoint_of(r->x->request.path);
		v->body = body;
		rc = aws_authorise(r, "sagemaker:InvokeEndpoint",
			aws_arn(r, "sagemaker", arena_printf(r->arena, "endpoint/%.*s", STR(v->endpoint))));
	}
	if (rc == 0)
		rc = find_endpoint(r, v);
	if (rc == 0)
		rc = choose(r, v);
	if (rc < 0)
		runtime_fail(r);
	else
		send_on(r, v);
}

static void runtime_handle(struct front_request *r)
{
	front_collect(r, AWS_RUNTIME_MAX_BODY, run);
}

static bool runtime_matches(const struct front_request *r)
{
	struct str path = r->x->request.path;
	return r->x->request.method == HTTP_POST && str_starts(path, S(PREFIX)) && str_ends(path, S(SUFFIX)) &&
	       str_find_char(endpoint_of(path), '/') < 0 && !str_eq(r->signed_for, S("s3"));
}

const struct pocket_service aws_runtime_service = {.name = "sagemaker-runtime",
	.matches = runtime_matches,
	.handle = runtime_handle,
	.fail = runtime_fail,
	.trouble = runtime_trouble};
