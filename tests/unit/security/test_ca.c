// SPDX-License-Identifier: Apache-2.0
// The workspace's certificate authority, judged by OpenSSL's own chain verification.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "security/ca.h"

struct bench {
	char folder[64], certificate[96], key[96], leaf[96], leaf_key[96];
	struct arena arena;
	struct call call;
	struct edges_fake fake;
	struct ca *ca;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	snprintf(b->folder, sizeof(b->folder), "/tmp/isobar-ca-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->certificate, sizeof(b->certificate), "%s/ca.pem", b->folder);
	snprintf(b->key, sizeof(b->key), "%s/ca.key", b->folder);
	snprintf(b->leaf, sizeof(b->leaf), "%s/cert.pem", b->folder);
	snprintf(b->leaf_key, sizeof(b->leaf_key), "%s/key.pem", b->folder);
	edges_fake_init(&b->fake, edges_real()->wall_ns(NULL), 5);
	call_init(&b->call, &b->arena, &b->fake.edges, S("user/test"));
	b->call.workspace = S("fashion");
	assert_int_equal(ca_open(&b->call, b->certificate, b->key, &b->ca), 0);
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	struct err e = {0};
	ca_close(b->ca);
	arena_free(&b->arena);
	assert_int_equal(file_remove_tree(b->folder, &e), 0);
	free(b);
	return 0;
}

static X509 *parse(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(certificate);
	return certificate;
}

static X509 *parse_file(struct bench *b, const char *path)
{
	AUTO(buf) text = {0};
	assert_int_equal(file_read(path, 1 << 20, &text, &b->call.err), 0);
	return parse(buf_str(&text));
}

static int verify(X509 *leaf, X509 *root, const char *host, int64_t at_s)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE_add_cert(store, root);
	X509_STORE_CTX_init(ctx, store, leaf, NULL);
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_time(p, at_s);
	X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_X509_STRICT);
	if (X509_VERIFY_PARAM_set1_ip_asc(p, host) != 1)
		X509_VERIFY_PARAM_set1_host(p, host, 0);
	int good = X509_verify_cert(ctx);
	int code = good == 1 ? 0 : X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return code;
}

