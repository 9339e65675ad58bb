// SPDX-License-Identifier: Apache-2.0
// Inference requests: what is accepted holds as many numbers as its shapes ask for. What follows a NUL byte is taken for
// binary tensors.
#include <math.h>
#include <string.h>

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
	struct infer_body body = {.bytes = str_bytes(data, size), .json_size = size, .max_elements = MAX_ELEMENTS};
	ptrdiff_t nul = str_find_char(body.bytes, '\0');
	char *joined = nul < 0 ? NULL : arena_alloc(&a, size);
	if (joined) { // without the NUL itself
		memcpy(joined, data, (size_t)nul);
		memcpy(joined + nul, data + nul + 1, size - (size_t)nul - 1);
		body.bytes = str_bytes(joined, size - 1);
		body.json_size = (size_t)nul;
	}
	if (infer_parse_body(&body, &a, &request, &e) < 0) {
		FUZZ_CHECK(e.code && e.message[0]);
		return 0;
	}
	FUZZ_CHECK(request.input_count >= 1 && request.input_count <= INFER_MAX_INPUTS && request.output_count <= INFER_MAX_OUTPUTS);
	for (size_t i = 0; i < request.input_count; i++)
		check_input(&request.inputs[i]);
	return 0;
}
