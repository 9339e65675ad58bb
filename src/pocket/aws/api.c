// SPDX-License-Identifier: Apache-2.0
// JSON 1.1 of AWS: see api.h.
#include "pocket/aws/api.h"

#include <stdio.h>
#include <string.h>

#include "pocket/aws/session.h"
#include "pocket/s3/s3_impl.h"

struct aws_state { // r->own
	const struct aws_api *api;
	const struct aws_operation *operation; // NULL: not known yet, or none
	struct sigv4_claim claim;
	struct str account, region;
};

static void release(struct front_request *r)
{
	struct aws_state *s = r->own;
	sigv4_claim_free(&s->claim);
}

static struct aws_state *make_state(struct front_request *r)
{
	struct aws_state *s = arena_new(r->arena, struct aws_state);
	if (!s)
		return NULL;
	r->own = s;
	r->release = release;
	return s;
}

// ---------------------------------------------------------------- refusals
static int refuse(struct front_request *r, int status, const char *code, const char *message)
{
	int ours = status == 403 ? ERR_DENIED : status >= 500 ? ERR_UNAVAILABLE : ERR_INVALID;
	err_set(&r->err, ours, "%s", message);
	r->err.http_status = status;
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", code);
	return ours;
}

int aws_refuse(struct front_request *r, const char *code, const char *format, ...)
{
	AUTO(buf) text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	return refuse(r, 400, code, buf_cstr(&text));
}

int aws_refuse_status(struct front_request *r, int status, const char *code, const char *format, ...)
{
	AUTO(buf) text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	return refuse(r, status, code, buf_cstr(&text));
}

// What signatures are refused with elsewhere, in the words of the services that speak JSON.
static const struct words {
	const char *code, *here, *message; // message NULL: as it is
} signature_words[] = {
	{"AccessDenied", "MissingAuthenticationTokenException", "Missing Authentication Token"},
	{"AuthorizationHeaderMalformed", "IncompleteSignatureException", NULL},
	{"AuthorizationQueryParametersError", "IncompleteSignatureException", NULL},
	{"SignatureDoesNotMatch", "InvalidSignatureException",
		"The request signature we calculated does not match the signature you provided. Check your AWS Secret "
		"Access Key and signing method. Consult the service documentation for details."},
	{"RequestTimeTooSkewed", "InvalidSignatureException", NULL},
	{"InvalidAccessKeyId", "UnrecognizedClientException", "The security token included in the request is invalid."},
	{"InvalidToken", "UnrecognizedClientException", "The security token included in the request is invalid."},
	{"InvalidClientTokenId", "UnrecognizedClientException", "The security token included in the request is invalid."},
	{"ExpiredToken", "ExpiredTokenException", "The security token included in the request is expired"},
};

static int reword_signature(struct front_request *r)
{
	for (size_t i = 0; i < COUNT_OF(signature_words); i++) {
		const struct words *w = &signature_words[i];
		if (strcmp(r->err.provider_code, w->code) == 0)
			return aws_refuse(r, w->here, "%s", w->message ? w->message : r->err.message);
	}
	return r->err.code;
}

void aws_api_fail(struct front_request *r)
{
	json_t *j = json_object();
	bool ours = !r->err.provider_code[0];
	int status = r->err.http_status ? r->err.http_status : ours ? 500 : 400;
	if (ours)
		front_log_failure(r);
	json_object_set_new(j, "__type", json_string(ours ? "InternalFailure" : r->err.provider_code));
	json_object_set_new(j, "message",
		ours ? json_string("The request processing has failed because of an unknown error, exception or "
				   "failure.")
		     : json_of_str(str_of(r->err.message)));
	r->out.count = 0; // of an answer that was begun
	front_add(r, "x-amzn-requestid", str_of(r->id));
	front_add(r, "content-type", S("application/x-amz-json-1.1"));
	service_reply_json(r, status, j);
}

void aws_api_trouble(struct front_request *r, bool throttled)
{
	if (throttled)
		refuse(r, 400, "ThrottlingException", "Rate exceeded");
	else
		refuse(r, 500, "InternalFailure", "The request processing has failed because of an internal error.");
	aws_api_fail(r);
}

// ---------------------------------------------------------------- who, where, what for
static struct str account_of(struct front_request *r)
{
	char digits[AWS_ACCOUNT_DIGITS + 1];
	struct sha256 digest = sha256_of(str_of(r->pocket->name));
	for (size_t i = 0; i < AWS_ACCOUNT_DIGITS; i++)
		digits[i] = (char)('0' + digest.bytes[i] % 10);
	digits[AWS_ACCOUNT_DIGITS] = 0;
	return arena_str(r->arena, str_of(digits));
}

static int check_caller(struct front_request *r, struct sigv4_claim *claim)
{
	struct sigv4_key signing = {0};
	int rc = session_identify(r, claim, &signing);
	if (rc == 0)
		rc = sigv4_verify(&r->sign, claim, &signing, front_now_ns(r), &r->err);
	sigv4_key_wipe(&signing);
	return rc;
}

