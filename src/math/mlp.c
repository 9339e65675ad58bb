// SPDX-License-Identifier: Apache-2.0
// The multi-layer perceptron as memory and as a file, and its forward pass for serving. Training stands in mlp_train.c.
#include "math/mlp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/rng.h"

enum { MLP_ALIGNMENT = 64 }; // of a cache line: the same kernels run, whatever the heap looks like

static int check_sizes(const size_t *sizes, size_t count, size_t *floats, struct err *e)
{
	if (count < 2 || count > MLP_MAX_LAYERS + 1)
		return err_set(e, ERR_INVALID, "a perceptron of %zu layers: from 1 to %d are possible", count ? count - 1 : 0,
			MLP_MAX_LAYERS);
	*floats = 0;
	for (size_t i = 0; i < count; i++) {
		if (!sizes[i] || sizes[i] > MLP_MAX_WIDTH)
			return err_set(e, ERR_INVALID, "a perceptron with a layer of %zu: from 1 to %d are possible", sizes[i],
				MLP_MAX_WIDTH);
		if (i)
			*floats += (sizes[i - 1] + 1) * sizes[i];
	}
	return 0;
}

int mlp_new(struct mlp *m, const size_t *sizes, size_t count, struct err *e)
{
	size_t floats = 0;
	int rc = check_sizes(sizes, count, &floats, e);
	if (rc < 0)
		return rc;
	size_t bytes = (floats * sizeof(float) + MLP_ALIGNMENT - 1) / MLP_ALIGNMENT * MLP_ALIGNMENT;
	struct mlp new = {.layers = count - 1, .memory = aligned_alloc(MLP_ALIGNMENT, bytes)};
	if (!new.memory)
		return err_set(e, ERR_NO_MEMORY, "a perceptron of %zu weights: out of memory", floats);
	memset(new.memory, 0, bytes);
	memcpy(new.sizes, sizes, count * sizeof(*sizes));
	float *next = new.memory;
	for (size_t i = 0; i < new.layers; i++) { // all weights, then all biases: matrices stay aligned where widths allow
		new.weight[i] = next;
		next += sizes[i] * sizes[i + 1];
	}
	for (size_t i = 0; i < new.layers; i++) {
		new.bias[i] = next;
		next += sizes[i + 1];
	}
	*m = new;
	return 0;
}

void mlp_free(struct mlp *m)
{
	if (m)
		free(m->memory);
	if (m)
		*m = (struct mlp){0};
}

void mlp_initialise(struct mlp *m, uint64_t seed)
{
	for (size_t layer = 0; layer < m->layers; layer++) {
		struct rng r;
		rng_seed(&r, seed, layer);
		double bound = sqrt(6 / (double)m->sizes[layer]);
		for (size_t i = 0; i < m->sizes[layer] * m->sizes[layer + 1]; i++)
			m->weight[layer][i] = (float)(bound * (2 * rng_uniform(&r) - 1));
		for (size_t i = 0; i < m->sizes[layer + 1]; i++)
			m->bias[layer][i] = 0;
	}
}

enum { MLP_NAME_SIZE = 32 };

static struct str tensor_name(char name[MLP_NAME_SIZE], size_t layer, const char *what)
{
	int n = snprintf(name, MLP_NAME_SIZE, "layer%zu.%s", layer, what);
	return str_bytes(name, (size_t)n);
}

// The sizes that a file's matrices say; each must begin where the one before it ended.
static int read_sizes(const struct safetensors *s, size_t sizes[MLP_MAX_LAYERS + 1], size_t *layers, struct err *e)
{
	char name[MLP_NAME_SIZE];
	*layers = s->count / 2;
	if (!s->count || s->count % 2 || *layers > MLP_MAX_LAYERS)
		return err_set(e, ERR_INVALID, "%zu tensors are no perceptron: each layer has a weight and a bias, at most %d layers",
			s->count, MLP_MAX_LAYERS);
	for (size_t i = 0; i < *layers; i++) {
		uint64_t shape[] = {UINT64_MAX, i ? sizes[i] : UINT64_MAX};
		struct tensor want = {.name = tensor_name(name, i, "weight"), .type = TENSOR_F32, .shape = shape, .rank = 2};
		const struct tensor *t;
		int rc = safetensors_need(s, &want, &t, e);
		if (rc < 0)
			return rc;
		if (t->shape[0] > MLP_MAX_WIDTH || t->shape[1] > MLP_MAX_WIDTH)
			return err_set(e, ERR_INVALID, "tensor \"%s\" is wider than %d", name, MLP_MAX_WIDTH);
		sizes[i] = t->shape[1];
		sizes[i + 1] = t->shape[0];
	}
	return 0;
}