static void test_a_leaf_is_accepted_by_clients(void **out)
{
	struct bench *b = *out;
	static const struct str hosts[] = {S_INIT("ai.lumen.example"), S_INIT("10.1.2.3")};
	const struct ca_request r = {.name = S_INIT("gateway edge"), .hosts = hosts, .host_count = 2};
	struct str pem;
	AUTO(secret) key = {0};
	assert_int_equal(ca_issue(&b->call, b->ca, &r, &pem, &key), 0);
	X509 *root = parse_file(b, b->certificate), *leaf = parse(pem);
	int64_t now = b->fake.now_ns / NS_PER_S;
	static const char *const good[] = {"localhost", "127.0.0.1", "::1", "ai.lumen.example", "10.1.2.3"};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_int_equal(verify(leaf, root, good[i], now), 0);
	assert_int_equal(verify(leaf, root, "other.example", now), X509_V_ERR_HOSTNAME_MISMATCH);
	assert_int_equal(verify(leaf, root, "127.0.0.2", now), X509_V_ERR_IP_ADDRESS_MISMATCH);
	assert_int_equal(verify(leaf, root, "localhost", now + 91 * 86400), X509_V_ERR_CERT_HAS_EXPIRED);
	assert_int_equal(verify(leaf, root, "localhost", now - 3600), X509_V_ERR_CERT_NOT_YET_VALID);
	assert_int_equal(X509_check_ca(leaf), 0);
	assert_true(X509_check_ca(root) == 1);
	assert_int_equal(verify(leaf, leaf, "localhost", now), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	assert_memory_equal(key.p, "-----BEGIN PRIVATE KEY-----", 27);
	X509_free(root);
	X509_free(leaf);
}

static void test_the_authority_is_made_once(void **out)
{
	struct bench *b = *out;
	AUTO(ca) again = NULL;
	struct stat st;
	X509 *before = parse_file(b, b->certificate);
	assert_int_equal(ca_open(&b->call, b->certificate, b->key, &again), 0);
	X509 *after = parse_file(b, b->certificate);
	assert_int_equal(X509_cmp(before, after), 0);
	assert_int_equal(stat(b->key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	X509_free(before);
	X509_free(after);
}

static void test_a_broken_pair_is_told(void **out)
{
	struct bench *b = *out;
	struct ca *other = NULL;
	assert_int_equal(chmod(b->key, 0644), 0);
	assert_int_equal(ca_open(&b->call, b->certificate, b->key, &other), ERR_DENIED);
	assert_int_equal(unlink(b->key), 0);
	assert_int_equal(ca_open(&b->call, b->certificate, b->key, &other), ERR_CORRUPT);
	assert_int_equal(file_write_atomic(b->key, S("no key"), 0600, &b->call.err), 0);
	assert_int_equal(ca_open(&b->call, b->certificate, b->key, &other), ERR_CORRUPT);
	assert_non_null(strstr(b->call.err.message, b->certificate));
	char second[128], second_key[128];
	snprintf(second, sizeof(second), "%s/2.pem", b->folder);
	snprintf(second_key, sizeof(second_key), "%s/2.key", b->folder);
	assert_int_equal(ca_open(&b->call, second, second_key, &other), 0);
	ca_close(other);
	other = NULL;
	assert_int_equal(ca_open(&b->call, b->certificate, second_key, &other), ERR_CORRUPT); // not its key
	assert_null(other);
}

static void test_an_old_authority_is_told(void **out)
{
	struct bench *b = *out;
	struct ca *again = NULL;
	b->fake.now_ns += INT64_C(3630) * 86400 * NS_PER_S;
	assert_int_equal(ca_open(&b->call, b->certificate, b->key, &again), ERR_FAILED);
	assert_non_null(strstr(b->call.err.message, "make a new one"));
}

static void test_bad_names_are_refused(void **out)
{
	struct bench *b = *out;
	static const char *const bad[] = {
		"", "a b", "x,DNS:evil.example", "ho\nst", "a/b", "*", "a*.example", "caf\xc3\xa9"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const struct str hosts[] = {str_of(bad[i])};
		const struct ca_request r = {.name = S_INIT("x"), .hosts = hosts, .host_count = 1};
		struct str pem = {0};
		AUTO(secret) key = {0};
		assert_int_equal(ca_issue(&b->call, b->ca, &r, &pem, &key), ERR_INVALID);
		assert_null(pem.p);
		assert_null(key.p);
	}
}

static void test_files_are_kept_while_good(void **out)
{
	struct bench *b = *out;
	const struct ca_files files = {.certificate = b->leaf, .key = b->leaf_key};
	const struct str hosts[] = {S_INIT("ai.example")};
	struct ca_request r = {.name = S_INIT("gateway edge")};
	assert_int_equal(ca_issue_files(&b->call, b->ca, &r, &files), 0);
	X509 *first = parse_file(b, b->leaf);
	assert_int_equal(ca_issue_files(&b->call, b->ca, &r, &files), 0);
	X509 *second = parse_file(b, b->leaf);
	assert_int_equal(X509_cmp(first, second), 0);
	r.hosts = hosts;
	r.host_count = 1;
	assert_int_equal(ca_issue_files(&b->call, b->ca, &r, &files), 0); // another name
	X509 *third = parse_file(b, b->leaf);
	assert_true(X509_cmp(second, third) != 0);
	b->fake.now_ns += INT64_C(70) * 86400 * NS_PER_S;
	assert_int_equal(ca_issue_files(&b->call, b->ca, &r, &files), 0); // 20 days left
	X509 *fourth = parse_file(b, b->leaf);
	assert_true(X509_cmp(third, fourth) != 0);
	struct stat st;
	assert_int_equal(stat(b->leaf_key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	X509_free(first);
	X509_free(second);
	X509_free(third);
	X509_free(fourth);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_leaf_is_accepted_by_clients),
		TEST(test_the_authority_is_made_once),
		TEST(test_a_broken_pair_is_told),
		TEST(test_an_old_authority_is_told),
		TEST(test_bad_names_are_refused),
		TEST(test_files_are_kept_while_good),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
