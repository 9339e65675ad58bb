// SPDX-License-Identifier: Apache-2.0
// API keys: form, digest, lookup, expiry, the hash secret's file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "security/api_key.h"

struct bench {
	char folder[64], path[96];
	struct arena arena;
	struct call call;
	struct edges_fake fake;
	struct secret hash_secret;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	snprintf(b->folder, sizeof(b->folder), "/tmp/isobar-keys-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->path, sizeof(b->path), "%s/key-hash.secret", b->folder);
	edges_fake_init(&b->fake, 1000 * NS_PER_S, 5);
	call_init(&b->call, &b->arena, &b->fake.edges, S("user/test"));
	assert_int_equal(secret_set(&b->hash_secret, S("0123456789abcdef0123456789abcdef"), &b->call.err), 0);
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	struct err e = {0};
	secret_free(&b->hash_secret);
	arena_free(&b->arena);
	assert_int_equal(file_remove_tree(b->folder, &e), 0);
	free(b);
	return 0;
}

static void test_the_hash_secret_is_made_once(void **out)
{
	struct bench *b = *out;
	struct err e = {0};
	AUTO(secret) one = {0};
	AUTO(secret) two = {0};
	assert_int_equal(api_key_hash_secret_open(edges_real(), b->path, &one, &e), 0);
	assert_int_equal(one.n, API_KEY_HASH_SECRET_SIZE);
	assert_int_equal(api_key_hash_secret_open(edges_real(), b->path, &two, &e), 0);
	assert_true(str_eq(secret_str(&one), secret_str(&two)));
	assert_int_equal(chmod(b->path, 0644), 0);
	assert_int_equal(api_key_hash_secret_open(edges_real(), b->path, &two, &e), ERR_DENIED);
	assert_int_equal(file_write_atomic(b->path, S("short"), 0600, &e), 0);
	assert_int_equal(api_key_hash_secret_open(edges_real(), b->path, &two, &e), ERR_CORRUPT);
}

static void test_starters_agree_on_one_hash_secret(void **out)
{
	struct bench *b = *out;
	pid_t children[4];
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct err e = {0};
			AUTO(secret) mine = {0};
			AUTO(secret) later = {0};
			int rc = api_key_hash_secret_open(edges_real(), b->path, &mine, &e);
			usleep(30000);
			if (rc == 0)
				rc = secret_read_file(&later, b->path, &e);
			_exit(rc == 0 && str_eq(secret_str(&mine), secret_str(&later)) ? 0 : 1);
		}
	}
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		int status;
		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
}

static void make(struct bench *b, struct secret *key, struct api_key_record *record)
{
	assert_int_equal(api_key_make(&b->call, &b->hash_secret, key, record), 0);
}

static void test_a_key_has_its_form(void **out)
{
	struct bench *b = *out;
	AUTO(secret) key = {0};
	AUTO(secret) other = {0};
	struct api_key_record record = {0}, second = {0};
	struct str id;
	make(b, &key, &record);
	make(b, &other, &second);
	assert_int_equal(key.n, API_KEY_TEXT_SIZE);
	assert_memory_equal(key.p, "isk_", 4);
	assert_true(api_key_parse(secret_str(&key), &id));
	assert_true(str_eq(id, record.id));
	assert_false(str_eq(record.id, second.id));
	assert_false(str_eq(secret_str(&key), secret_str(&other)));
	struct sha256 digest = hmac_sha256(S("0123456789abcdef0123456789abcdef"), secret_str(&key));
	assert_memory_equal(digest.bytes, record.digest.bytes, SHA256_SIZE);
}

static void test_what_is_no_key(void **out)
{
	struct bench *b = *out;
	AUTO(secret) key = {0};
	struct api_key_record record = {0};
	struct str id = S("untouched");
	make(b, &key, &record);
	struct str good = secret_str(&key);
	assert_false(api_key_parse(S(""), &id));
	assert_false(api_key_parse(str_take(good, good.n - 1), &id));
	for (size_t i = 0; i < good.n; i++) {
		char kept = key.p[i];
		key.p[i] = i < 4 || i == 4 + API_KEY_ID_SIZE ? 'x' : '/';
		assert_false(api_key_parse(good, &id));
		key.p[i] = kept;
	}
	assert_true(str_eq(id, S("untouched")));
	assert_true(api_key_parse(good, &id));
}

