// SPDX-License-Identifier: Apache-2.0
// Requests of AWS, signed, and their refusals read: see request_impl.h. The signing key costs four HMACs; it is made for
// each request, since a request over the network costs a thousand times that.
#include "cloud/aws/request_impl.h"

#include "base/json.h"
#include "base/time.h"
#include "cloud/http/provider_error.h"
#include "cloud/http/xml.h"
#include "cloud/sign/sigv4.h"

// ---------------------------------------------------------------- signing

// A body goes unsigned only where TLS protects it and a checksum proves it: the rule of the official clients.
static struct str payload_hash(struct call *c, const struct aws_signing *s, const struct sign_request *r, struct str body)
{
	char hex[HEX_SHA256_SIZE];
	if (body.n && s->secure && sign_header_get(r, S("x-amz-checksum-crc32c")).n)
		return SIGV4_UNSIGNED;
	struct sha256 digest = sha256_of(body);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	return arena_str(c->arena, str_of(hex));
}

static int add_signature(struct call *c, const struct credential *who, const struct sigv4_scope *scope,
	const struct sign_request *r, struct exchange *x)
{
	struct sigv4_key key;
	AUTO(buf) authorization = {0};
	struct sign_request full = *r;
	full.header_count = MIN(x->header_count, EXCHANGE_MAX_HEADERS);
	int code = sigv4_key_make_scope(&key, who->secret_key, scope);
	if (code)
		return call_fail(c, code, "the region \"%.*s\" cannot be signed for", STR(scope->region));
	code = sigv4_authorize(&full, who->access_key, &key, &authorization, &c->err);
	sigv4_key_wipe(&key);
	if (code)
		return code;
	struct str value = arena_str(c->arena, buf_str(&authorization));
	exchange_header(x, "authorization", value);
	return value.p ? 0 : call_no_memory(c);
}

int aws_sign_request(struct call *c, const struct aws_signing *s, const struct sign_request *r, struct exchange *x)
{
	struct credential who;
	char text[TIME_TEXT_SIZE];
	int code = credentials_get(c, s->credentials, S(""), &who);
	if (code)
		return code;
	time_iso_basic(provider_now_ns(c, s->clock), text);
	struct str time = arena_str(c->arena, str_of(text)), hash = payload_hash(c, s, r, x->body);
	if (!time.p || !hash.p)
		return call_no_memory(c);
	struct sigv4_scope scope = {.day = str_take(time, 8), .region = s->region, .service = s->service};
	exchange_header(x, "x-amz-date", time);
	exchange_header(x, "x-amz-content-sha256", hash);
	if (who.session_token.n)
		exchange_header(x, "x-amz-security-token", who.session_token);
	x->serial = who.serial;
	return add_signature(c, &who, &scope, r, x);
}

// ---------------------------------------------------------------- refusals

