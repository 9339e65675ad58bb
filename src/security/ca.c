// SPDX-License-Identifier: Apache-2.0
// The workspace's certificate authority on OpenSSL's EVP and X509: see ca.h.
// Certificates follow RFC 5280; clients check names in the subject alternative name only, so every leaf has one.
#include "security/ca.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"

struct ca {
	X509 *root;
	EVP_PKEY *key;
	struct str pem; // of the root, owned
	char *pem_text;
};

static const int64_t day_ns = 24 * 3600 * NS_PER_S;
enum { ROOT_DAYS = 3650, LEAF_DAYS = 90, RENEW_DAYS = 30, BACKDATE_S = 300, CERTIFICATE_MAX = 64 << 10 };

static int crypto_failed(struct call *c, const char *what)
{
	char why[160] = "no reason given";
	unsigned long code = ERR_get_error();
	if (code)
		ERR_error_string_n(code, why, sizeof(why));
	ERR_clear_error();
	return call_fail(c, ERR_INTERNAL, "%s: %s", what, why);
}

// ---------------------------------------------------------------- building certificates

static bool add_extension(X509 *certificate, X509 *issuer, int which, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, which, value);
	bool good = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return good;
}

// 128 random bits, positive: unguessable and unique (CA/Browser Forum asks for 64).
static bool set_serial(X509 *certificate, const struct edges *edges)
{
	unsigned char bytes[16];
	if (edges->random(edges->ctx, bytes, sizeof(bytes)) < 0)
		return false;
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return good;
}

static bool set_name(X509 *certificate, struct str name)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *)"Isobar", -1, -1, 0) ==
		       1 &&
	       X509_NAME_add_entry_by_txt(
		       subject, "CN", MBSTRING_UTF8, (const unsigned char *)name.p, (int)name.n, -1, 0) == 1;
}

struct validity {
	time_t from, until;
};

static bool set_validity(X509 *certificate, struct validity v)
{
	return ASN1_TIME_set(X509_getm_notBefore(certificate), v.from) &&
	       ASN1_TIME_set(X509_getm_notAfter(certificate), v.until);
}

static X509 *new_certificate(struct call *c, EVP_PKEY *key, struct str name, struct validity v)
{
	X509 *certificate = X509_new();
	if (certificate && X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate, c->edges) &&
		set_name(certificate, name) && set_validity(certificate, v) && X509_set_pubkey(certificate, key) == 1)
		return certificate;
	X509_free(certificate);
	return NULL;
}

