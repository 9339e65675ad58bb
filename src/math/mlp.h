// SPDX-License-Identifier: Apache-2.0
// The multi-layer perceptron: dense layers, ReLU between them, softmax cross-entropy at the end, plain SGD. Its weights are
// the tensors "layerN.weight" [out, in] and "layerN.bias" [out] (F32) of a safetensors file. Same seed, data order and machine
// give the same bytes. A struct mlp owns its weights. One thread trains; several may run forward passes with scratch of their own.
#ifndef ISOBAR_MATH_MLP_H
#define ISOBAR_MATH_MLP_H

#include "math/blas.h"
#include "math/safetensors.h"

// More layers or wider ones than this are a mistake or an attack: 16 layers of at most 65536.
enum { MLP_MAX_LAYERS = 16, MLP_MAX_WIDTH = 65536 };

struct mlp {
	size_t layers;                    // weight matrices
	size_t sizes[MLP_MAX_LAYERS + 1]; // 784, 200, 200, 10
	float *weight[MLP_MAX_LAYERS];    // into memory
	float *bias[MLP_MAX_LAYERS];
	float *memory; // owned
};
// All weights zero. ERR_INVALID for a size of 0 or too many, ERR_NO_MEMORY.
MUST_CHECK int mlp_new(struct mlp *m, const size_t *sizes, size_t count, struct err *e);
void mlp_free(struct mlp *m); // NULL and zero are fine
#define AUTO_TYPE_mlp struct mlp
static inline void mlp_autofree(struct mlp *m)
{
	mlp_free(m);
}
void mlp_initialise(struct mlp *m, uint64_t seed); // weights uniform in +-sqrt(6/in) (He and others, 2015), biases 0
// Copies out of a file that has exactly the tensors of an MLP. ERR_INVALID names what is missing, extra or of another form.
MUST_CHECK int mlp_read(const struct safetensors *s, struct mlp *out, struct err *e);
// Describes the weights as tensors that borrow m; write with safetensors_write_file or safetensors_write.
MUST_CHECK int mlp_describe(const struct mlp *m, struct arena *a, struct safetensors *out, struct err *e);
MUST_CHECK int mlp_finite(const struct mlp *m, struct err *e); // ERR_FAILED names the tensor with a NaN or infinity

// Serving: logits of one input (sizes[0] numbers) without any library. scratch: mlp_scratch_size() floats.
size_t mlp_scratch_size(const struct mlp *m);
void mlp_forward(const struct mlp *m, const float *input, float *scratch, float *logits);
size_t mlp_class(const float *logits, size_t n); // index of the largest, the first of equals

struct mlp_data { // borrowed
	const float *x; // n rows of sizes[0]
	const int64_t *label;
	size_t n;
};
struct mlp_options {
	size_t batch, epochs;
	float rate;
	uint64_t seed, stream; // of the order of samples
	const struct blas *blas;
	int (*tick)(void *ctx); // asked between batches; not 0 ends the training with that code. NULL: none
	void *ctx;
};
// Trains in place; *loss is the mean cross-entropy over the last epoch. ERR_INVALID: a label out of range. ERR_FAILED: it diverged.
MUST_CHECK int mlp_train(struct mlp *m, const struct mlp_data *d, const struct mlp_options *o, double *loss, struct err *e);
// How many are classified right.
MUST_CHECK int mlp_evaluate(const struct mlp *m, const struct mlp_data *d, const struct blas *b, size_t *correct, struct err *e);

#endif
