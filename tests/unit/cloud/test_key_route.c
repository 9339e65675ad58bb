// SPDX-License-Identifier: Apache-2.0
// A key service in front of the local engine: what each closed, it opens; rotation moves a key to the first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/key_route.h"
#include "cloud/key_wrap.h"
#include "cloud/local/local.h"
#include "fixture.h"

// A first service with one key or none, whose ciphertext is the plaintext.
struct first {
	bool has, disabled;
};

static int first_check(struct call *c, const struct first *f)
{
	return f->has ? 0 : call_fail(c, ERR_NOT_FOUND, "no such key");
}
static int first_create(struct call *c, void *keys, struct str name)
{
	(void)c, (void)name;
	((struct first *)keys)->has = true;
	return 0;
}
static int first_wrap(
	struct call *c, void *keys, struct str name, struct str context, struct str plain, struct str *wrapped)
{
	(void)name, (void)context;
	const struct key_wrap w = {.engine = S("first"), .version = S("1"), .ciphertext = plain};
	int r = first_check(c, keys);
	return r ? r : key_wrap_write(&w, c->arena, wrapped, &c->err);
}
static int first_unwrap(
	struct call *c, void *keys, struct str name, struct str context, struct str wrapped, struct str *plain)
{
	struct key_wrap w;
	(void)name, (void)context;
	int r = first_check(c, keys);
	if (!r)
		r = key_wrap_read(wrapped, "first", &w, &c->err);
	if (!r)
		*plain = w.ciphertext;
	return r;
}
static int first_rotate(struct call *c, void *keys, struct str name)
{
	(void)name;
	return first_check(c, keys);
}
static int first_describe(struct call *c, void *keys, struct str name, json_t **out)
{
	(void)name;
	int r = first_check(c, keys);
	if (!r)
		*out = json_pack("{s:i}", "versions", 7);
	return r;
}
static int first_delete(struct call *c, void *keys, struct str name)
{
	(void)c, (void)name;
	((struct first *)keys)->has = false;
	return 0;
}
static int first_disable(struct call *c, void *keys, struct str name)
{
	(void)name;
	((struct first *)keys)->disabled = true;
	return first_check(c, keys);
}
static int first_enable(struct call *c, void *keys, struct str name)
{
	(void)name;
	((struct first *)keys)->disabled = false;
	return first_check(c, keys);
}
static const struct key_ops first_ops = {.name = "first",
	.create = first_create,
	.wrap = first_wrap,
	.unwrap = first_unwrap,
	.rotate = first_rotate,
	.describe = first_describe,
	.delete = first_delete,
	.disable = first_disable,
	.enable = first_enable};

#define LAKE S("lake")
#define PLAIN S("0123456789abcdef0123456789abcdef")
#define CONTEXT S("bucket/lake on aws-us")

static void test_route(void **state)
{
	(void)state;
	struct fixture f;
	struct first first = {0};
	struct local *local;
	struct key_route route;
	struct str by_local, by_first, plain, again;
	json_t *described = NULL;
	fixture_open(&f);
	struct call *c = &f.call;
	const struct cloud cloud = {.name = S("aws-us")};
	const struct local_options options = {.cloud = S("aws-us"), .root = str_of(fixture_path(&f, "local"))};
	assert_ok(&f, local_open_with(c, &options, &cloud, &local));
	key_route_init(&route, (struct key_service){&first_ops, &first}, (struct key_service){&local_key_ops, local});
	assert_string_equal(route.ops.name, "first");
	// Nobody has it.
	assert_fails(&f, route.ops.wrap(c, &route, LAKE, CONTEXT, PLAIN, &by_local), ERR_NOT_FOUND);
	assert_fails(&f, route.ops.rotate(c, &route, LAKE), ERR_NOT_FOUND);
	assert_fails(&f, route.ops.disable(c, &route, LAKE), ERR_NOT_FOUND);
	// Only the older one has it.
	assert_ok(&f, local_key_ops.create(c, local, LAKE));
	assert_ok(&f, route.ops.wrap(c, &route, LAKE, CONTEXT, PLAIN, &by_local));
	assert_true(str_eq(key_wrap_engine(by_local), S("local")));
	assert_ok(&f, route.ops.describe(c, &route, LAKE, &described));
	assert_true(str_eq(json_str(described, "engine"), S("local")));
	json_decref(described);
	assert_ok(&f, route.ops.disable(c, &route, LAKE));
	assert_fails(&f, route.ops.unwrap(c, &route, LAKE, CONTEXT, by_local, &plain), ERR_DENIED);
	assert_ok(&f, route.ops.enable(c, &route, LAKE));
	// Rotation makes it in the first, and the older one's still opens.
	assert_ok(&f, route.ops.rotate(c, &route, LAKE));
	assert_true(first.has);
	assert_ok(&f, route.ops.wrap(c, &route, LAKE, CONTEXT, PLAIN, &by_first));
	assert_true(str_eq(key_wrap_engine(by_first), S("first")));
	assert_ok(&f, route.ops.unwrap(c, &route, LAKE, CONTEXT, by_local, &plain));
	assert_true(str_eq(plain, PLAIN));
	assert_ok(&f, route.ops.unwrap(c, &route, LAKE, CONTEXT, by_first, &again));
	assert_true(str_eq(again, PLAIN));
	assert_ok(&f, route.ops.describe(c, &route, LAKE, &described));
	assert_int_equal(json_int(described, "versions", 0), 7);
	json_decref(described);
	assert_ok(&f, route.ops.rotate(c, &route, LAKE));
	assert_fails(&f, route.ops.grants(c, &route, LAKE, &described), ERR_UNSUPPORTED);
	assert_fails(&f, route.ops.set_grants(c, &route, LAKE, NULL), ERR_UNSUPPORTED);
	assert_ok(&f, route.ops.delete(c, &route, LAKE));
	assert_fails(&f, route.ops.unwrap(c, &route, LAKE, CONTEXT, by_local, &plain), ERR_NOT_FOUND);
	local_close(local);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_route)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
