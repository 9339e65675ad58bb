// SPDX-License-Identifier: Apache-2.0
// The kinds of this room and how they are made real: API keys with their delivery, encryption keys on a toy cloud,
// roles.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "security/api_key.h"
#include "security/api_key_kind.h"
#include "security/encryption_key_kind.h"
#include "security/policy.h"
#include "security/role_kind.h"
#include "security/security_ctx.h"

struct toy_keys {
	int created, deleted;
	bool exists;
};

struct bench {
	char folder[64], secret_path[96], key_path[96];
	struct arena arena;
	struct call call;
	struct edges_fake fake;
	struct state state;
	struct toy_keys keys;
	struct cloud cloud;
	struct clouds clouds;
	struct security_ctx ctx;
};

static int toy_create(UNUSED struct call *c, void *ctx, struct str name)
{
	struct toy_keys *k = ctx;
	assert_true(str_eq(name, S("lake")));
	k->created++;
	k->exists = true;
	return 0;
}

static int toy_describe(struct call *c, void *ctx, UNUSED struct str name, json_t **out)
{
	const struct toy_keys *k = ctx;
	if (!k->exists)
		return call_fail(c, ERR_NOT_FOUND, "no key");
	*out = json_pack("{s:i}", "versions", 1);
	return 0;
}

static int toy_delete(UNUSED struct call *c, void *ctx, UNUSED struct str name)
{
	struct toy_keys *k = ctx;
	k->deleted++;
	k->exists = false;
	return 0;
}

static const struct key_ops toy_key_ops = {
	.name = "toy", .create = toy_create, .describe = toy_describe, .delete = toy_delete};

// Until a program links all of cloud/: these two are all that the code under test needs of it.
__attribute__((weak)) struct cloud *clouds_find(const struct clouds *all, struct str name)
{
	for (size_t i = 0; i < all->count; i++)
		if (str_eq(all->items[i].name, name))
			return &all->items[i];
	return NULL;
}

__attribute__((weak)) int cloud_unsupported(
	struct call *c, const struct cloud *cloud, const char *part, const char *slot)
{
	return call_fail(c, ERR_UNSUPPORTED, "%.*s does not offer %s.%s", STR(cloud->name), part, slot);
}

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	char path[96];
	snprintf(b->folder, sizeof(b->folder), "/tmp/isobar-kinds-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(path, sizeof(path), "%s/state.db", b->folder);
	snprintf(b->secret_path, sizeof(b->secret_path), "%s/key-hash.secret", b->folder);
	snprintf(b->key_path, sizeof(b->key_path), "%s/.isobar/shop-app.key", b->folder);
	edges_fake_init(&b->fake, 1000 * NS_PER_S, 3);
	call_init(&b->call, &b->arena, &b->fake.edges, S("user/test"));
	assert_int_equal(state_open_sqlite(&b->call, path, &b->state), 0);
	b->cloud = (struct cloud){.name = S("aws-us"), .keys = &toy_key_ops, .keys_ctx = &b->keys};
	b->clouds = (struct clouds){.items = &b->cloud, .count = 1};
	b->ctx = (struct security_ctx){
		.clouds = &b->clouds, .state = &b->state, .folder = b->folder, .hash_secret_path = b->secret_path};
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	struct err e = {0};
	state_close(&b->state);
	arena_free(&b->arena);
	assert_int_equal(file_remove_tree(b->folder, &e), 0);
	free(b);
	return 0;
}

static size_t decode(struct bench *b, const struct kind *k, const char *yaml, void *out)
{
	struct findings f = {.arena = &b->arena};
	struct node *root;
	char *text = arena_cstr(&b->arena, str_of(yaml));
	assert_int_equal(node_parse_yaml(str_of(text), "isobar.yaml", &f, &root), 0);
	int rc = kind_decode(k, root, &b->arena, out, &f);
	assert_int_equal(rc, f.count ? ERR_INVALID : 0);
	return f.count;
}

