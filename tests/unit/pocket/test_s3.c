// SPDX-License-Identifier: Apache-2.0
// S3 of a pocket cloud over loopback, with requests signed by hand: what an SDK would never send, and the errors it
// would read.
#include "pocket_fixture.h"

#include "cloud/sign/sigv4.h"

// How a request is signed; zero: as it should be.
struct signing {
	int64_t skew_s;
	struct str secret, access_key, payload_hash;
};

static char date[TIME_TEXT_SIZE];

static void sign(struct exchange *x, const struct signing *s)
{
	struct err e = {0};
	struct sigv4_key key;
	struct sign_header room[32];
	AUTO(buf) authorization = {0};
	char hash[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(x->body);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hash);
	time_iso_basic(edges_real()->wall_ns(NULL) + s->skew_s * NS_PER_S, date);
	exchange_add(x, "x-amz-date", str_of(date));
	exchange_add(
		x, "x-amz-content-sha256", arena_str(&cloud.arena, s->payload_hash.n ? s->payload_hash : str_of(hash)));
	struct str secret = s->secret.n ? s->secret : json_str(cloud.credentials, "secret_access_key");
	struct str access_key = s->access_key.n ? s->access_key : json_str(cloud.credentials, "access_key_id");
	assert_int_equal(sigv4_key_make(&key, secret, str_take(str_of(date), 8), S("eu-central-1")), 0);
	struct sign_request r = exchange_signable(x, room);
	assert_int_equal(sigv4_authorize(&r, access_key, &key, &authorization, &e), 0);
	exchange_add(x, "authorization", arena_str(&cloud.arena, buf_str(&authorization)));
}

static void ask(struct exchange *x)
{
	static const struct signing as_it_should_be;
	sign(x, &as_it_should_be);
	exchange_send(x);
}

static struct exchange request(const char *method, const char *target, struct str body)
{
	return (struct exchange){.method = str_of(method), .target = str_of(target), .body = body};
}

static void expect(const char *method, const char *target, int status)
{
	struct exchange x = request(method, target, S(""));
	ask(&x);
	assert_status(&x, status);
}

static void expect_error(struct exchange *x, int status, const char *code)
{
	assert_status(x, status);
	AUTO(buf) element = {0};
	buf_printf(&element, "<Code>%s</Code>", code);
	assert_contains(x->text, buf_str(&element));
	assert_contains(x->text, S("<RequestId>"));
	assert_int_equal(answered(x, "x-amz-request-id").n, 16);
	assert_str(answered(x, "content-type"), S("application/xml"));
}

static void put(const char *target, struct str body)
{
	struct exchange x = request("PUT", target, body);
	ask(&x);
	assert_status(&x, 200);
}

static int setup(UNUSED void **state)
{
	if (cloud_setup("aws") < 0)
		return -1;
	expect("PUT", "/lake", 200);
	return 0;
}

