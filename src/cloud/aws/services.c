// SPDX-License-Identifier: Apache-2.0
// The services of AWS: see services.h.
#include "cloud/aws/services.h"

#include <stdlib.h>

#include "base/time.h"
#include "cloud/aws/request_impl.h"
#include "cloud/http/provider_error.h"

// ---------------------------------------------------------------- where

static const struct place {
	const char *host;    // before the region, or the whole where there is one for all regions
	const char *name;    // that it is signed for
	const char *version; // of its query protocol; NULL: it speaks JSON
	bool global;         // signed for us-east-1
} places[AWS_API_COUNT] = {
	[AWS_API_STS] = {"sts", "sts", "2011-06-15", false},
	[AWS_API_IAM] = {"iam", "iam", "2010-05-08", true},
	[AWS_API_SAGEMAKER] = {"api.sagemaker", "sagemaker", NULL, false},
	[AWS_API_RUNTIME] = {"runtime.sagemaker", "sagemaker", NULL, false},
	[AWS_API_KMS] = {"kms", "kms", NULL, false},
	[AWS_API_SECRETS] = {"secretsmanager", "secretsmanager", NULL, false},
	[AWS_API_LOGS] = {"logs", "logs", NULL, false},
	[AWS_API_REGISTRY] = {"api.ecr", "ecr", NULL, false},
	[AWS_API_ALARMS] = {"monitoring", "monitoring", "2010-08-01", false},
	[AWS_API_BUDGETS] = {"budgets", "budgets", NULL, true},
};

struct str aws_service_url(struct arena *a, const struct cloud_config *config, enum aws_api api)
{
	bool china = str_starts(config->region, S("cn-"));
	const char *end = china ? ".cn" : "";
	if (api == AWS_API_STS && config->identity_url.n)
		return arena_str(a, config->identity_url);
	if (config->services_url.n)
		return arena_str(a, service_origin(config->services_url));
	if (places[api].global)
		return arena_printf(a, "https://%s.amazonaws.com%s", places[api].host, end);
	return arena_printf(
		a, "https://%s.%.*s.amazonaws.com%s", places[api].host, STR(config->region), end);
}

int aws_service_hosts(
	struct arena *a, const struct cloud_config *config, struct str *hosts, size_t *count, struct err *e)
{
	for (int api = AWS_API_STS; api < AWS_API_COUNT; api++) {
		struct str url = aws_service_url(a, config, (enum aws_api)api);
		int r = url.p ? transport_host(url, a, &hosts[*count], e) : err_set(e, ERR_NO_MEMORY, "out of memory");
		if (r)
			return r;
		(*count)++;
	}
	return 0;
}

// ---------------------------------------------------------------- signing and refusals

static int authorize(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	const struct service *s = (const struct service *)(const void *)p;
	struct aws_signing signing = {.credentials = p->credentials,
		.clock = p->clock,
		.region = s->region,
		.service = s->name,
		.secure = p->secure};
	return aws_sign_request(c, &signing, r, x);
}

static const struct provider_ops aws_service_ops = {
	.name = "aws", .authorize = authorize, .refused = aws_service_refused};

// ---------------------------------------------------------------- life

static int open_api(struct aws_services *s, const struct services_options *o, enum aws_api api, struct err *e)
{
	bool china = str_starts(s->config.region, S("cn-"));
	struct service_place place = {.url = aws_service_url(&s->arena, &s->config, api),
		.name = str_of(places[api].name),
		.region = !places[api].global ? s->config.region : china ? S("cn-north-1") : S("us-east-1"),
		.audience = S("")};
	if (!place.url.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int r = service_open(&s->apis[api], o, &aws_service_ops, &place, &s->arena, e);
	s->apis[api].owner = s;
	return r ? err_context(e, "the address of %s", places[api].name) : 0;
}

int aws_services_open(const struct services_options *o, struct aws_services **out, struct err *e)
{
	struct aws_services *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	s->self = o->self;
	int r = cloud_config_copy_texts(o->config, &s->arena, &s->config, e);
	for (int api = AWS_API_STS; !r && api < AWS_API_COUNT; api++)
		r = open_api(s, o, (enum aws_api)api, e);
	if (r) {
		aws_services_close(s);
		return r;
	}
	*out = s;
	return 0;
}

void aws_services_close(struct aws_services *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < COUNT_OF(s->apis); i++)
		service_close(&s->apis[i]);
	arena_free(&s->arena);
	free(s);
}

