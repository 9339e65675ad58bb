// SPDX-License-Identifier: Apache-2.0
// S3's XML answers through the driver that reads them: lists, errors, the start of a multipart upload.
#include "cloud/aws/store.h"
#include "fuzz_store.h"

static void put_large(struct call *c, struct aws_store *store)
{
	static char bytes[(8 << 20) + 1];
	struct test_source source;
	struct object made;
	struct store_put put = {.bucket = S("lake"), .key = S("k")};
	test_source_init(&source, str_bytes(bytes, sizeof(bytes)));
	int r = aws_store_ops.put(c, store, &put, &source.source, &made);
	FUZZ_CHECK(r == 0 || (r == c->err.code && c->err.message[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cloud_test t;
	struct fuzz_answer answer = fuzz_answer_of(data, size);
	struct http_transport transport = {.ctx = &answer, .perform = fuzz_perform, .close = fuzz_close};
	struct cloud_config config = {.region = S("us-east-1")};
	AUTO(json) credentials = json_pack("{s:s,s:s}", "access_key_id", "AK", "secret_access_key", "secret");
	struct aws_store *store;
	config.credentials = credentials;
	cloud_test_init(&t);
	FUZZ_CHECK(aws_store_open(&config, S("https://s3.example"), &transport, &store, &t.call.err) == 0);
	fuzz_list(&t.call, &aws_store_ops, store);
	if (size && data[0] >= 128) // slow: it carries 8 MiB
		put_large(&t.call, store);
	aws_store_close(store);
	cloud_test_free(&t);
	return 0;
}
