// SPDX-License-Identifier: Apache-2.0
// Aggregation as a stream: when all headers fit (aggregate_prepare.c), each tensor goes by in blocks: the sites in order of
// their names, the base, the momentum, out.
#include "math/aggregate.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "math/aggregate_impl.h"

struct span { // n elements of a tensor, from element `first` on
	struct str name;
	size_t first, n;
};

// The bytes of a span of one input: in place where the data is in memory, else read into w->raw.
static int fetch(struct aggregate_work *w, const struct aggregate_in *in, const struct span *at, const unsigned char **raw, struct err *e)
{
	const struct tensor *t = aggregate_tensor(in, at->name);
	size_t size = tensor_type_bits(t->type) / 8;
	if (!in->from->read) {
		*raw = t->data + at->first * size;
		return 0;
	}
	int rc = in->from->read(in->from->ctx, t->begin + at->first * size, w->raw, at->n * size, e);
	*raw = w->raw;
	return rc < 0 ? err_context(e, "aggregate: read tensor \"%.*s\" of %.*s", STR(at->name), STR(in->name)) : 0;
}

static int refuse_number(const struct aggregate_in *in, const struct span *at, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "aggregate: tensor \"%.*s\" of %.*s has a number that is not finite", STR(at->name),
		STR(in->name));
}

static int load_block(struct aggregate_work *w, const struct aggregate_in *in, const struct span *at, double *out, struct err *e)
{
	const unsigned char *raw;
	int rc = fetch(w, in, at, &raw, e);
	if (rc < 0)
		return rc;
	return aggregate_load(aggregate_tensor(in, at->name)->type, raw, at->n, out) ? 0 : refuse_number(in, at, e);
}

static int add_block(struct aggregate_work *w, const struct aggregate_in *site, const struct span *at, struct err *e)
{
	const unsigned char *raw;
	struct aggregate_add add = {.origin = w->origin, .weight = site->weight, .sum = w->mean};
	int rc = fetch(w, site, at, &raw, e);
	if (rc < 0)
		return rc;
	return aggregate_add(aggregate_tensor(site, at->name)->type, raw, at->n, &add) ? 0 : refuse_number(site, at, e);
}

static int mean_block(struct aggregate_work *w, const struct span *at, struct err *e)
{
	memset(w->mean, 0, at->n * sizeof(*w->mean));
	int rc = load_block(w, &w->sites[0], at, w->origin, e);
	for (size_t i = 1; i < w->a->count && rc == 0; i++)
		rc = add_block(w, &w->sites[i], at, e);
	if (rc == 0)
		aggregate_mean(w->origin, w->mean, at->n);
	return rc;
}

static int momentum_block(struct aggregate_work *w, const struct span *at, struct err *e)
{
	int rc = w->a->state ? load_block(w, &w->state, at, w->momentum, e) : 0;
	if (rc < 0)
		return rc;
	aggregate_step(&(struct aggregate_step){.base = w->base_block, .mean = w->mean, .momentum = w->momentum, .first = !w->a->state,
		.rate = w->a->outer.rate, .beta = w->a->outer.momentum}, at->n);
	return 0;
}

static int put_block(struct aggregate_work *w, struct safetensors_writer *to, enum tensor_type type, const double *x, size_t n,
	struct err *e)
{
	if (!aggregate_store(type, x, n, w->stored))
		return err_set(e, ERR_CORRUPT, "a result is too large for %s", tensor_type_name(type));
	return safetensors_writer_put(to, str_bytes(w->stored, n * (tensor_type_bits(type) / 8)), e);
}

static int float_block(struct aggregate_work *w, const struct span *at, enum tensor_type type, struct err *e)
{
	int rc = mean_block(w, at, e);
	if (rc == 0 && w->a->base) {
		rc = load_block(w, &w->base, at, w->base_block, e);
		if (rc == 0)
			w->norm2 += aggregate_distance(w->base_block, w->mean, at->n);
	}
	if (rc == 0 && w->a->outer.nesterov)
		rc = momentum_block(w, at, e);
	if (rc < 0)
		return rc;
	rc = put_block(w, &w->writer, type, w->mean, at->n, e);
	if (rc == 0 && w->a->outer.nesterov)
		rc = put_block(w, &w->state_writer, aggregate_state_type(type), w->momentum, at->n, e);
	return rc < 0 ? err_context(e, "aggregate: tensor \"%.*s\"", STR(at->name)) : 0;
}

// Whole numbers have no mean: those of the site that learned from most samples are taken.
static int whole_block(struct aggregate_work *w, const struct span *at, enum tensor_type type, struct err *e)
{
	const unsigned char *raw;
	int rc = fetch(w, &w->sites[w->most_samples], at, &raw, e);
	if (rc < 0)
		return rc;
	return safetensors_writer_put(&w->writer, str_bytes(raw, at->n * (tensor_type_bits(type) / 8)), e);
}

