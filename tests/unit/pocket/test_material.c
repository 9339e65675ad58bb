// SPDX-License-Identifier: Apache-2.0
// What pocket key services wrap with, and secrets at rest.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/file.h"
#include "pocket/docs.h"
#include "pocket/keys/at_rest.h"
#include "pocket/keys/material.h"
#include "pocket/pocket_impl.h"

static struct pocket pocket;

static void test_box(UNUSED void **state)
{
	struct err e = {0};
	AUTO(buf) key = {0};
	AUTO(buf) other = {0};
	AUTO(buf) sealed = {0};
	AUTO(buf) plain = {0};
	assert_int_equal(material_make_aes(&pocket, &key, &e), 0);
	assert_int_equal(material_make_aes(&pocket, &other, &e), 0);
	assert_int_equal(key.n, 44);
	struct material_box box = {.key = buf_str(&key), .aad = S("lake")};
	assert_int_equal(material_seal(&pocket, &box, S("data key"), &sealed, &e), 0);
	assert_int_equal(sealed.n, 8 + MATERIAL_AROUND);
	assert_int_equal(material_open(&box, buf_str(&sealed), &plain, &e), 0);
	assert_true(str_eq(buf_str(&plain), S("data key")));
	for (size_t i = 0; i < sealed.n; i++) {
		sealed.p[i] ^= 1;
		assert_int_equal(material_open(&box, buf_str(&sealed), &plain, &e), ERR_INVALID);
		sealed.p[i] ^= 1;
		assert_int_equal(material_open(&box, str_take(buf_str(&sealed), i), &plain, &e), ERR_INVALID);
	}
	assert_int_equal(plain.n, 8); // nothing of what did not open
	box.aad = S("lakes");
	assert_int_equal(material_open(&box, buf_str(&sealed), &plain, &e), ERR_INVALID);
	box = (struct material_box){.key = buf_str(&other), .aad = S("lake")};
	assert_int_equal(material_open(&box, buf_str(&sealed), &plain, &e), ERR_INVALID);
	box.key = S("AAAA");
	assert_int_equal(material_open(&box, buf_str(&sealed), &plain, &e), ERR_CORRUPT);
	assert_int_equal(material_seal(&pocket, &box, S("x"), &sealed, &e), ERR_CORRUPT);
}

static int rsa(struct str key, enum material_rsa_act act, const char *algorithm, struct str in, struct buf *out)
{
	struct err e = {0};
	const struct material_rsa m = {.key = key, .act = act, .algorithm = str_of(algorithm), .in = in};
	return material_rsa_run(&m, out, &e);
}

static void test_rsa(UNUSED void **state)
{
	static const char *const ways[] = {"RSA-OAEP", "RSA-OAEP-256", "RSA1_5"};
	struct err e = {0};
	AUTO(buf) key = {0};
	AUTO(buf) n = {0};
	AUTO(buf) exponent = {0};
	assert_int_equal(material_make_rsa(1024, &key, &e), ERR_INVALID);
	assert_int_equal(material_make_rsa(2048, &key, &e), 0);
	assert_int_equal(material_rsa_public(buf_str(&key), &n, &exponent, &e), 0);
	assert_int_equal(n.n, 342); // 256 bytes
	assert_true(str_eq(buf_str(&exponent), S("AQAB")));
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		AUTO(buf) sealed = {0};
		AUTO(buf) plain = {0};
		assert_int_equal(rsa(buf_str(&key), MATERIAL_ENCRYPT, ways[i], S("secret"), &sealed), 0);
		assert_int_equal(sealed.n, 256);
		assert_int_equal(rsa(buf_str(&key), MATERIAL_DECRYPT, ways[i], buf_str(&sealed), &plain), 0);
		assert_true(str_eq(buf_str(&plain), S("secret")));
	}
	AUTO(buf) out = {0};
	assert_int_equal(rsa(buf_str(&key), MATERIAL_DECRYPT, "RSA-OAEP", S("short"), &out), ERR_INVALID);
	assert_int_equal(rsa(buf_str(&key), MATERIAL_ENCRYPT, "A256KW", S("x"), &out), ERR_UNSUPPORTED);
	assert_int_equal(rsa(S("AAAA"), MATERIAL_ENCRYPT, "RSA-OAEP", S("x"), &out), ERR_CORRUPT);
}

static void test_signatures(UNUSED void **state)
{
	static const char *const ways[] = {"RS256", "PS256"};
	struct err e = {0};
	AUTO(buf) key = {0};
	struct sha256 digest = sha256_of(S("text"));
	assert_int_equal(material_make_rsa(2048, &key, &e), 0);
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		AUTO(buf) signature = {0};
		struct material_rsa m = {.key = buf_str(&key),
			.act = MATERIAL_SIGN,
			.algorithm = str_of(ways[i]),
			.in = str_bytes(digest.bytes, SHA256_SIZE)};
		assert_int_equal(material_rsa_run(&m, &signature, &e), 0);
		m.act = MATERIAL_VERIFY;
		m.signature = buf_str(&signature);
		assert_int_equal(material_rsa_run(&m, NULL, &e), 0);
		signature.p[9] ^= 1;
		assert_int_equal(material_rsa_run(&m, NULL, &e), ERR_INVALID);
	}
}

static void test_at_rest(UNUSED void **state)
{
	struct err e = {0};
	AUTO(json) doc = json_object();
	AUTO(buf) plain = {0};
	assert_int_equal(at_rest_seal(&pocket, doc, S("secrets/a/1"), S("hunter2"), &e), 0);
	assert_true(json_str(doc, "sealed").n > 40);
	assert_int_equal(at_rest_open(&pocket, doc, S("secrets/a/1"), &plain, &e), 0);
	assert_true(str_eq(buf_str(&plain), S("hunter2")));
	assert_int_equal(at_rest_open(&pocket, doc, S("secrets/b/1"), &plain, &e), ERR_INVALID);
	docs_close(pocket.docs); // and with the key read again from the disk
	assert_int_equal(docs_open(pocket.root, &pocket.docs, &e), 0);
	buf_clear(&plain);
	assert_int_equal(at_rest_open(&pocket, doc, S("secrets/a/1"), &plain, &e), 0);
	assert_true(str_eq(buf_str(&plain), S("hunter2")));
	json_object_set_new(doc, "sealed", json_string("!"));
	assert_int_equal(at_rest_open(&pocket, doc, S("secrets/a/1"), &plain, &e), ERR_CORRUPT);
}

static int begin(UNUSED void **state)
{
	static char folder[] = "/tmp/isobar-test-material-XXXXXX";
	pocket = (struct pocket){.edges = edges_real(), .root = mkdtemp(folder)};
	return pocket.root ? docs_open(pocket.root, &pocket.docs, NULL) : -1;
}

static int end(UNUSED void **state)
{
	docs_close(pocket.docs);
	return file_remove_tree(pocket.root, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_box), cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_signatures), cmocka_unit_test(test_at_rest)};
	return cmocka_run_group_tests(tests, begin, end);
}
