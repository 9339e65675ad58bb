// SPDX-License-Identifier: Apache-2.0
// Who the caller is: GetCallerIdentity, the one operation of STS that needs no permission, and the facts of a bucket
// that clients look at. Source: AWS STS API Reference (query protocol, version 2011-06-15); Amazon S3 API Reference. A
// pocket has one user in one account, whose number follows from the pocket's name.
#include <stdio.h>
#include <string.h>

#include "pocket/s3/s3_impl.h"

#define STS_NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"
enum { STS_MAX_BODY = 16 << 10, ACCOUNT_DIGITS = 12 };

// ---------------------------------------------------------------- answers

static void reply(struct front_request *r, int status, struct buf *out)
{
	front_add(r, "x-amzn-requestid", str_of(r->id));
	front_add(r, "content-type", S("text/xml"));
	front_reply_buf(r, status, out);
}

// STS has a name of its own for a key that nobody knows.
static void sts_fail(struct front_request *r)
{
	AUTO(buf) out = {0};
	const char *code = r->err.provider_code[0] ? r->err.provider_code : "InternalFailure";
	if (strcmp(code, "InvalidAccessKeyId") == 0 || strcmp(code, "InvalidToken") == 0)
		code = "InvalidClientTokenId";
	int status = r->err.http_status ? r->err.http_status : 500;
	buf_add(&out, S("<ErrorResponse xmlns=\"" STS_NAMESPACE "\"><Error><Type>Sender</Type>"));
	xml_element(&out, "Code", str_of(code));
	xml_element(&out, "Message", str_of(r->err.message));
	buf_add(&out, S("</Error>"));
	xml_element(&out, "RequestId", str_of(r->id));
	buf_add(&out, S("</ErrorResponse>"));
	r->out.count = 0; // of an answer that was begun
	reply(r, strcmp(code, "InvalidClientTokenId") == 0 ? 403 : status, &out);
}

static void account_of(const struct front_request *r, char digits[ACCOUNT_DIGITS + 1])
{
	struct sha256 digest = sha256_of(str_of(r->pocket->name));
	for (size_t i = 0; i < ACCOUNT_DIGITS; i++)
		digits[i] = (char)('0' + digest.bytes[i] % 10);
	digits[ACCOUNT_DIGITS] = 0;
}

static void get_caller_identity(struct front_request *r)
{
	AUTO(buf) out = {0};
	const struct s3_keys *keys = r->keys;
	char account[ACCOUNT_DIGITS + 1];
	account_of(r, account);
	buf_printf(&out,
		"<GetCallerIdentityResponse xmlns=\"" STS_NAMESPACE "\"><GetCallerIdentityResult>"
		"<Arn>arn:aws:iam::%s:user/pocket</Arn><UserId>AIDA%.*s</UserId><Account>%s</Account>"
		"</GetCallerIdentityResult><ResponseMetadata>",
		account, STR(str_drop(buf_str(&keys->access_key), 4)), account);
	xml_element(&out, "RequestId", str_of(r->id));
	buf_add(&out, S("</ResponseMetadata></GetCallerIdentityResponse>"));
	reply(r, 200, &out);
}

// ---------------------------------------------------------------- requests

// The digest of the body stands in for the header that S3 has and other services do not.
static int verify(struct front_request *r, struct str body)
{
	struct s3_state *s = s3_state(r);
	struct s3_keys *keys = r->keys;
	struct sigv4_key key;
	struct sigv4_scope scope = {.day = s->claim.day, .region = s->claim.region, .service = s->claim.service};
	struct sha256 digest = sha256_of(body);
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	s->claim.payload_hash = str_of(hex);
	int rc = sigv4_key_make_scope(&key, buf_str(&keys->secret), &scope);
	if (rc < 0)
		return s3_refuse(r, "InvalidArgument");
	rc = sigv4_verify(&r->sign, &s->claim, &key, front_now_ns(r), &r->err);
	sigv4_key_wipe(&key);
	s->claim.payload_hash = S("");
	return rc;
}

static int check_action(struct front_request *r, struct str body)
{
	AUTO(sign_parameters) form = {0};
	int rc = sign_parameters_parse(body, &form, &r->err);
	if (rc < 0)
		return rc;
	struct str action = sign_parameters_get(&form, S("Action"));
	if (str_eq(action, S("GetCallerIdentity")))
		return 0;
	rc = err_set(&r->err, ERR_UNSUPPORTED, "Could not find operation %.*s for version 2011-06-15",
		STR(str_take(action, 60)));
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "InvalidAction");
	r->err.http_status = 400;
	return rc;
}

static void body_done(struct front_request *r, struct str body)
{
	if (verify(r, body) < 0 || check_action(r, body) < 0)
		sts_fail(r);
	else
		get_caller_identity(r);
}

void s3_sts(struct front_request *r)
{
	const struct s3_keys *keys = r->keys;
	const struct s3_state *s = s3_state(r);
	int rc = 0;
	if (r->bucket.n || r->x->request.method != HTTP_POST || s->claim.presigned)
		rc = s3_refuse(r, "NotImplemented");
	else if (!str_eq(s->claim.access_key, buf_str(&keys->access_key)))
		rc = s3_refuse(r, "InvalidAccessKeyId");
	else if (s->claim.session_token.n)
		rc = s3_refuse(r, "InvalidToken");
	if (rc < 0)
		sts_fail(r);
	else
		front_collect(r, STS_MAX_BODY, body_done);
}

// ---------------------------------------------------------------- what a bucket is like

static bool is_there(struct front_request *r)
{
	struct bucket *b = NULL;
	if (s3_bucket(r, &b) == 0)
		return true;
	s3_fail(r);
	return false;
}

// Nothing is encrypted here but what clients encrypt themselves.
void s3_get_encryption(struct front_request *r)
{
	if (is_there(r))
		s3_answer(r, "ServerSideEncryptionConfigurationNotFoundError");
}

// Every request has to be signed: no bucket is public.
void s3_get_public_access_block(struct front_request *r)
{
	AUTO(buf) out = {0};
	if (!is_there(r))
		return;
	s3_xml_begin(&out, "PublicAccessBlockConfiguration");
	buf_add(&out, S("<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
			"<BlockPublicPolicy>true</BlockPublicPolicy>"
			"<RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>"));
	s3_reply_xml(r, &out);
}
