// SPDX-License-Identifier: Apache-2.0
// Keys of the local engine: wrapping, tampering, rotation, files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "cloud/keys.h"
#include "cloud/local/local.h"
#include "fixture.h"

struct world {
	struct fixture f;
	struct cloud cloud;
	struct local *local;
};

static void open_world(struct world *w)
{
	fixture_open(&w->f);
	w->cloud = (struct cloud){.name = S("aws-us")};
	const struct local_options options = {.cloud = S("aws-us"), .root = str_of(fixture_path(&w->f, "local"))};
	assert_ok(&w->f, local_open_with(&w->f.call, &options, &w->cloud, &w->local));
}

static void close_world(struct world *w)
{
	local_close(w->local);
	fixture_close(&w->f);
}

#define CONTEXT S("bucket/fashion-lake on aws-us")
#define PLAIN S("0123456789abcdef0123456789abcdef")

static struct str wrap(struct world *w)
{
	struct str wrapped;
	assert_ok(&w->f, local_key_ops.wrap(&w->f.call, w->local, S("lake"), CONTEXT, PLAIN, &wrapped));
	return wrapped;
}

static void test_wrap(void **state)
{
	(void)state;
	struct world w;
	struct str plain, first, second;
	struct stat s;
	open_world(&w);
	struct call *c = &w.f.call;
	assert_fails(&w.f, local_key_ops.wrap(c, w.local, S("lake"), CONTEXT, PLAIN, &first), ERR_NOT_FOUND);
	assert_ok(&w.f, local_key_ops.create(c, w.local, S("lake")));
	assert_ok(&w.f, local_key_ops.create(c, w.local, S("lake")));
	first = wrap(&w);
	second = wrap(&w);
	assert_false(str_eq(first, second)); // a nonce of its own each time
	assert_true(str_find(first, S("0123")) < 0);
	assert_ok(&w.f, local_key_ops.unwrap(c, w.local, S("lake"), CONTEXT, first, &plain));
	assert_str(plain, PLAIN);
	assert_int_equal(stat(fixture_path(&w.f, "local/keys/lake.json"), &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
	close_world(&w);
}

static void test_tampered(void **state)
{
	(void)state;
	struct world w;
	struct str plain = S("untouched");
	open_world(&w);
	struct call *c = &w.f.call;
	assert_ok(&w.f, local_key_ops.create(c, w.local, S("lake")));
	assert_ok(&w.f, local_key_ops.create(c, w.local, S("other")));
	struct str wrapped = wrap(&w);
	for (size_t i = 0; i < wrapped.n; i++) {
		char *copy = arena_cstr(&w.f.arena, wrapped);
		copy[i] ^= 1;
		int code = local_key_ops.unwrap(c, w.local, S("lake"), CONTEXT, str_bytes(copy, wrapped.n), &plain);
		assert_true(code == ERR_CORRUPT || code == ERR_NOT_FOUND); // the latter: a version that does not exist
		err_clear(&c->err);
	}
	for (size_t n = 0; n < wrapped.n; n++)
		assert_fails(&w.f, local_key_ops.unwrap(c, w.local, S("lake"), CONTEXT, str_take(wrapped, n), &plain),
			ERR_CORRUPT);
	assert_fails(&w.f, local_key_ops.unwrap(c, w.local, S("lake"), S("bucket/x on aws-us"), wrapped, &plain),
		ERR_CORRUPT);
	assert_fails(&w.f, local_key_ops.unwrap(c, w.local, S("other"), CONTEXT, wrapped, &plain), ERR_CORRUPT);
	assert_str(plain, S("untouched"));
	close_world(&w);
}

static void test_rotate(void **state)
{
	(void)state;
	struct world w;
	struct str plain;
	json_t *described;
	open_world(&w);
	struct call *c = &w.f.call;
	assert_fails(&w.f, local_key_ops.rotate(c, w.local, S("lake")), ERR_NOT_FOUND);
	assert_fails(&w.f, local_key_ops.describe(c, w.local, S("lake"), &described), ERR_NOT_FOUND);
	assert_ok(&w.f, local_key_ops.create(c, w.local, S("lake")));
	struct str before = wrap(&w);
	assert_ok(&w.f, local_key_ops.rotate(c, w.local, S("lake")));
	struct str after = wrap(&w);
	assert_int_equal(before.p[17], 1); // versions in the head
	assert_int_equal(after.p[17], 2);
	local_close(w.local); // and read again from the file
	const struct local_options options = {.cloud = S("aws-us"), .root = str_of(fixture_path(&w.f, "local"))};
	assert_ok(&w.f, local_open_with(c, &options, &w.cloud, &w.local));
	assert_ok(&w.f, local_key_ops.unwrap(c, w.local, S("lake"), CONTEXT, before, &plain));
	assert_str(plain, PLAIN);
	assert_ok(&w.f, local_key_ops.unwrap(c, w.local, S("lake"), CONTEXT, after, &plain));
	assert_str(plain, PLAIN);
	assert_ok(&w.f, local_key_ops.describe(c, w.local, S("lake"), &described));
	assert_int_equal(json_int(described, "versions", 0), 2);
	assert_null(json_object_get(described, "key"));
	json_decref(described);
	close_world(&w);
}

static void test_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "..", ".x", "a/b", "a b"};
	struct world w;
	struct str out;
	char large[65] = {0};
	open_world(&w);
	struct call *c = &w.f.call;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_fails(&w.f, local_key_ops.create(c, w.local, str_of(bad[i])), ERR_INVALID);
	assert_ok(&w.f, local_key_ops.create(c, w.local, S("lake")));
	assert_fails(&w.f, local_key_ops.wrap(c, w.local, S("lake"), CONTEXT, S(""), &out), ERR_INVALID);
	assert_fails(&w.f, local_key_ops.wrap(c, w.local, S("lake"), CONTEXT, str_bytes(large, 65), &out), ERR_INVALID);
	assert_ok(&w.f, local_key_ops.wrap(c, w.local, S("lake"), CONTEXT, str_bytes(large, 64), &out));
	fixture_write(&w.f, "local/keys/lake.json", S("{\"versions\":[{\"key\":\"AAAA\"}]}"));
	assert_fails(&w.f, local_key_ops.wrap(c, w.local, S("lake"), CONTEXT, PLAIN, &out), ERR_CORRUPT);
	assert_ok(&w.f, local_key_ops.delete(c, w.local, S("lake")));
	assert_ok(&w.f, local_key_ops.delete(c, w.local, S("lake")));
	assert_fails(&w.f, local_key_ops.wrap(c, w.local, S("lake"), CONTEXT, PLAIN, &out), ERR_NOT_FOUND);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_rotate),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
