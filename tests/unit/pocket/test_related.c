// SPDX-License-Identifier: Apache-2.0
// multipart/related bodies, cut at every place, and those that are none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pocket/gcs/gcs_related.h"

struct seen {
	struct buf metadata, type, media;
	int fail;
};

static int on_metadata(void *ctx, struct str text)
{
	struct seen *seen = ctx;
	buf_add(&seen->metadata, text);
	return seen->fail;
}

static int on_type(void *ctx, struct str text)
{
	struct seen *seen = ctx;
	buf_add(&seen->type, text);
	return 0;
}

static int on_media(void *ctx, struct str bytes)
{
	struct seen *seen = ctx;
	buf_add(&seen->media, bytes);
	return 0;
}

// Feeds the body in pieces of at most `step` bytes; the first error, or that of the end.
static int feed(struct seen *seen, struct str type, struct str body, size_t step)
{
	struct related_events events = {.ctx = seen, .metadata = on_metadata, .media_type = on_type, .media = on_media};
	struct related *m = NULL;
	struct err e = {0};
	int rc = related_new(type, &events, &m, &e);
	while (rc == 0 && body.n) {
		struct str piece = str_take(body, step);
		body = str_drop(body, piece.n);
		rc = related_feed(m, piece, &e);
	}
	if (rc == 0)
		rc = related_finish(m, &e);
	related_free(m);
	return rc;
}

static void seen_free(struct seen *seen)
{
	buf_free(&seen->metadata);
	buf_free(&seen->type);
	buf_free(&seen->media);
}

#define TYPE S("multipart/related; boundary=\"b-1\"")
#define MEDIA "\r\n--b-\0 \r\n--b-2--\r\n"

static void test_every_cut(UNUSED void **state)
{
	struct str body = S("--b-1\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n--b-1\r\ncontent-type:  "
			    "image/png \r\n\r\n" MEDIA "\r\n--b-1--\r\nepilogue");
	for (size_t step = 1; step <= body.n; step++) {
		struct seen seen = {0};
		assert_int_equal(feed(&seen, TYPE, body, step), 0);
		assert_string_equal(buf_cstr(&seen.metadata), "{\"a\":1}");
		assert_string_equal(buf_cstr(&seen.type), "image/png");
		assert_int_equal(seen.media.n, sizeof(MEDIA) - 1);
		assert_memory_equal(seen.media.p, MEDIA, sizeof(MEDIA) - 1);
		seen_free(&seen);
	}
}

static void test_empty_media(UNUSED void **state)
{
	struct seen seen = {0};
	assert_int_equal(feed(&seen, S("Multipart/Related; charset=x; Boundary=b"),
				 S("--b\r\n\r\n{}\r\n--b\r\n\r\n\r\n--b--"), 3),
		0);
	assert_int_equal(seen.media.n, 0);
	assert_int_equal(seen.type.n, 0);
	seen_free(&seen);
}

static void test_what_is_none(UNUSED void **state)
{
	static const struct {
		struct str type, body;
	} bad[] = {
		{S_INIT("multipart/related"), S_INIT("")},
		{S_INIT("multipart/mixed; boundary=b"), S_INIT("")},
		{S_INIT("multipart/related; boundary=\"\""), S_INIT("")},
		{S_INIT("multipart/related; boundary=b"), S_INIT("")},
		{S_INIT("multipart/related; boundary=b"), S_INIT("--c\r\n\r\n{}\r\n--c\r\n\r\n\r\n--c--")},
		{S_INIT("multipart/related; boundary=b"), S_INIT("--b\r\n\r\n{}\r\n--b--")},
		{S_INIT("multipart/related; boundary=b"), S_INIT("--b\r\n\r\n{}\r\n--b\r\n\r\nmedia\r\n--b")},
		{S_INIT("multipart/related; boundary=b"),
			S_INIT("--b\r\n\r\n{}\r\n--b\r\ncontent-transfer-encoding: base64\r\n\r\nbQ==\r\n--b--")},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct seen seen = {0};
		assert_int_equal(feed(&seen, bad[i].type, bad[i].body, 64), ERR_INVALID);
		seen_free(&seen);
	}
}

static void test_limit_and_callback(UNUSED void **state)
{
	AUTO(buf) body = {0};
	struct seen seen = {.fail = ERR_CONFLICT};
	assert_int_equal(
		feed(&seen, S("multipart/related; boundary=b"), S("--b\r\n\r\n{}\r\n--b\r\n\r\n\r\n--b--"), 64),
		ERR_CONFLICT);
	seen_free(&seen);
	seen = (struct seen){0};
	buf_add(&body, S("--b\r\n\r\n"));
	for (size_t i = 0; i < 40000; i++)
		buf_add(&body, S("0123456789012345678901234567890123456789"));
	assert_int_equal(feed(&seen, S("multipart/related; boundary=b"), buf_str(&body), 4096), ERR_LIMIT);
	seen_free(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_empty_media),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_limit_and_callback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
