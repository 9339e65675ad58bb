// SPDX-License-Identifier: Apache-2.0
// Inference requests: what is accepted is JSON to another parser too, and holds as many numbers as its shapes ask for.
#include <math.h>

#include "base/json.h"
#include "fuzz.h"
#include "serve/infer.h"

enum { MAX_ELEMENTS = 4096 };

static void check_input(const struct infer_tensor *t)
{
	uint64_t product = 1;
	for (size_t i = 0; i < t->rank; i++)
		product *= t->shape[i];
	FUZZ_CHECK(t->rank <= INFER_MAX_RANK && product == t->elements && t->elements <= MAX_ELEMENTS);
	for (uint64_t i = 0; i < t->elements; i++)
		FUZZ_CHECK(!isnan(t->data[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct infer_request request;
	AUTO(arena) a = {0};
	struct err e = {0};
	if (infer_parse(str_bytes(data, size), MAX_ELEMENTS, &a, &request, &e) < 0) {
		FUZZ_CHECK(e.code && e.message[0]);
		return 0;
	}
	FUZZ_CHECK(request.input_count >= 1 && request.input_count <= INFER_MAX_INPUTS && request.output_count <= INFER_MAX_OUTPUTS);
	for (size_t i = 0; i < request.input_count; i++)
		check_input(&request.inputs[i]);
	return 0;
}
