// SPDX-License-Identifier: Apache-2.0
// Files of tensors and of images with every allocation refused in turn.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "fail_each.h"
#include "math/idx.h"
#include "math/safetensors.h"

static struct buf tensors; // a file of two
static char path[64];

static void make_file(void)
{
	static const float values[6] = {1, 2, 3, 4, 5, 6};
	static const uint64_t square[] = {2, 2}, line[] = {2};
	struct tensor two[] = {
		{.name = S_INIT("first.weight"),
			.type = TENSOR_F32,
			.rank = 2,
			.shape = square,
			.data = (const void *)values},
		{.name = S_INIT("second"),
			.type = TENSOR_F32,
			.rank = 1,
			.shape = line,
			.data = (const void *)(values + 4)},
	};
	struct safetensors_pair pair = {.key = S("made"), .value = S("for this test")};
	struct safetensors s = {.tensors = two, .count = 2, .metadata = &pair, .metadata_count = 1};
	struct err e = {0};
	assert_int_equal(safetensors_lay_out(&s, &e), 0);
	assert_int_equal(safetensors_write(&s, &tensors, &e), 0);
}

static int act_parse(struct err *e)
{
	AUTO(arena) a = {0};
	struct safetensors s;
	int rc = safetensors_parse(buf_str(&tensors), &a, &s, e);
	if (rc == 0)
		assert_int_equal(s.count, 2);
	return rc;
}

static int act_open(struct err *e)
{
	AUTO(arena) a = {0};
	struct safetensors_file f = {0};
	int rc = safetensors_open(path, &a, &f, e);
	safetensors_close(&f);
	return rc;
}

static int act_idx(struct err *e)
{
	AUTO(buf) keep = {0};
	struct idx i;
	static const char images[] = "\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\3"
				     "abcdef";
	int rc = idx_unpack(str_bytes(images, sizeof(images) - 1), "images", &keep, e);
	return rc < 0 ? rc : idx_parse(buf_str(&keep), &i, e);
}

static void test_each(UNUSED void **state)
{
	snprintf(path, sizeof(path), "/tmp/isobar-test-memory-%d", (int)getpid());
	make_file();
	assert_int_equal(file_write_atomic(path, buf_str(&tensors), 0600, NULL), 0);
	json_wipe_freed(); // whose malloc is ours to refuse
	fail_each(act_parse);
	fail_each(act_open);
	fail_each(act_idx);
	assert_int_equal(unlink(path), 0);
	buf_free(&tensors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
