// SPDX-License-Identifier: Apache-2.0
// Aggregation: the exact identities, numbers against a plain computation, and every site that must be refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "math/aggregate.h"
#include "math/rng.h"

enum { WEIGHTS = 20011, SITES = 3 }; // more than two blocks, no multiple of a vector

struct model { // tensors in memory
	float w[WEIGHTS];
	double full[5];
	uint16_t half[3], brain[3];
	int64_t steps[2];
	unsigned char flag;
	struct tensor tensors[6];
	struct safetensors file;
	struct aggregate_input input;
};

static const uint64_t shape_w[] = {WEIGHTS}, shape_full[] = {5, 1}, shape_half[] = {3}, shape_steps[] = {2};
static char folder[] = "/tmp/isobar-test-XXXXXX", path[64], state_path[64], other_path[64];

static void describe(struct model *m)
{
	struct tensor tensors[] = {
		{.name = S("w"), .type = TENSOR_F32, .shape = shape_w, .rank = 1, .end = sizeof(m->w), .data = (void *)m->w},
		{.name = S("full"), .type = TENSOR_F64, .shape = shape_full, .rank = 2, .end = sizeof(m->full), .data = (void *)m->full},
		{.name = S("half"), .type = TENSOR_F16, .shape = shape_half, .rank = 1, .end = sizeof(m->half), .data = (void *)m->half},
		{.name = S("brain"), .type = TENSOR_BF16, .shape = shape_half, .rank = 1, .end = sizeof(m->brain), .data = (void *)m->brain},
		{.name = S("steps"), .type = TENSOR_I64, .shape = shape_steps, .rank = 1, .end = sizeof(m->steps), .data = (void *)m->steps},
		{.name = S("flag"), .type = TENSOR_BOOL, .rank = 0, .end = 1, .data = &m->flag},
	};
	memcpy(m->tensors, tensors, sizeof(tensors));
	m->file = (struct safetensors){.tensors = m->tensors, .count = 6};
	struct err e = {0};
	assert_int_equal(safetensors_lay_out(&m->file, &e), 0);
	m->input = (struct aggregate_input){.tensors = &m->file};
}

static struct model *make(uint64_t seed)
{
	struct model *m = calloc(1, sizeof(*m));
	struct rng r;
	assert_non_null(m);
	rng_seed(&r, seed, 0);
	for (size_t i = 0; i < WEIGHTS; i++)
		m->w[i] = (float)((rng_uniform(&r) - 0.5) * exp(20 * (rng_uniform(&r) - 0.5)));
	m->w[0] = -0.0f;
	m->w[1] = 0x1p-149f;
	for (size_t i = 0; i < 5; i++)
		m->full[i] = rng_uniform(&r);
	for (size_t i = 0; i < 3; i++) {
		m->half[i] = tensor_f16_of_f32((float)rng_uniform(&r));
		m->brain[i] = tensor_bf16_of_f32((float)rng_uniform(&r));
	}
	m->steps[0] = (int64_t)seed;
	m->steps[1] = INT64_MIN;
	m->flag = seed & 1;
	describe(m);
	return m;
}

static struct buf bytes_at(const char *at)
{
	struct buf b = {0};
	struct err e = {0};
	assert_int_equal(file_read(at, 1 << 20, &b, &e), 0);
	return b;
}

static void assert_file_is(const char *at, const struct model *m)
{
	AUTO(buf) expected = {0};
	AUTO(buf) got = bytes_at(at);
	struct err e = {0};
	assert_int_equal(safetensors_write(&m->file, &expected, &e), 0);
	assert_true(str_eq(buf_str(&got), buf_str(&expected)));
}

static struct aggregate job(const struct aggregate_site *sites, size_t count)
{
	return (struct aggregate){.sites = sites, .count = count, .out_path = path, .state_out_path = state_path};
}

static void run(const struct aggregate *a, struct aggregate_result *out)
{
	struct err e = {0};
	if (aggregate_run(a, out, &e) < 0)
		fail_msg("%s", e.message);
}

static void test_one_site_is_itself(UNUSED void **state)
{
	struct model *m = make(1);
	struct aggregate_site site = {S("a"), 7, m->input};
	struct aggregate a = job(&site, 1);
	struct aggregate_result r;
	run(&a, &r);
	assert_file_is(path, m);
	assert_int_equal(r.samples, 7);
	AUTO(buf) file = bytes_at(path);
	struct sha256 sum = sha256_of(buf_str(&file));
	assert_memory_equal(r.sha256.bytes, sum.bytes, SHA256_SIZE);
	assert_int_equal(r.size, file.n);
	free(m);
}

