// SPDX-License-Identifier: Apache-2.0
// `isobar trainer NAME`: the built-in programs that training and evaluation jobs run, under the same contract of environment and
// files as a user's own program (docs/jobs.md): they read $ISOBAR_DATA and $ISOBAR_WITH, write $ISOBAR_OUT, and know no cloud.
//     mlp       data/*.safetensors, perhaps global/weights.safetensors -> weights.safetensors, metrics.json
//     evaluate  data/*.safetensors, model/weights.safetensors          -> metrics.json {samples, correct, accuracy}
// Data are tensors "image" F32 [n, ...] and "class" I64 [n]. Single-threaded. Errors: ERR_INVALID and ERR_CORRUPT for input,
// ERR_FAILED for a training that diverged.
#ifndef ISOBAR_TRAIN_TRAINERS_H
#define ISOBAR_TRAIN_TRAINERS_H

#include "base/json.h"
#include "base/kind.h"
#include "base/options.h"
#include "math/mlp.h"

struct trainer_env { // borrowed
	const char *data, *out; // folders
	const json_t *with;     // settings: hidden, batch, learning_rate, seed, epochs, round, base, classes
};
MUST_CHECK int trainer_mlp(const struct trainer_env *env, struct err *e);
MUST_CHECK int trainer_evaluate(const struct trainer_env *env, struct err *e);
extern const struct command trainer_command;

// What is to be learned from, read from all files *.safetensors of a folder and of those inside it, in the order of their names: one
// file stays mapped, several are copied together. Owned.
struct samples {
	struct mlp_data data;
	size_t width;  // numbers of an image
	struct arena arena;
	struct safetensors_file file; // when there is one
	struct buf x, label;          // when there are several
};
MUST_CHECK int samples_load(const char *folder, struct samples *out, struct err *e);
void samples_free(struct samples *s); // NULL and zero are fine
#define AUTO_TYPE_samples struct samples
static inline void samples_autofree(struct samples *s)
{
	samples_free(s);
}

// The settings of a perceptron, checked: ERR_INVALID names the member.
struct mlp_settings {
	size_t hidden[MLP_MAX_LAYERS];
	size_t hidden_count;
	size_t batch, epochs;
	double rate;
	uint64_t seed;
	int64_t round; // 0: no round
	struct str base; // sha256 of the global weights that must be there; "": not said
};
extern const struct kind mlp_with_block; // what a workspace may write there
MUST_CHECK int mlp_settings_read(const json_t *with, struct mlp_settings *out, struct err *e);
// Layer sizes for inputs and classes; at most MLP_MAX_LAYERS + 1.
size_t mlp_settings_sizes(const struct mlp_settings *s, size_t inputs, size_t classes, size_t sizes[MLP_MAX_LAYERS + 1]);

#endif
