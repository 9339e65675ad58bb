// SPDX-License-Identifier: Apache-2.0
// What is below the drivers' services: throttling that learns, pages, operations that take time, calls by their rows, a
// clock that is wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "cloud/aws/credentials.h"
#include "cloud/aws/services.h"
#include "cloud/http/pages.h"
#include "cloud/http/service.h"
#include "cloud/http/throttle.h"
#include "store_test.h"

static void test_throttle(void **state)
{
	(void)state;
	struct cloud_test t;
	struct throttle throttle;
	cloud_test_init(&t);
	throttle_init(&throttle);
	int64_t began = call_mono_ns(&t.call);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(throttle_wait(&t.call, &throttle), 0);
		throttle_told(&t.call, &throttle, false);
		t.slept_ns += NS_PER_S / 50;
	}
	assert_false(throttle.bounded);
	int64_t free_ns = call_mono_ns(&t.call) - began;
	throttle_told(&t.call, &throttle, true); // at about 50 a second
	assert_true(throttle.bounded && throttle.rate > 20 && throttle.rate < 45);
	double rate = throttle.rate;
	throttle_told(&t.call, &throttle, true); // of requests that were under way together: one sign
	assert_true(throttle.rate >= rate - 0.001 && throttle.rate <= rate + 0.001);
	began = call_mono_ns(&t.call);
	for (int i = 0; i < 100; i++)
		assert_int_equal(throttle_wait(&t.call, &throttle), 0);
	assert_true(call_mono_ns(&t.call) - began > free_ns); // slower than before
	t.slept_ns += 20 * NS_PER_S;
	assert_int_equal(throttle_wait(&t.call, &throttle), 0);
	assert_true(throttle.rate > rate); // and grows again
	for (int i = 0; i < 200; i++)
		throttle_told(&t.call, &throttle, false);
	t.call.deadline_ns = call_mono_ns(&t.call) + NS_PER_S / 100;
	int rc = 0;
	for (int i = 0; i < 2000 && rc == 0; i++)
		rc = throttle_wait(&t.call, &throttle);
	assert_true(rc == ERR_THROTTLED || rc == ERR_TIMEOUT);
	throttle_free(&throttle);
	cloud_test_free(&t);
}

static int three_pages(struct call *c, void *ctx, struct str token, struct str *next)
{
	int *count = ctx;
	(void)c;
	assert_true(str_eq(token, *count == 0 ? S("") : *count == 1 ? S("a") : S("b")));
	*next = *count == 0 ? S("a") : *count == 1 ? S("b") : S("");
	(*count)++;
	return 0;
}

static int same_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	(void)c, (void)ctx, (void)token;
	*next = S("a");
	return 0;
}

static int looked(struct call *c, void *ctx, struct lro_look *look)
{
	int *count = ctx;
	if (++*count == 2)
		return call_fail(c, ERR_UNAVAILABLE, "for a moment");
	look->done = *count == 5;
	return 0;
}

static void test_pages(void **state)
{
	(void)state;
	struct cloud_test t;
	int count = 0;
	cloud_test_init(&t);
	assert_int_equal(pages_all(&t.call, three_pages, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(pages_all(&t.call, same_page, NULL), ERR_PROTOCOL);
	err_clear(&t.call.err);
	count = 0;
	assert_int_equal(lro_wait(&t.call, looked, &count, 0), 0);
	assert_int_equal(count, 5);
	count = 10;
	assert_int_equal(lro_wait(&t.call, looked, &count, 3 * NS_PER_S), ERR_TIMEOUT);
	cloud_test_free(&t);
}

struct aws {
	struct store_test x;
	struct credential_source *credentials;
	struct aws_services *services;
};

static void open_aws(struct aws *a, const struct script_step *steps, size_t count)
{
	AUTO(json) keys = json_pack("{s:s, s:s}", "access_key_id", "AKIA", "secret_access_key", "s");
	store_test_start(&a->x, steps, count);
	struct cloud_config config = {
		.name = S("aws"), .region = S("eu-central-1"), .services_url = a->x.url, .credentials = keys};
	struct credential_options o = {.config = &config, .transport = a->x.transport};
	assert_int_equal(aws_credentials_open(&o, &a->credentials, NULL), 0);
	struct services_options s = {.config = &config, .transport = a->x.transport, .credentials = a->credentials};
	assert_int_equal(aws_services_open(&s, &a->services, NULL), 0);
}

static void close_aws(struct aws *a, size_t served)
{
	aws_services_close(a->services);
	credential_source_free(a->credentials);
	a->x.transport.close(a->x.transport.ctx);
	store_test_stop(&a->x, served);
}

// Ten minutes of skew: the refusal says the time, and the next attempt is signed with it.
static void test_skew(void **state)
{
	(void)state;
	char date[128], http[TIME_TEXT_SIZE], signed_at[TIME_TEXT_SIZE];
	time_http_date(edges_real()->wall_ns(NULL) + 600 * NS_PER_S, http);
	snprintf(date, sizeof(date), "Date: %s\r\n", http);
	const struct script_step steps[] = {
		{.status = 403,
			.headers = date,
			.body = S("<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message>"
				  "</Error></ErrorResponse>")},
		{.status = 200,
			.body = S("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn></GetCallerIdentityResult>"
				  "</GetCallerIdentityResponse>")}};
	struct aws a = {0};
	struct xml *root = NULL;
	open_aws(&a, steps, COUNT_OF(steps));
	assert_int_equal(aws_query_call(a.x.c, a.services, AWS_GET_CALLER_IDENTITY, S(""), &root), 0);
	time_iso_basic(edges_real()->wall_ns(NULL) + 590 * NS_PER_S, signed_at);
	assert_true(str_cmp(script_server_header(a.x.server, 1, "x-amz-date"), str_of(signed_at)) > 0);
	assert_true(str_find(script_server_header(a.x.server, 1, "authorization"), S("/eu-central-1/sts/aws4_request")) > 0);
	close_aws(&a, COUNT_OF(steps));
}

static void test_places(void **state)
{
	(void)state;
	AUTO(arena) arena = {0};
	struct cloud_config config = {.region = S("eu-west-1")};
	struct str hosts[AWS_API_COUNT];
	size_t count = 0;
	assert_true(str_eq(aws_service_url(&arena, &config, AWS_API_SAGEMAKER), S("https://api.sagemaker.eu-west-1.amazonaws.com")));
	assert_true(str_eq(aws_service_url(&arena, &config, AWS_API_IAM), S("https://iam.amazonaws.com")));
	assert_int_equal(aws_service_hosts(&arena, &config, hosts, &count, NULL), 0);
	assert_int_equal(count, AWS_API_COUNT - 1);
	assert_true(str_eq(hosts[0], S("sts.eu-west-1.amazonaws.com:443")));
	assert_true(str_eq(service_origin(S("http://127.0.0.1:4000/account")), S("http://127.0.0.1:4000")));
	config.services_url = S("http://127.0.0.1:4000/account");
	assert_true(str_eq(aws_service_url(&arena, &config, AWS_API_KMS), S("http://127.0.0.1:4000")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_throttle),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_skew),
		cmocka_unit_test(test_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
