// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1, URLs and addresses with every allocation refused in turn.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fail_each.h"
#include "net/guard.h"
#include "net/http1.h"
#include "net/url.h"

static int act_request(struct err *e)
{
	AUTO(arena) a = {0};
	struct http_request r;
	int rc = http1_parse_request(
		S("POST /v2/x?y=1 HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\nAccept: */*\r\n"
		  "X-One: 1\r\nX-Two: 2\r\n\r\n"),
		&http1_default_limits, &a, &r, e);
	if (rc == 0)
		assert_true(str_eq(r.target, S("/v2/x?y=1")));
	return rc;
}

static int act_response(struct err *e)
{
	AUTO(arena) a = {0};
	struct http_response r;
	int rc = http1_parse_response(S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"),
		&http1_default_limits, HTTP_GET, &a, &r, e);
	if (rc == 0)
		assert_int_equal(r.status, 200);
	return rc;
}

static int act_writing(struct err *e)
{
	AUTO(buf) out = {0};
	http1_write_request_line(
		&out, S("GET"), S("/a/long/path/that/does/not/fit/into/the/smallest/buffer/of/them/all"));
	http1_write_header(&out, S("host"), S("example.com"));
	http1_write_status_line(&out, 200);
	return buf_check(&out, e);
}

static int act_url(struct err *e)
{
	AUTO(arena) a = {0};
	AUTO(buf) path = {0};
	struct url u;
	int rc = url_parse(S("https://example.com:8443/a/../b%41?x=%20y"), &u, e);
	if (rc == 0)
		rc = url_normalise_path(u.path, &path, e);
	if (rc == 0)
		rc = buf_check(&path, e);
	if (rc == 0 && !url_query_get(u.query, "x", &a).p)
		rc = ERR_NO_MEMORY;
	return rc;
}

static int act_guard(struct err *e)
{
	AUTO(guard) guard = NULL;
	return guard_new_loopback(&guard, e);
}

static void test_each(UNUSED void **state)
{
	fail_each(act_request);
	fail_each(act_response);
	fail_each(act_writing);
	fail_each(act_url);
	fail_each(act_guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
