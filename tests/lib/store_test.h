// SPDX-License-Identifier: Apache-2.0
// What tests of a provider's driver share: a scripted server, a real transport that may reach it and nothing else, and
// checks of what was asked. One thread.
#ifndef ISOBAR_TESTS_STORE_TEST_H
#define ISOBAR_TESTS_STORE_TEST_H

#include "cloud/http/transport.h"
#include "cloud/sign/sign_request.h"
#include "cloud_test.h"
#include "script_server.h"

struct store_test {
	struct cloud_test t;
	struct call *c; // t's
	struct script_server *server;
	struct str url;
	struct http_transport transport; // to be taken over by the store
	void *store;                     // the test's own
};
void store_test_start(struct store_test *x, const struct script_step *steps, size_t count);
void store_test_stop(struct store_test *x, size_t served); // fails when another number of requests came

void store_test_request(struct store_test *x, size_t i, const char *method, const char *target);
void store_test_header(struct store_test *x, size_t i, const char *name, const char *value); // "": absent
struct str store_test_body(struct store_test *x, size_t i);
// Request i as signatures see it; headers has room for SIGN_MAX_HEADERS.
struct sign_request store_test_signed(struct store_test *x, size_t i, struct sign_header *headers);

#endif
