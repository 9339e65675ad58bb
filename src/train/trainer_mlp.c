// SPDX-License-Identifier: Apache-2.0
// The built-in trainer: a perceptron from the global weights of a round, or from a seed, over the samples of this place.
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "train/trainers.h"

enum { TRAINER_PATH = 4096 };

static int path_below(const char *folder, const char *rest, char out[TRAINER_PATH], struct err *e)
{
	int n = snprintf(out, TRAINER_PATH, "%s/%s", folder, rest);
	return n > 0 && n < TRAINER_PATH ? 0 : err_set(e, ERR_INVALID, "%s: the path is too long", rest);
}

static double seconds_now(void)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t classes_of(const struct mlp_data *d, const json_t *with)
{
	int64_t most = json_int(with, "classes", 0) - 1;
	for (size_t i = 0; i < d->n; i++)
		most = MAX(most, d->label[i]);
	return most >= 0 && most < MLP_MAX_WIDTH ? (size_t)most + 1 : 0;
}

static int check_base(const struct mlp_settings *s, struct str file, char digest[HEX_SHA256_SIZE], struct err *e)
{
	struct sha256 sum = sha256_of(file);
	hex_encode(str_bytes(sum.bytes, sizeof(sum.bytes)), digest);
	if (s->base.n && !str_eq(s->base, str_of(digest)))
		return err_set(e, ERR_CORRUPT, "the global weights have SHA-256 %s, this round begins with %.*s", digest, STR(s->base));
	return 0;
}

static int read_global(const char *path, const struct mlp_settings *s, struct mlp *m, char digest[HEX_SHA256_SIZE], struct err *e)
{
	AUTO(arena) a = {0};
	AUTO(safetensors_file) file = {0};
	int rc = safetensors_open(path, &a, &file, e);
	if (rc == 0)
		rc = check_base(s, file.bytes, digest, e);
	if (rc < 0)
		return rc;
	rc = mlp_read(&file.content, m, e);
	return rc < 0 ? err_context(e, "%s", path) : 0;
}

// The perceptron to begin with; digest is "" without global weights.
static int begin(const struct trainer_env *env, const struct mlp_settings *s, const struct samples *d, struct mlp *m,
	char digest[HEX_SHA256_SIZE], struct err *e)
{
	char path[TRAINER_PATH];
	size_t sizes[MLP_MAX_LAYERS + 1];
	digest[0] = '\0';
	int rc = path_below(env->data, "global/weights.safetensors", path, e);
	if (rc < 0)
		return rc;
	if (file_exists(path))
		return read_global(path, s, m, digest, e);
	if (s->base.n)
		return err_set(e, ERR_INVALID, "%s is missing, but this round begins with it", path);
	rc = mlp_new(m, sizes, mlp_settings_sizes(s, d->width, classes_of(&d->data, env->with), sizes), e);
	if (rc == 0)
		mlp_initialise(m, s->seed);
	return rc;
}

static int write_weights(const struct trainer_env *env, const struct mlp *m, struct err *e)
{
	AUTO(arena) a = {0};
	struct safetensors s;
	char path[TRAINER_PATH];
	int rc = path_below(env->out, "weights.safetensors", path, e);
	if (rc == 0)
		rc = mlp_describe(m, &a, &s, e);
	if (rc == 0)
		rc = safetensors_write_file(path, &s, NULL, e);
	return rc;
}

static int write_json(const struct trainer_env *env, const char *name, const json_t *j, struct err *e)
{
	AUTO(buf) text = {0};
	char path[TRAINER_PATH];
	int rc = path_below(env->out, name, path, e);
	if (rc == 0)
		rc = j ? json_write(j, &text, e) : err_set(e, ERR_NO_MEMORY, "write %s: out of memory", path);
	if (rc == 0)
		rc = file_write_atomic(path, buf_str(&text), 0644, e);
	return rc;
}

static int load(const struct trainer_env *env, struct samples *d, struct err *e)
{
	char path[TRAINER_PATH];
	int rc = path_below(env->data, "data", path, e);
	return rc < 0 ? rc : samples_load(path, d, e);
}

int trainer_mlp(const struct trainer_env *env, struct err *e)
{
	double began = seconds_now(), loss = 0;
	AUTO(samples) d = {0};
	AUTO(mlp) m = {0};
	struct mlp_settings s;
	struct blas blas;
	char digest[HEX_SHA256_SIZE];
	int rc = mlp_settings_read(env->with, &s, e);
	if (rc == 0)
		rc = load(env, &d, e);
	if (rc == 0)
		rc = begin(env, &s, &d, &m, digest, e);
	if (rc < 0)
		return rc;
	if (m.sizes[0] != d.width)
		return err_set(e, ERR_INVALID, "the weights take samples of %zu numbers, the data has %zu", m.sizes[0], d.width);
	blas_open(&blas, NULL);
	struct mlp_options o = {.batch = s.batch, .epochs = s.epochs, .rate = (float)s.rate, .seed = s.seed,
		.stream = (uint64_t)s.round, .blas = &blas};
	rc = mlp_train(&m, &d.data, &o, &loss, e);
	if (rc == 0)
		rc = write_weights(env, &m, e);
	if (rc < 0)
		return rc;
	AUTO(json) metrics = json_pack("{s:I, s:f, s:f, s:I, s:s, s:s}", "samples", (json_int_t)d.data.n, "loss", loss, "seconds",
		seconds_now() - began, "round", (json_int_t)s.round, "base", digest, "blas", blas.name);
	return write_json(env, "metrics.json", metrics, e);
}

int trainer_evaluate(const struct trainer_env *env, struct err *e)
{
	AUTO(arena) a = {0};
	AUTO(safetensors_file) file = {0};
	AUTO(samples) d = {0};
	AUTO(mlp) m = {0};
	struct blas blas;
	char path[TRAINER_PATH];
	size_t correct = 0;
	int rc = path_below(env->data, "model/weights.safetensors", path, e);
	if (rc == 0)
		rc = safetensors_open(path, &a, &file, e);
	if (rc == 0)
		rc = mlp_read(&file.content, &m, e);
	if (rc == 0)
		rc = load(env, &d, e);
	if (rc == 0 && m.sizes[0] != d.width)
		rc = err_set(e, ERR_INVALID, "the weights take samples of %zu numbers, the data has %zu", m.sizes[0], d.width);
	if (rc < 0)
		return rc;
	blas_open(&blas, NULL);
	rc = mlp_evaluate(&m, &d.data, &blas, &correct, e);
	if (rc < 0)
		return rc;
	AUTO(json) metrics = json_pack("{s:I, s:I, s:f}", "samples", (json_int_t)d.data.n, "correct", (json_int_t)correct, "accuracy",
		(double)correct / (double)d.data.n);
	return write_json(env, "metrics.json", metrics, e);
}
