// SPDX-License-Identifier: Apache-2.0
// The query protocol of AWS: see query.h.
#include "pocket/aws/query.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/s3/s3_impl.h"

struct query_state { // r->own
	const struct aws_query_api *api;
	struct sigv4_claim claim;
};

static void release(struct front_request *r)
{
	struct query_state *s = r->own;
	sigv4_claim_free(&s->claim);
}

// ---------------------------------------------------------------- refusals

int aws_query_refuse(struct front_request *r, int status, const char *code, const char *format, ...)
{
	AUTO(buf) text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	int ours = status == 403   ? ERR_DENIED
		   : status == 404 ? ERR_NOT_FOUND
		   : status == 409 ? ERR_EXISTS
				   : ERR_INVALID;
	err_set(&r->err, ours, "%s", buf_cstr(&text));
	r->err.http_status = status;
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", code);
	return ours;
}

// What signatures are refused with elsewhere, in the words of these services.
static void reword(struct front_request *r)
{
	static const struct {
		const char *code, *here, *message;
	} words[] = {
		{"InvalidAccessKeyId", "InvalidClientTokenId",
			"The security token included in the request is invalid."},
		{"InvalidToken", "InvalidClientTokenId", "The security token included in the request is invalid."},
		{"ExpiredToken", "ExpiredToken", "The security token included in the request is expired"},
	};
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(r->err.provider_code, words[i].code) == 0) {
			aws_query_refuse(r, 403, words[i].here, "%s", words[i].message);
			return;
		}
	}
}

static void reply(struct front_request *r, int status, struct buf *out)
{
	r->out.count = 0; // of an answer that was begun
	front_add(r, "x-amzn-requestid", str_of(r->id));
	front_add(r, "content-type", S("text/xml"));
	front_reply_buf(r, status, out);
}

void aws_query_fail(struct front_request *r, const struct aws_query_api *api)
{
	AUTO(buf) out = {0};
	bool ours = !r->err.provider_code[0];
	int status = r->err.http_status ? r->err.http_status : ours ? 500 : 400;
	if (ours)
		front_log_failure(r);
	buf_printf(&out, "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type>", api->name_space,
		status == 500 || status == 503 ? "Receiver" : "Sender");
	xml_element(&out, "Code", str_of(ours ? "InternalFailure" : r->err.provider_code));
	xml_element(&out, "Message", str_of(ours ? "An internal error has occurred" : r->err.message));
	buf_add(&out, S("</Error>"));
	xml_element(&out, "RequestId", str_of(r->id));
	buf_add(&out, S("</ErrorResponse>"));
	reply(r, status, &out);
}

void aws_query_trouble(struct front_request *r, const struct aws_query_api *api, bool throttled)
{
	if (throttled)
		aws_query_refuse(r, 400, "Throttling", "Rate exceeded");
	else
		aws_query_refuse(r, 500, "InternalFailure", "The request processing has failed.");
	aws_query_fail(r, api);
}

int aws_query_authorise(struct front_request *r, const char *action, struct str arn)
{
	if (pocket_authorise(r, str_of(action), arn) == 0)
		return 0;
	char message[sizeof(r->err.message)];
	snprintf(message, sizeof(message), "User: %s", r->err.message);
	return aws_query_refuse(r, 403, "AccessDenied", "%s", message);
}

int aws_query_need(struct front_request *r, const struct sign_parameters *form, const char *name, struct str *out)
{
	*out = sign_parameters_get(form, str_of(name));
	if (out->n)
		return 0;
	return aws_query_refuse(r, 400, "ValidationError",
		"1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null",
		name);
}

void aws_query_time(struct buf *out, const char *name, int64_t seconds)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(seconds * NS_PER_S, 0, text);
	xml_element(out, name, str_of(text));
}

// ---------------------------------------------------------------- requests

