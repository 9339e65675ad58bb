// SPDX-License-Identifier: Apache-2.0
// SigV4, the server's part: reading what a request claims, and checking it. See sigv4.h.
#include <string.h>

#include "base/time.h"
#include "cloud/sign/sign_impl.h"
#include "cloud/sign/sigv4.h"

static const struct sign_refusal unsigned_request = {ERR_UNAUTHENTICATED, 403, "AccessDenied"};
static const struct sign_refusal expired = {ERR_UNAUTHENTICATED, 403, "AccessDenied"};
static const struct sign_refusal malformed = {ERR_INVALID, 400, "AuthorizationHeaderMalformed"};
static const struct sign_refusal bad_query = {ERR_INVALID, 400, "AuthorizationQueryParametersError"};
static const struct sign_refusal bad_request = {ERR_INVALID, 400, "InvalidRequest"};
static const struct sign_refusal skewed = {ERR_UNAUTHENTICATED, 403, "RequestTimeTooSkewed"};
static const struct sign_refusal unsigned_header = {ERR_UNAUTHENTICATED, 403, "AccessDenied"};
static const struct sign_refusal mismatch = {ERR_UNAUTHENTICATED, 403, "SignatureDoesNotMatch"};

static const struct str algorithm = {"AWS4-HMAC-SHA256", 16};

static bool is_region(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			    c == '_'))
			return false;
	}
	return s.n < SIGV4_REGION_SIZE;
}

static bool is_service(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
			return false;
	}
	return s.n < SIGV4_SERVICE_SIZE;
}

// "AK/20261124/us-east-1/s3/aws4_request". Access keys have no '/'.
static bool read_credential(struct str credential, struct sigv4_claim *claim)
{
	struct str parts[5], rest = credential;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (!str_next(&rest, '/', &parts[i]) || !parts[i].n)
			return false;
	}
	if (rest.n || credential.p[credential.n - 1] == '/' || !is_service(parts[3]) ||
		!str_eq(parts[4], S("aws4_request")) || parts[1].n != 8 || !is_region(parts[2]))
		return false;
	claim->access_key = parts[0];
	claim->day = parts[1];
	claim->region = parts[2];
	claim->service = parts[3];
	return true;
}

static bool set_time(struct sigv4_claim *claim, struct str time)
{
	if (time_parse_iso_basic(time, &claim->wall_ns))
		return false;
	return str_copy(claim->time, sizeof(claim->time), time);
}

// x-amz-date, else Date as RFC 9110 or in SigV4's own form.
static bool read_time_header(const struct sign_request *r, struct sigv4_claim *claim)
{
	struct str value = str_trim(sign_header_get(r, S("x-amz-date")));
	if (value.n)
		return set_time(claim, value);
	value = str_trim(sign_header_get(r, S("date")));
	char text[TIME_TEXT_SIZE];
	if (time_parse_http_date(value, &claim->wall_ns))
		return set_time(claim, value);
	time_iso_basic(claim->wall_ns, text);
	return set_time(claim, str_of(text));
}

static bool is_hex_digest(struct str s)
{
	struct sha256 digest;
	return s.n == HEX_SHA256_SIZE - 1 && hex_decode(s, digest.bytes) == 0;
}

static bool known_payload_hash(struct str s)
{
	return is_hex_digest(s) || str_eq(s, SIGV4_UNSIGNED) || str_eq(s, SIGV4_CHUNKS) ||
	       str_eq(s, SIGV4_CHUNKS_TRAILER) || str_eq(s, SIGV4_UNSIGNED_TRAILER);
}

// One "Name=value" of Authorization into its place; false when it has none, or is there twice.
static bool read_field(struct str field, struct str *credential, struct sigv4_claim *claim)
{
	struct str name, value;
	if (!str_cut(str_trim(field), '=', &name, &value) || !value.n)
		return false;
	struct str *at = str_eq(name, S("Credential"))      ? credential
			 : str_eq(name, S("SignedHeaders")) ? &claim->signed_headers
			 : str_eq(name, S("Signature"))     ? &claim->signature
							    : NULL;
	if (!at || at->n)
		return false;
	*at = value;
	return true;
}

