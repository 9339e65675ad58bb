// SPDX-License-Identifier: Apache-2.0
// The Blob driver over libcurl against a server that answers by a script.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/azure/store.h"
#include "cloud/http/object_fields.h"
#include "cloud/sign/sharedkey.h"
#include "store_test.h"

enum { MIB = 1 << 20, SIZE = 8 * MIB + 5 };
#define KEY S("0123456789abcdef")

static void open_store(struct store_test *x, const struct script_step *steps, size_t count)
{
	struct cloud_config config = {.name = S("azure-eu"), .provider = S("azure"), .region = S("westeurope")};
	struct azure_store *store;
	store_test_start(x, steps, count);
	struct str key = object_base64(&x->t.arena, KEY);
	struct str url = arena_printf(&x->t.arena, "%.*s/acct", STR(x->url)); // path style, as an emulator has it
	config.credentials = json_in_arena(&x->t.arena, json_pack("{s:s,s:s}", "account", "acct", "key", key.p));
	assert_int_equal(azure_store_open(&config, url, &x->transport, &store, &x->c->err), 0);
	x->store = store;
}

static void close_store(struct store_test *x, size_t served)
{
	azure_store_close(x->store);
	store_test_stop(x, served);
}

static void check_signature(struct store_test *x, size_t i)
{
	struct sign_header headers[SIGN_MAX_HEADERS];
	struct sign_request request = store_test_signed(x, i, headers);
	struct err e = {0};
	if (sharedkey_verify(&request, S("acct"), KEY, call_now_ns(x->c), &e))
		fail_msg("%s", e.message);
	store_test_header(x, i, "x-ms-version", "2021-12-02");
}

// MD5 of "123456789" is 25f9e794323b453885f5181f1b624d0b.
static const char headers_of_blob[] =
	"ETag: \"0x1\"\r\nLast-Modified: Tue, 24 Nov 2026 10:15:31 GMT\r\nContent-Type: text/plain\r\n"
	"Content-MD5: JfnnlDI7RTiF9RgfG2JNCw==\r\nx-ms-meta-isobar_crc32c: e3069283\r\nx-ms-meta-Colour: blue\r\n";

static void test_put(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 500, .headers = "x-ms-error-code: OperationTimedOut\r\n"},
		{.status = 201, .headers = "ETag: \"0x1\"\r\n"}};
	struct store_test x;
	struct test_source source;
	struct object made;
	open_store(&x, steps, 2);
	test_source_init(&source, S("123456789"));
	AUTO(json) metadata = json_pack("{s:s}", "colour", "blue");
	struct store_put put = {.bucket = S("lake"),
		.key = S("a b/c+d"),
		.content_type = S("text/plain"),
		.condition = {.if_match = S("0x0")},
		.metadata = metadata};
	assert_int_equal(azure_store_ops.put(x.c, x.store, &put, &source.source, &made), 0);
	assert_true(str_eq(made.etag, S("0x1")));
	store_test_request(&x, 1, "PUT", "/acct/lake/a%20b/c%2Bd");
	store_test_header(&x, 1, "content-md5", "JfnnlDI7RTiF9RgfG2JNCw==");
	store_test_header(&x, 1, "x-ms-blob-type", "BlockBlob");
	store_test_header(&x, 1, "x-ms-blob-content-type", "text/plain");
	store_test_header(&x, 1, "x-ms-meta-isobar_crc32c", "e3069283");
	store_test_header(&x, 1, "x-ms-meta-colour", "blue");
	store_test_header(&x, 1, "if-match", "\"0x0\"");
	check_signature(&x, 0);
	check_signature(&x, 1);
	assert_true(str_eq(store_test_body(&x, 1), S("123456789")));
	close_store(&x, 2);
}

static void test_put_empty(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 201, .headers = "ETag: \"0x1\"\r\n"}};
	struct store_test x;
	struct test_source source;
	struct object made;
	open_store(&x, steps, 1);
	test_source_init(&source, S(""));
	struct store_put put = {.bucket = S("lake"), .key = S("empty")};
	assert_int_equal(azure_store_ops.put(x.c, x.store, &put, &source.source, &made), 0);
	store_test_header(&x, 0, "content-length", "0");
	check_signature(&x, 0);
	assert_int_equal(made.size, 0);
	close_store(&x, 1);
}

