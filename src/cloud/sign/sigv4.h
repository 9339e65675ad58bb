// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 as all services speak it, for both sides: header signatures and presigned URLs.
// Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference; "Create a signed AWS API
// request", IAM User Guide. Paths of S3 are encoded once and never normalised ("//" and dot segments stay); both sides
// canonicalise what they see by decoding and encoding again. Paths of every other service are normalised (RFC 3986
// 5.2.4, and no empty segments) and what was sent is encoded once more.
// Pure and thread-safe. Refusals are ERR_UNAUTHENTICATED or ERR_INVALID with S3's own code in err.provider_code and its
// status in err.http_status: SignatureDoesNotMatch, RequestTimeTooSkewed, AccessDenied, AuthorizationHeaderMalformed,
// AuthorizationQueryParametersError, InvalidRequest. Bodies in signed chunks: sigv4_chunks.h.
#ifndef ISOBAR_CLOUD_SIGN_SIGV4_H
#define ISOBAR_CLOUD_SIGN_SIGV4_H

#include "base/hash.h"
#include "cloud/sign/sign_request.h"

enum {
	SIGV4_SKEW_S = 900,         // of S3
	SIGV4_SERVICE_SKEW_S = 300, // of others
	SIGV4_MAX_EXPIRES_S = 604800,
	SIGV4_DAY_SIZE = 9,
	SIGV4_REGION_SIZE = 64,
	SIGV4_SERVICE_SIZE = 24
};

#define SIGV4_UNSIGNED S("UNSIGNED-PAYLOAD")
#define SIGV4_CHUNKS S("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
#define SIGV4_CHUNKS_TRAILER S("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
#define SIGV4_UNSIGNED_TRAILER S("STREAMING-UNSIGNED-PAYLOAD-TRAILER")

// A signing key is good for one day, region and service, and costs four HMACs: keep it, ask sigv4_key_fits before each
// use.
struct sigv4_key {
	struct sha256 bytes;
	char day[SIGV4_DAY_SIZE]; // "20261124"
	char region[SIGV4_REGION_SIZE];
	char service[SIGV4_SERVICE_SIZE]; // "s3", "sts", "sagemaker"
};
MUST_CHECK int sigv4_key_make(
	struct sigv4_key *key, struct str secret, struct str day, struct str region); // service s3; ERR_LIMIT
struct sigv4_scope {
	struct str day, region, service;
};
MUST_CHECK int sigv4_key_make_scope(struct sigv4_key *key, struct str secret, const struct sigv4_scope *scope);
bool sigv4_key_fits(const struct sigv4_key *key, struct str day, struct str region);
void sigv4_key_wipe(struct sigv4_key *key);

// The canonical request: signed_headers is the list "host;x-amz-date", lower case and sorted; service: "" is S3.
// skip_parameter: a query parameter that is left out (X-Amz-Signature); "" for none.
struct sigv4_canonical {
	const struct sign_request *request;
	struct str signed_headers;
	struct str payload_hash;
	struct str skip_parameter;
	struct str service;
};
MUST_CHECK int sigv4_canonical_request(const struct sigv4_canonical *c, struct buf *out, struct err *e);
// "AWS4-HMAC-SHA256\nTIME\nDAY/REGION/s3/aws4_request\nHEX"; time is "20261124T101531Z".
void sigv4_string_to_sign(const struct sigv4_key *key, struct str time, struct str canonical_request, struct buf *out);
void sigv4_signature(const struct sigv4_key *key, struct str string_to_sign, char hex[HEX_SHA256_SIZE]);

// Client: the value of Authorization. The request must already carry host, x-amz-date (of the key's day),
// x-amz-content-sha256 and, with a session, x-amz-security-token: host, content-md5, content-type, range and every
// x-amz-* and x-amzn-* header are signed.
MUST_CHECK int sigv4_authorize(const struct sign_request *r, struct str access_key, const struct sigv4_key *key,
	struct buf *authorization, struct err *e);
// Client: the query string of a presigned URL: r->query (operation parameters), the authentication parameters, the
// signature last. Signs host alone, and of other services than S3 an empty body; session_token "" when there is none.
struct sigv4_presign {
	struct str access_key, session_token;
	int64_t wall_ns;
	int64_t expires_s; // 1 .. SIGV4_MAX_EXPIRES_S
};
MUST_CHECK int sigv4_presign(const struct sign_request *r, const struct sigv4_presign *p, const struct sigv4_key *key,
	struct buf *query, struct err *e);

// Server: what a request says about its signature; borrowed from the request, but query values (decoded) from `text`.
struct sigv4_claim {
	bool presigned;
	struct str access_key, day, region, signed_headers, signature;
	struct str service;       // "s3", "sts", ...: whether it is one that answers here is the caller's to judge
	struct str payload_hash;  // x-amz-content-sha256, of S3 UNSIGNED-PAYLOAD when presigned without it; "" where
				  // another service has none: the caller sets it to that of the body
	struct str session_token; // "" when absent
	char time[17];            // "20261124T101531Z"
	int64_t wall_ns;          // the same
	int64_t expires_s;        // presigned only
	struct buf text;          // owned; freed by sigv4_claim_free
};
// ERR_UNAUTHENTICATED with AccessDenied when the request carries no signature at all.
MUST_CHECK int sigv4_claim_read(const struct sign_request *r, struct sigv4_claim *out, struct err *e);
void sigv4_claim_free(struct sigv4_claim *claim);
#define AUTO_TYPE_sigv4_claim struct sigv4_claim
static inline void sigv4_claim_autofree(struct sigv4_claim *claim)
{
	sigv4_claim_free(claim);
}
// Server: host and all x-amz-* headers are signed, time is near (or the URL has not expired), the scope is `key`'s, the
// signature is right. That the body has claim->payload_hash is for the caller to check as it reads.
MUST_CHECK int sigv4_verify(const struct sign_request *r, const struct sigv4_claim *claim, const struct sigv4_key *key,
	int64_t now_ns, struct err *e);

#endif