static void test_equal_sites_are_themselves(UNUSED void **state)
{
	struct model *m = make(1);
	struct aggregate_site sites[] = {{S("a"), 7, m->input}, {S("b"), 3, m->input}, {S("c"), 11, m->input}};
	struct aggregate a = job(sites, 3);
	struct aggregate_result r;
	run(&a, &r);
	assert_file_is(path, m);
	free(m);
}

static void test_order_changes_nothing(UNUSED void **state)
{
	static const int orders[][SITES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct model *m[SITES] = {make(1), make(2), make(3)}, *base = make(4);
	struct aggregate_site sites[] = {{S("aws"), 7, m[0]->input}, {S("azure"), 300, m[1]->input}, {S("gcp"), 11, m[2]->input}};
	struct aggregate_result first, r;
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		struct aggregate_site permuted[SITES];
		for (size_t k = 0; k < SITES; k++)
			permuted[k] = sites[orders[i][k]];
		struct aggregate a = job(permuted, SITES);
		a.base = &base->input;
		a.outer = (struct aggregate_outer){.nesterov = true, .rate = 0.7, .momentum = 0.9};
		run(&a, i ? &r : &first);
		assert_memory_equal(i ? r.sha256.bytes : first.sha256.bytes, first.sha256.bytes, SHA256_SIZE);
		assert_memory_equal(i ? r.state_sha256.bytes : first.state_sha256.bytes, first.state_sha256.bytes, SHA256_SIZE);
	}
	for (size_t i = 0; i < SITES; i++)
		free(m[i]);
	free(base);
}

static void test_nesterov_of_rate_1_is_the_mean(UNUSED void **state)
{
	struct model *m[SITES] = {make(1), make(2), make(3)}, *base = make(4);
	struct aggregate_site sites[] = {{S("a"), 7, m[0]->input}, {S("b"), 300, m[1]->input}, {S("c"), 11, m[2]->input}};
	struct aggregate a = job(sites, SITES);
	struct aggregate_result mean, outer;
	run(&a, &mean);
	a.base = &base->input;
	a.outer = (struct aggregate_outer){.nesterov = true, .rate = 1, .momentum = 0};
	a.out_path = other_path;
	run(&a, &outer);
	AUTO(buf) x = bytes_at(path);
	AUTO(buf) y = bytes_at(other_path);
	assert_true(str_eq(buf_str(&x), buf_str(&y)));
	assert_memory_equal(mean.sha256.bytes, outer.sha256.bytes, SHA256_SIZE);
	for (size_t i = 0; i < SITES; i++)
		free(m[i]);
	free(base);
}

static const void *data_in(struct str file, const char *name, struct arena *a)
{
	struct safetensors s;
	struct err e = {0};
	assert_int_equal(safetensors_parse(file, a, &s, &e), 0);
	const struct tensor *t = safetensors_find(&s, str_of(name));
	assert_non_null(t);
	return t->data;
}

static void test_means_and_whole_numbers(UNUSED void **state)
{
	struct model *m[2] = {make(1), make(2)};
	struct aggregate_site sites[] = {{S("a"), 1, m[0]->input}, {S("b"), 3, m[1]->input}};
	struct aggregate a = job(sites, 2);
	struct aggregate_result r;
	AUTO(arena) arena = {0};
	run(&a, &r);
	assert_int_equal(r.samples, 4);
	AUTO(buf) file = bytes_at(path);
	const float *w = data_in(buf_str(&file), "w", &arena);
	for (size_t i = 0; i < WEIGHTS; i++) {
		double mean = 0.25 * (double)m[0]->w[i] + 0.75 * (double)m[1]->w[i];
		assert_true(fabs((double)w[i] - mean) <= fabs(mean) * 0x1p-24 + 0x1p-149);
	}
	const double *full = data_in(buf_str(&file), "full", &arena);
	assert_true(fabs(full[4] - (0.25 * m[0]->full[4] + 0.75 * m[1]->full[4])) < 1e-15);
	const uint16_t *half = data_in(buf_str(&file), "half", &arena);
	float mean = 0.25f * tensor_f32_of_f16(m[0]->half[1]) + 0.75f * tensor_f32_of_f16(m[1]->half[1]);
	assert_int_equal(half[1], tensor_f16_of_f32(mean));
	const int64_t *steps = data_in(buf_str(&file), "steps", &arena);
	assert_true(steps[0] == 2 && steps[1] == INT64_MIN); // of the site with most samples
	assert_int_equal(*(const unsigned char *)data_in(buf_str(&file), "flag", &arena), 0);
	free(m[0]);
	free(m[1]);
}

