// SPDX-License-Identifier: Apache-2.0
// A proxy and a server behind it: see proxy_lab.h.
#include "proxy_lab.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"

struct proxy_lab {
	char folder[64], ca[96], url[96];
	int refuse;
	int proxy, server; // listening
	struct sockaddr_in server_at;
	SSL_CTX *tls;
	pthread_t threads[2];
	atomic_bool ending;
	atomic_int count;
	pthread_mutex_t lock;
	char asked[1024];
};

// ---------------------------------------------------------------- certificates
static void extend(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static X509 *certify(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *x = X509_new();
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), issuer ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	extend(x, issuer ? NID_subject_alt_name : NID_basic_constraints,
		issuer ? "DNS:target.example" : "critical,CA:TRUE");
	X509_sign(x, issuer_key, EVP_sha256());
	return x;
}

static bool make_tls(struct proxy_lab *lab)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = certify(ca_key, "private CA", NULL, ca_key), *leaf = certify(key, "target", ca, ca_key);
	FILE *f = fopen(lab->ca, "w");
	bool fine = f && PEM_write_X509(f, ca) == 1;
	if (f)
		fclose(f);
	lab->tls = SSL_CTX_new(TLS_server_method());
	fine = fine && SSL_CTX_use_certificate(lab->tls, leaf) == 1 && SSL_CTX_use_PrivateKey(lab->tls, key) == 1;
	X509_free(ca);
	X509_free(leaf);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return fine;
}

// ---------------------------------------------------------------- sockets
static int listen_on(struct sockaddr_in *at)
{
	socklen_t size = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)at, sizeof(*at)) || listen(fd, 16) ||
		getsockname(fd, (struct sockaddr *)at, &size))
		return -1;
	return fd;
}

// -1 when the lab ends.
static int take(struct proxy_lab *lab, int listening)
{
	while (!atomic_load(&lab->ending)) {
		struct pollfd p = {.fd = listening, .events = POLLIN};
		if (poll(&p, 1, 10) > 0)
			return accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	}
	return -1;
}

static void *serve(void *ctx)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
	struct proxy_lab *lab = ctx;
	int fd;
	while ((fd = take(lab, lab->server)) >= 0) {
		char request[4096];
		SSL *ssl = SSL_new(lab->tls);
		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
			SSL_write(ssl, answer, sizeof(answer) - 1);
			SSL_shutdown(ssl);
		}
		SSL_free(ssl);
		close(fd);
	}
	return NULL;
}

static void relay(struct proxy_lab *lab, int client)
{
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool open = connect(server, (struct sockaddr *)&lab->server_at, sizeof(lab->server_at)) == 0;
	while (open && !atomic_load(&lab->ending)) {
		struct pollfd p[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
		if (poll(p, 2, 10) <= 0)
			continue;
		for (int i = 0; i < 2 && open; i++) {
			char bytes[16384];
			ssize_t n = p[i].revents ? read(p[i].fd, bytes, sizeof(bytes)) : 1;
			if (p[i].revents && n > 0)
				n = write(p[1 - i].fd, bytes, (size_t)n);
			open = n > 0;
		}
	}
	close(server);
}

static bool read_head(int fd, char *head, size_t size)
{
	size_t n = 0;
	while (n + 1 < size) {
		ssize_t got = read(fd, head + n, 1);
		if (got <= 0)
			return false;
		head[++n] = '\0';
		if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

static void *tunnel(void *ctx)
{
	struct proxy_lab *lab = ctx;
	int fd;
	while ((fd = take(lab, lab->proxy)) >= 0) {
		char head[1024] = "", answer[128];
		if (read_head(fd, head, sizeof(head))) {
			pthread_mutex_lock(&lab->lock);
			memcpy(lab->asked, head, sizeof(head));
			pthread_mutex_unlock(&lab->lock);
			atomic_fetch_add(&lab->count, 1);
			int n = snprintf(answer, sizeof(answer), "HTTP/1.1 %d %s\r\nx-proxy: lab\r\n\r\n",
				lab->refuse ? lab->refuse : 200, lab->refuse ? "No" : "Connection established");
			if (write(fd, answer, (size_t)n) == n && !lab->refuse)
				relay(lab, fd);
		}
		close(fd);
	}
	return NULL;
}

// ---------------------------------------------------------------- the lab
struct proxy_lab *proxy_lab_start(int refuse)
{
	struct sockaddr_in at;
	struct proxy_lab *lab = calloc(1, sizeof(*lab));
	if (!lab)
		return NULL;
	snprintf(lab->folder, sizeof(lab->folder), "/tmp/isobar-proxy-XXXXXX");
	lab->refuse = refuse;
	pthread_mutex_init(&lab->lock, NULL);
	if (!mkdtemp(lab->folder))
		return NULL;
	snprintf(lab->ca, sizeof(lab->ca), "%s/ca.pem", lab->folder);
	lab->proxy = listen_on(&at);
	lab->server = listen_on(&lab->server_at);
	snprintf(lab->url, sizeof(lab->url), "http://user:pa%%20ss@127.0.0.1:%d", ntohs(at.sin_port));
	if (lab->proxy < 0 || lab->server < 0 || !make_tls(lab) || pthread_create(&lab->threads[0], NULL, serve, lab) ||
		pthread_create(&lab->threads[1], NULL, tunnel, lab))
		return NULL;
	return lab;
}

const char *proxy_lab_url(const struct proxy_lab *lab)
{
	return lab->url;
}

const char *proxy_lab_ca(const struct proxy_lab *lab)
{
	return lab->ca;
}

struct str proxy_lab_asked(struct proxy_lab *lab)
{
	pthread_mutex_lock(&lab->lock);
	struct str asked = str_of(lab->asked);
	pthread_mutex_unlock(&lab->lock);
	return asked;
}

int proxy_lab_count(struct proxy_lab *lab)
{
	return atomic_load(&lab->count);
}

void proxy_lab_stop(struct proxy_lab *lab)
{
	atomic_store(&lab->ending, true);
	pthread_join(lab->threads[0], NULL);
	pthread_join(lab->threads[1], NULL);
	close(lab->proxy);
	close(lab->server);
	SSL_CTX_free(lab->tls);
	pthread_mutex_destroy(&lab->lock);
	if (file_remove_tree(lab->folder, NULL))
		abort();
	free(lab);
}