int aws_authenticate(struct front_request *r, const char *service, struct str body)
{
	struct aws_state *s = r->own ? r->own : make_state(r);
	char hex[HEX_SHA256_SIZE];
	if (!s)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	struct sha256 digest = sha256_of(body);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	int rc = sigv4_claim_read(&r->sign, &s->claim, &r->err);
	if (rc == 0 && !str_is(s->claim.service, service))
		rc = s3_refuse(r, "SignatureDoesNotMatch");
	if (rc == 0 && !s->claim.payload_hash.n)
		s->claim.payload_hash = str_of(hex);
	if (rc == 0 && !str_is(s->claim.payload_hash, hex))
		rc = s3_refuse(r, "SignatureDoesNotMatch");
	if (rc == 0)
		rc = check_caller(r, &s->claim);
	s->claim.payload_hash = S("");
	if (rc < 0)
		return reword_signature(r);
	s->region = arena_str(r->arena, s->claim.region);
	s->account = account_of(r);
	return s->region.p && s->account.p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int aws_authorise(struct front_request *r, const char *action, struct str arn)
{
	if (pocket_authorise(r, str_of(action), arn) == 0)
		return 0;
	char message[sizeof(r->err.message)];
	snprintf(message, sizeof(message), "User: %s", r->err.message);
	return aws_refuse(r, "AccessDeniedException", "%s", message);
}

struct str aws_account(const struct front_request *r)
{
	const struct aws_state *s = r->own;
	return s->account;
}

struct str aws_region(const struct front_request *r)
{
	const struct aws_state *s = r->own;
	return s->region;
}

struct str aws_arn(const struct front_request *r, const char *service, struct str resource)
{
	return arena_printf(r->arena, "arn:aws:%s:%.*s:%.*s:%.*s", service, STR(aws_region(r)), STR(aws_account(r)),
		STR(resource));
}

json_t *aws_time(int64_t wall_ns)
{
	return json_real((double)(wall_ns / 1000000) / 1000.0);
}

// ---------------------------------------------------------------- requests
bool aws_api_matches(const struct front_request *r, const struct aws_api *api)
{
	struct str head, tail;
	str_cut(front_header(r, "x-amz-target"), '.', &head, &tail);
	return tail.n && str_is(head, api->target);
}

static const struct aws_operation *find_operation(const struct front_request *r, const struct aws_api *api)
{
	struct str target, name;
	str_cut(front_header(r, "x-amz-target"), '.', &target, &name);
	for (size_t i = 0; i < api->count; i++)
		if (str_is(name, api->operations[i].name))
			return &api->operations[i];
	return NULL;
}

static int allow(struct front_request *r, const struct aws_state *s, const json_t *in)
{
	const struct aws_operation *o = s->operation;
	struct str action = arena_printf(r->arena, "%s:%s", s->api->service, o->name), arn = S("*");
	if (o->resource && !*o->resource) // AWS_BY_ITSELF
		return 0;
	if (o->resource && !o->resource[0])
		arn = json_str(in, o->member);
	else if (o->resource)
		arn = aws_arn(r, s->api->service,
			arena_printf(r->arena, "%s%s%.*s", o->resource, str_ends(str_of(o->resource), S(":")) ? "" : "/",
				STR(json_str(in, o->member))));
	if (!action.p || !arn.p)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	return aws_authorise(r, action.p, arn);
}

static int parse(struct front_request *r, struct str body, json_t **in)
{
	struct err e = {0};
	int rc = body.n ? json_parse(body, in, &e) : 0;
	if (rc == 0 && !body.n)
		*in = json_object();
	if (rc < 0 || !json_is_object(*in))
		return aws_refuse(r, "SerializationException", "The request is not a JSON object%s%s", rc ? ": " : "",
			rc ? e.message : "");
	return 0;
}

static void run(struct front_request *r, struct str body)
{
	struct aws_state *s = r->own;
	AUTO(json) in = NULL;
	json_t *out = NULL;
	int rc = aws_authenticate(r, s->api->service, body);
	if (rc == 0 && !s->operation)
		rc = aws_refuse(r, "UnknownOperationException", "The operation %.*s is not one of %s",
			STR(str_clip(front_header(r, "x-amz-target"), 100)), s->api->target);
	if (rc == 0)
		rc = parse(r, body, &in);
	if (rc == 0)
		rc = allow(r, s, in);
	if (rc == 0)
		rc = s->operation->run(r, in, &out);
	if (rc < 0) {
		json_decref(out);
		aws_api_fail(r);
		return;
	}
	front_add(r, "x-amzn-requestid", str_of(r->id));
	front_add(r, "content-type", S("application/x-amz-json-1.1"));
	if (out)
		service_reply_json(r, 200, out);
	else
		front_reply(r, 200, S(""));
}

void aws_api_handle(struct front_request *r, const struct aws_api *api)
{
	struct aws_state *s = make_state(r);
	if (!s) {
		err_set(&r->err, ERR_NO_MEMORY, "out of memory");
		aws_api_fail(r);
		return;
	}
	s->api = api;
	s->operation = find_operation(r, api);
	front_collect(r, AWS_API_MAX_BODY, run);
}
