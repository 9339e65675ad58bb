// SPDX-License-Identifier: Apache-2.0
// TLS over loopback with certificates made here: verification by CA and host name, client certificates, a certificate
// swapped under a live connection.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/time.h"
#include "net/http_client.h"
#include "net/http_server.h"

struct pair {
	EVP_PKEY *key;
	X509 *certificate;
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

// issuer NULL: self-signed, a CA.
static struct pair make_pair(const char *name, const char *alternative, const struct pair *issuer)
{
	static long serial = 1;
	struct pair p = {EVP_EC_gen("P-256"), X509_new()};
	X509_set_version(p.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(p.certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(p.certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(p.certificate), 3600);
	X509_set_pubkey(p.certificate, p.key);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(p.certificate), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(p.certificate, X509_get_subject_name(issuer ? issuer->certificate : p.certificate));
	if (alternative)
		add_extension(p.certificate, NID_subject_alt_name, alternative);
	if (!issuer)
		add_extension(p.certificate, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(p.certificate, issuer ? issuer->key : p.key, EVP_sha256()) > 0);
	return p;
}

static void write_pair(const struct pair *p, const char *folder, const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
	FILE *f = fopen(path, "w");
	PEM_write_X509(f, p->certificate);
	fclose(f);
	snprintf(path, sizeof(path), "%s/%s.key", folder, name);
	f = fopen(path, "w");
	PEM_write_PrivateKey(f, p->key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

static void free_pair(struct pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->certificate);
}

static char folder[64];

static const char *path_of(const char *name)
{
	static char paths[16][160];
	static unsigned next;
	char *path = paths[next++ % 16];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/isobar-tls-XXXXXX");
	assert_non_null(mkdtemp(folder));
	struct pair ca = make_pair("test CA", NULL, NULL), other = make_pair("other CA", NULL, NULL);
	struct pair server = make_pair("server", "IP:127.0.0.1,DNS:localhost", &ca),
		    wrong = make_pair("wrong", "DNS:example.org", &ca);
	struct pair client = make_pair("shop-app", NULL, &ca);
	write_pair(&ca, folder, "ca");
	write_pair(&other, folder, "other");
	write_pair(&server, folder, "server");
	write_pair(&wrong, folder, "wrong");
	write_pair(&client, folder, "client");
	free_pair(&ca);
	free_pair(&other);
	free_pair(&server);
	free_pair(&wrong);
	free_pair(&client);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return file_remove_tree(folder, NULL);
}

// ---- one request over TLS

static char seen_subject[64];

static void echo(struct http_exchange *x, struct str body)
{
	http_reply_text(x, 200, "text/plain", arena_str(&x->arena, body));
}

static void begin(struct http_exchange *x)
{
	assert_true(x->secure);
	snprintf(seen_subject, sizeof(seen_subject), "%.*s", STR(x->client_subject));
	http_body_collect(x, 4 << 20, echo);
}

static const struct http_service service = {.begin = begin};

struct world {
	struct loop *loop;
	struct tls *server_tls, *client_tls;
	struct guard *guard;
	struct http_server *server;
	struct http_client *client;
	struct http_origin *origin;
	struct err err;
	bool over;
	size_t got;
};

static void on_head(void *ctx, const struct http_response *r)
{
	(void)ctx;
	assert_int_equal(r->status, 200);
}

static void on_body(void *ctx, struct str piece)
{
	((struct world *)ctx)->got += piece.n;
}

static void on_end(void *ctx, const struct err *e, bool began)
{
	struct world *w = ctx;
	(void)began;
	w->err = *e;
	w->over = true;
}

static const struct http_fetch_events events = {on_head, on_body, NULL, on_end};

static void start(struct world *w, const struct tls_config *server, const struct tls_config *client, const char *host)
{
	struct err e = {0};
	char url[64];
	*w = (struct world){0};
	assert_int_equal(loop_new(&w->loop, &e), 0);
	if (tls_new(server, &w->server_tls, &e) || tls_new(client, &w->client_tls, &e))
		fail_msg("%s", e.message);
	struct http_server_options o = {
		.loop = w->loop, .service = &service, .ctx = w, .listen = S("127.0.0.1:0"), .tls = w->server_tls};
	assert_int_equal(http_server_new(&o, &w->server, &e), 0);
	assert_true(str_starts(str_of(http_server_url(w->server)), S("https://127.0.0.1:")));
	assert_int_equal(guard_new_loopback(&w->guard, &e), 0);
	struct http_client_options c = {.loop = w->loop, .guard = w->guard, .tls = w->client_tls};
	assert_int_equal(http_client_new(&c, &w->client, &e), 0);
	snprintf(url, sizeof(url), "https://%s:%u", host, http_server_port(w->server));
	assert_int_equal(http_client_origin(w->client, str_of(url), &w->origin, &e), 0);
}

static void stop(struct world *w)
{
	http_client_free(w->client);
	http_server_free(w->server);
	tls_free(w->client_tls);
	tls_free(w->server_tls);
	guard_free(w->guard);
	loop_free(w->loop);
}

static int fetch(struct world *w, size_t size)
{
	static char body[2 << 20];
	struct err e = {0};
	struct http_fetch *f;
	struct http_fetch_request r = {
		.origin = w->origin, .method = S("POST"), .target = S("/"), .body = {body, size}};
	w->over = false;
	w->got = 0;
	assert_int_equal(http_fetch_start(&r, &events, w, &f, &e), 0);
	int64_t stop_ns = loop_now_ns(w->loop) + 2 * NS_PER_S;
	while (!w->over && loop_now_ns(w->loop) < stop_ns)
		assert_int_equal(loop_round(w->loop, 5 * NS_PER_MS, &e), 0);
	assert_true(w->over);
	return w->err.code;
}

static struct tls_config server_config(void)
{
	return (struct tls_config){
		.server = true, .certificate_file = path_of("server.pem"), .key_file = path_of("server.key")};
}

static void talks_and_verifies(void **state)
{
	(void)state;
	struct world w;
	struct tls_config server = server_config(), client = {.ca_file = path_of("ca.pem")};
	static const char *const hosts[] = {"127.0.0.1", "localhost"};
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		start(&w, &server, &client, hosts[i]);
		assert_int_equal(fetch(&w, 5), 0);
		assert_int_equal(w.got, 5);
		assert_int_equal(fetch(&w, 2 << 20), 0);
		assert_int_equal(w.got, 2 << 20);
		assert_int_equal(http_server_connections(w.server), 1);
		stop(&w);
	}
}

static void refuses_strangers(void **state)
{
	(void)state;
	struct world w;
	struct tls_config server = server_config(), wrong_ca = {.ca_file = path_of("other.pem")}, system = {0};
	start(&w, &server, &wrong_ca, "127.0.0.1");
	assert_int_equal(fetch(&w, 1), ERR_DENIED);
	assert_non_null(strstr(w.err.message, "certificate"));
	stop(&w);
	start(&w, &server, &system, "127.0.0.1");
	assert_int_equal(fetch(&w, 1), ERR_DENIED);
	stop(&w);
	struct tls_config client = {.ca_file = path_of("ca.pem")};
	struct tls_config wrong_name = {
		.server = true, .certificate_file = path_of("wrong.pem"), .key_file = path_of("wrong.key")};
	start(&w, &wrong_name, &client, "localhost");
	assert_int_equal(fetch(&w, 1), ERR_DENIED);
	stop(&w);
}

static void asks_clients_for_certificates(void **state)
{
	(void)state;
	struct world w;
	struct tls_config server = server_config(), without = {.ca_file = path_of("ca.pem")};
	struct tls_config with = {.ca_file = path_of("ca.pem"),
		.certificate_file = path_of("client.pem"),
		.key_file = path_of("client.key")};
	server.ca_file = path_of("ca.pem");
	start(&w, &server, &with, "127.0.0.1");
	assert_int_equal(fetch(&w, 1), 0);
	assert_string_equal(seen_subject, "shop-app");
	stop(&w);
	start(&w, &server, &without, "127.0.0.1");
	assert_int_not_equal(fetch(&w, 1), 0);
	stop(&w);
}

static void swaps_certificates_whole(void **state)
{
	(void)state;
	struct world w;
	struct err e = {0};
	struct tls_config server = server_config(), client = {.ca_file = path_of("ca.pem")};
	struct tls_config wrong = {
		.server = true, .certificate_file = path_of("wrong.pem"), .key_file = path_of("wrong.key")};
	struct tls_config mixed = {
		.server = true, .certificate_file = path_of("wrong.pem"), .key_file = path_of("server.key")};
	struct tls_config absent = {
		.server = true, .certificate_file = path_of("none.pem"), .key_file = path_of("server.key")};
	start(&w, &server, &client, "localhost");
	assert_int_equal(fetch(&w, 1), 0);
	assert_int_equal(tls_reload(w.server_tls, &mixed, &e), ERR_INVALID);
	assert_int_equal(tls_reload(w.server_tls, &absent, &e), ERR_INVALID);
	assert_non_null(strstr(e.message, "none.pem"));
	http_origin_flush(w.origin);
	assert_int_equal(fetch(&w, 1), 0); // nothing was half swapped
	assert_int_equal(tls_reload(w.server_tls, &wrong, &e), 0);
	assert_int_equal(fetch(&w, 1), 0); // the live connection goes on with its own
	http_origin_flush(w.origin);
	assert_int_equal(fetch(&w, 1), ERR_DENIED); // a new one meets the new certificate
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talks_and_verifies),
		cmocka_unit_test(refuses_strangers),
		cmocka_unit_test(asks_clients_for_certificates),
		cmocka_unit_test(swaps_certificates_whole),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
