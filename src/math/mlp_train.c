// SPDX-License-Identifier: Apache-2.0
// Training and measuring a perceptron: forward, backward and step of a batch are three matrix products a layer.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/mlp.h"
#include "math/rng.h"

enum { EVALUATE_BATCH = 256, MLP_MAX_BATCH = 1 << 20 };

struct pass { // one batch on its way through the layers
	const struct mlp *m;
	const struct blas *blas;
	size_t n;                           // samples of this batch
	float *layer[MLP_MAX_LAYERS + 1];   // activations; [0] is the input
	float *delta[MLP_MAX_LAYERS + 1];   // gradients of the loss by them
	const int64_t *labels;
	float *memory;
};

static void pass_free(struct pass *p)
{
	free(p->memory);
}

static int pass_new(struct pass *p, const struct mlp *m, const struct blas *blas, size_t batch, struct err *e)
{
	enum { ALIGNED = 16 }; // floats of a cache line
	size_t floats = 0, width[MLP_MAX_LAYERS + 1];
	for (size_t i = 0; i <= m->layers; i++) {
		width[i] = (m->sizes[i] * batch + ALIGNED - 1) / ALIGNED * ALIGNED;
		floats += 2 * width[i];
	}
	*p = (struct pass){.m = m, .blas = blas, .memory = aligned_alloc(ALIGNED * sizeof(float), floats * sizeof(float))};
	if (!p->memory)
		return err_set(e, ERR_NO_MEMORY, "train a perceptron with batches of %zu: out of memory", batch);
	float *next = p->memory;
	for (size_t i = 0; i <= m->layers; i++) {
		p->layer[i] = next;
		p->delta[i] = next + width[i];
		next += 2 * width[i];
	}
	return 0;
}

static void forward(struct pass *p)
{
	const struct mlp *m = p->m;
	for (size_t i = 0; i < m->layers; i++) {
		size_t in = m->sizes[i], out = m->sizes[i + 1];
		float *y = p->layer[i + 1];
		for (size_t s = 0; s < p->n; s++)
			memcpy(y + s * out, m->bias[i], out * sizeof(*y));
		blas_gemm(p->blas, &(struct gemm){.transpose_b = true, .m = p->n, .n = out, .k = in, .alpha = 1, .beta = 1,
			.a = p->layer[i], .lda = in, .b = m->weight[i], .ldb = in, .c = y, .ldc = out});
		for (size_t j = 0; i + 1 < m->layers && j < p->n * out; j++)
			y[j] = y[j] < 0 ? 0 : y[j]; // NaN stays NaN
	}
}

// Softmax and cross-entropy of the last layer: the summed loss, and its gradient by the logits.
static double loss_and_gradient(struct pass *p)
{
	size_t classes = p->m->sizes[p->m->layers];
	double loss = 0;
	for (size_t s = 0; s < p->n; s++) {
		const float *y = p->layer[p->m->layers] + s * classes;
		float *d = p->delta[p->m->layers] + s * classes;
		float top = y[mlp_class(y, classes)], sum = 0;
		for (size_t j = 0; j < classes; j++)
			sum += d[j] = expf(y[j] - top);
		for (size_t j = 0; j < classes; j++)
			d[j] /= sum;
		size_t label = (size_t)p->labels[s];
		loss += (double)(logf(sum) + top - y[label]);
		d[label] -= 1;
	}
	return loss;
}

// Gradients by the inputs of a layer, before its weights change: zero where ReLU cut.
static void backward(struct pass *p, size_t layer)
{
	const struct mlp *m = p->m;
	size_t in = m->sizes[layer], out = m->sizes[layer + 1];
	blas_gemm(p->blas, &(struct gemm){.m = p->n, .n = in, .k = out, .alpha = 1, .a = p->delta[layer + 1], .lda = out,
		.b = m->weight[layer], .ldb = in, .c = p->delta[layer], .ldc = in});
	for (size_t j = 0; j < p->n * in; j++)
		if (p->layer[layer][j] <= 0)
			p->delta[layer][j] = 0;
}

static void step(struct pass *p, size_t layer, float rate)
{
	const struct mlp *m = p->m;
	size_t in = m->sizes[layer], out = m->sizes[layer + 1];
	float scaled = rate / (float)p->n;
	blas_gemm(p->blas, &(struct gemm){.transpose_a = true, .m = out, .n = in, .k = p->n, .alpha = -scaled, .beta = 1,
		.a = p->delta[layer + 1], .lda = out, .b = p->layer[layer], .ldb = in, .c = m->weight[layer], .ldc = in});
	for (size_t s = 0; s < p->n; s++)
		for (size_t j = 0; j < out; j++)
			m->bias[layer][j] -= scaled * p->delta[layer + 1][s * out + j];
}