// ---------------------------------------------------------------- tables

static void test_the_kinds_of_the_demo(void **out)
{
	struct bench *b = *out;
	struct encryption_key key = {0};
	struct api_key api = {0};
	struct role role = {0};
	assert_int_equal(decode(b, &encryption_key_kind, "{clouds: all, rotate: 90d}", &key), 0);
	assert_true(key.clouds.all);
	assert_int_equal(key.rotate_ns, INT64_C(90) * 86400 * NS_PER_S);
	assert_int_equal(decode(b, &api_key_kind, "{expires: 30d, deliver: \"file:.isobar/shop-app.key\"}", &api), 0);
	assert_int_equal(api.expires_ns, INT64_C(30) * 86400 * NS_PER_S);
	assert_true(str_eq(api.deliver, S("file:.isobar/shop-app.key")));
	assert_int_equal(decode(b, &role_kind,
				 "members: [api-key/shop-app]\n"
				 "allow: [{actions: [model.predict], resources: [endpoint/classify]}]\n",
				 &role),
		0);
	assert_int_equal(role.members.count, 1);
	assert_int_equal(role.allow.count, 1);
	assert_int_equal(role.deny.count, 0);
	const struct role_rule *rule = role.allow.items;
	assert_true(str_eq(((const struct str *)rule->actions.items)[0], S("model.predict")));
}

static void test_mistakes_in_the_kinds(void **out)
{
	struct bench *b = *out;
	struct encryption_key key;
	struct api_key api;
	struct role role;
	assert_int_equal(decode(b, &encryption_key_kind, "{rotate: soon}", &key), 2);
	assert_int_equal(decode(b, &api_key_kind, "{expires: 30d}", &api), 1);
	assert_int_equal(decode(b, &api_key_kind, "{deliver: \".isobar/x.key\"}", &api), 1);
	assert_int_equal(decode(b, &api_key_kind, "{deliver: \"file:../x.key\"}", &api), 1);
	assert_int_equal(decode(b, &api_key_kind, "{deliver: \"file:/etc/x.key\"}", &api), 1);
	assert_int_equal(decode(b, &api_key_kind, "{deliver: \"file:.isobar/ca.key\"}", &api), 1);
	assert_int_equal(decode(b, &api_key_kind, "{deliver: \"file:.isobar/state.db\"}", &api), 1);
	assert_int_equal(decode(b, &api_key_kind, "{deliver: \"file:.isobar/gateways/x.key\"}", &api), 1);
	assert_int_equal(decode(b, &api_key_kind, "{deliver: \"file:keys/x.key\"}", &api), 0);
	assert_int_equal(
		decode(b, &role_kind, "{members: [], allow: [{actions: [\"a*b\"], resources: [\"*\"]}]}", &role), 1);
	assert_int_equal(decode(b, &role_kind, "{members: [], deny: [{actions: [a]}]}", &role), 1);
}

// ---------------------------------------------------------------- API keys

static struct resource api_resource(struct bench *b, const char *deliver, const char *expires)
{
	json_t *resolved = expires ? json_pack("{s:s, s:s}", "deliver", deliver, "expires", expires)
				   : json_pack("{s:s}", "deliver", deliver);
	return (struct resource){.address = S("api-key/shop-app"),
		.kind = S("api-key"),
		.name = S("shop-app"),
		.uid = S("uid-1"),
		.resolved = json_in_arena(&b->arena, resolved)};
}

static int create(struct bench *b, const struct resource *r, json_t **outputs)
{
	struct str id;
	int rc = api_key_handler.create(&b->call, &b->ctx, r, outputs, &id);
	if (rc == 0)
		json_in_arena(&b->arena, *outputs);
	return rc;
}

static struct record stored(struct bench *b)
{
	struct record r;
	assert_int_equal(state_get(&b->call, &b->state, S("api-key/shop-app"), &r), 0);
	return r;
}

