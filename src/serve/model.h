// SPDX-License-Identifier: Apache-2.0
// A model as it is served: read once from a folder (model.json and weights.safetensors, docs/models.md), then constant but for the
// sketch of its inputs. Owned by the server; one thread.
#ifndef ISOBAR_SERVE_MODEL_H
#define ISOBAR_SERVE_MODEL_H

#include "math/mlp.h"
#include "math/sketch.h"
#include "serve/infer.h"

// Samples in one request, so that a request's memory and time are bounded.
enum { MODEL_MAX_BATCH = 1024, MODEL_MAX_FILE = 1 << 30 };

struct served_model {
	struct arena arena;
	struct str name, version; // as clients say them
	struct str input, output; // tensor names
	struct mlp mlp;
	bool has_sketch;
	struct sketch sketch; // of the inputs seen since the start, in the form of the reference
	float *scratch;
	uint64_t samples;
};
// ERR_NOT_FOUND, ERR_CORRUPT (the file and what is wrong with it), ERR_UNSUPPORTED for another format.
MUST_CHECK int served_model_load(const char *folder, struct str name, struct str version, struct served_model *out, struct err *e);
void served_model_free(struct served_model *m); // NULL and zero are fine
// Checks the request against the model's signature and classifies each sample; classes live in a.
MUST_CHECK int served_model_run(struct served_model *m, const struct infer_request *r, struct arena *a, struct infer_answer *out, struct err *e);
void served_model_describe(const struct served_model *m, struct buf *out); // OIP metadata, JSON

#endif