// Three rounds of one weight by hand, the momentum carried from file to file.
static void test_outer_step(UNUSED void **state)
{
	static const float site_says[] = {1.0f, 1.5f, -1.0f};
	static const uint64_t shape[] = {1};
	double w = 0, b = 0;
	struct err e = {0};
	AUTO(buf) keep = {0};
	AUTO(arena) arena = {0};
	struct safetensors momentum;
	float base_value = 0;
	for (int round = 0; round < 3; round++) {
		struct tensor t = {.name = S("w"), .type = TENSOR_F32, .shape = shape, .rank = 1, .end = 4, .data = (const void *)&site_says[round]};
		struct tensor u = t;
		u.data = (const void *)&base_value;
		struct safetensors site_file = {.tensors = &t, .count = 1, .data_size = 4}, base_file = {.tensors = &u, .count = 1, .data_size = 4};
		struct aggregate_input base = {.tensors = &base_file}, before = {.tensors = &momentum};
		struct aggregate_site site = {S("a"), 5, {.tensors = &site_file}};
		struct aggregate a = job(&site, 1);
		struct aggregate_result r;
		a.base = &base;
		a.state = round ? &before : NULL;
		a.outer = (struct aggregate_outer){.nesterov = true, .rate = 0.5, .momentum = 0.5};
		run(&a, &r);
		double g = w - (double)site_says[round];
		b = round ? 0.5 * b + g : g;
		assert_true(fabs(r.delta_norm - fabs(g)) < 1e-6);
		w -= 0.5 * (g + 0.5 * b);
		AUTO(buf) file = bytes_at(path);
		memcpy(&base_value, data_in(buf_str(&file), "w", &arena), sizeof(base_value));
		assert_true(fabs((double)base_value - w) < 1e-6);
		w = (double)base_value;
		buf_free(&keep);
		keep = bytes_at(state_path);
		assert_int_equal(safetensors_parse(buf_str(&keep), &arena, &momentum, &e), 0);
		assert_true(fabs((double)*(const float *)(const void *)momentum.tensors[0].data - b) < 1e-6);
		b = (double)*(const float *)(const void *)momentum.tensors[0].data;
	}
}

static int read_from(void *ctx, uint64_t offset, void *out, size_t n, struct err *e)
{
	const struct buf *file = ctx;
	if (offset + n > file->n)
		return err_set(e, ERR_IO, "past the end");
	memcpy(out, file->p + offset, n);
	return 0;
}

// The same bytes when sites are read by ranges instead of lying in memory.
static void test_reads_by_ranges(UNUSED void **state)
{
	struct model *m[2] = {make(1), make(2)};
	struct aggregate_site sites[] = {{S("a"), 1, m[0]->input}, {S("b"), 3, m[1]->input}};
	struct aggregate a = job(sites, 2);
	struct aggregate_result in_memory, by_ranges;
	struct buf data[2] = {{0}, {0}};
	struct err e = {0};
	run(&a, &in_memory);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(safetensors_write(&m[i]->file, &data[i], &e), 0);
		buf_drop(&data[i], data[i].n - m[i]->file.data_size);
		sites[i].input.read = read_from;
		sites[i].input.ctx = &data[i];
	}
	run(&a, &by_ranges);
	assert_memory_equal(in_memory.sha256.bytes, by_ranges.sha256.bytes, SHA256_SIZE);
	data[1].n--;
	assert_int_equal(aggregate_run(&a, &by_ranges, &e), ERR_IO);
	assert_non_null(strstr(e.message, "of b: past the end"));
	for (size_t i = 0; i < 2; i++) {
		buf_free(&data[i]);
		free(m[i]);
	}
}

static void refuse(const struct aggregate *a, int code, const char *because)
{
	struct aggregate_result r;
	struct err e = {0};
	unlink(path);
	unlink(state_path);
	assert_int_equal(aggregate_run(a, &r, &e), code);
	if (!strstr(e.message, because))
		fail_msg("\"%s\" does not say \"%s\"", e.message, because);
	assert_false(file_exists(path));
	assert_false(file_exists(state_path));
}

static void test_refuses_numbers(UNUSED void **state)
{
	struct model *m = make(1), *bad = make(2);
	struct aggregate_site sites[] = {{S("a"), 1, m->input}, {S("b"), 3, bad->input}};
	struct aggregate a = job(sites, 2);
	static const float wrong[] = {NAN, INFINITY, -INFINITY};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		bad->w[WEIGHTS - 1 - i * 9000] = wrong[i];
		refuse(&a, ERR_CORRUPT, "tensor \"w\" of b has a number that is not finite");
		a.count = 1;
		a.sites = &sites[1];
		refuse(&a, ERR_CORRUPT, "not finite");
		a = job(sites, 2);
		bad->w[WEIGHTS - 1 - i * 9000] = 0;
	}
	bad->half[2] = 0x7c00;
	refuse(&a, ERR_CORRUPT, "tensor \"half\" of b");
	bad->half[2] = 0;
	bad->full[0] = NAN;
	refuse(&a, ERR_CORRUPT, "tensor \"full\" of b");
	bad->full[0] = 0;
	a.base = &m->input;
	a.outer = (struct aggregate_outer){.nesterov = true, .rate = 1, .momentum = 0.5};
	m->brain[0] = 0x7fc0;
	refuse(&a, ERR_CORRUPT, "tensor \"brain\" of a");
	free(m);
	free(bad);
}