// Codes whose meaning their HTTP status (mostly 400) does not say.
static const struct provider_code codes[] = {
	{"AccessDenied", ERR_DENIED, false},
	{"AccessDeniedException", ERR_DENIED, false},
	{"AlreadyExistsException", ERR_EXISTS, false},
	{"ConflictException", ERR_CONFLICT, false},
	{"DependencyTimeoutException", ERR_UNAVAILABLE, true},
	{"DisabledException", ERR_DENIED, false},
	{"DeleteConflict", ERR_CONFLICT, false},
	{"EntityAlreadyExists", ERR_EXISTS, false},
	{"ExpiredToken", ERR_UNAUTHENTICATED, false},
	{"ExpiredTokenException", ERR_UNAUTHENTICATED, false},
	{"IDPCommunicationError", ERR_UNAVAILABLE, true},
	{"IncompleteSignature", ERR_UNAUTHENTICATED, false},
	{"InternalFailure", ERR_UNAVAILABLE, true},
	{"InternalServerError", ERR_UNAVAILABLE, true},
	{"InternalServiceError", ERR_UNAVAILABLE, true},
	{"InvalidClientTokenId", ERR_UNAUTHENTICATED, false},
	{"InvalidSignatureException", ERR_UNAUTHENTICATED, false},
	{"KMSInternalException", ERR_UNAVAILABLE, true},
	{"KMSInvalidStateException", ERR_CONFLICT, false},
	{"LimitExceeded", ERR_LIMIT, false},
	{"LimitExceededException", ERR_LIMIT, false},
	{"MalformedPolicyDocument", ERR_INVALID, false},
	{"MissingAuthenticationToken", ERR_UNAUTHENTICATED, false},
	{"MissingAuthenticationTokenException", ERR_UNAUTHENTICATED, false},
	{"NoSuchEntity", ERR_NOT_FOUND, false},
	{"NotFoundException", ERR_NOT_FOUND, false},
	{"RepositoryAlreadyExistsException", ERR_EXISTS, false},
	{"RepositoryNotFoundException", ERR_NOT_FOUND, false},
	{"RequestExpired", ERR_UNAUTHENTICATED, false},
	{"RequestTimeTooSkewed", ERR_UNAUTHENTICATED, false},
	{"ResourceAlreadyExistsException", ERR_EXISTS, false},
	{"ResourceExistsException", ERR_EXISTS, false},
	{"ResourceInUse", ERR_EXISTS, false},
	{"ResourceLimitExceeded", ERR_LIMIT, false},
	{"ResourceNotFound", ERR_NOT_FOUND, false},
	{"ResourceNotFoundException", ERR_NOT_FOUND, false},
	{"ServiceUnavailable", ERR_UNAVAILABLE, true},
	{"ServiceUnavailableException", ERR_UNAVAILABLE, true},
	{"SignatureDoesNotMatch", ERR_UNAUTHENTICATED, false},
	{"Throttling", ERR_THROTTLED, true},
	{"ThrottlingException", ERR_THROTTLED, true},
	{"ThrottledException", ERR_THROTTLED, true},
	{"RequestLimitExceeded", ERR_THROTTLED, true},
	{"TooManyRequestsException", ERR_THROTTLED, true},
	{"UnrecognizedClientException", ERR_UNAUTHENTICATED, false},
};

// "com.amazonaws.sagemaker#ResourceNotFound", or with an address behind: "ResourceNotFound:http://..."
static struct str plain_code(struct str code)
{
	ptrdiff_t hash = str_find_char(code, '#');
	struct str rest;
	if (hash >= 0)
		code = str_drop(code, (size_t)hash + 1);
	str_cut(code, ':', &code, &rest);
	return code;
}

static void read_json_error(struct call *c, const struct transport_response *r, struct provider_refusal *out)
{
	json_t *body = NULL;
	out->code = plain_code(transport_header(r, S("x-amzn-errortype")));
	if (json_parse(r->body, &body, NULL) || !(body = json_in_arena(c->arena, body)) || !json_is_object(body))
		return;
	struct str type = json_str(body, "__type"), message = json_str(body, "message");
	if (!out->code.n)
		out->code = plain_code(type.n ? type : json_str(body, "code"));
	out->message = message.n ? message : json_str(body, "Message");
}

int aws_service_refused(struct call *c, struct provider *p, const struct transport_response *r)
{
	struct xml *root = NULL;
	struct provider_refusal refusal = {.status = r->status};
	(void)p;
	if (str_starts(str_trim(r->body), S("<")) && xml_parse(r->body, c->arena, &root, NULL) == 0) {
		const struct xml *error = str_eq(root->name, S("Error")) ? root : xml_child(root, "Error");
		refusal.code = xml_child_text(error, "Code");
		refusal.message = xml_child_text(error, "Message");
	} else {
		read_json_error(c, r, &refusal);
	}
	return provider_fail(c, codes, COUNT_OF(codes), &refusal);
}