static void test_put_get_delete(UNUSED void **state)
{
	struct exchange x = request("PUT", "/lake/a%20b/%C3%BC", S("hello"));
	exchange_add(&x, "content-type", S("text/plain"));
	exchange_add(&x, "x-amz-meta-who", S("me"));
	ask(&x);
	assert_status(&x, 200);
	assert_str(answered(&x, "etag"), S("\"5d41402abc4b2a76b9719d911017c592\""));
	assert_str(answered(&x, "x-amz-checksum-crc64nvme"), S("M3eFcAZSQlc="));
	x = request("GET", "/lake/a%20b/%C3%BC", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_str(x.text, S("hello"));
	assert_str(answered(&x, "content-type"), S("text/plain"));
	assert_str(answered(&x, "x-amz-meta-who"), S("me"));
	assert_str(answered(&x, "accept-ranges"), S("bytes"));
	assert_int_equal(answered(&x, "x-amz-checksum-crc64nvme").n, 0); // only when asked for
	x = request("HEAD", "/lake/a%20b/%C3%BC", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_str(answered(&x, "content-length"), S("5"));
	expect("DELETE", "/lake/a%20b/%C3%BC", 204);
	expect("DELETE", "/lake/a%20b/%C3%BC", 204);
	x = request("GET", "/lake/a%20b/%C3%BC", S(""));
	ask(&x);
	expect_error(&x, 404, "NoSuchKey");
	assert_contains(x.text, S("<Key>a b/\xc3\xbc</Key>"));
}

static void test_who_asks(UNUSED void **state)
{
	static const struct {
		struct signing signing;
		int status;
		const char *code;
	} cases[] = {
		{{.secret = S_INIT("wrong")}, 403, "SignatureDoesNotMatch"},
		{{.access_key = S_INIT("AKIAAAAAAAAAAAAAAAAA")}, 403, "InvalidAccessKeyId"},
		{{.skew_s = 905}, 403, "RequestTimeTooSkewed"},
		{{.skew_s = -905}, 403, "RequestTimeTooSkewed"},
		{{.payload_hash = S_INIT("nonsense")}, 400, "InvalidRequest"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x = request("PUT", "/lake/w", S("bytes"));
		sign(&x, &cases[i].signing);
		exchange_send(&x);
		expect_error(&x, cases[i].status, cases[i].code);
	}
	struct exchange x = request("GET", "/lake/w", S("")); // not signed at all
	exchange_send(&x);
	expect_error(&x, 403, "AccessDenied");
	x = request("PUT", "/lake/w", S("bytes")); // a header that changed after signing
	exchange_add(&x, "x-amz-meta-a", S("1"));
	sign(&x, &(struct signing){0});
	x.headers[0].value = S("2");
	exchange_send(&x);
	expect_error(&x, 403, "SignatureDoesNotMatch");
	expect("HEAD", "/lake/w", 404);
	struct exchange near = request("GET", "/lake", S(""));
	sign(&near, &(struct signing){.skew_s = 800});
	exchange_send(&near);
	assert_status(&near, 200);
}

static void test_bodies_are_verified(UNUSED void **state)
{
	static const struct {
		const char *header;
		struct str value;
		int status;
		const char *code;
	} cases[] = {
		{"content-md5", S_INIT("AAAAAAAAAAAAAAAAAAAAAA=="), 400, "BadDigest"},
		{"content-md5", S_INIT("AAAA"), 400, "InvalidDigest"},
		{"x-amz-checksum-crc32", S_INIT("AAAAAA=="), 400, "BadDigest"},
		{"x-amz-checksum-crc32c", S_INIT("AAAAAA=="), 400, "BadDigest"},
		{"x-amz-checksum-crc64nvme", S_INIT("AAAAAAAAAAA="), 400, "BadDigest"},
		{"x-amz-checksum-sha1", S_INIT("AAAAAAAAAAAAAAAAAAAAAAAAAAA="), 400, "BadDigest"},
		{"x-amz-checksum-sha256", S_INIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), 400, "BadDigest"},
		{"x-amz-checksum-crc32", S_INIT("AAAA"), 400, "InvalidRequest"},
		{"x-amz-acl", S_INIT("public-read"), 400, "AccessControlListNotSupported"},
		{"x-amz-tagging", S_INIT("a=b"), 501, "NotImplemented"},
		{"x-amz-server-side-encryption", S_INIT("aws:kms"), 501, "NotImplemented"},
		{"x-amz-storage-class", S_INIT("GLACIER"), 501, "NotImplemented"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x = request("PUT", "/lake/v", S("123456789"));
		exchange_add(&x, cases[i].header, cases[i].value);
		ask(&x);
		expect_error(&x, cases[i].status, cases[i].code);
	}
	struct exchange x = request("PUT", "/lake/v", S("altered"));
	sign(&x, &(struct signing){
			 .payload_hash = S("15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225")});
	exchange_send(&x);
	expect_error(&x, 400, "XAmzContentSHA256Mismatch");
	expect("HEAD", "/lake/v", 404);
	x = request("PUT", "/lake/v", S("123456789"));
	exchange_add(&x, "x-amz-checksum-crc32c", S("4waSgw=="));
	ask(&x);
	assert_status(&x, 200);
	assert_str(answered(&x, "x-amz-checksum-crc32c"), S("4waSgw=="));
	assert_str(answered(&x, "x-amz-checksum-type"), S("FULL_OBJECT"));
}

// ---------------------------------------------------------------- aws-chunked

struct chunk_plan {
	const char *chunks[3]; // NULL ends them
	bool is_signed, trailer;
	struct str crc32; // trailer's value
	size_t wrong;     // index of a chunk whose signature is spoilt, from 1; 0: none
};

static void chunk_signature(
	const struct sigv4_key *key, const char *kind, char previous[HEX_SHA256_SIZE], struct str hashes)
{
	AUTO(buf) text = {0};
	buf_printf(&text, "%s\n%s\n%s/eu-central-1/s3/aws4_request\n%s\n%.*s", kind, date, key->day, previous,
		STR(hashes));
	sigv4_signature(key, buf_str(&text), previous);
}

static void add_chunk(struct buf *body, struct str data, const char *signature)
{
	if (signature)
		buf_printf(body, "%zx;chunk-signature=%s\r\n", data.n, signature);
	else
		buf_printf(body, "%zx\r\n", data.n);
	if (data.n)
		buf_printf(body, "%.*s\r\n", STR(data));
}

static void sign_chunk(const struct sigv4_key *key, char signature[HEX_SHA256_SIZE], struct str data)
{
	char empty[HEX_SHA256_SIZE], hash[HEX_SHA256_SIZE], both[2 * HEX_SHA256_SIZE];
	struct sha256 none = sha256_of(S("")), digest = sha256_of(data);
	hex_encode(str_bytes(none.bytes, SHA256_SIZE), empty);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hash);
	snprintf(both, sizeof(both), "%s\n%s", empty, hash);
	chunk_signature(key, "AWS4-HMAC-SHA256-PAYLOAD", signature, str_of(both));
}

static void add_trailer(
	struct buf *body, const struct chunk_plan *plan, const struct sigv4_key *key, char signature[HEX_SHA256_SIZE])
{
	AUTO(buf) line = {0};
	char hash[HEX_SHA256_SIZE];
	buf_printf(&line, "x-amz-checksum-crc32:%.*s\n", STR(plan->crc32));
	struct sha256 digest = sha256_of(buf_str(&line));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hash);
	buf_printf(body, "x-amz-checksum-crc32:%.*s\r\n", STR(plan->crc32));
	if (!plan->is_signed)
		return;
	chunk_signature(key, "AWS4-HMAC-SHA256-TRAILER", signature, str_of(hash));
	buf_printf(body, "x-amz-trailer-signature:%s\r\n", signature);
}

static struct exchange send_chunked(const char *target, const struct chunk_plan *plan, struct buf *body)
{
	struct sigv4_key key;
	char size[24], signature[HEX_SHA256_SIZE] = "";
	size_t total = 0;
	struct exchange x = request("PUT", target, S(""));
	for (size_t i = 0; i < COUNT_OF(plan->chunks) && plan->chunks[i]; i++)
		total += strlen(plan->chunks[i]);
	snprintf(size, sizeof(size), "%zu", total);
	exchange_add(&x, "content-encoding", S("gzip,aws-chunked"));
	exchange_add(&x, "x-amz-decoded-content-length", arena_str(&cloud.arena, str_of(size)));
	if (plan->trailer)
		exchange_add(&x, "x-amz-trailer", S("x-amz-checksum-crc32"));
	sign(&x, &(struct signing){.payload_hash = !plan->is_signed ? SIGV4_UNSIGNED_TRAILER
						   : plan->trailer  ? SIGV4_CHUNKS_TRAILER
								    : SIGV4_CHUNKS});
	struct str seed = x.headers[x.count - 1].value;
	assert_true(str_copy(signature, sizeof(signature), str_drop(seed, seed.n - 64)));
	assert_int_equal(sigv4_key_make(&key, json_str(cloud.credentials, "secret_access_key"),
				 str_take(str_of(date), 8), S("eu-central-1")),
		0);
	for (size_t i = 0; i <= COUNT_OF(plan->chunks); i++) {
		struct str data = i < COUNT_OF(plan->chunks) && plan->chunks[i] ? str_of(plan->chunks[i]) : S("");
		sign_chunk(&key, signature, data);
		if (plan->wrong == i + 1)
			signature[0] = signature[0] == '0' ? '1' : '0';
		add_chunk(body, data, plan->is_signed ? signature : NULL);
		if (data.n == 0)
			break;
	}
	if (plan->trailer)
		add_trailer(body, plan, &key, signature);
	buf_add(body, S("\r\n"));
	x.body = buf_str(body);
	exchange_send(&x);
	return x;
}

static void test_chunked_bodies(UNUSED void **state)
{
	static const struct chunk_plan good[] = {
		{.chunks = {"12345", "6789"}, .is_signed = true},
		{.chunks = {"123456789"}, .is_signed = true, .trailer = true, .crc32 = S_INIT("y/Q5Jg==")},
		{.chunks = {"1", "2345678", "9"}, .trailer = true, .crc32 = S_INIT("y/Q5Jg==")},
	};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		AUTO(buf) body = {0};
		struct exchange x = send_chunked("/lake/chunked", &good[i], &body);
		assert_status(&x, 200);
		assert_str(answered(&x, "etag"), S("\"25f9e794323b453885f5181f1b624d0b\""));
		x = request("GET", "/lake/chunked", S(""));
		ask(&x);
		assert_str(x.text, S("123456789"));
		assert_str(answered(&x, "content-encoding"), S("gzip")); // aws-chunked was the transfer's
	}
}

