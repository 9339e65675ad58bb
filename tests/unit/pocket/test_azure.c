// SPDX-License-Identifier: Apache-2.0
// Blob Storage of a pocket cloud over loopback, with requests signed by hand.
#include "pocket_fixture.h"

#include "cloud/sign/sharedkey.h"

struct signing { // zero: as it should be
	int64_t skew_s;
	struct str key;     // bytes
	struct str account; // in the header
};

static void sign(struct exchange *x, const struct signing *s)
{
	struct err e = {0};
	struct sign_header room[32];
	AUTO(buf) key = {0};
	AUTO(buf) authorization = {0};
	char date[TIME_TEXT_SIZE], length[24];
	time_http_date(edges_real()->wall_ns(NULL) + s->skew_s * NS_PER_S, date);
	snprintf(length, sizeof(length), "%zu", x->body.n);
	exchange_add(x, "x-ms-date", arena_str(&cloud.arena, str_of(date)));
	exchange_add(x, "x-ms-version", S("2023-11-03"));
	struct sign_request r = exchange_signable(x, room);
	if (x->body.n) // the client adds it
		room[r.header_count++] = (struct sign_header){.name = S("content-length"), .value = str_of(length)};
	assert_int_equal(base64_decode(json_str(cloud.credentials, "key"), &key), 0);
	struct str account = s->account.n ? s->account : json_str(cloud.credentials, "account");
	assert_int_equal(sharedkey_authorize(&r, account, s->key.n ? s->key : buf_str(&key), &authorization, &e), 0);
	exchange_add(x, "authorization", arena_str(&cloud.arena, buf_str(&authorization)));
}

// target: behind the account.
static struct exchange request(const char *method, const char *target, struct str body)
{
	return (struct exchange){.method = str_of(method),
		.target = arena_printf(&cloud.arena, "/%s%s", json_text(cloud.credentials, "account"), target),
		.body = body};
}

static void ask(struct exchange *x)
{
	static const struct signing as_it_should_be;
	sign(x, &as_it_should_be);
	exchange_send(x);
}

static void expect(const char *method, const char *target, int status)
{
	struct exchange x = request(method, target, S(""));
	ask(&x);
	assert_status(&x, status);
}

static void expect_error(const struct exchange *x, int status, const char *code)
{
	AUTO(buf) element = {0};
	assert_status(x, status);
	assert_str(answered(x, "x-ms-error-code"), str_of(code));
	assert_int_equal(answered(x, "x-ms-request-id").n, 16);
	buf_printf(&element, "<Code>%s</Code><Message>", code);
	if (!str_eq(x->method, S("HEAD")) && status != 304)
		assert_contains(x->text, buf_str(&element));
}

static struct exchange put(const char *target, struct str body)
{
	struct exchange x = request("PUT", target, body);
	exchange_add(&x, "x-ms-blob-type", S("BlockBlob"));
	ask(&x);
	assert_status(&x, 201);
	return x;
}

static int setup(UNUSED void **state)
{
	if (cloud_setup("azure") < 0)
		return -1;
	expect("PUT", "/lake?restype=container", 201);
	return 0;
}

