// SPDX-License-Identifier: Apache-2.0
// TLS contexts: see tls.h.
#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_impl.h"

int tls_error(struct err *e, int code, const char *what)
{
	unsigned long reason = ERR_peek_last_error();
	char text[160] = "no reason given";
	if (reason)
		ERR_error_string_n(reason, text, sizeof(text));
	ERR_clear_error();
	return err_set(e, code, "%s: %s", what, text);
}

static int use_ca_pem(SSL_CTX *context, struct str pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)MIN(pem.n, (size_t)1 << 20));
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	X509 *certificate;
	int count = 0;
	while (bio && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(store, certificate);
		X509_free(certificate);
	}
	BIO_free(bio);
	if (count == 0)
		return tls_error(e, ERR_INVALID, "read the CA certificate");
	ERR_clear_error(); // the end of the text is not an error
	return 0;
}

static int use_ca(SSL_CTX *context, const struct tls_config *config, struct err *e)
{
	if (config->ca_file) {
		if (SSL_CTX_load_verify_locations(context, config->ca_file, NULL) != 1) {
			tls_error(e, ERR_INVALID, "read the CA certificate");
			return err_context(e, "%s", config->ca_file);
		}
	} else if (config->ca_pem.n) {
		int code = use_ca_pem(context, config->ca_pem, e);
		if (code)
			return code;
	} else if (config->server) {
		return 0;
	} else if (SSL_CTX_set_default_verify_paths(context) != 1) {
		return tls_error(e, ERR_UNAVAILABLE, "read the system's CA certificates");
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return 0;
}

static int use_certificate(SSL_CTX *context, const struct tls_config *config, struct err *e)
{
	if (!config->certificate_file || !config->key_file) {
		if (config->server || config->certificate_file || config->key_file)
			return err_set(e, ERR_INVALID, "TLS needs both a certificate and its key");
		return 0;
	}
	if (SSL_CTX_use_certificate_chain_file(context, config->certificate_file) != 1) {
		tls_error(e, ERR_INVALID, "read the certificate");
		return err_context(e, "%s", config->certificate_file);
	}
	if (SSL_CTX_use_PrivateKey_file(context, config->key_file, SSL_FILETYPE_PEM) != 1) {
		tls_error(e, ERR_INVALID, "read the private key");
		return err_context(e, "%s", config->key_file);
	}
	if (SSL_CTX_check_private_key(context) != 1) {
		tls_error(e, ERR_INVALID, "the private key does not belong to the certificate");
		return err_context(e, "%s", config->key_file);
	}
	return 0;
}

static int choose_http1(
	SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *in, unsigned in_size, void *ctx)
{
	static const unsigned char offered[] = "\x08http/1.1";
	unsigned char *chosen;
	(void)ssl;
	(void)ctx;
	int found = SSL_select_next_proto(&chosen, size, offered, sizeof(offered) - 1, in, in_size);
	*out = chosen;
	return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int set_up(SSL_CTX *context, const struct tls_config *config, struct err *e)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	// Forward secrecy and authenticated encryption only; the suites of TLS 1.3 are all of that kind.
	if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
		return tls_error(e, ERR_INTERNAL, "choose ciphers");
	SSL_CTX_set_mode(context,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(context, 1);
	if (config->server) {
		static const unsigned char id[] = "isobar";
		SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1);
		SSL_CTX_set_alpn_select_cb(context, choose_http1, NULL);
	}
	int code = use_certificate(context, config, e);
	return code ? code : use_ca(context, config, e);
}

static int build(const struct tls_config *config, SSL_CTX **out, struct err *e)
{
	SSL_CTX *context = SSL_CTX_new(config->server ? TLS_server_method() : TLS_client_method());
	if (!context)
		return tls_error(e, ERR_NO_MEMORY, "set up TLS");
	int code = set_up(context, config, e);
	if (code) {
		SSL_CTX_free(context);
		return code;
	}
	*out = context;
	return 0;
}

int tls_new(const struct tls_config *config, struct tls **out, struct err *e)
{
	SSL_CTX *context;
	int code = build(config, &context, e);
	if (code)
		return code;
	struct tls *t = calloc(1, sizeof(*t));
	if (!t) {
		SSL_CTX_free(context);
		return err_set(e, ERR_NO_MEMORY, "out of memory for TLS");
	}
	t->context = context;
	*out = t;
	return 0;
}

int tls_reload(struct tls *t, const struct tls_config *config, struct err *e)
{
	SSL_CTX *context;
	int code = build(config, &context, e);
	if (code)
		return code;
	SSL_CTX_free(t->context);
	t->context = context;
	return 0;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->context);
	free(t);
}

// The certificate must name this host: as a DNS name (with the name sent along for servers of many), or as an IP
// address.
static bool expect_host(SSL *ssl, struct str host)
{
	char name[256];
	unsigned char address[16];
	if (!str_copy(name, sizeof(name), host))
		return false;
	if (inet_pton(AF_INET, name, address) == 1)
		return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), address, 4) == 1;
	if (inet_pton(AF_INET6, name, address) == 1)
		return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), address, 16) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

SSL *tls_connection(struct tls *t, int fd, bool server, struct str host, struct err *e)
{
	SSL *ssl = SSL_new(t->context);
	bool ok = ssl && SSL_set_fd(ssl, fd) == 1 && (server || expect_host(ssl, host));
	if (!ok) {
		tls_error(e, ERR_NO_MEMORY, "begin TLS");
		SSL_free(ssl);
		return NULL;
	}
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}