static int read_layer(const struct safetensors *s, struct mlp *m, size_t layer, struct err *e)
{
	char name[MLP_NAME_SIZE];
	uint64_t shape[] = {m->sizes[layer + 1], m->sizes[layer]};
	struct tensor want = {.name = tensor_name(name, layer, "bias"), .type = TENSOR_F32, .shape = shape, .rank = 1};
	const struct tensor *t;
	int rc = safetensors_need(s, &want, &t, e);
	if (rc < 0)
		return rc;
	if (!t->data)
		return err_set(e, ERR_INTERNAL, "tensor \"%s\" has no data here", name);
	memcpy(m->bias[layer], t->data, t->end - t->begin);
	want = (struct tensor){.name = tensor_name(name, layer, "weight"), .type = TENSOR_F32, .shape = shape, .rank = 2};
	rc = safetensors_need(s, &want, &t, e);
	if (rc == 0)
		memcpy(m->weight[layer], t->data, t->end - t->begin);
	return rc;
}

int mlp_read(const struct safetensors *s, struct mlp *out, struct err *e)
{
	size_t sizes[MLP_MAX_LAYERS + 1] = {0}, layers;
	int rc = read_sizes(s, sizes, &layers, e);
	if (rc < 0)
		return rc;
	AUTO(mlp) m = {0};
	rc = mlp_new(&m, sizes, layers + 1, e);
	for (size_t i = 0; i < layers && rc == 0; i++)
		rc = read_layer(s, &m, i, e);
	if (rc < 0)
		return rc;
	*out = m;
	m = (struct mlp){0};
	return 0;
}

static bool describe_tensor(struct arena *a, struct tensor *t, const char *name, const float *data)
{
	t->name = arena_str(a, str_of(name));
	t->type = TENSOR_F32;
	t->data = (const unsigned char *)data;
	return t->name.p && t->shape;
}

int mlp_describe(const struct mlp *m, struct arena *a, struct safetensors *out, struct err *e)
{
	char name[MLP_NAME_SIZE];
	struct safetensors s = {.tensors = arena_new_array(a, m->layers * 2, struct tensor), .count = m->layers * 2};
	for (size_t i = 0; s.tensors && i < m->layers; i++) {
		struct tensor *weight = &s.tensors[2 * i], *bias = weight + 1;
		uint64_t *shape = arena_new_array(a, 2, uint64_t);
		if (shape) {
			shape[0] = m->sizes[i + 1];
			shape[1] = m->sizes[i];
		}
		*weight = (struct tensor){.shape = shape, .rank = 2};
		*bias = (struct tensor){.shape = shape, .rank = 1};
		tensor_name(name, i, "weight");
		bool good = describe_tensor(a, weight, name, m->weight[i]);
		tensor_name(name, i, "bias");
		if (!good || !describe_tensor(a, bias, name, m->bias[i]))
			return err_set(e, ERR_NO_MEMORY, "describe a perceptron: out of memory");
	}
	if (!s.tensors)
		return err_set(e, ERR_NO_MEMORY, "describe a perceptron: out of memory");
	*out = s;
	return 0;
}

static bool all_finite(const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return false;
	return true;
}

int mlp_finite(const struct mlp *m, struct err *e)
{
	char name[MLP_NAME_SIZE];
	for (size_t i = 0; i < m->layers; i++) {
		bool weight = all_finite(m->weight[i], m->sizes[i] * m->sizes[i + 1]);
		if (weight && all_finite(m->bias[i], m->sizes[i + 1]))
			continue;
		tensor_name(name, i, weight ? "bias" : "weight");
		return err_set(e, ERR_FAILED, "tensor \"%s\" has a number that is not finite", name);
	}
	return 0;
}

size_t mlp_scratch_size(const struct mlp *m)
{
	size_t widest = 0;
	for (size_t i = 1; i < m->layers; i++)
		widest = MAX(widest, m->sizes[i]);
	return 2 * widest;
}

void mlp_forward(const struct mlp *m, const float *input, float *scratch, float *logits)
{
	const float *x = input;
	for (size_t i = 0; i < m->layers; i++) {
		bool last = i + 1 == m->layers;
		float *y = last ? logits : scratch + (i % 2) * (mlp_scratch_size(m) / 2);
		blas_gemv(&(struct gemv){.w = m->weight[i], .bias = m->bias[i], .x = x, .y = y, .rows = m->sizes[i + 1],
			.columns = m->sizes[i]});
		for (size_t j = 0; !last && j < m->sizes[i + 1]; j++)
			y[j] = y[j] < 0 ? 0 : y[j]; // NaN stays NaN
		x = y;
	}
}

size_t mlp_class(const float *logits, size_t n)
{
	size_t best = 0;
	for (size_t i = 1; i < n; i++)
		if (logits[i] > logits[best])
			best = i;
	return best;
}