static void test_a_key_is_made_and_delivered_once(void **out)
{
	struct bench *b = *out;
	struct resource r = api_resource(b, "file:.isobar/shop-app.key", "30d");
	json_t *outputs, *again;
	AUTO(secret) text = {0};
	AUTO(secret) hash_secret = {0};
	struct api_key_table table;
	const struct api_key_record *record;
	assert_int_equal(create(b, &r, &outputs), 0);
	assert_int_equal(secret_read_file(&text, b->key_path, &b->call.err), 0); // mode 0600, or it would be refused
	assert_int_equal(text.n, API_KEY_TEXT_SIZE + 1);
	assert_int_equal(text.p[API_KEY_TEXT_SIZE], '\n');
	assert_true(str_eq(json_str(outputs, "expires"), S("1970-01-31T00:16:40Z")));
	AUTO(json) array = json_array();
	json_array_append(array, stored(b).value);
	assert_int_equal(api_key_table_of_json(array, &b->arena, &table, &b->call.err), 0);
	assert_int_equal(api_key_hash_secret_open(&b->fake.edges, b->secret_path, &hash_secret, &b->call.err), 0);
	struct api_key_presented presented = {.text = str_trim(secret_str(&text)), .now_ns = 1000 * NS_PER_S};
	assert_int_equal(api_key_check(&table, &hash_secret, presented, &record), API_KEY_VALID);
	// Neither the record nor the outputs hold the key.
	AUTO(buf) all = {0};
	assert_int_equal(json_write(array, &all, &b->call.err), 0);
	assert_int_equal(json_write(outputs, &all, &b->call.err), 0);
	assert_true(str_find(buf_str(&all), str_drop(presented.text, 4 + API_KEY_ID_SIZE + 1)) < 0);
	// The same resource again: the same key.
	uint64_t revision = stored(b).revision;
	assert_int_equal(create(b, &r, &again), 0);
	assert_int_equal(stored(b).revision, revision);
	assert_true(json_equal(outputs, again));
	// Another resource under that name: another key.
	r.uid = S("uid-2");
	assert_int_equal(create(b, &r, &again), 0);
	assert_false(str_eq(json_str(outputs, "id"), json_str(again, "id")));
}

static void test_a_key_lives_on_and_goes(void **out)
{
	struct bench *b = *out;
	struct resource r = api_resource(b, "file:.isobar/shop-app.key", NULL),
			later = api_resource(b, "file:.isobar/shop-app.key", "1h");
	json_t *outputs = NULL;
	assert_int_equal(api_key_handler.read(&b->call, &b->ctx, &r, &outputs), ERR_NOT_FOUND);
	assert_int_equal(create(b, &r, &outputs), 0);
	assert_int_equal(json_str(outputs, "expires").n, 0);
	struct str digest = json_str(stored(b).value, "digest");
	b->fake.now_ns += 600 * NS_PER_S;
	assert_int_equal(api_key_handler.update(&b->call, &b->ctx, &later, r.resolved, &outputs), 0);
	assert_true(str_eq(json_str(outputs, "expires"), S("1970-01-01T01:16:40Z"))); // from its creation on
	json_decref(outputs);
	assert_true(str_eq(json_str(stored(b).value, "digest"), digest));
	assert_int_equal(api_key_handler.read(&b->call, &b->ctx, &r, &outputs), 0);
	json_decref(outputs);
	assert_int_equal(api_key_handler.delete(&b->call, &b->ctx, &r), 0);
	assert_int_equal(stored(b).revision, 0);
	assert_false(file_exists(b->key_path));
	assert_int_equal(api_key_handler.delete(&b->call, &b->ctx, &r), 0); // absent is fine
}