static EVP_PKEY *new_key(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static X509 *make_root(struct call *c, EVP_PKEY *key)
{
	time_t now = (time_t)(call_now_ns(c) / NS_PER_S);
	struct validity v = {.from = now - BACKDATE_S, .until = now + (time_t)ROOT_DAYS * 86400};
	struct str name =
		arena_printf(c->arena, "Isobar CA of %.*s", STR(c->workspace.n ? c->workspace : S("a workspace")));
	X509 *root = new_certificate(c, key, str_take(name, 64), v); // ub-common-name is 64
	bool good = root && X509_set_issuer_name(root, X509_get_subject_name(root)) == 1 &&
		    add_extension(root, root, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
		    add_extension(root, root, NID_key_usage, "critical,keyCertSign,cRLSign") &&
		    add_extension(root, root, NID_subject_key_identifier, "hash") &&
		    X509_sign(root, key, EVP_sha256()) > 0;
	if (good)
		return root;
	X509_free(root);
	return NULL;
}

// ---------------------------------------------------------------- PEM

static int take_bio(struct call *c, BIO *bio, struct str *out)
{
	char *text;
	long n = BIO_get_mem_data(bio, &text);
	*out = arena_str(c->arena, str_bytes(text, (size_t)n));
	return out->p ? 0 : call_no_memory(c);
}

static int certificate_pem(struct call *c, X509 *certificate, struct str *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = bio && PEM_write_bio_X509(bio, certificate) == 1 ? take_bio(c, bio, out)
								  : crypto_failed(c, "write a certificate");
	BIO_free(bio);
	return rc;
}

static int key_pem(struct call *c, EVP_PKEY *key, struct secret *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text;
	int rc;
	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		rc = crypto_failed(c, "write a private key");
	} else {
		long n = BIO_get_mem_data(bio, &text);
		rc = secret_set(out, str_bytes(text, (size_t)n), &c->err);
	}
	BIO_free(bio);
	return rc;
}

static X509 *read_certificate(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	return certificate;
}

static EVP_PKEY *read_key(const struct secret *pem)
{
	struct str text = secret_str(pem);
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

// The key first: a certificate is only ever there together with its key.
static int write_pair(struct call *c, X509 *certificate, EVP_PKEY *key, const struct ca_files *files)
{
	AUTO(secret) key_text = {0};
	struct str text;
	int rc = certificate_pem(c, certificate, &text);
	if (rc == 0)
		rc = key_pem(c, key, &key_text);
	if (rc == 0)
		rc = secret_write_file(&key_text, files->key, &c->err);
	if (rc == 0)
		rc = file_write_atomic(files->certificate, text, 0644, &c->err);
	return rc;
}

// ---------------------------------------------------------------- opening

static int make_files(struct call *c, const struct ca_files *files)
{
	EVP_PKEY *key = new_key();
	X509 *root = key ? make_root(c, key) : NULL;
	int rc =
		root ? write_pair(c, root, key, files) : crypto_failed(c, "make the workspace's certificate authority");
	X509_free(root);
	EVP_PKEY_free(key);
	return rc;
}

static int read_files(struct call *c, const struct ca_files *files, struct ca *ca)
{
	AUTO(buf) text = {0};
	AUTO(secret) key = {0};
	int rc = file_read(files->certificate, CERTIFICATE_MAX, &text, &c->err);
	if (rc == 0)
		rc = secret_read_file(&key, files->key, &c->err);
	if (rc < 0)
		return rc;
	ca->root = read_certificate(buf_str(&text));
	ca->key = read_key(&key);
	if (!ca->root || !ca->key || X509_check_private_key(ca->root, ca->key) != 1) {
		ERR_clear_error();
		return call_fail(c, ERR_CORRUPT,
			"%s and %s are not a certificate and its key: restore them, or remove both to make a new "
			"authority",
			files->certificate, files->key);
	}
	ca->pem_text = strndup(text.p, text.n);
	ca->pem = (struct str){.p = ca->pem_text, .n = text.n};
	return ca->pem_text ? 0 : call_no_memory(c);
}

static time_t end_of(const X509 *certificate)
{
	struct tm tm = {0};
	return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1 ? timegm(&tm) : 0;
}

static int check_files(struct call *c, const struct ca_files *files)
{
	bool certificate = file_exists(files->certificate), key = file_exists(files->key);
	if (certificate && !key)
		return call_fail(c, ERR_CORRUPT,
			"%s exists, but its key %s does not: restore it, or remove the certificate to make a new "
			"authority",
			files->certificate, files->key);
	// A key alone is what a crash between the two writes leaves: it signed nothing yet.
	return certificate ? 0 : make_files(c, files);
}

int ca_open(struct call *c, const char *certificate_path, const char *key_path, struct ca **out)
{
	const struct ca_files files = {.certificate = certificate_path, .key = key_path};
	int rc = check_files(c, &files);
	if (rc < 0)
		return rc;
	struct ca *ca = calloc(1, sizeof(*ca));
	if (!ca)
		return call_no_memory(c);
	rc = read_files(c, &files, ca);
	time_t now = (time_t)(call_now_ns(c) / NS_PER_S);
	if (rc == 0 && end_of(ca->root) < now + (time_t)RENEW_DAYS * 86400)
		rc = call_fail(c, ERR_FAILED,
			"the certificate authority %s ends within %d days: remove %s and %s to make a new one, and "
			"give its "
			"certificate to the clients",
			certificate_path, RENEW_DAYS, certificate_path, key_path);
	if (rc < 0) {
		ca_close(ca);
		return rc;
	}
	*out = ca;
	return 0;
}

void ca_close(struct ca *ca)
{
	if (!ca)
		return;
	X509_free(ca->root);
	EVP_PKEY_free(ca->key);
	free(ca->pem_text);
	free(ca);
}

// ---------------------------------------------------------------- leaves

static bool is_ip(struct str host)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	return str_copy(text, sizeof(text), host) &&
	       (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1);
}

// Names go into OpenSSL's comma-separated extension text: only characters of host names may pass.
static bool is_host(struct str host)
{
	for (size_t i = 0; i < host.n; i++) {
		char ch = host.p[i];
		bool good = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
			    ch == '-' || ch == '.' || (ch == '*' && i == 0 && host.n > 2 && host.p[1] == '.');
		if (!good)
			return false;
	}
	return host.n > 0 && host.n <= 253;
}

static int names_text(struct call *c, const struct ca_request *r, struct buf *out)
{
	buf_add(out, S("DNS:localhost,IP:127.0.0.1,IP:::1"));
	for (size_t i = 0; i < r->host_count; i++) {
		struct str host = r->hosts[i];
		if (!is_ip(host) && !is_host(host))
			return call_fail(
				c, ERR_INVALID, "\"%.*s\" is neither a host name nor an IP address", STR(host));
		buf_printf(out, ",%s:%.*s", is_ip(host) ? "IP" : "DNS", STR(host));
	}
	(void)buf_cstr(out);
	return buf_check(out, &c->err);
}

static X509 *make_leaf(struct call *c, struct ca *ca, EVP_PKEY *key, const struct ca_request *r)
{
	AUTO(buf) names = {0};
	if (names_text(c, r, &names) < 0)
		return NULL;
	time_t now = (time_t)(call_now_ns(c) / NS_PER_S);
	int64_t valid_ns = r->valid_ns ? r->valid_ns : LEAF_DAYS * day_ns;
	struct validity v = {
		.from = now - BACKDATE_S, .until = MIN(now + (time_t)(valid_ns / NS_PER_S), end_of(ca->root))};
	X509 *leaf = new_certificate(c, key, str_take(r->name, 64), v);
	bool good = leaf && X509_set_issuer_name(leaf, X509_get_subject_name(ca->root)) == 1 &&
		    add_extension(leaf, ca->root, NID_basic_constraints, "critical,CA:FALSE") &&
		    add_extension(leaf, ca->root, NID_key_usage, "critical,digitalSignature") &&
		    add_extension(leaf, ca->root, NID_ext_key_usage, "serverAuth") &&
		    add_extension(leaf, ca->root, NID_subject_alt_name, names.p) &&
		    add_extension(leaf, ca->root, NID_subject_key_identifier, "hash") &&
		    add_extension(leaf, ca->root, NID_authority_key_identifier, "keyid:always") &&
		    X509_sign(leaf, ca->key, EVP_sha256()) > 0;
	if (good)
		return leaf;
	X509_free(leaf);
	if (c->err.code == 0)
		(void)crypto_failed(c, "issue a certificate");
	return NULL;
}

int ca_issue(struct call *c, struct ca *ca, const struct ca_request *r, struct str *certificate, struct secret *key)
{
	err_clear(&c->err);
	EVP_PKEY *fresh = new_key();
	if (!fresh)
		return crypto_failed(c, "make a key");
	X509 *leaf = make_leaf(c, ca, fresh, r);
	struct str text = {0};
	int rc = leaf ? certificate_pem(c, leaf, &text) : c->err.code;
	if (rc == 0)
		rc = key_pem(c, fresh, key);
	X509_free(leaf);
	EVP_PKEY_free(fresh);
	if (rc < 0)
		return call_context(c, "issue a certificate for %.*s", STR(r->name));
	*certificate = arena_printf(c->arena, "%.*s%.*s", STR(text), STR(ca->pem));
	return certificate->p ? 0 : call_no_memory(c);
}

static bool covers(X509 *leaf, struct str host)
{
	char text[256];
	if (!str_copy(text, sizeof(text), host))
		return false;
	if (is_ip(host))
		return X509_check_ip_asc(leaf, text, 0) == 1;
	return host.p[0] == '*' ? false : X509_check_host(leaf, text, host.n, 0, NULL) == 1;
}

static bool still_good(struct call *c, struct ca *ca, const struct ca_request *r, X509 *leaf)
{
	time_t now = (time_t)(call_now_ns(c) / NS_PER_S);
	EVP_PKEY *issuer = X509_get0_pubkey(ca->root);
	if (X509_verify(leaf, issuer) != 1 || end_of(leaf) < now + (time_t)RENEW_DAYS * 86400) {
		ERR_clear_error();
		return false;
	}
	for (size_t i = 0; i < r->host_count; i++)
		if (!covers(leaf, r->hosts[i]))
			return false;
	return true;
}

static bool keep_files(struct call *c, struct ca *ca, const struct ca_request *r, const struct ca_files *files)
{
	AUTO(buf) text = {0};
	AUTO(secret) key = {0};
	struct err ignored = {0};
	if (file_read(files->certificate, CERTIFICATE_MAX, &text, &ignored) < 0 ||
		secret_read_file(&key, files->key, &ignored) < 0)
		return false;
	X509 *leaf = read_certificate(buf_str(&text));
	EVP_PKEY *own = read_key(&key);
	bool keep = leaf && own && X509_check_private_key(leaf, own) == 1 && still_good(c, ca, r, leaf);
	ERR_clear_error();
	X509_free(leaf);
	EVP_PKEY_free(own);
	return keep;
}

int ca_issue_files(struct call *c, struct ca *ca, const struct ca_request *r, const struct ca_files *files)
{
	AUTO(secret) key = {0};
	struct str certificate;
	if (keep_files(c, ca, r, files))
		return 0;
	int rc = ca_issue(c, ca, r, &certificate, &key);
	if (rc == 0)
		rc = secret_write_file(&key, files->key, &c->err);
	if (rc == 0)
		rc = file_write_atomic(files->certificate, certificate, 0644, &c->err);
	return rc;
}