static void test_spoilt_chunked_bodies(UNUSED void **state)
{
	static const struct {
		struct chunk_plan plan;
		int status;
		const char *code;
	} bad[] = {
		{{.chunks = {"12345", "6789"}, .is_signed = true, .wrong = 1}, 403, "SignatureDoesNotMatch"},
		{{.chunks = {"12345", "6789"}, .is_signed = true, .wrong = 3}, 403, "SignatureDoesNotMatch"},
		{{.chunks = {"123456789"}, .is_signed = true, .trailer = true, .crc32 = S_INIT("AAAAAA==")}, 400,
			"BadDigest"},
		{{.chunks = {"123456789"}, .trailer = true, .crc32 = S_INIT("AAAAAA==")}, 400, "BadDigest"},
		{{.chunks = {"123456789"}, .trailer = true, .crc32 = S_INIT("AA")}, 400, "InvalidRequest"},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(buf) body = {0};
		struct exchange x = send_chunked("/lake/spoilt", &bad[i].plan, &body);
		expect_error(&x, bad[i].status, bad[i].code);
	}
	expect("HEAD", "/lake/spoilt", 404);
}

// ---------------------------------------------------------------- conditions, ranges, listings

static void test_conditions(UNUSED void **state)
{
	put("/lake/c", S("one"));
	static const struct {
		const char *method, *header;
		struct str value;
		int status;
	} cases[] = {
		{"PUT", "if-none-match", S_INIT("*"), 412},
		{"PUT", "if-match", S_INIT("\"00\""), 412},
		{"PUT", "if-none-match", S_INIT("\"00\""), 501},
		{"GET", "if-match", S_INIT("\"00\""), 412},
		{"GET", "if-none-match", S_INIT("\"f97c5d29941bfb1b2fdab0874906ab82\""), 304},
		{"GET", "if-none-match", S_INIT("\"00\", W/\"f97c5d29941bfb1b2fdab0874906ab82\""), 304},
		{"GET", "if-modified-since", S_INIT("Thu, 01 Jan 2099 00:00:00 GMT"), 304},
		{"GET", "if-unmodified-since", S_INIT("Thu, 01 Jan 1998 00:00:00 GMT"), 412},
		{"GET", "if-modified-since", S_INIT("nonsense"), 200},
		{"HEAD", "if-match", S_INIT("\"00\""), 412},
		{"DELETE", "if-match", S_INIT("\"00\""), 412},
		{"PUT", "if-match", S_INIT("\"f97c5d29941bfb1b2fdab0874906ab82\""), 200},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x = request(cases[i].method, "/lake/c", str_of(*cases[i].method == 'P' ? "two" : ""));
		exchange_add(&x, cases[i].header, cases[i].value);
		ask(&x);
		assert_status(&x, cases[i].status);
	}
	struct exchange x = request("PUT", "/lake/absent", S("x"));
	exchange_add(&x, "if-match", S("\"00\""));
	ask(&x);
	expect_error(&x, 404, "NoSuchKey");
}

