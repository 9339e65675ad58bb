// SPDX-License-Identifier: Apache-2.0
// See store_test.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

void store_test_start(struct store_test *x, const struct script_step *steps, size_t count)
{
	struct str host;
	cloud_test_init(&x->t);
	x->c = &x->t.call;
	x->store = NULL;
	x->server = script_server_start(steps, count);
	assert_non_null(x->server);
	x->url = str_of(script_server_url(x->server));
	assert_int_equal(transport_host(x->url, &x->t.arena, &host, NULL), 0);
	struct transport_options options = {.hosts = &host, .host_count = 1, .ca_file = S("")};
	if (curl_transport_open(&options, &x->transport, &x->c->err))
		fail_msg("%s", x->c->err.message);
}

void store_test_stop(struct store_test *x, size_t served)
{
	size_t got = script_server_served(x->server);
	script_server_stop(x->server);
	cloud_test_free(&x->t);
	assert_int_equal(got, served);
}

void store_test_request(struct store_test *x, size_t i, const char *method, const char *target)
{
	const struct script_request *r = script_server_request(x->server, i);
	if (!str_eq(buf_str(&r->method), str_of(method)) || !str_eq(buf_str(&r->target), str_of(target)))
		fail_msg("request %zu: %.*s %.*s, expected %s %s", i, STR(buf_str(&r->method)),
			STR(buf_str(&r->target)), method, target);
}

void store_test_header(struct store_test *x, size_t i, const char *name, const char *value)
{
	struct str got = script_server_header(x->server, i, name);
	if (!str_eq(got, str_of(value)))
		fail_msg("request %zu: %s: %.*s, expected %s", i, name, STR(got), value);
}

struct str store_test_body(struct store_test *x, size_t i)
{
	return buf_str(&script_server_request(x->server, i)->body);
}

struct sign_request store_test_signed(struct store_test *x, size_t i, struct sign_header *headers)
{
	const struct script_request *r = script_server_request(x->server, i);
	struct sign_request request = {.method = buf_str(&r->method), .headers = headers};
	struct str rest = buf_str(&r->headers), line;
	str_cut(buf_str(&r->target), '?', &request.path, &request.query);
	while (str_next(&rest, '\n', &line) && request.header_count < SIGN_MAX_HEADERS) {
		struct sign_header *h = &headers[request.header_count];
		if (str_cut(str_trim(line), ':', &h->name, &h->value)) {
			h->value = str_trim(h->value);
			request.header_count++;
		}
	}
	return request;
}
