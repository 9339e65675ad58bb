// SPDX-License-Identifier: Apache-2.0
// Inference requests and answers of the Open Inference Protocol v2 over REST: in JSON, and with the binary extension,
// where tensors follow the JSON as their bytes, little end first. Pure; all lives in the arena. Sources:
// kserve/open-inference-protocol, specification/protocol/inference_rest.md; triton-inference-server/server,
// docs/protocol/extension_binary_data.md.
#ifndef ISOBAR_SERVE_INFER_H
#define ISOBAR_SERVE_INFER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { INFER_MAX_RANK = 8, INFER_MAX_INPUTS = 16, INFER_MAX_OUTPUTS = 16 };

struct infer_tensor {
	struct str name, datatype;
	uint64_t shape[INFER_MAX_RANK];
	size_t rank;
	uint64_t elements; // product of the shape
	float *data;       // elements numbers
	bool binary;       // they follow the JSON, in binary_size bytes
	uint64_t binary_size;
};
struct infer_request {
	struct str id; // as written inside its quotes (still escaped); .p NULL when absent
	struct infer_tensor inputs[INFER_MAX_INPUTS];
	size_t input_count;
	struct str outputs[INFER_MAX_OUTPUTS]; // names that are asked for; none: all
	size_t output_count;
	bool binary_output; // the answer's tensor is to follow its JSON
};
// max_elements bounds the numbers of all inputs together. ERR_INVALID says what and at which byte; ERR_LIMIT; ERR_NO_MEMORY.
MUST_CHECK int infer_parse(struct str body, size_t max_elements, struct arena *a, struct infer_request *out, struct err *e);
// A body whose first json_size bytes are JSON; the rest are the binary tensors, in the order of their inputs.
struct infer_body {
	struct str bytes;
	size_t json_size;
	size_t max_elements;
};
MUST_CHECK int infer_parse_body(const struct infer_body *body, struct arena *a, struct infer_request *out, struct err *e);

struct infer_answer {
	struct str model, version;
	const int64_t *classes; // n of them: the one output "class" INT64 [n, 1]
	size_t n;
	struct str output; // its name
};
// *json_size: how much of it is JSON, for the header that says so; all of it without binary_output.
void infer_write(
	const struct infer_request *request, const struct infer_answer *answer, struct buf *out, size_t *json_size);

#endif