// ---------------------------------------------------------------- calls

int aws_rest_call(struct call *c, struct aws_services *s, struct exchange *x, struct transport_response *out)
{
	struct service *api = &s->apis[x->call->api];
	if (!api->provider.ops)
		return call_fail(c, ERR_INTERNAL, "%s is no call of a service", x->call->operation);
	return exchange_run(c, &api->provider, x, out);
}

static int read_json(struct call *c, const struct transport_response *answer, const json_t **out)
{
	json_t *parsed = NULL;
	int r = answer->body.n ? json_parse(answer->body, &parsed, &c->err) : 0;
	if (r)
		return call_fail(c, ERR_PROTOCOL, "the answer is not valid JSON: %s", c->err.message);
	// Some servers write "null" where there is nothing to say.
	parsed = json_in_arena(c->arena, parsed && !json_is_null(parsed) ? parsed : json_object());
	if (!parsed)
		return call_no_memory(c);
	if (!json_is_object(parsed))
		return call_fail(c, ERR_PROTOCOL, "the answer is no JSON object");
	*out = parsed;
	return 0;
}

int aws_json_call(struct call *c, struct aws_services *s, enum aws_call call, const json_t *in, const json_t **out)
{
	AUTO(buf) body = {0};
	struct transport_response answer = {0};
	const json_t *parsed = NULL;
	struct exchange x = {.call = &aws_calls[call], .path = S("/")};
	x.once = x.call->repeat == CALL_REPEAT_LOOKS; // who called looks first (http/looks.h)
	int r = in ? json_write(in, &body, &c->err) : 0;
	if (!in)
		buf_add(&body, S("{}"));
	if (!r)
		r = buf_check(&body, &c->err);
	x.body = buf_str(&body);
	exchange_header(&x, "content-type", S("application/x-amz-json-1.1"));
	exchange_header(&x, "x-amz-target", str_of(aws_calls[call].target ? aws_calls[call].target : ""));
	if (!r)
		r = aws_rest_call(c, s, &x, &answer);
	if (body.p)
		secret_wipe(body.p, body.n); // of some, the body is a secret
	if (!r)
		r = read_json(c, &answer, &parsed);
	if (r)
		return call_context(c, "%s", aws_calls[call].operation);
	if (out)
		*out = parsed;
	return 0;
}

static int read_xml(struct call *c, const char *target, const struct transport_response *answer, struct xml **out)
{
	struct xml *root = NULL;
	struct str wanted = arena_printf(c->arena, "%sResponse", target);
	int r = xml_parse(answer->body, c->arena, &root, &c->err);
	if (!r && !str_eq(root->name, wanted))
		r = call_fail(c, ERR_PROTOCOL, "expected the answer %.*s, got \"%.*s\"", STR(wanted),
			(int)MIN(root->name.n, 60), root->name.p);
	if (!r && out)
		*out = root;
	return r;
}

int aws_query_call(struct call *c, struct aws_services *s, enum aws_call call, struct str form, struct xml **out)
{
	const struct cloud_call *row = &aws_calls[call];
	struct transport_response answer = {0};
	struct exchange x = {.call = row, .path = S("/")};
	const char *version = places[row->api].version;
	if (!version || !row->target)
		return call_fail(c, ERR_INTERNAL, "%s is no call of a query protocol", row->operation);
	x.body = arena_printf(c->arena, "Action=%s&Version=%s%s%.*s", row->target, version, form.n ? "&" : "", STR(form));
	if (!x.body.p)
		return call_no_memory(c);
	exchange_header(&x, "content-type", S("application/x-www-form-urlencoded; charset=utf-8"));
	int r = aws_rest_call(c, s, &x, &answer);
	if (!r)
		r = read_xml(c, row->target, &answer, out);
	return r ? call_context(c, "%s", row->operation) : 0;
}
