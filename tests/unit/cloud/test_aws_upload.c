// SPDX-License-Identifier: Apache-2.0
// Multipart uploads to S3: parts, their proof, completion that says "200" and means an error, races, and what is left
// behind: nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/aws/store.h"
#include "cloud/http/object_fields.h"
#include "store_test.h"

enum { MIB = 1 << 20, SIZE = 8 * MIB + 5 };

#define ANSWER_CREATED S("<InitiateMultipartUploadResult><UploadId>id/1+</UploadId></InitiateMultipartUploadResult>")
#define ANSWER_COMPLETED S("<CompleteMultipartUploadResult><ETag>\"whole-2\"</ETag></CompleteMultipartUploadResult>")
#define LISTED(uploads)                                                                                                \
	{                                                                                                              \
		.status = 200, .body = S("<ListMultipartUploadsResult>" uploads "</ListMultipartUploadsResult>")       \
	}
#define CREATED                                                                                                        \
	{                                                                                                              \
		.status = 200, .body = ANSWER_CREATED                                                                  \
	}
#define COMPLETED                                                                                                      \
	{                                                                                                              \
		.status = 200, .body = ANSWER_COMPLETED                                                                \
	}
#define PART(etag)                                                                                                     \
	{                                                                                                              \
		.status = 200, .headers = "ETag: \"" etag "\"\r\n"                                                     \
	}

struct upload {
	struct store_test x;
	struct test_source source;
	struct store_put put;
	struct object made;
};

static int upload(struct upload *u, const struct script_step *steps, size_t count)
{
	struct cloud_config config = {.name = S("aws-us"), .provider = S("aws"), .region = S("us-east-1")};
	struct aws_store *store;
	store_test_start(&u->x, steps, count);
	config.credentials = json_in_arena(
		&u->x.t.arena, json_pack("{s:s,s:s}", "access_key_id", "AK", "secret_access_key", "secret"));
	assert_int_equal(aws_store_open(&config, u->x.url, &u->x.transport, &store, &u->x.c->err), 0);
	u->x.store = store;
	test_source_init(&u->source, test_bytes(&u->x.t.arena, SIZE));
	u->put = (struct store_put){
		.bucket = S("lake"), .key = S("big"), .content_type = S("a/b"), .condition = {.if_absent = true}};
	return aws_store_ops.put(u->x.c, store, &u->put, &u->source.source, &u->made);
}

static void finish(struct upload *u, size_t served)
{
	aws_store_close(u->x.store);
	store_test_stop(&u->x, served);
}

static const char *crc_text(struct upload *u, size_t from, size_t n)
{
	return object_crc32c_text(&u->x.t.arena, crc32c(0, str_take(str_drop(u->source.bytes, from), n))).p;
}

static void check_parts(struct upload *u)
{
	store_test_request(&u->x, 1, "POST", "/lake/big?uploads=");
	store_test_header(&u->x, 1, "x-amz-checksum-algorithm", "CRC32C");
	store_test_header(&u->x, 1, "content-type", "a/b");
	store_test_header(&u->x, 1, "if-none-match", "");
	store_test_request(&u->x, 2, "PUT", "/lake/big?partNumber=1&uploadId=id%2F1%2B");
	store_test_header(&u->x, 2, "x-amz-checksum-crc32c", crc_text(u, 0, 8 * MIB));
	assert_true(str_eq(store_test_body(&u->x, 2), str_take(u->source.bytes, 8 * MIB)));
	store_test_request(&u->x, 3, "PUT", "/lake/big?partNumber=2&uploadId=id%2F1%2B");
	store_test_header(&u->x, 3, "x-amz-checksum-crc32c", crc_text(u, 8 * MIB, 5));
	assert_true(str_eq(store_test_body(&u->x, 3), str_drop(u->source.bytes, 8 * MIB)));
}

static void test_upload(void **state)
{
	(void)state;
	const struct script_step steps[] = {LISTED(""), CREATED, PART("p1"), PART("p2"), COMPLETED};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), 0);
	check_parts(&u);
	store_test_request(&u.x, 4, "POST", "/lake/big?uploadId=id%2F1%2B");
	store_test_header(&u.x, 4, "if-none-match", "*");
	store_test_header(&u.x, 4, "x-amz-checksum-crc32c", crc_text(&u, 0, SIZE));
	store_test_header(&u.x, 4, "x-amz-checksum-type", "FULL_OBJECT");
	store_test_header(&u.x, 4, "x-amz-mp-object-size", "8388613");
	AUTO(buf) body = {0};
	buf_printf(&body,
		"<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		"<Part><PartNumber>1</PartNumber><ETag>&quot;p1&quot;</ETag><ChecksumCRC32C>%s</ChecksumCRC32C></Part>"
		"<Part><PartNumber>2</PartNumber><ETag>&quot;p2&quot;</ETag><ChecksumCRC32C>%s</ChecksumCRC32C></Part>"
		"</CompleteMultipartUpload>",
		crc_text(&u, 0, 8 * MIB), crc_text(&u, 8 * MIB, 5));
	assert_true(str_eq(store_test_body(&u.x, 4), buf_str(&body)));
	assert_int_equal(u.made.size, SIZE);
	assert_int_equal(u.made.crc32c, crc32c(0, u.source.bytes));
	assert_true(str_eq(u.made.etag, S("whole-2")));
	finish(&u, COUNT_OF(steps));
}