static void test_a_file_that_is_not_ours_stays(void **out)
{
	struct bench *b = *out;
	struct resource r = api_resource(b, "file:.isobar/shop-app.key", NULL);
	json_t *outputs;
	assert_int_equal(create(b, &r, &outputs), 0);
	assert_int_equal(file_write_atomic(b->key_path, S("something else"), 0600, &b->call.err), 0);
	assert_int_equal(api_key_handler.delete(&b->call, &b->ctx, &r), 0);
	assert_true(file_exists(b->key_path));
}

static void test_no_delivery_over_another_file(void **out)
{
	struct bench *b = *out;
	struct resource r = api_resource(b, "file:isobar.yaml", NULL);
	json_t *outputs;
	char path[96];
	AUTO(buf) text = {0};
	snprintf(path, sizeof(path), "%s/isobar.yaml", b->folder);
	assert_int_equal(file_write_atomic(path, S("isobar: 1\n"), 0600, &b->call.err), 0);
	assert_int_equal(create(b, &r, &outputs), ERR_EXISTS);
	assert_int_equal(stored(b).revision, 0);
	assert_int_equal(file_read(path, 100, &text, &b->call.err), 0);
	assert_true(str_eq(buf_str(&text), S("isobar: 1\n")));
}

static void test_no_delivery_outside_the_workspace(void **out)
{
	struct bench *b = *out;
	char link_path[96], outside[64] = "/tmp/isobar-outside-XXXXXX";
	json_t *outputs;
	assert_non_null(mkdtemp(outside));
	snprintf(link_path, sizeof(link_path), "%s/link", b->folder);
	assert_int_equal(symlink(outside, link_path), 0);
	struct resource through_link = api_resource(b, "file:link/x.key", NULL),
			up = api_resource(b, "file:../x.key", NULL);
	assert_int_equal(create(b, &through_link, &outputs), ERR_DENIED);
	assert_true(create(b, &up, &outputs) < 0);
	assert_int_equal(stored(b).revision, 0);
	assert_int_equal(rmdir(outside), 0); // empty: nothing was delivered there
}

// ---------------------------------------------------------------- encryption keys

static void test_an_encryption_key(void **out)
{
	struct bench *b = *out;
	struct resource r = {.address = S("encryption-key/lake on aws-us"), .name = S("lake"), .cloud = S("aws-us")};
	json_t *outputs = NULL;
	struct str id;
	assert_int_equal(encryption_key_handler.read(&b->call, &b->ctx, &r, &outputs), ERR_NOT_FOUND);
	assert_int_equal(encryption_key_handler.create(&b->call, &b->ctx, &r, &outputs, &id), 0);
	assert_true(str_eq(id, S("lake")));
	assert_int_equal(json_int(outputs, "versions", 0), 1);
	json_decref(outputs);
	assert_int_equal(encryption_key_handler.update(&b->call, &b->ctx, &r, NULL, &outputs), 0);
	json_decref(outputs);
	assert_int_equal(b->keys.created, 1);
	assert_int_equal(encryption_key_handler.delete(&b->call, &b->ctx, &r), 0);
	assert_int_equal(b->keys.deleted, 1);
	r.cloud = S("nowhere");
	assert_int_equal(encryption_key_handler.create(&b->call, &b->ctx, &r, &outputs, &id), ERR_NOT_FOUND);
	assert_non_null(strstr(b->call.err.message, "there is no cloud \"nowhere\""));
	r.cloud = S("aws-us");
	b->cloud.keys = NULL;
	assert_int_equal(encryption_key_handler.create(&b->call, &b->ctx, &r, &outputs, &id), ERR_UNSUPPORTED);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_kinds_of_the_demo),
		TEST(test_mistakes_in_the_kinds),
		TEST(test_a_key_is_made_and_delivered_once),
		TEST(test_a_key_lives_on_and_goes),
		TEST(test_a_file_that_is_not_ours_stays),
		TEST(test_no_delivery_over_another_file),
		TEST(test_no_delivery_outside_the_workspace),
		TEST(test_an_encryption_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
