// SPDX-License-Identifier: Apache-2.0
// The conformance cases on a store in memory: what they make they take down, also after they were cancelled; and what
// a run costs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/conformance.h"
#include "cloud/http/watch.h"
#include "cloud/prices.h"
#include "cloud_test.h"

struct fixture {
	struct cloud_test t;
	struct cloud cloud;
	struct cloud_config config;
	struct price_region prices;
	struct memory_store *store;
	atomic_bool cancel;
	unsigned cases, cancel_at, failed;
};

static const char *const without[] = {"credentials", "tags", NULL};

static void report(void *ctx, const struct conformance_case *one)
{
	struct fixture *f = ctx;
	f->cases++;
	// Metadata is all that the store in memory does not keep.
	if (one->verdict == CONFORMANCE_FAILED)
		f->failed++;
	if (f->cases == f->cancel_at)
		atomic_store(&f->cancel, true);
}

static struct conformance begin(struct fixture *f)
{
	*f = (struct fixture){.store = memory_store_new()};
	cloud_test_init(&f->t);
	f->prices = (struct price_region){.provider = S("aws"), .region = S("us-east-1")};
	f->cloud = (struct cloud){.name = S("here"),
		.store = &memory_store_ops,
		.store_ctx = f->store,
		.prices = &table_price_ops,
		.prices_ctx = &f->prices};
	f->t.call.cancel = &f->cancel;
	return (struct conformance){.config = &f->config,
		.cloud = &f->cloud,
		.bucket = S("isobar-check-1"),
		.without = without,
		.report = report,
		.ctx = f};
}

static void end(struct fixture *f)
{
	memory_store_free(f->store);
	cloud_test_free(&f->t);
}

static void test_all(void **state)
{
	(void)state;
	struct fixture f;
	struct conformance x = begin(&f);
	assert_int_equal(conformance_run(&f.t.call, &x), 0);
	assert_int_equal(x.ok + x.failed + x.skipped, f.cases);
	assert_int_equal(x.skipped, 3); // and a store in memory has no identity
	assert_int_equal(x.failed, f.failed);
	assert_int_equal(memory_store_ops.bucket_head(&f.t.call, f.store, x.bucket), ERR_NOT_FOUND);
	err_clear(&f.t.call.err);
	assert_int_equal(conformance_clean(&f.t.call, &x, 1000000000), 0); // gone already
	end(&f);
}

static void test_cancelled(void **state)
{
	(void)state;
	for (unsigned at = 4; at < 40; at += 7) {
		struct fixture f;
		struct conformance x = begin(&f);
		f.cancel_at = at;
		assert_int_equal(conformance_run(&f.t.call, &x), ERR_CANCELLED);
		assert_int_equal(f.cases, at); // nothing is tried after it
		assert_int_equal(memory_store_ops.bucket_head(&f.t.call, f.store, x.bucket), 0);
		assert_int_equal(conformance_clean(&f.t.call, &x, 1000000000), 0);
		assert_int_equal(memory_store_ops.bucket_head(&f.t.call, f.store, x.bucket), ERR_NOT_FOUND);
		end(&f);
	}
}

static void test_cost(void **state)
{
	(void)state;
	struct fixture f;
	struct conformance_cost cost;
	begin(&f);
	assert_int_equal(conformance_estimate(&f.t.call, &f.cloud, &cost), 0);
	assert_true(cost.amount > 0.001 && cost.amount < 0.1);
	assert_true(str_eq(cost.currency, S("USD")));
	assert_true(str_find(cost.basis, S("at most 400 requests")) == 0);
	f.cloud.prices = NULL;
	assert_int_equal(conformance_estimate(&f.t.call, &f.cloud, &cost), ERR_UNSUPPORTED);
	end(&f);
}

// ---------------------------------------------------------------- watching

static int perform(struct call *c, void *ctx, const struct transport_request *r, struct transport_response *out)
{
	int *code = ctx;
	(void)c;
	*out = (struct transport_response){.status = 200, .body = r->data ? S("") : S("kept")};
	if (r->data && (r->head(r->ctx, out) || r->data(r->ctx, S("stre")) || r->data(r->ctx, S("amed"))))
		return ERR_IO;
	return *code;
}

static void close_it(void *ctx)
{
	*(int *)ctx = 77;
}

static struct buf told;

static void seen(void *ctx, const struct transport_request *request, const struct transport_response *answer,
	struct str body, int code)
{
	(void)ctx;
	buf_printf(&told, "%s %d %.*s %d;", request->method, answer->status, STR(body), code);
}

static int head(void *ctx, const struct transport_response *r)
{
	(void)ctx;
	return r->status == 200 ? 0 : ERR_PROTOCOL;
}

static int data(void *ctx, struct str piece)
{
	buf_add(ctx, piece);
	return 0;
}

static void test_watch(void **state)
{
	(void)state;
	struct cloud_test t;
	AUTO(buf) got = {0};
	int code = 0;
	struct transport_watch watch = {.seen = seen};
	struct http_transport transport = {.ctx = &code, .perform = perform, .close = close_it};
	struct transport_response answer;
	cloud_test_init(&t);
	assert_int_equal(transport_watch_open(&transport, &watch, NULL), 0);
	struct transport_request request = {.method = "GET"};
	assert_int_equal(transport.perform(&t.call, transport.ctx, &request, &answer), 0);
	assert_true(str_eq(answer.body, S("kept")));
	request = (struct transport_request){.method = "GET", .head = head, .data = data, .ctx = &got};
	assert_int_equal(transport.perform(&t.call, transport.ctx, &request, &answer), 0);
	assert_string_equal(buf_cstr(&got), "streamed");
	code = ERR_UNAVAILABLE;
	request = (struct transport_request){.method = "PUT"};
	assert_int_equal(transport.perform(&t.call, transport.ctx, &request, &answer), ERR_UNAVAILABLE);
	assert_string_equal(buf_cstr(&told), "GET 200 kept 0;GET 200 streamed 0;PUT 0  -10;");
	transport.close(transport.ctx);
	assert_int_equal(code, 77);
	buf_free(&told);
	cloud_test_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all), cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_cost), cmocka_unit_test(test_watch)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