// What a killed process left of the same key is ended first, and nothing else; a store that does not list is written to
// all the same.
static void test_left_behind(void **state)
{
	(void)state;
	const struct script_step listed = LISTED("<Upload><Key>big</Key><UploadId>old&amp;1</UploadId></Upload>"
						 "<Upload><Key>bigger</Key><UploadId>another</UploadId></Upload>");
	const struct script_step steps[] = {listed, {.status = 204}, CREATED, PART("p1"), PART("p2"), COMPLETED};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), 0);
	store_test_request(&u.x, 0, "GET", "/lake?max-uploads=1000&prefix=big&uploads=");
	store_test_request(&u.x, 1, "DELETE", "/lake/big?uploadId=old%261");
	store_test_request(&u.x, 2, "POST", "/lake/big?uploads=");
	finish(&u, COUNT_OF(steps));
	const struct script_step denied = {.status = 403, .body = S("<Error><Code>AccessDenied</Code></Error>")};
	const struct script_step without[] = {denied, CREATED, PART("p1"), PART("p2"), COMPLETED};
	assert_int_equal(upload(&u, without, COUNT_OF(without)), 0);
	finish(&u, COUNT_OF(without));
}

// A start that was answered with 500 may have begun one all the same: it is ended, too.
static void test_begun_twice(void **state)
{
	(void)state;
	const struct script_step listed = LISTED("<Upload><Key>big</Key><UploadId>lost</UploadId></Upload>"
						 "<Upload><Key>big</Key><UploadId>id/1+</UploadId></Upload>");
	const struct script_step steps[] = {LISTED(""), {.status = 500}, CREATED, listed, {.status = 204},
		PART("p1"), PART("p2"), COMPLETED};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), 0);
	store_test_request(&u.x, 4, "DELETE", "/lake/big?uploadId=lost");
	finish(&u, COUNT_OF(steps));
}

static void test_ended_by_another(void **state)
{
	(void)state;
	const struct script_step gone = {.status = 404, .body = S("<Error><Code>NoSuchUpload</Code></Error>")};
	const struct script_step steps[] = {LISTED(""), CREATED, PART("p1"), gone, {.status = 204}};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), ERR_NOT_FOUND);
	assert_non_null(strstr(u.x.c->err.message, "somebody ended this upload, or began another of the same object"));
	finish(&u, COUNT_OF(steps));
}

// An answer that is another request's, since it came twice, is none: the part is sent again.
static void test_answer_of_another(void **state)
{
	(void)state;
	const struct script_step other = {
		.status = 200, .headers = "ETag: \"p0\"\r\nx-amz-checksum-crc32c: AAAAAA==\r\n"};
	const struct script_step bare = {.status = 200};
	const struct script_step steps[] = {LISTED(""), CREATED, other, PART("p1"), bare, PART("p2"), COMPLETED};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), 0);
	store_test_request(&u.x, 3, "PUT", "/lake/big?partNumber=1&uploadId=id%2F1%2B");
	store_test_request(&u.x, 5, "PUT", "/lake/big?partNumber=2&uploadId=id%2F1%2B");
	finish(&u, COUNT_OF(steps));
}

static void test_part_fails(void **state)
{
	(void)state;
	const struct script_step bad = {.status = 400, .body = S("<Error><Code>InvalidPart</Code></Error>")};
	const struct script_step steps[] = {LISTED(""), CREATED, PART("p1"), bad, {.status = 204}};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), ERR_INVALID);
	assert_string_equal(u.x.c->err.message, "put lake/big: part 2: InvalidPart (HTTP 400)");
	store_test_request(&u.x, 4, "DELETE", "/lake/big?uploadId=id%2F1%2B");
	finish(&u, COUNT_OF(steps));
}

static void test_part_again(void **state)
{
	(void)state;
	const struct script_step bad = {.status = 400, .body = S("<Error><Code>BadDigest</Code></Error>")};
	const struct script_step steps[] = {
		LISTED(""), CREATED, bad, PART("p1"), {.fault = SCRIPT_CLOSE}, PART("p2"), COMPLETED};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), 0);
	assert_true(str_eq(store_test_body(&u.x, 3), str_take(u.source.bytes, 8 * MIB)));
	assert_int_equal(u.source.rewinds, 0);
	finish(&u, COUNT_OF(steps));
}

