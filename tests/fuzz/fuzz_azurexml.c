// SPDX-License-Identifier: Apache-2.0
// Blob Storage's XML answers through the driver that reads them: lists and errors.
#include "cloud/azure/store.h"
#include "fuzz_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cloud_test t;
	struct fuzz_answer answer = fuzz_answer_of(data, size);
	struct http_transport transport = {.ctx = &answer, .perform = fuzz_perform, .close = fuzz_close};
	struct cloud_config config = {.region = S("westeurope")};
	AUTO(json) credentials = json_pack("{s:s,s:s}", "account", "acct", "key", "AAAA");
	struct azure_store *store;
	config.credentials = credentials;
	cloud_test_init(&t);
	FUZZ_CHECK(azure_store_open(&config, S("https://acct.blob.example"), &transport, &store, &t.call.err) == 0);
	fuzz_list(&t.call, &azure_store_ops, store);
	azure_store_close(store);
	cloud_test_free(&t);
	return 0;
}