static void test_refuses_forms(UNUSED void **state)
{
	struct model *m = make(1), *other = make(2);
	struct aggregate_site sites[] = {{S("a"), 1, m->input}, {S("b"), 3, other->input}};
	struct aggregate a = job(sites, 2);
	other->file.count = 5;
	refuse(&a, ERR_INVALID, "b lacks tensor");
	other->file.count = 6;
	m->file.count = 5;
	refuse(&a, ERR_INVALID, "b has tensor");
	m->file.count = 6;
	struct tensor keep = other->tensors[0];
	other->tensors[0].name = S("x");
	refuse(&a, ERR_INVALID, "b lacks tensor");
	other->tensors[0] = keep;
	other->tensors[0].type = TENSOR_U64;
	refuse(&a, ERR_INVALID, "another type or shape");
	other->tensors[0] = keep;
	other->tensors[0].rank = 0;
	refuse(&a, ERR_INVALID, "another type or shape");
	other->tensors[0] = keep;
	m->tensors[5].type = other->tensors[5].type = TENSOR_F8_E5M2;
	refuse(&a, ERR_UNSUPPORTED, "F8_E5M2, which has no mean");
	free(m);
	free(other);
}

static void test_refuses_sites(UNUSED void **state)
{
	struct model *m = make(1);
	struct aggregate_site sites[] = {{S("a"), 1, m->input}, {S("b"), 3, m->input}};
	struct aggregate a = job(sites, 0);
	refuse(&a, ERR_INVALID, "0 sites");
	a = job(sites, 2);
	sites[1].name = S("a");
	refuse(&a, ERR_INVALID, "site a is there twice");
	sites[1].name = S("b");
	sites[1].samples = 0;
	refuse(&a, ERR_INVALID, "site b says that it learned from 0 samples");
	sites[1].samples = UINT64_MAX;
	refuse(&a, ERR_INVALID, "site b says");
	sites[1].samples = 1;
	a.outer = (struct aggregate_outer){.nesterov = true, .rate = 1};
	refuse(&a, ERR_INTERNAL, "needs the base");
	a.base = &m->input;
	a.outer.rate = NAN;
	refuse(&a, ERR_INVALID, "rate");
	a.outer = (struct aggregate_outer){.nesterov = true, .rate = 1, .momentum = 1.5};
	refuse(&a, ERR_INVALID, "momentum");
	a.outer.momentum = 0.5;
	a.state = &m->input; // no momentum: it has whole numbers and halves
	refuse(&a, ERR_INVALID, "the momentum");
	a.state = NULL;
	a.out_path = "/nonexistent/x";
	refuse(&a, ERR_NOT_FOUND, "create /nonexistent/x");
	free(m);
}

static void test_check(UNUSED void **state)
{
	struct model *m = make(1), *base = make(2);
	struct aggregate_site site = {S("a"), 1, m->input};
	struct err e = {0};
	assert_int_equal(aggregate_check(&site, &base->input, &e), 0);
	assert_int_equal(aggregate_check(&site, NULL, &e), 0);
	m->w[WEIGHTS - 1] = NAN;
	assert_int_equal(aggregate_check(&site, NULL, &e), ERR_CORRUPT);
	m->w[WEIGHTS - 1] = 0;
	m->file.count = 5;
	assert_int_equal(aggregate_check(&site, &base->input, &e), ERR_INVALID);
	m->file.count = 6;
	site.samples = 0;
	assert_int_equal(aggregate_check(&site, NULL, &e), ERR_INVALID);
	free(m);
	free(base);
}

static int setup(UNUSED void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/out", folder);
	snprintf(state_path, sizeof(state_path), "%s/state", folder);
	snprintf(other_path, sizeof(other_path), "%s/other", folder);
	return 0;
}

static int teardown(UNUSED void **state)
{
	unlink(path);
	unlink(state_path);
	unlink(other_path);
	return rmdir(folder); // fails when something partial was left
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_site_is_itself),
		cmocka_unit_test(test_equal_sites_are_themselves),
		cmocka_unit_test(test_order_changes_nothing),
		cmocka_unit_test(test_nesterov_of_rate_1_is_the_mean),
		cmocka_unit_test(test_means_and_whole_numbers),
		cmocka_unit_test(test_outer_step),
		cmocka_unit_test(test_reads_by_ranges),
		cmocka_unit_test(test_refuses_numbers),
		cmocka_unit_test(test_refuses_forms),
		cmocka_unit_test(test_refuses_sites),
		cmocka_unit_test(test_check),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