static void test_metadata_refused(void **state)
{
	(void)state;
	struct store_test x;
	struct test_source source;
	struct object made;
	static const char *const names[] = {"two-words", "Upper", "", "1st"};
	open_store(&x, NULL, 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		AUTO(json) metadata = json_pack("{s:s}", names[i], "x");
		test_source_init(&source, S("x"));
		struct store_put put = {.bucket = S("lake"), .key = S("a"), .metadata = metadata};
		assert_int_equal(azure_store_ops.put(x.c, x.store, &put, &source.source, &made), ERR_INVALID);
	}
	AUTO(json) metadata = json_pack("{s:s}", "a", "line\r\nend: x");
	test_source_init(&source, S("x"));
	struct store_put put = {.bucket = S("lake"), .key = S("a"), .metadata = metadata};
	assert_int_equal(azure_store_ops.put(x.c, x.store, &put, &source.source, &made), ERR_INVALID);
	close_store(&x, 0);
}

static void test_blocks(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 201}, {.status = 201}, {.status = 201, .headers = "ETag: \"0x2\"\r\n"}};
	struct store_test x;
	struct test_source source;
	struct object made;
	open_store(&x, steps, COUNT_OF(steps));
	test_source_init(&source, test_bytes(&x.t.arena, SIZE));
	struct store_put put = {.bucket = S("lake"), .key = S("big"), .condition = {.if_absent = true}};
	assert_int_equal(azure_store_ops.put(x.c, x.store, &put, &source.source, &made), 0);
	assert_int_equal(made.size, SIZE);
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		check_signature(&x, i);
	struct str first = buf_str(&script_server_request(x.server, 0)->target);
	struct str second = buf_str(&script_server_request(x.server, 1)->target);
	assert_true(str_starts(first, S("/acct/lake/big?comp=block&blockid=")));
	assert_int_equal(first.n, second.n);
	assert_false(str_eq(first, second));
	assert_true(str_eq(store_test_body(&x, 0), str_take(source.bytes, 8 * MIB)));
	assert_true(str_eq(store_test_body(&x, 1), str_drop(source.bytes, 8 * MIB)));
	store_test_request(&x, 2, "PUT", "/acct/lake/big?comp=blocklist");
	store_test_header(&x, 2, "if-none-match", "*");
	unsigned char md5[MD5_SIZE];
	md5_of(source.bytes, md5);
	store_test_header(&x, 2, "x-ms-blob-content-md5", object_base64(&x.t.arena, str_bytes(md5, MD5_SIZE)).p);
	assert_true(str_find(store_test_body(&x, 2), S("<BlockList><Uncommitted>")) > 0);
	close_store(&x, COUNT_OF(steps));
}

static void test_get(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200, .headers = headers_of_blob, .body = S("123456789")},
		{.status = 206,
			.headers = "ETag: \"0x1\"\r\nContent-Range: bytes 0-2/9\r\nContent-MD5: "
				   "ICy5YqxZB1uWSwcVLSNLcA==\r\n",
			.body = S("123")},
		{.status = 404,
			.headers = "x-ms-error-code: BlobNotFound\r\n",
			.body = S("<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>The specified blob "
				  "does not exist.\nRequestId:1"
				  "</Message></Error>")},
		{.status = 404, .headers = "x-ms-error-code: ContainerNotFound\r\n"}};
	struct store_test x;
	struct test_sink sink;
	struct object found;
	open_store(&x, steps, COUNT_OF(steps));
	test_sink_init(&sink);
	struct store_get get = {.bucket = S("lake"), .key = S("a")};
	assert_int_equal(azure_store_ops.get(x.c, x.store, &get, &sink.sink, &found), 0);
	assert_true(str_eq(buf_str(&sink.bytes), S("123456789")));
	assert_true(found.has_crc32c && found.crc32c == 0xe3069283);
	assert_int_equal(json_object_size(found.metadata), 1);
	assert_string_equal(json_text(found.metadata, "colour"), "blue");
	check_signature(&x, 0);
	get.length = 3;
	buf_clear(&sink.bytes);
	assert_int_equal(azure_store_ops.get(x.c, x.store, &get, &sink.sink, &found), 0);
	assert_true(str_eq(buf_str(&sink.bytes), S("123")));
	store_test_header(&x, 1, "range", "bytes=0-2");
	store_test_header(&x, 1, "x-ms-range-get-content-md5", "true");
	check_signature(&x, 1);
	assert_int_equal(azure_store_ops.get(x.c, x.store, &get, &sink.sink, &found), ERR_NOT_FOUND);
	assert_string_equal(
		x.c->err.message, "get lake/a: BlobNotFound: The specified blob does not exist. (HTTP 404)");
	assert_int_equal(azure_store_ops.head(x.c, x.store, S("lake"), S("a"), &found), ERR_NOT_FOUND);
	assert_string_equal(x.c->err.provider_code, "ContainerNotFound");
	buf_free(&sink.bytes);
	close_store(&x, COUNT_OF(steps));
}