static json_t *snapshot(struct bench *b, struct secret *key)
{
	struct api_key_record record = {.name = S("shop-app"), .expires_ns = 2000 * NS_PER_S};
	AUTO(secret) unused = {0};
	struct api_key_record other = {.name = S("other")};
	make(b, key, &record);
	make(b, &unused, &other);
	json_t *array = json_array();
	json_array_append_new(array, api_key_to_json(&record));
	json_array_append_new(array, api_key_to_json(&other));
	return array;
}

static enum api_key_verdict check(struct bench *b, const struct api_key_table *t, struct str text, int64_t now_s)
{
	const struct api_key_record *record;
	return api_key_check(
		t, &b->hash_secret, (struct api_key_presented){.text = text, .now_ns = now_s * NS_PER_S}, &record);
}

static void test_checking_a_key(void **out)
{
	struct bench *b = *out;
	AUTO(secret) key = {0};
	AUTO(json) array = snapshot(b, &key);
	struct api_key_table t;
	const struct api_key_record *record;
	assert_int_equal(api_key_table_of_json(array, &b->arena, &t, &b->call.err), 0);
	assert_int_equal(t.count, 2);
	struct api_key_presented presented = {.text = secret_str(&key), .now_ns = 1999 * NS_PER_S};
	assert_int_equal(api_key_check(&t, &b->hash_secret, presented, &record), API_KEY_VALID);
	assert_true(str_eq(record->name, S("shop-app")));
	assert_true(str_eq(record->principal, S("api-key/shop-app")));
	presented.now_ns = 2000 * NS_PER_S;
	assert_int_equal(api_key_check(&t, &b->hash_secret, presented, &record), API_KEY_EXPIRED);
	assert_non_null(record);
	char wrong[API_KEY_TEXT_SIZE];
	memcpy(wrong, key.p, sizeof(wrong));
	wrong[sizeof(wrong) - 1] = wrong[sizeof(wrong) - 1] == 'a' ? 'b' : 'a';
	assert_int_equal(check(b, &t, str_bytes(wrong, sizeof(wrong)), 1500), API_KEY_UNKNOWN);
	memcpy(wrong, key.p, sizeof(wrong));
	wrong[5] = wrong[5] == 'a' ? 'b' : 'a'; // another id
	assert_int_equal(check(b, &t, str_bytes(wrong, sizeof(wrong)), 1500), API_KEY_UNKNOWN);
	assert_int_equal(check(b, &t, S("Bearer x"), 1500), API_KEY_MALFORMED);
	AUTO(secret) another = {0};
	assert_int_equal(secret_set(&another, S("another hash secret of some size"), &b->call.err), 0);
	assert_int_equal(api_key_check(&t, &another, presented, &record), API_KEY_UNKNOWN);
	assert_null(record);
	assert_string_equal(api_key_verdict_word(API_KEY_EXPIRED), "expired");
}

static void test_damaged_records_are_refused(void **out)
{
	struct bench *b = *out;
	AUTO(secret) key = {0};
	AUTO(json) array = snapshot(b, &key);
	struct api_key_table t = {0};
	json_array_append(array, json_array_get(array, 0)); // the same id twice
	assert_int_equal(api_key_table_of_json(array, &b->arena, &t, &b->call.err), ERR_CORRUPT);
	json_array_remove(array, 2);
	json_t *record = json_array_get(array, 0);
	static const char *const members[] = {"digest", "id", "name", "expires"};
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		json_t *kept = json_incref(json_object_get(record, members[i]));
		json_object_set_new(record, members[i], json_string(i == 2 ? "" : "nonsense"));
		assert_int_equal(api_key_table_of_json(array, &b->arena, &t, &b->call.err), ERR_CORRUPT);
		json_object_set_new(record, members[i], kept);
	}
	json_object_del(record, "digest");
	assert_int_equal(api_key_table_of_json(array, &b->arena, &t, &b->call.err), ERR_CORRUPT);
	assert_int_equal(t.count, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_hash_secret_is_made_once),
		TEST(test_starters_agree_on_one_hash_secret),
		TEST(test_a_key_has_its_form),
		TEST(test_what_is_no_key),
		TEST(test_checking_a_key),
		TEST(test_damaged_records_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
