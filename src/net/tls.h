// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 and later on OpenSSL. A context is a snapshot of certificates: tls_reload() swaps it whole or not at all;
// live connections keep the one they began with. A context belongs to one thread. Errors name the file and OpenSSL's
// reason.
#ifndef ISOBAR_NET_TLS_H
#define ISOBAR_NET_TLS_H

#include "base/err.h"
#include "base/str.h"

struct tls;
struct tls_config {
	bool server;
	const char *certificate_file; // PEM, leaf first, then its chain; required for servers
	const char *key_file;         // PEM
	// Server: clients must show a certificate of this CA. Client: servers are checked against it (NULL: the
	// system's store).
	const char *ca_file;
	// Client: the same, as PEM text; used when ca_file is NULL.
	struct str ca_pem;
};

MUST_CHECK int tls_new(const struct tls_config *config, struct tls **out, struct err *e);
MUST_CHECK int tls_reload(
	struct tls *t, const struct tls_config *config, struct err *e); // on failure the old one stays
#define AUTO_TYPE_tls struct tls *
void tls_free(struct tls *t); // connections outlive it
static inline void tls_autofree(struct tls **t)
{
	tls_free(*t);
}

#endif