static void test_complete_says_200_and_means_500(void **state)
{
	(void)state;
	const struct script_step error = {.status = 200,
		.body = S("<?xml version=\"1.0\"?>\n   <Error><Code>InternalError</Code><Message>try "
			  "again</Message></Error>")};
	const struct script_step steps[] = {LISTED(""), CREATED, PART("p1"), PART("p2"), error, COMPLETED};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), 0);
	finish(&u, COUNT_OF(steps));
	const struct script_step always[] = {
		LISTED(""), CREATED, PART("p1"), PART("p2"), error, error, error, error, error, {.status = 204}};
	assert_int_equal(upload(&u, always, COUNT_OF(always)), ERR_UNAVAILABLE);
	store_test_request(&u.x, 9, "DELETE", "/lake/big?uploadId=id%2F1%2B");
	finish(&u, COUNT_OF(always));
}

static void test_complete_answer_lost(void **state)
{
	(void)state;
	const struct script_step gone = {.status = 404, .body = S("<Error><Code>NoSuchUpload</Code></Error>")};
	AUTO(arena) a = {0};
	AUTO(buf) headers = {0};
	struct str bytes = test_bytes(&a, SIZE);
	buf_printf(&headers, "ETag: \"whole-2\"\r\nx-amz-checksum-type: FULL_OBJECT\r\nx-amz-checksum-crc32c: %s\r\n",
		object_crc32c_text(&a, crc32c(0, bytes)).p);
	const struct script_step steps[] = {LISTED(""), CREATED, PART("p1"), PART("p2"), {.fault = SCRIPT_CLOSE}, gone,
		{.status = 200, .headers = buf_cstr(&headers), .body = bytes}};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), 0);
	store_test_request(&u.x, 6, "HEAD", "/lake/big");
	assert_true(str_eq(u.made.etag, S("whole-2")));
	finish(&u, COUNT_OF(steps));
}

static void test_conflicts(void **state)
{
	(void)state;
	const struct script_step race = {
		.status = 409, .body = S("<Error><Code>ConditionalRequestConflict</Code></Error>")};
	const struct script_step lost = {.status = 412, .body = S("<Error><Code>PreconditionFailed</Code></Error>")};
	const struct script_step steps[] = {LISTED(""), CREATED, PART("p1"), PART("p2"), race, race, race, race, race,
		{.status = 204}, LISTED(""), CREATED, PART("p1"), PART("p2"), lost, {.status = 204}};
	struct upload u;
	assert_int_equal(upload(&u, steps, COUNT_OF(steps)), ERR_CONFLICT);
	assert_int_equal(u.source.rewinds, 1); // made anew once, and then somebody else had won
	assert_string_equal(u.x.c->err.provider_code, "PreconditionFailed");
	finish(&u, COUNT_OF(steps));
}

static void test_source_fails(void **state)
{
	(void)state;
	const struct script_step steps[] = {LISTED(""), CREATED, PART("p1"), {.status = 204}};
	struct store_test x;
	struct aws_store *store;
	struct test_source source;
	struct object made;
	struct cloud_config config = {.region = S("us-east-1")};
	store_test_start(&x, steps, COUNT_OF(steps));
	config.credentials =
		json_in_arena(&x.t.arena, json_pack("{s:s,s:s}", "access_key_id", "AK", "secret_access_key", "secret"));
	assert_int_equal(aws_store_open(&config, x.url, &x.transport, &store, &x.c->err), 0);
	test_source_init(&source, test_bytes(&x.t.arena, 20 * MIB));
	source.source.size = UINT64_MAX; // a pipe
	source.source.rewind = NULL;
	source.fail = ERR_IO;
	source.fail_at = 9 * MIB;
	source.step = 100000;
	struct store_put put = {.bucket = S("lake"), .key = S("big")};
	assert_int_equal(aws_store_ops.put(x.c, store, &put, &source.source, &made), ERR_IO);
	store_test_request(&x, 3, "DELETE", "/lake/big?uploadId=id%2F1%2B");
	aws_store_close(store);
	store_test_stop(&x, COUNT_OF(steps));
}

static void test_cancelled(void **state)
{
	(void)state;
	const struct script_step steps[] = {LISTED(""), CREATED, {.status = 204}};
	atomic_bool cancel = true;
	struct store_test x;
	struct aws_store *store;
	struct test_source source;
	struct object made;
	struct cloud_config config = {.region = S("us-east-1")};
	store_test_start(&x, steps, COUNT_OF(steps));
	config.credentials =
		json_in_arena(&x.t.arena, json_pack("{s:s,s:s}", "access_key_id", "AK", "secret_access_key", "secret"));
	assert_int_equal(aws_store_open(&config, x.url, &x.transport, &store, &x.c->err), 0);
	test_source_init(&source, S("x"));
	x.c->cancel = &cancel;
	struct store_put put = {.bucket = S("lake"), .key = S("big")};
	assert_int_equal(aws_store_ops.put(x.c, store, &put, &source.source, &made), ERR_CANCELLED);
	aws_store_close(store);
	store_test_stop(&x, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_begun_twice),
		cmocka_unit_test(test_ended_by_another),
		cmocka_unit_test(test_answer_of_another),
		cmocka_unit_test(test_part_fails),
		cmocka_unit_test(test_part_again),
		cmocka_unit_test(test_complete_says_200_and_means_500),
		cmocka_unit_test(test_complete_answer_lost),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_source_fails),
		cmocka_unit_test(test_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