static void test_get_corrupt(void **state)
{
	(void)state;
	const struct script_step step = {.status = 206,
		.body = S("124"),
		.headers = "ETag: \"0x1\"\r\nContent-Range: bytes 0-2/9\r\nContent-MD5: ICy5YqxZB1uWSwcVLSNLcA==\r\n"};
	const struct script_step steps[] = {step, step, step};
	struct store_test x;
	struct test_sink sink;
	struct object found;
	open_store(&x, steps, COUNT_OF(steps));
	test_sink_init(&sink);
	sink.sink.restart = NULL; // cannot forget: no second try
	struct store_get get = {.bucket = S("lake"), .key = S("a"), .length = 3};
	assert_int_equal(azure_store_ops.get(x.c, x.store, &get, &sink.sink, &found), ERR_CORRUPT);
	buf_free(&sink.bytes);
	close_store(&x, 1);
}

static void check_put_error(int status, const char *code, int expected)
{
	AUTO(buf) headers = {0};
	buf_printf(&headers, "x-ms-error-code: %s\r\n", code);
	const struct script_step steps[] = {{.status = status, .headers = buf_cstr(&headers)}};
	struct store_test x;
	struct test_source source;
	struct object made;
	open_store(&x, steps, 1);
	test_source_init(&source, S("x"));
	struct store_put put = {.bucket = S("lake"), .key = S("a"), .condition = {.if_absent = true}};
	assert_int_equal(azure_store_ops.put(x.c, x.store, &put, &source.source, &made), expected);
	assert_string_equal(x.c->err.provider_code, code);
	assert_int_equal(x.c->err.http_status, status);
	close_store(&x, 1);
}

static void test_errors(void **state)
{
	(void)state;
	check_put_error(409, "BlobAlreadyExists", ERR_CONFLICT);
	check_put_error(412, "ConditionNotMet", ERR_CONFLICT);
	check_put_error(403, "AuthenticationFailed", ERR_UNAUTHENTICATED);
	check_put_error(403, "AuthorizationFailure", ERR_DENIED);
	check_put_error(412, "LeaseIdMissing", ERR_IN_USE);
	check_put_error(413, "RequestBodyTooLarge", ERR_LIMIT);
}

static void test_list(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200,
			.body = S("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults "
				  "ServiceEndpoint=\"x\" ContainerName=\"lake\">"
				  "<Blobs><Blob><Name>p/a&amp;b</Name><Properties><Last-Modified>Tue, 24 Nov 2026 "
				  "10:15:31 GMT</Last-Modified>"
				  "<Etag>0x1</Etag><Content-Length>12</Content-Length><Content-Type>a/b</"
				  "Content-Type></Properties></Blob>"
				  "<Blob><Name Encoded=\"true\">p/%EF%BF%BE</Name><Properties><Last-Modified>Tue, 24 "
				  "Nov 2026 10:15:31 GMT</Last-Modified>"
				  "<Etag>0x2</Etag><Content-Length>0</Content-Length></Properties></Blob>"
				  "<BlobPrefix><Name>p/x/</Name></BlobPrefix></Blobs><NextMarker>m "
				  "1</NextMarker></EnumerationResults>")},
		{.status = 200, .body = S("<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>")},
		{.status = 200, .body = S("<Other/>")}, {.status = 200, .body = S("<EnumerationResults><Blobs>")}};
	struct store_test x;
	struct store_page page;
	open_store(&x, steps, COUNT_OF(steps));
	struct store_list list = {.bucket = S("lake"), .prefix = S("p/"), .delimiter = S("/"), .limit = 7};
	assert_int_equal(azure_store_ops.list(x.c, x.store, &list, &page), 0);
	assert_int_equal(page.count, 2);
	assert_true(str_eq(page.objects[0].key, S("p/a&b")));
	assert_int_equal(page.objects[0].size, 12);
	assert_true(str_eq(page.objects[0].content_type, S("a/b")));
	assert_true(str_eq(page.objects[1].key, S("p/\xef\xbf\xbe")));
	assert_int_equal(page.prefix_count, 1);
	assert_true(str_eq(page.next, S("m 1")));
	store_test_request(
		&x, 0, "GET", "/acct/lake?restype=container&comp=list&prefix=p%2F&delimiter=%2F&maxresults=7");
	check_signature(&x, 0);
	list = (struct store_list){.bucket = S("lake"), .token = page.next};
	assert_int_equal(azure_store_ops.list(x.c, x.store, &list, &page), 0);
	assert_int_equal(page.count + page.next.n, 0);
	store_test_request(&x, 1, "GET", "/acct/lake?restype=container&comp=list&marker=m%201");
	check_signature(&x, 1);
	assert_int_equal(azure_store_ops.list(x.c, x.store, &list, &page), ERR_PROTOCOL);
	assert_int_equal(azure_store_ops.list(x.c, x.store, &list, &page), ERR_PROTOCOL);
	close_store(&x, COUNT_OF(steps));
}

