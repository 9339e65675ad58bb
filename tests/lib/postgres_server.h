// SPDX-License-Identifier: Apache-2.0
// The PostgreSQL server of a test program (tests/lib/postgres): started at the first call, or the one that all tests of
// a run share. Include after cmocka.h.
#ifndef ISOBAR_TESTS_POSTGRES_SERVER_H
#define ISOBAR_TESTS_POSTGRES_SERVER_H

struct postgres_server {
	char folder[64];
	char url[512];     // over its socket, as a superuser; takes "&schema=NAME" behind it
	char address[64];  // 127.0.0.1:PORT, with TLS, role tls, password "correct horse"
	char ca_file[256]; // of its certificate
};

int postgres_server_start(struct postgres_server *server); // 0; 77: PostgreSQL is not installed; else it failed
void postgres_server_stop(struct postgres_server *server);

#endif
