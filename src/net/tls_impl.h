// SPDX-License-Identifier: Apache-2.0
// OpenSSL behind net/tls.h.
#ifndef ISOBAR_NET_TLS_IMPL_H
#define ISOBAR_NET_TLS_IMPL_H

#include <openssl/ssl.h>

#include "net/tls.h"

struct tls {
	SSL_CTX *context; // current snapshot; connections hold references of their own
};

// A connection on fd; NULL with the reason in e. host: what a client expects the certificate to name.
SSL *tls_connection(struct tls *t, int fd, bool server, struct str host, struct err *e);
int tls_error(struct err *e, int code, const char *what); // with OpenSSL's first reason; clears its queue

#endif