static void test_ranges(UNUSED void **state)
{
	put("/lake/r", S("0123456789"));
	struct exchange x = request("GET", "/lake/r", S(""));
	exchange_add(&x, "range", S("bytes=3-5"));
	ask(&x);
	assert_status(&x, 206);
	assert_str(x.text, S("345"));
	assert_str(answered(&x, "content-range"), S("bytes 3-5/10"));
	x = request("GET", "/lake/r", S(""));
	exchange_add(&x, "range", S("bytes=10-"));
	ask(&x);
	expect_error(&x, 416, "InvalidRange");
	assert_contains(x.text, S("<ActualObjectSize>10</ActualObjectSize>"));
}

static void test_listing(UNUSED void **state)
{
	expect("PUT", "/listed", 200);
	put("/listed/a%26b", S("x"));
	put("/listed/d/1", S("x"));
	put("/listed/d/2", S("x"));
	put("/listed/z%01", S("x"));
	struct exchange x = request("GET", "/listed?list-type=2&delimiter=%2F&max-keys=2", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_contains(x.text, S("<Key>a&amp;b</Key>"));
	assert_contains(x.text, S("<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>"));
	assert_contains(x.text, S("<KeyCount>2</KeyCount>"));
	assert_contains(x.text, S("<IsTruncated>true</IsTruncated>"));
	assert_contains(x.text, S("<NextContinuationToken>ZC//</NextContinuationToken>"));
	x = request("GET", "/listed?list-type=2&delimiter=%2F&max-keys=2&continuation-token=ZC%2F%2F&encoding-type=url",
		S(""));
	ask(&x);
	assert_contains(x.text, S("<KeyCount>1</KeyCount>"));
	assert_contains(x.text, S("<Key>z%01</Key>"));
	x = request("GET", "/listed?list-type=2&max-keys=x", S(""));
	ask(&x);
	expect_error(&x, 400, "InvalidArgument");
	x = request("GET", "/listed?list-type=2&continuation-token=%21", S(""));
	ask(&x);
	expect_error(&x, 400, "InvalidArgument");
}

static void test_delete_many(UNUSED void **state)
{
	struct str list = S("<Delete><Object><Key>m/1</Key></Object><Object><Key>m/2</Key></Object></Delete>");
	put("/lake/m/1", S("x"));
	put("/lake/m/2", S("x"));
	struct exchange x = request("POST", "/lake?delete", list);
	ask(&x); // nothing vouches for the body
	expect_error(&x, 400, "InvalidRequest");
	x = request("POST", "/lake?delete", S("<Delete><Object></Delete>"));
	exchange_add(&x, "x-amz-checksum-crc32", S("AAAAAA=="));
	ask(&x);
	expect_error(&x, 400, "BadDigest");
	x = request("POST", "/lake?delete", S("<!DOCTYPE x [<!ENTITY y \"z\">]><Delete>&y;</Delete>"));
	exchange_add(&x, "content-md5", S(""));
	unsigned char md5[MD5_SIZE];
	AUTO(buf) text = {0};
	md5_of(x.body, md5);
	base64_encode(str_bytes(md5, MD5_SIZE), &text);
	x.headers[0].value = buf_str(&text);
	ask(&x);
	expect_error(&x, 400, "MalformedXML");
	expect("HEAD", "/lake/m/1", 200);
	x = request("POST", "/lake?delete", list);
	AUTO(buf) right = {0};
	md5_of(list, md5);
	base64_encode(str_bytes(md5, MD5_SIZE), &right);
	exchange_add(&x, "content-md5", buf_str(&right));
	ask(&x);
	assert_status(&x, 200);
	assert_contains(x.text, S("<Deleted><Key>m/2</Key></Deleted>"));
	expect("HEAD", "/lake/m/1", 404);
}

static void test_what_is_not_offered(UNUSED void **state)
{
	static const struct {
		const char *method, *target;
		int status;
		const char *code;
	} cases[] = {
		{"GET", "/lake?acl", 501, "NotImplemented"},
		{"PUT", "/lake/a?tagging", 501, "NotImplemented"},
		{"GET", "/lake/a?versionId=1", 501, "NotImplemented"},
		{"GET", "/lake?versions", 501, "NotImplemented"},
		{"DELETE", "/", 405, "MethodNotAllowed"},
		{"PUT", "/Not_A_Name", 400, "InvalidBucketName"},
		{"PUT", "/1.2.3.4", 400, "InvalidBucketName"},
		{"PUT", "/lake", 409, "BucketAlreadyOwnedByYou"},
		{"GET", "/nothere", 404, "NoSuchBucket"},
		{"DELETE", "/nothere", 404, "NoSuchBucket"},
		{"PUT", "/lake/%FF", 400, "InvalidURI"},
		{"POST", "/lake/a?uploadId=none", 404, "NoSuchUpload"},
		{"GET", "/lake/a?uploadId=..%2F..", 404, "NoSuchUpload"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x = request(cases[i].method, cases[i].target, S(""));
		ask(&x);
		expect_error(&x, cases[i].status, cases[i].code);
	}
}

// ---------------------------------------------------------------- multipart

static struct str element(struct str text, const char *name)
{
	AUTO(buf) open = {0};
	buf_printf(&open, "<%s>", name);
	ptrdiff_t at = str_find(text, buf_str(&open));
	assert_true(at >= 0);
	text = str_drop(text, (size_t)at + open.n);
	return str_take(text, (size_t)str_find_char(text, '<'));
}

static void test_multipart(UNUSED void **state)
{
	static char part[5 << 20];
	memset(part, 'p', sizeof(part));
	struct exchange x = request("POST", "/lake/big?uploads", S(""));
	ask(&x);
	assert_status(&x, 200);
	struct str id = element(x.text, "UploadId");
	const char *first = arena_printf(&cloud.arena, "/lake/big?partNumber=1&uploadId=%.*s", STR(id)).p;
	const char *second = arena_printf(&cloud.arena, "/lake/big?partNumber=2&uploadId=%.*s", STR(id)).p;
	const char *whole = arena_printf(&cloud.arena, "/lake/big?uploadId=%.*s", STR(id)).p;
	put(first, str_bytes(part, sizeof(part)));
	put(second, S("tail"));
	x = request("PUT", arena_printf(&cloud.arena, "/lake/big?partNumber=10001&uploadId=%.*s", STR(id)).p, S("x"));
	ask(&x);
	expect_error(&x, 400, "InvalidArgument");
	x = request("POST", whole,
		S("<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>x</ETag></Part></"
		  "CompleteMultipartUpload>"));
	ask(&x);
	expect_error(&x, 400, "InvalidPart");
	x = request("POST", whole, S("<CompleteMultipartUpload/>"));
	ask(&x);
	expect_error(&x, 400, "MalformedXML");
	struct str list =
		S("<CompleteMultipartUpload "
		  "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber>"
		  "<ETag>&quot;87d0b0e33d2e8abb4c4dc9bb3dd3d55e&quot;</ETag></Part><Part><PartNumber>2</PartNumber>"
		  "<ETag>7aea2552dfe7eb84b9443b6fc9ba6e01</ETag></Part></CompleteMultipartUpload>");
	unsigned char md5[MD5_SIZE];
	char hex[2 * MD5_SIZE + 1];
	md5_of(str_bytes(part, sizeof(part)), md5);
	hex_encode(str_bytes(md5, MD5_SIZE), hex);
	char *copy = arena_cstr(&cloud.arena, list);
	memcpy(strstr(copy, "87d0"), hex, 32);
	md5_of(S("tail"), md5);
	hex_encode(str_bytes(md5, MD5_SIZE), hex);
	memcpy(strstr(copy, "7aea"), hex, 32);
	x = request("POST", whole, str_of(copy));
	exchange_add(&x, "x-amz-mp-object-size", S("7"));
	ask(&x);
	expect_error(&x, 400, "InvalidRequest");
	x = request("POST", whole, str_of(copy));
	ask(&x);
	assert_status(&x, 200);
	assert_contains(x.text, S("-2&quot;</ETag>"));
	assert_contains(x.text, S("<ChecksumType>FULL_OBJECT</ChecksumType>"));
	x = request("GET", "/lake/big", S(""));
	exchange_add(&x, "range", S("bytes=5242878-5242881"));
	ask(&x);
	assert_str(x.text, S("ppta"));
	x = request("GET", "/lake/big", S(""));
	ask(&x);
	assert_int_equal(x.text.n, sizeof(part) + 4);
	x = request("POST", whole, str_of(copy));
	ask(&x);
	expect_error(&x, 404, "NoSuchUpload");
}

// ---------------------------------------------------------------- STS

// As clients sign for other services than S3: the digest of the body is signed and not sent.
static struct exchange ask_sts(const char *method, const char *target, struct str body, struct str secret)
{
	struct sigv4_key key;
	struct sign_header room[32];
	AUTO(buf) canonical = {0};
	AUTO(buf) to_sign = {0};
	char hash[HEX_SHA256_SIZE], hex[HEX_SHA256_SIZE];
	struct exchange x = request(method, target, body);
	struct sha256 digest = sha256_of(body);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hash);
	time_iso_basic(edges_real()->wall_ns(NULL), date);
	struct sigv4_scope scope = {.day = str_take(str_of(date), 8), .region = S("us-east-1"), .service = S("sts")};
	exchange_add(&x, "content-type", S("application/x-www-form-urlencoded"));
	exchange_add(&x, "x-amz-date", str_of(date));
	assert_int_equal(sigv4_key_make_scope(&key, secret, &scope), 0);
	struct sign_request r = exchange_signable(&x, room);
	struct sigv4_canonical c = {
		.request = &r, .signed_headers = S("content-type;host;x-amz-date"), .payload_hash = str_of(hash)};
	assert_int_equal(sigv4_canonical_request(&c, &canonical, NULL), 0);
	sigv4_string_to_sign(&key, str_of(date), buf_str(&canonical), &to_sign);
	sigv4_signature(&key, buf_str(&to_sign), hex);
	exchange_add(&x, "authorization",
		arena_printf(&cloud.arena,
			"AWS4-HMAC-SHA256 Credential=%.*s/%.*s/us-east-1/sts/aws4_request, "
			"SignedHeaders=content-type;host;x-amz-date, Signature=%s",
			STR(json_str(cloud.credentials, "access_key_id")), STR(scope.day), hex));
	exchange_send(&x);
	return x;
}

static void expect_sts_error(const struct exchange *x, int status, const char *code)
{
	assert_status(x, status);
	AUTO(buf) element = {0};
	buf_printf(&element, "<Error><Type>Sender</Type><Code>%s</Code>", code);
	assert_contains(x->text, buf_str(&element));
	assert_contains(x->text, S("<ErrorResponse "));
}

static void test_caller_identity(UNUSED void **state)
{
	const struct str secret = json_str(cloud.credentials, "secret_access_key");
	const struct str body = S("Action=GetCallerIdentity&Version=2011-06-15");
	struct exchange x = ask_sts("POST", "/", body, secret);
	assert_status(&x, 200);
	assert_contains(x.text, S("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"));
	assert_contains(x.text, S(":user/pocket</Arn>"));
	x = ask_sts("POST", "/", body, S("wrong"));
	expect_sts_error(&x, 403, "SignatureDoesNotMatch");
	x = ask_sts("POST", "/", S("Action=GetFederationToken&Version=2011-06-15"), secret);
	expect_sts_error(&x, 400, "InvalidAction");
	x = ask_sts("POST", "/", S("Action=AssumeRole&Version=2011-06-15"), secret);
	expect_sts_error(&x, 400, "ValidationError");
	x = ask_sts("GET", "/", S(""), secret);
	expect_sts_error(&x, 501, "NotImplemented");
	x = ask_sts("POST", "/lake", body, secret);
	expect_sts_error(&x, 501, "NotImplemented");
}

static void test_bucket_facts(UNUSED void **state)
{
	struct exchange x = request("GET", "/lake?encryption", S(""));
	ask(&x);
	expect_error(&x, 404, "ServerSideEncryptionConfigurationNotFoundError");
	x = request("GET", "/lake?tagging", S(""));
	ask(&x);
	expect_error(&x, 404, "NoSuchTagSet");
	x = request("GET", "/lake?publicAccessBlock", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_contains(x.text, S("<RestrictPublicBuckets>true</RestrictPublicBuckets>"));
	x = request("GET", "/nothere?tagging", S(""));
	ask(&x);
	expect_error(&x, 404, "NoSuchBucket");
}

static void test_restart_keeps_everything(UNUSED void **state)
{
	put("/lake/kept", S("still here"));
	struct str url = arena_str(&cloud.arena, str_of(pocket_url(cloud.pocket)));
	struct str id = arena_str(&cloud.arena, json_str(cloud.credentials, "access_key_id"));
	cloud_stop();
	cloud_start();
	assert_str(str_of(pocket_url(cloud.pocket)), url); // the port is remembered
	assert_str(json_str(cloud.credentials, "access_key_id"), id);
	struct exchange x = request("GET", "/lake/kept", S(""));
	ask(&x);
	assert_str(x.text, S("still here"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, cloud_test_end)
	const struct CMUnitTest tests[] = {
		TEST(put_get_delete),
		TEST(who_asks),
		TEST(bodies_are_verified),
		TEST(chunked_bodies),
		TEST(spoilt_chunked_bodies),
		TEST(conditions),
		TEST(ranges),
		TEST(listing),
		TEST(delete_many),
		TEST(what_is_not_offered),
		TEST(caller_identity),
		TEST(bucket_facts),
		TEST(multipart),
		TEST(restart_keeps_everything),
	};
	return cmocka_run_group_tests(tests, setup, cloud_teardown);
}
