// SPDX-License-Identifier: Apache-2.0
// A transport that answers every request with the fuzzer's bytes: the first byte chooses the status, the rest is the
// body.
#ifndef ISOBAR_TESTS_FUZZ_STORE_H
#define ISOBAR_TESTS_FUZZ_STORE_H

#include "cloud/http/transport.h"
#include "cloud_test.h"
#include "fuzz.h"

struct fuzz_answer {
	int status;
	struct str body;
	struct sign_header headers[4];
	size_t header_count;
};

static inline int fuzz_perform(
	struct call *c, void *ctx, const struct transport_request *request, struct transport_response *out)
{
	struct fuzz_answer *a = ctx;
	(void)c, (void)request;
	*out = (struct transport_response){
		.status = a->status, .headers = a->headers, .header_count = a->header_count, .body = a->body};
	return 0;
}

static inline void fuzz_close(void *ctx)
{
	(void)ctx;
}

static inline struct fuzz_answer fuzz_answer_of(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 200, 200, 400, 403, 404, 409, 412, 503};
	struct fuzz_answer a = {.status = 200, .body = S("")};
	if (size) {
		a.status = statuses[data[0] % 128 % COUNT_OF(statuses)];
		a.body = str_bytes(data + 1, size - 1);
	}
	return a;
}

// Whatever the answer was: a page that was read holds what lists promise, and a failure says why.
static inline void fuzz_list(struct call *c, const struct store_ops *ops, void *store)
{
	struct store_list list = {.bucket = S("lake"), .prefix = S("p"), .delimiter = S("/"), .token = S("")};
	struct store_page page = {0};
	int r = ops->list(c, store, &list, &page);
	FUZZ_CHECK(r == 0 || (r == c->err.code && c->err.message[0] && page.count == 0));
	for (size_t i = 0; r == 0 && i < page.count; i++)
		FUZZ_CHECK(page.objects[i].key.n > 0);
	err_clear(&c->err);
}

#endif