static void test_delete_and_containers(void **state)
{
	(void)state;
	static const char empty[] = "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>";
	static const char full[] =
		"<EnumerationResults><Blobs><Blob><Name>a</Name><Properties><Content-Length>1</Content-Length>"
		"<Last-Modified>Tue, 24 Nov 2026 10:15:31 "
		"GMT</Last-Modified></Properties></Blob></Blobs></EnumerationResults>";
	const struct script_step steps[] = {{.status = 202},
		{.status = 404, .headers = "x-ms-error-code: BlobNotFound\r\n"}, {.status = 201},
		{.status = 409, .headers = "x-ms-error-code: ContainerAlreadyExists\r\n"},
		{.status = 404, .headers = "x-ms-error-code: ContainerNotFound\r\n"}, {.status = 200, .body = S(full)},
		{.status = 200, .body = S(empty)}, {.status = 202},
		{.status = 404, .headers = "x-ms-error-code: ContainerNotFound\r\n"},
		{.status = 404, .headers = "x-ms-error-code: ContainerNotFound\r\n"}};
	struct store_test x;
	open_store(&x, steps, COUNT_OF(steps));
	assert_int_equal(azure_store_ops.delete(x.c, x.store, S("lake"), S("a")), 0);
	assert_int_equal(azure_store_ops.delete(x.c, x.store, S("lake"), S("a")), 0);
	assert_int_equal(azure_store_ops.bucket_create(x.c, x.store, S("lake")), 0);
	assert_int_equal(azure_store_ops.bucket_create(x.c, x.store, S("lake")), 0);
	assert_int_equal(azure_store_ops.bucket_head(x.c, x.store, S("lake")), ERR_NOT_FOUND);
	err_clear(&x.c->err);
	assert_int_equal(azure_store_ops.bucket_delete(x.c, x.store, S("lake")), ERR_CONFLICT);
	assert_int_equal(azure_store_ops.bucket_delete(x.c, x.store, S("lake")), 0);
	assert_int_equal(azure_store_ops.bucket_delete(x.c, x.store, S("lake")), 0);
	store_test_request(&x, 7, "DELETE", "/acct/lake?restype=container");
	close_store(&x, COUNT_OF(steps));
}

static void test_credentials(void **state)
{
	(void)state;
	static const char *const bad[] = {"{}", "{\"account\":\"a\"}", "{\"account\":\"a\",\"key\":\"not base64!\"}",
		"{\"account\":\"\",\"key\":\"AAAA\"}", "{\"account\":\"a:b\",\"key\":\"AAAA\"}"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct store_test x;
		struct azure_store *store = NULL;
		json_t *credentials = NULL;
		store_test_start(&x, NULL, 0);
		assert_int_equal(json_parse(str_of(bad[i]), &credentials, NULL), 0);
		struct cloud_config config = {.credentials = credentials};
		assert_int_equal(azure_store_open(&config, x.url, &x.transport, &store, &x.c->err), ERR_INVALID);
		assert_null(store);
		json_decref(credentials);
		store_test_stop(&x, 0);
	}
	AUTO(arena) a = {0};
	AUTO(json) good = json_pack("{s:s}", "account", "acct");
	assert_true(str_eq(azure_store_url(&a, good), S("https://acct.blob.core.windows.net")));
	assert_null(azure_store_url(&a, NULL).p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_empty),
		cmocka_unit_test(test_metadata_refused),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_get_corrupt),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_delete_and_containers),
		cmocka_unit_test(test_credentials),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