static double train_batch(struct pass *p, float rate)
{
	forward(p);
	double loss = loss_and_gradient(p);
	for (size_t layer = p->m->layers; layer-- > 0;) {
		if (layer)
			backward(p, layer);
		step(p, layer, rate);
	}
	return loss;
}

static int check_data(const struct mlp *m, const struct mlp_data *d, struct err *e)
{
	int64_t classes = (int64_t)m->sizes[m->layers];
	if (!d->n || d->n > UINT32_MAX)
		return err_set(e, ERR_INVALID, "%zu samples: from 1 to %u are possible", d->n, UINT32_MAX);
	for (size_t i = 0; i < d->n; i++)
		if (d->label[i] < 0 || d->label[i] >= classes)
			return err_set(e, ERR_INVALID, "sample %zu has class %lld; the perceptron has classes 0 to %lld", i,
				(long long)d->label[i], (long long)(classes - 1));
	return 0;
}

static void gather(struct pass *p, const struct mlp_data *d, const uint32_t *order, int64_t *labels)
{
	size_t width = p->m->sizes[0];
	for (size_t s = 0; s < p->n; s++) {
		memcpy(p->layer[0] + s * width, d->x + order[s] * width, width * sizeof(float));
		labels[s] = d->label[order[s]];
	}
	p->labels = labels;
}

static int train_epoch(struct pass *p, const struct mlp_data *d, const struct mlp_options *o, const uint32_t *order, double *loss)
{
	int64_t *labels = calloc(o->batch, sizeof(*labels));
	int rc = labels ? 0 : ERR_NO_MEMORY;
	*loss = 0;
	for (size_t at = 0; at < d->n && rc == 0; at += o->batch) {
		p->n = MIN(o->batch, d->n - at);
		gather(p, d, order + at, labels);
		*loss += train_batch(p, o->rate);
		rc = o->tick ? o->tick(o->ctx) : 0;
	}
	free(labels);
	return rc;
}

static int train_epochs(struct pass *p, const struct mlp_data *d, const struct mlp_options *o, double *loss)
{
	uint32_t *order = calloc(d->n, sizeof(*order));
	struct rng r;
	rng_seed(&r, o->seed, o->stream);
	int rc = order ? 0 : ERR_NO_MEMORY;
	for (size_t epoch = 0; epoch < o->epochs && rc == 0; epoch++) {
		for (size_t i = 0; i < d->n; i++)
			order[i] = (uint32_t)i;
		rng_shuffle(&r, order, d->n);
		rc = train_epoch(p, d, o, order, loss);
	}
	free(order);
	return rc;
}

int mlp_train(struct mlp *m, const struct mlp_data *d, const struct mlp_options *o, double *loss, struct err *e)
{
	struct pass p;
	double total = 0;
	if (!o->batch || o->batch > MLP_MAX_BATCH || !o->epochs || !(o->rate > 0) || !isfinite(o->rate))
		return err_set(e, ERR_INVALID, "train a perceptron: batch %zu, epochs %zu and rate %g must be above 0, the batch at most %d",
			o->batch, o->epochs, (double)o->rate, MLP_MAX_BATCH);
	int rc = check_data(m, d, e);
	if (rc == 0)
		rc = pass_new(&p, m, o->blas, MIN(o->batch, d->n), e);
	if (rc < 0)
		return rc;
	rc = train_epochs(&p, d, o, &total);
	pass_free(&p);
	if (rc < 0)
		return err_set(e, rc, "train a perceptron: %s", rc == ERR_NO_MEMORY ? "out of memory" : "it was ended");
	if (!isfinite(total) || mlp_finite(m, e) < 0)
		return err_set(e, ERR_FAILED, "the training diverged to numbers that are not finite: a smaller learning rate helps");
	*loss = total / (double)d->n;
	return 0;
}

int mlp_evaluate(const struct mlp *m, const struct mlp_data *d, const struct blas *b, size_t *correct, struct err *e)
{
	struct pass p;
	size_t hits = 0, width = m->sizes[0], classes = m->sizes[m->layers];
	int rc = check_data(m, d, e);
	if (rc == 0)
		rc = pass_new(&p, m, b, EVALUATE_BATCH, e);
	if (rc < 0)
		return rc;
	for (size_t at = 0; at < d->n; at += EVALUATE_BATCH) {
		p.n = MIN((size_t)EVALUATE_BATCH, d->n - at);
		memcpy(p.layer[0], d->x + at * width, p.n * width * sizeof(float));
		forward(&p);
		for (size_t s = 0; s < p.n; s++)
			hits += mlp_class(p.layer[m->layers] + s * classes, classes) == (size_t)d->label[at + s];
	}
	pass_free(&p);
	*correct = hits;
	return 0;
}