static int read_header_claim(
	const struct sign_request *r, struct str authorization, struct sigv4_claim *claim, struct err *e)
{
	struct str rest = str_trim(str_drop(authorization, algorithm.n)), field, credential = {0};
	while (str_next(&rest, ',', &field)) {
		if (!read_field(field, &credential, claim))
			return sign_refuse(e, malformed,
				"the Authorization header has the field \"%.*s\", which does not belong there",
				(int)MIN(field.n, 40), field.p);
	}
	if (!credential.n || !claim->signed_headers.n || !claim->signature.n)
		return sign_refuse(
			e, malformed, "the Authorization header lacks Credential, SignedHeaders or Signature");
	if (!read_credential(credential, claim))
		return sign_refuse(e, malformed,
			"the credential in the Authorization header is not KEY/DAY/REGION/SERVICE/aws4_request");
	if (!read_time_header(r, claim))
		return sign_refuse(e, unsigned_request, "the request has no valid x-amz-date or Date header");
	claim->payload_hash = sign_header_get(r, S("x-amz-content-sha256"));
	if (!claim->payload_hash.n && str_eq(claim->service, S("s3")))
		return sign_refuse(e, bad_request, "Missing required header for this request: x-amz-content-sha256");
	claim->session_token = sign_header_get(r, S("x-amz-security-token"));
	return 0;
}

// Keeps a decoded query value in the claim's text, which has room for all of the query.
static struct str keep(struct sigv4_claim *claim, struct str value)
{
	size_t start = claim->text.n;
	buf_add(&claim->text, value);
	return (struct str){claim->text.p + start, value.n};
}