static const struct aws_query_operation *find_operation(const struct aws_query_api *api, struct str name)
{
	for (size_t i = 0; i < api->count; i++)
		if (str_is(name, api->operations[i].name))
			return &api->operations[i];
	return NULL;
}

// The digest of the body stands in for the header that S3 has and other services do not.
static int authenticate(struct front_request *r, struct str body)
{
	struct query_state *s = r->own;
	struct sigv4_key signing = {0};
	char hex[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(body);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	int rc = sigv4_claim_read(&r->sign, &s->claim, &r->err);
	if (rc == 0 && !s->claim.payload_hash.n)
		s->claim.payload_hash = str_of(hex);
	if (rc == 0 && !str_is(s->claim.payload_hash, hex))
		rc = aws_query_refuse(r, 403, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided.");
	if (rc == 0)
		rc = session_identify(r, &s->claim, &signing);
	if (rc == 0)
		rc = sigv4_verify(&r->sign, &s->claim, &signing, front_now_ns(r), &r->err);
	s->claim.payload_hash = S("");
	sigv4_key_wipe(&signing);
	if (rc < 0)
		reword(r);
	return rc;
}

static int run(struct front_request *r, struct str body, struct buf *out)
{
	const struct query_state *s = r->own;
	AUTO(sign_parameters) form = {0};
	AUTO(buf) result = {0};
	int rc = sign_parameters_parse(body, &form, &r->err);
	if (rc < 0)
		return aws_query_refuse(r, 400, "MalformedQueryString", "%s", r->err.message);
	struct str action = sign_parameters_get(&form, S("Action"));
	const struct aws_query_operation *o = find_operation(s->api, action);
	if (!o || !o->open)
		rc = authenticate(r, body);
	if (rc == 0 && !o)
		rc = aws_query_refuse(r, 400, "InvalidAction", "Could not find operation %.*s for version %s",
			STR(str_clip(action, 60)), s->api->version);
	if (rc == 0)
		rc = o->run(r, &form, &result);
	if (rc < 0)
		return rc;
	buf_printf(out, "<%sResponse xmlns=\"%s\">", o->name, s->api->name_space);
	if (!o->empty)
		buf_printf(out, "<%sResult>%s</%sResult>", o->name, buf_cstr(&result), o->name);
	buf_add(out, S("<ResponseMetadata>"));
	xml_element(out, "RequestId", str_of(r->id));
	buf_printf(out, "</ResponseMetadata></%sResponse>", o->name);
	return buf_check(out, &r->err);
}

static void body_done(struct front_request *r, struct str body)
{
	const struct query_state *s = r->own;
	AUTO(buf) out = {0};
	if (run(r, body, &out) < 0)
		aws_query_fail(r, s->api);
	else
		reply(r, 200, &out);
}

// An unsigned form says what it is only in its body: it is this service's when its path is the root and it is a form.
bool aws_query_matches(const struct front_request *r, const struct aws_query_api *api)
{
	if (r->signed_for.n)
		return str_is(r->signed_for, api->service);
	for (size_t i = 0; i < api->count; i++) {
		if (api->operations[i].open && r->x->request.method == HTTP_POST && str_is(r->x->request.path, "/") &&
			str_starts(front_header(r, "content-type"), S("application/x-www-form-urlencoded")))
			return true;
	}
	return false;
}

void aws_query_handle(struct front_request *r, const struct aws_query_api *api)
{
	struct query_state *s = arena_new(r->arena, struct query_state);
	if (!s) {
		http_reply_error(r->x, 503, "out of memory");
		return;
	}
	s->api = api;
	r->own = s;
	r->release = release;
	if (r->x->request.method == HTTP_POST && str_is(r->x->request.path, "/")) {
		front_collect(r, AWS_QUERY_MAX_BODY, body_done);
		return;
	}
	aws_query_refuse(r, 501, "NotImplemented", "Only forms that are posted to / are answered here.");
	aws_query_fail(r, api);
}
