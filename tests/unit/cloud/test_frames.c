// SPDX-License-Identifier: Apache-2.0
// Frames of encrypted objects: sizes, every kind of tampering, and one object written out byte by byte against a
// calculation by another implementation (Python's cryptography package).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/frames.h"

static const unsigned char data_key[FRAMES_KEY_SIZE] = "0123456789abcdef0123456789ABCDEF";
static const unsigned char salt[FRAMES_SALT_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
static const struct frames_object object = {data_key, {"lake", 4}, {"a/b", 3}};

static void test_sizes(void **state)
{
	(void)state;
	static const struct {
		uint64_t plain, sealed;
	} cases[] = {{0, 64}, {1, 65}, {65535, 48 + 65535 + 16}, {65536, 48 + 65552}, {65537, 48 + 65552 + 17},
		{131072, 48 + 2 * 65552}, {UINT64_C(1) << 40, 48 + (UINT64_C(1) << 24) * 65552}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t plain = 7;
		assert_true(frames_sealed_size(cases[i].plain) == cases[i].sealed);
		assert_true(frames_plain_size(cases[i].sealed, &plain));
		assert_true(plain == cases[i].plain);
	}
	static const uint64_t impossible[] = {0, 47, 48, 63, 48 + 65552 + 1, 48 + 65552 + 16};
	for (size_t i = 0; i < COUNT_OF(impossible); i++) {
		uint64_t plain = 7;
		assert_false(frames_plain_size(impossible[i], &plain));
		assert_true(plain == 7);
	}
	assert_true(frames_sealed_size(UINT64_MAX) == UINT64_MAX);
	assert_true(frames_count(0) == 1 && frames_count(65536) == 1 && frames_count(65537) == 2);
}

static void test_known_answer(void **state)
{
	(void)state;
	unsigned char header[FRAMES_HEADER_SIZE], sealed[5 + FRAME_TAG_SIZE];
	struct frames *f;
	assert_int_equal(frames_new(&object, salt, header, &f, NULL), 0);
	assert_int_equal(frames_seal(f, (struct frame_place){0, true}, S("hello"), sealed, NULL), 0);
	char hex[2 * sizeof(sealed) + 1];
	hex_encode(str_bytes(sealed, sizeof(sealed)), hex);
	assert_string_equal(hex, "21a7d3d12e9d93d7c313a1661ee628a1a0c2d31099");
	char head[2 * FRAMES_HEADER_SIZE + 1];
	hex_encode(str_bytes(header, sizeof(header)), head);
	assert_string_equal(head,
		"49534f424152463100010000000000000102030405060708090000000000000000000000000000000000000000000000");
	frames_free(f);
}

struct sealed_frame {
	unsigned char header[FRAMES_HEADER_SIZE];
	unsigned char bytes[FRAME_SEALED_SIZE];
	char plain[FRAME_PLAIN_SIZE];
};

static struct sealed_frame *make_frame(void)
{
	struct sealed_frame *s = calloc(1, sizeof(*s));
	struct frames *f;
	memset(s->plain, 'p', sizeof(s->plain));
	assert_int_equal(frames_new(&object, salt, s->header, &f, NULL), 0);
	assert_int_equal(
		frames_seal(f, (struct frame_place){3, false}, str_bytes(s->plain, sizeof(s->plain)), s->bytes, NULL),
		0);
	frames_free(f);
	return s;
}

static int open_as(const struct sealed_frame *s, const struct frames_object *o, struct frame_place at, size_t n)
{
	static unsigned char out[FRAME_PLAIN_SIZE];
	static const unsigned char zero[FRAME_PLAIN_SIZE];
	struct err e = {0};
	struct frames *f;
	assert_int_equal(frames_of_header(o, s->header, &f, &e), 0);
	memset(out, 0, sizeof(out));
	int r = frames_open(f, at, str_bytes(s->bytes, n), out, &e);
	if (r) // nothing of what does not open is left behind
		assert_memory_equal(out, zero, sizeof(out));
	else
		assert_memory_equal(out, s->plain, sizeof(out));
	frames_free(f);
	return r;
}

static void test_tampering(void **state)
{
	(void)state;
	struct sealed_frame *s = make_frame();
	const struct frame_place right = {3, false};
	unsigned char other_key[FRAMES_KEY_SIZE];
	memcpy(other_key, data_key, sizeof(other_key));
	other_key[31] ^= 1;
	const struct frames_object wrong_key = {other_key, object.bucket, object.key},
				   swapped = {data_key, object.bucket, S("a/c")},
				   other_bucket = {data_key, S("lak"), S("ea/b")};
	assert_int_equal(open_as(s, &object, right, FRAME_SEALED_SIZE), 0);
	assert_int_equal(
		open_as(s, &object, (struct frame_place){2, false}, FRAME_SEALED_SIZE), ERR_CORRUPT); // reordered
	assert_int_equal(
		open_as(s, &object, (struct frame_place){3, true}, FRAME_SEALED_SIZE), ERR_CORRUPT); // cut behind it
	assert_int_equal(open_as(s, &wrong_key, right, FRAME_SEALED_SIZE), ERR_CORRUPT);
	assert_int_equal(open_as(s, &swapped, right, FRAME_SEALED_SIZE), ERR_CORRUPT);
	assert_int_equal(open_as(s, &other_bucket, right, FRAME_SEALED_SIZE), ERR_CORRUPT);
	assert_int_equal(open_as(s, &object, right, FRAME_SEALED_SIZE - 1), ERR_CORRUPT);
	assert_int_equal(open_as(s, &object, right, FRAME_TAG_SIZE - 1), ERR_CORRUPT);
	for (size_t bit = 0; bit < FRAME_SEALED_SIZE * 8; bit += 8191) {
		s->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_int_equal(open_as(s, &object, right, FRAME_SEALED_SIZE), ERR_CORRUPT);
		s->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	s->header[FRAMES_HEADER_SIZE - 1] ^= 1; // another salt
	assert_int_equal(open_as(s, &object, right, FRAME_SEALED_SIZE), ERR_CORRUPT);
	free(s);
}

static void test_headers(void **state)
{
	(void)state;
	struct sealed_frame *s = make_frame();
	struct frames *f = NULL;
	struct err e = {0};
	for (size_t i = 0; i < 16; i++) {
		s->header[i] ^= 1;
		assert_int_equal(frames_of_header(&object, s->header, &f, &e), ERR_CORRUPT);
		assert_non_null(strstr(e.message, i < 8 ? "not encrypted by Isobar" : "does not know"));
		s->header[i] ^= 1;
	}
	assert_null(f);
	free(s);
}

static void test_misuse(void **state)
{
	(void)state;
	unsigned char header[FRAMES_HEADER_SIZE], out[64];
	struct frames *f;
	assert_int_equal(frames_new(&object, salt, header, &f, NULL), 0);
	assert_int_equal(frames_seal(f, (struct frame_place){0, false}, S("short"), out, NULL), ERR_INTERNAL);
	frames_free(f);
	frames_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_tampering),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_misuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