static int read_query_claim(
	const struct sign_request *r, const struct sign_parameters *p, struct sigv4_claim *claim, struct err *e)
{
	if (!buf_reserve(&claim->text, r->query.n + 1))
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	uint64_t expires;
	if (!str_eq(sign_parameters_get(p, S("X-Amz-Algorithm")), algorithm))
		return sign_refuse(e, bad_query, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
	if (str_to_u64(sign_parameters_get(p, S("X-Amz-Expires")), &expires) || expires < 1 ||
		expires > SIGV4_MAX_EXPIRES_S)
		return sign_refuse(
			e, bad_query, "X-Amz-Expires must be a number of seconds from 1 to %d", SIGV4_MAX_EXPIRES_S);
	claim->presigned = true;
	claim->expires_s = (int64_t)expires;
	claim->signed_headers = keep(claim, sign_parameters_get(p, S("X-Amz-SignedHeaders")));
	claim->signature = keep(claim, sign_parameters_get(p, S("X-Amz-Signature")));
	claim->session_token = keep(claim, sign_parameters_get(p, S("X-Amz-Security-Token")));
	struct str hash = sign_parameters_get(p, S("X-Amz-Content-Sha256"));
	struct str header_hash = sign_header_get(r, S("x-amz-content-sha256"));
	claim->payload_hash = hash.n ? keep(claim, hash) : header_hash;
	if (!claim->signed_headers.n || !claim->signature.n)
		return sign_refuse(e, bad_query, "a presigned URL lacks X-Amz-SignedHeaders or X-Amz-Signature");
	if (!read_credential(keep(claim, sign_parameters_get(p, S("X-Amz-Credential"))), claim))
		return sign_refuse(e, bad_query, "X-Amz-Credential is not KEY/DAY/REGION/SERVICE/aws4_request");
	if (!claim->payload_hash.n && str_eq(claim->service, S("s3")))
		claim->payload_hash = SIGV4_UNSIGNED;
	if (!set_time(claim, sign_parameters_get(p, S("X-Amz-Date"))))
		return sign_refuse(e, bad_query, "X-Amz-Date must be in the ISO8601 form \"20261124T101531Z\"");
	return 0;
}

int sigv4_claim_read(const struct sign_request *r, struct sigv4_claim *out, struct err *e)
{
	AUTO(sigv4_claim) claim = {0};
	AUTO(sign_parameters) parameters = {0};
	struct str authorization = str_trim(sign_header_get(r, S("authorization")));
	int code = sign_parameters_parse(r->query, &parameters, e);
	if (code)
		return code;
	bool presigned = sign_parameters_have(&parameters, S("X-Amz-Algorithm")) ||
			 sign_parameters_have(&parameters, S("X-Amz-Signature"));
	if (presigned && authorization.n)
		return sign_refuse(e, bad_request, "a request is signed by its header or by its query, not by both");
	if (presigned)
		code = read_query_claim(r, &parameters, &claim, e);
	else if (str_starts(authorization, algorithm))
		code = read_header_claim(r, authorization, &claim, e);
	else
		code = sign_refuse(e, unsigned_request, "the request is not signed with AWS4-HMAC-SHA256");
	if (code)
		return code;
	if (claim.payload_hash.n && !known_payload_hash(claim.payload_hash))
		return sign_refuse(e, bad_request,
			"x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- form, or a SHA-256 digest in hex");
	if (!str_eq(str_take(str_of(claim.time), 8), claim.day))
		return sign_refuse(e, malformed, "the credential's day is not the day of the request's time");
	*out = claim;
	claim = (struct sigv4_claim){0};
	return 0;
}

void sigv4_claim_free(struct sigv4_claim *claim)
{
	if (!claim)
		return;
	buf_free(&claim->text);
	*claim = (struct sigv4_claim){0};
}

// ---------------------------------------------------------------- checks

static bool list_has(struct str list, struct str name)
{
	struct str item;
	while (str_next(&list, ';', &item)) {
		if (str_eq_nocase(item, name))
			return true;
	}
	return false;
}

// Whatever changes the meaning of a request must be signed: the host and every x-amz-* header.
static int check_signed(const struct sign_request *r, struct str list, struct err *e)
{
	if (!list_has(list, S("host")))
		return sign_refuse(e, unsigned_header, "the Host header is not among the signed headers");
	for (size_t i = 0; i < r->header_count; i++) {
		struct str name = r->headers[i].name;
		if (str_eq_nocase(str_take(name, 6), S("x-amz-")) && !list_has(list, name))
			return sign_refuse(e, unsigned_header,
				"There were headers present in the request which were not signed: %.*s",
				(int)MIN(name.n, 100), name.p);
	}
	return 0;
}

static int check_time(const struct sigv4_claim *claim, int64_t now_ns, struct err *e)
{
	int64_t late_s = (now_ns - claim->wall_ns) / NS_PER_S;
	if (claim->presigned) {
		if (late_s < -SIGV4_SKEW_S)
			return sign_refuse(e, expired, "the presigned URL is not valid yet");
		if (late_s > claim->expires_s)
			return sign_refuse(e, expired, "Request has expired");
		return 0;
	}
	bool s3 = str_eq(claim->service, S("s3"));
	if (!s3 && late_s > SIGV4_SERVICE_SKEW_S)
		return sign_refuse(
			e, mismatch, "Signature expired: %s is now earlier than what is allowed (- 5 min.)", claim->time);
	if (!s3 && late_s < -SIGV4_SERVICE_SKEW_S)
		return sign_refuse(e, mismatch,
			"Signature not yet current: %s is still later than what is allowed (+ 5 min.)", claim->time);
	if (late_s > SIGV4_SKEW_S || late_s < -SIGV4_SKEW_S)
		return sign_refuse(
			e, skewed, "The difference between the request time and the current time is too large");
	return 0;
}

static int check_signature(
	const struct sign_request *r, const struct sigv4_claim *claim, const struct sigv4_key *key, struct err *e)
{
	AUTO(buf) canonical = {0}, to_sign = {0};
	struct sigv4_canonical c = {.request = r,
		.signed_headers = claim->signed_headers,
		.payload_hash = claim->payload_hash,
		.skip_parameter = claim->presigned ? S("X-Amz-Signature") : S(""),
		.service = claim->service};
	int code = sigv4_canonical_request(&c, &canonical, e);
	if (code)
		return code;
	sigv4_string_to_sign(key, str_of(claim->time), buf_str(&canonical), &to_sign);
	if ((code = buf_check(&to_sign, e)))
		return code;
	char hex[HEX_SHA256_SIZE];
	sigv4_signature(key, buf_str(&to_sign), hex);
	if (claim->signature.n != HEX_SHA256_SIZE - 1 || !hash_equal(hex, claim->signature.p, HEX_SHA256_SIZE - 1))
		return sign_refuse(e, mismatch,
			"The request signature we calculated does not match the signature you provided. Check your key "
			"and signing method.");
	return 0;
}

int sigv4_verify(const struct sign_request *r, const struct sigv4_claim *claim, const struct sigv4_key *key,
	int64_t now_ns, struct err *e)
{
	if (!sigv4_key_fits(key, claim->day, claim->region) || !str_eq(str_of(key->service), claim->service))
		return sign_refuse(e, mismatch, "the signing key is of another day, region or service");
	int code = check_signed(r, claim->signed_headers, e);
	if (!code)
		code = check_time(claim, now_ns, e);
	return code ? code : check_signature(r, claim, key, e);
}