static void test_put_get_delete(UNUSED void **state)
{
	struct exchange x = request("PUT", "/lake/a%20b/%C3%BC", S("hello"));
	exchange_add(&x, "x-ms-blob-type", S("BlockBlob"));
	exchange_add(&x, "x-ms-blob-content-type", S("text/plain"));
	exchange_add(&x, "content-type", S("application/octet-stream"));
	exchange_add(&x, "x-ms-meta-who", S("me"));
	ask(&x);
	assert_status(&x, 201);
	assert_str(answered(&x, "content-md5"), S("XUFAKrxLKna5cZ2REBfFkg=="));
	assert_str(answered(&x, "x-ms-content-crc64"), S("V0JSBnCFdzM="));
	struct str etag = answered(&x, "etag");
	x = request("GET", "/lake/a%20b/%C3%BC", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_str(x.text, S("hello"));
	assert_str(answered(&x, "content-type"), S("text/plain"));
	assert_str(answered(&x, "x-ms-meta-who"), S("me"));
	assert_str(answered(&x, "x-ms-blob-type"), S("BlockBlob"));
	assert_str(answered(&x, "etag"), etag);
	assert_str(answered(&x, "x-ms-version"), S("2023-11-03"));
	x = request("HEAD", "/lake/a%20b/%C3%BC", S(""));
	ask(&x);
	assert_str(answered(&x, "content-length"), S("5"));
	expect("DELETE", "/lake/a%20b/%C3%BC", 202);
	x = request("DELETE", "/lake/a%20b/%C3%BC", S(""));
	ask(&x);
	expect_error(&x, 404, "BlobNotFound");
	x = request("HEAD", "/lake/a%20b/%C3%BC", S(""));
	ask(&x);
	expect_error(&x, 404, "BlobNotFound");
}

static void test_who_asks(UNUSED void **state)
{
	const struct signing wrong[] = {
		{.key = S("not the key")},
		{.account = S("other")},
		{.skew_s = 905},
		{.skew_s = -905},
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct exchange x = request("PUT", "/lake/w", S("bytes"));
		exchange_add(&x, "x-ms-blob-type", S("BlockBlob"));
		sign(&x, &wrong[i]);
		exchange_send(&x);
		expect_error(&x, 403, "AuthenticationFailed");
	}
	struct exchange x = request("GET", "/lake/w", S(""));
	exchange_send(&x);
	expect_error(&x, 401, "NoAuthenticationInformation");
	x = request("GET", "/lake/w", S(""));
	exchange_add(&x, "authorization", S("Bearer x"));
	exchange_send(&x);
	expect_error(&x, 401, "InvalidAuthenticationInfo");
	x = request("PUT", "/lake/w", S("bytes")); // a header that changed after signing
	exchange_add(&x, "x-ms-blob-type", S("BlockBlob"));
	exchange_add(&x, "x-ms-meta-a", S("1"));
	sign(&x, &(struct signing){0});
	x.headers[1].value = S("2");
	exchange_send(&x);
	expect_error(&x, 403, "AuthenticationFailed");
	x = request("GET", "", S("")); // another account's address, signed with our key
	x.target = S("/otheraccount/lake/w");
	ask(&x);
	expect_error(&x, 403, "AuthenticationFailed");
	expect("HEAD", "/lake/w", 404);
}

static void test_refusals(UNUSED void **state)
{
	static const struct {
		const char *header;
		struct str value;
		int status;
		const char *code;
	} cases[] = {
		{"content-md5", S_INIT("AAAAAAAAAAAAAAAAAAAAAA=="), 400, "Md5Mismatch"},
		{"content-md5", S_INIT("AAAA"), 400, "InvalidMd5"},
		{"x-ms-content-crc64", S_INIT("AAAAAAAAAAA="), 400, "Crc64Mismatch"},
		{"x-ms-blob-content-md5", S_INIT("AAAA"), 400, "InvalidMd5"},
		{"x-ms-meta-1", S_INIT("x"), 400, "InvalidMetadata"},
		{"x-ms-lease-id", S_INIT("x"), 412, "LeaseNotPresentWithBlobOperation"},
		{"x-ms-encryption-key", S_INIT("x"), 501, "NotImplemented"},
		{"x-ms-access-tier", S_INIT("Archive"), 501, "NotImplemented"},
		{"if-match", S_INIT("\"0x1\""), 412, "ConditionNotMet"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x = request("PUT", "/lake/v", S("123456789"));
		exchange_add(&x, "x-ms-blob-type", S("BlockBlob"));
		exchange_add(&x, cases[i].header, cases[i].value);
		ask(&x);
		expect_error(&x, cases[i].status, cases[i].code);
	}
	struct exchange x = request("PUT", "/lake/v", S("x"));
	ask(&x);
	expect_error(&x, 400, "MissingRequiredHeader");
	x = request("PUT", "/lake/v", S("x"));
	exchange_add(&x, "x-ms-blob-type", S("AppendBlob"));
	ask(&x);
	expect_error(&x, 501, "NotImplemented");
	x = request("PUT", "/nothere/v", S("x"));
	exchange_add(&x, "x-ms-blob-type", S("BlockBlob"));
	ask(&x);
	expect_error(&x, 404, "ContainerNotFound");
	expect("HEAD", "/lake/v", 404);
}

static void test_conditions(UNUSED void **state)
{
	struct exchange x = put("/lake/c", S("one"));
	struct str etag = answered(&x, "etag");
	const struct {
		const char *method, *header;
		struct str value;
		int status;
		const char *code;
	} cases[] = {
		{"PUT", "if-none-match", S("*"), 409, "BlobAlreadyExists"},
		{"PUT", "if-match", S("\"0x1\""), 412, "ConditionNotMet"},
		{"GET", "if-match", S("\"0x1\""), 412, "ConditionNotMet"},
		{"GET", "if-none-match", etag, 304, "ConditionNotMet"},
		{"HEAD", "if-modified-since", S("Thu, 01 Jan 2099 00:00:00 GMT"), 304, "ConditionNotMet"},
		{"GET", "if-unmodified-since", S("Thu, 01 Jan 1998 00:00:00 GMT"), 412, "ConditionNotMet"},
		{"DELETE", "if-match", S("\"0x1\""), 412, "ConditionNotMet"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool writes = *cases[i].method == 'P';
		x = request(cases[i].method, "/lake/c", str_of(writes ? "two" : ""));
		if (writes)
			exchange_add(&x, "x-ms-blob-type", S("BlockBlob"));
		exchange_add(&x, cases[i].header, cases[i].value);
		ask(&x);
		expect_error(&x, cases[i].status, cases[i].code);
	}
	x = request("PUT", "/lake/c", S("two"));
	exchange_add(&x, "x-ms-blob-type", S("BlockBlob"));
	exchange_add(&x, "if-match", etag);
	ask(&x);
	assert_status(&x, 201);
	assert_false(str_eq(answered(&x, "etag"), etag));
}

static void test_ranges(UNUSED void **state)
{
	put("/lake/r", S("0123456789"));
	struct exchange x = request("GET", "/lake/r", S(""));
	exchange_add(&x, "range", S("bytes=0-0")); // x-ms-range wins
	exchange_add(&x, "x-ms-range", S("bytes=3-5"));
	exchange_add(&x, "x-ms-range-get-content-md5", S("true"));
	ask(&x);
	assert_status(&x, 206);
	assert_str(x.text, S("345"));
	assert_str(answered(&x, "content-range"), S("bytes 3-5/10"));
	assert_str(answered(&x, "content-md5"), S("2B+cG+LgiWS/nySxXw5JAA=="));
	assert_str(answered(&x, "x-ms-blob-content-md5"), S("eB5eJF1ptWaXm4bijSPyxw=="));
	x = request("GET", "/lake/r", S(""));
	exchange_add(&x, "x-ms-range", S("bytes=10-11"));
	ask(&x);
	expect_error(&x, 416, "InvalidRange");
	put("/lake/none", S(""));
	x = request("GET", "/lake/none", S(""));
	exchange_add(&x, "x-ms-range", S("bytes=0-99"));
	ask(&x);
	expect_error(&x, 416, "InvalidRange");
}

static void put_block(const char *target, struct str body)
{
	struct exchange x = request("PUT", target, body);
	ask(&x);
	assert_status(&x, 201);
}

static struct exchange commit(const char *target, struct str list)
{
	struct exchange x = request("PUT", target, list);
	ask(&x);
	return x;
}

static void test_blocks(UNUSED void **state)
{
	put_block("/lake/b?comp=block&blockid=QUE%3D", S("one "));
	put_block("/lake/b?comp=block&blockid=QUI%3D", S("two "));
	put_block("/lake/b?comp=block&blockid=QUI%3D", S("TWO "));
	struct exchange x = request("PUT", "/lake/b?comp=block&blockid=QUFB", S("longer id"));
	ask(&x);
	expect_error(&x, 400, "InvalidBlobOrBlock");
	x = request("PUT", "/lake/b?comp=block&blockid=!", S("x"));
	ask(&x);
	expect_error(&x, 400, "InvalidBlockId");
	x = request("PUT", "/lake/b?comp=block", S("x"));
	ask(&x);
	expect_error(&x, 400, "MissingRequiredQueryParameter");
	expect("GET", "/lake/b", 404);
	x = request("GET", "/lake/b?comp=blocklist&blocklisttype=all", S(""));
	ask(&x);
	assert_contains(x.text, S("<CommittedBlocks></CommittedBlocks><UncommittedBlocks><Block><Name>QUE=</"
				  "Name><Size>4</Size></Block>"));
	x = commit("/lake/b?comp=blocklist", S("<BlockList><Latest>QUM=</Latest></BlockList>"));
	expect_error(&x, 400, "InvalidBlockList");
	x = commit("/lake/b?comp=blocklist", S("<BlockList><Latest>QUE="));
	expect_error(&x, 400, "InvalidXmlDocument");
	x = commit("/lake/b?comp=blocklist", S("<?xml "
					       "version=\"1.0\"?><BlockList><Latest>QUI=</Latest><Uncommitted>QUE=</"
					       "Uncommitted><Latest>QUI=</Latest></BlockList>"));
	assert_status(&x, 201);
	x = request("GET", "/lake/b", S(""));
	ask(&x);
	assert_str(x.text, S("TWO one TWO "));
	put_block("/lake/b?comp=block&blockid=QUM%3D", S("three"));
	x = commit(
		"/lake/b?comp=blocklist", S("<BlockList><Committed>QUE=</Committed><Latest>QUM=</Latest></BlockList>"));
	assert_status(&x, 201);
	x = request("GET", "/lake/b", S(""));
	ask(&x);
	assert_str(x.text, S("one three"));
	x = commit("/lake/b?comp=blocklist", S("<BlockList><Committed>QUI=</Committed></BlockList>"));
	expect_error(&x, 400, "InvalidBlockList"); // the last commit dropped it
	x = commit("/lake/empty?comp=blocklist", S("<BlockList></BlockList>"));
	assert_status(&x, 201);
	x = request("GET", "/lake/empty", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_int_equal(x.text.n, 0);
}

static void test_listing(UNUSED void **state)
{
	expect("PUT", "/listed?restype=container", 201);
	put("/listed/a%26b", S("x"));
	put("/listed/d/1", S("x"));
	put("/listed/z%01", S("x"));
	struct exchange x = request("GET", "/listed?restype=container&comp=list&delimiter=%2F&maxresults=2", S(""));
	ask(&x);
	assert_status(&x, 200);
	assert_contains(x.text, S("<Name>a&amp;b</Name>"));
	assert_contains(x.text, S("<BlobPrefix><Name>d/</Name></BlobPrefix>"));
	assert_contains(x.text, S("<NextMarker>ZC//</NextMarker>"));
	x = request("GET", "/listed?restype=container&comp=list&delimiter=%2F&maxresults=2&marker=ZC%2F%2F", S(""));
	ask(&x);
	assert_contains(x.text, S("<Name Encoded=\"true\">z%01</Name>"));
	assert_contains(x.text, S("<NextMarker></NextMarker>"));
	x = request("GET", "/listed?restype=container&comp=list&maxresults=0", S(""));
	ask(&x);
	expect_error(&x, 400, "InvalidQueryParameterValue");
	x = request("GET", "/?comp=list&prefix=li", S(""));
	ask(&x);
	assert_contains(x.text, S("<Containers><Container><Name>listed</Name>"));
	expect("DELETE", "/listed?restype=container", 202); // with what is in it
	expect("GET", "/listed?restype=container", 404);
}

static void test_what_is_not_offered(UNUSED void **state)
{
	static const struct {
		const char *method, *target;
		int status;
		const char *code;
	} cases[] = {
		{"PUT", "/lake/a?comp=lease", 501, "NotImplemented"},
		{"PUT", "/lake/a?comp=snapshot", 501, "NotImplemented"},
		{"GET", "/lake/a?snapshot=x", 501, "NotImplemented"},
		{"PUT", "/lake", 404, "ResourceNotFound"},
		{"POST", "/lake/a", 405, "UnsupportedHttpVerb"},
		{"PUT", "/No_Name?restype=container", 400, "InvalidResourceName"},
		{"PUT", "/two--hyphens?restype=container", 400, "InvalidResourceName"},
		{"PUT", "/lake?restype=container", 409, "ContainerAlreadyExists"},
		{"GET", "/nothere?restype=container", 404, "ContainerNotFound"},
		{"GET", "/lake/%FF", 400, "InvalidResourceName"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x = request(cases[i].method, cases[i].target, S(""));
		ask(&x);
		expect_error(&x, cases[i].status, cases[i].code);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(test_##name, cloud_test_end)
	const struct CMUnitTest tests[] = {
		TEST(put_get_delete),
		TEST(who_asks),
		TEST(refusals),
		TEST(conditions),
		TEST(ranges),
		TEST(blocks),
		TEST(listing),
		TEST(what_is_not_offered),
	};
	return cmocka_run_group_tests(tests, setup, cloud_teardown);
}
