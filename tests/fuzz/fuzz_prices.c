// SPDX-License-Identifier: Apache-2.0
// Answers of the three public price interfaces, and files of prices, as anybody may make them.
#include "cloud/catalog_import.h"
#include "fuzz_store.h"

static int perform(struct call *c, void *ctx, const struct transport_request *request, struct transport_response *out)
{
	struct fuzz_answer *a = ctx;
	int r = fuzz_perform(c, ctx, request, out);
	if (request->data && a->status == 200) { // in two pieces, as a network may give them
		r = request->head(request->ctx, out);
		if (!r)
			r = request->data(request->ctx, str_take(a->body, a->body.n / 2));
		if (!r)
			r = request->data(request->ctx, str_drop(a->body, a->body.n / 2));
	}
	return r;
}

static void import(struct cloud_test *t, struct fuzz_answer *answer, const char *provider, const char *region)
{
	const struct catalog_source from = {.provider = str_of(provider),
		.region = str_of(region),
		.base = S("https://prices.example"),
		.key = S("k"),
		.transport = {.ctx = answer, .perform = perform, .close = fuzz_close}};
	struct catalog_imported got = {0};
	err_clear(&t->call.err);
	int r = catalog_import(&t->call, &from, &got);
	FUZZ_CHECK(r == 0 || (r == t->call.err.code && t->call.err.message[0] && got.rows.count == 0));
	for (size_t i = 0; r == 0 && i < got.rows.count; i++)
		FUZZ_CHECK(got.rows.rows[i].on_demand > 0 && got.rows.rows[i].spot <= got.rows.rows[i].on_demand);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cloud_test t;
	struct fuzz_answer answer = fuzz_answer_of(data, size);
	struct catalog rows = {0};
	AUTO(json) file = NULL;
	cloud_test_init(&t);
	import(&t, &answer, "aws", "us-east-1");
	import(&t, &answer, "azure", "westeurope");
	import(&t, &answer, "gcp", "us-central1");
	if (json_parse(answer.body, &file, NULL) == 0 && catalog_of_json(file, &t.arena, &rows, NULL) == 0)
		(void)catalog_check(&rows, call_now_ns(&t.call), NULL, NULL);
	cloud_test_free(&t);
	return 0;
}