static int aggregate_one(struct aggregate_work *w, const struct tensor *t, struct err *e)
{
	uint64_t count = tensor_count(t);
	struct span at = {.name = t->name};
	int rc = 0;
	for (; at.first < count && rc == 0; at.first += AGGREGATE_BLOCK) {
		at.n = MIN(count - at.first, (uint64_t)AGGREGATE_BLOCK);
		rc = aggregate_is_float(t->type) ? float_block(w, &at, t->type, e) : whole_block(w, &at, t->type, e);
	}
	return rc;
}

static int make_blocks(struct aggregate_work *w, struct err *e)
{
	enum { DOUBLES = AGGREGATE_BLOCK * sizeof(double) };
	w->origin = arena_alloc(w->arena, DOUBLES);
	w->mean = arena_alloc(w->arena, DOUBLES);
	w->base_block = arena_alloc(w->arena, DOUBLES);
	w->momentum = arena_alloc(w->arena, DOUBLES);
	w->raw = arena_alloc(w->arena, DOUBLES);
	w->stored = arena_alloc(w->arena, DOUBLES);
	if (!w->origin || !w->mean || !w->base_block || !w->momentum || !w->raw || !w->stored)
		return err_set(e, ERR_NO_MEMORY, "aggregate: out of memory");
	return 0;
}

static int open_outputs(struct aggregate_work *w, struct err *e)
{
	int rc = safetensors_writer_begin(&w->writer, w->a->out_path, &w->out, e);
	if (rc == 0 && w->a->outer.nesterov)
		rc = safetensors_writer_begin(&w->state_writer, w->a->state_out_path, &w->state_out, e);
	return rc;
}

// The momentum gets its name first: with the weights there, a round counts as done.
static int close_outputs(struct aggregate_work *w, struct aggregate_result *out, struct err *e)
{
	struct aggregate_result r = {.delta_norm = sqrt(w->norm2)};
	int rc = w->a->outer.nesterov ? safetensors_writer_end(&w->state_writer, e) : 0;
	if (rc < 0)
		return rc;
	rc = safetensors_writer_end(&w->writer, e);
	if (rc < 0 && w->a->outer.nesterov)
		unlink(w->a->state_out_path);
	if (rc < 0)
		return rc;
	memcpy(r.sha256.bytes, w->writer.sha256, SHA256_SIZE);
	memcpy(r.state_sha256.bytes, w->state_writer.sha256, SHA256_SIZE);
	r.size = w->writer.size;
	for (size_t i = 0; i < w->a->count; i++)
		r.samples += w->a->sites[i].samples;
	*out = r;
	return 0;
}

int aggregate_run(const struct aggregate *a, struct aggregate_result *out, struct err *e)
{
	AUTO(arena) arena = {0};
	struct aggregate_work w = {.a = a, .arena = &arena};
	int rc = aggregate_prepare(&w, e);
	if (rc == 0)
		rc = make_blocks(&w, e);
	if (rc == 0)
		rc = open_outputs(&w, e);
	for (size_t i = 0; i < w.out.count && rc == 0; i++)
		rc = aggregate_one(&w, &w.out.tensors[i], e);
	if (rc == 0)
		rc = close_outputs(&w, out, e);
	safetensors_writer_free(&w.writer);
	safetensors_writer_free(&w.state_writer);
	return rc;
}

static int check_one(struct aggregate_work *w, const struct tensor *t, struct err *e)
{
	uint64_t count = tensor_count(t);
	struct span at = {.name = t->name};
	int rc = 0;
	for (; at.first < count && rc == 0; at.first += AGGREGATE_BLOCK) {
		at.n = MIN(count - at.first, (uint64_t)AGGREGATE_BLOCK);
		rc = load_block(w, &w->sites[0], &at, w->origin, e);
	}
	return rc;
}

int aggregate_check(const struct aggregate_site *site, const struct aggregate_input *base, struct err *e)
{
	AUTO(arena) arena = {0};
	const struct aggregate a = {.sites = site, .count = 1, .base = base};
	struct aggregate_work w = {.a = &a, .arena = &arena, .any_type = !base};
	int rc = aggregate_prepare(&w, e);
	if (rc == 0)
		rc = make_blocks(&w, e);
	for (size_t i = 0; i < w.out.count && rc == 0; i++)
		if (aggregate_is_float(w.out.tensors[i].type))
			rc = check_one(&w, &w.out.tensors[i], e);
	return rc;
}
