// SPDX-License-Identifier: Apache-2.0
// The `with:` map of the built-in perceptron, read and checked once for the control plane and the trainer.
#include <math.h>

#include "train/trainers.h"

enum { MLP_MAX_EPOCHS = 100000, MLP_BATCH_MOST = 1 << 20 };

struct mlp_with { // only to check what is written; mlp_settings_read reads what a job gets
	struct field_list hidden;
	int64_t batch, epochs, seed;
	double rate;
};
static const struct field with_fields[] = {
	{.name = "hidden", .type = FIELD_LIST, .offset = offsetof(struct mlp_with, hidden), .item = FIELD_INTEGER, .min = 1,
		.max = MLP_MAX_WIDTH, .help = "Widths of the hidden layers."},
	{.name = "batch", .type = FIELD_INTEGER, .offset = offsetof(struct mlp_with, batch), .otherwise = "50", .min = 1,
		.max = MLP_BATCH_MOST, .help = "Samples of a step."},
	{.name = "epochs", .type = FIELD_INTEGER, .offset = offsetof(struct mlp_with, epochs), .otherwise = "1", .min = 1,
		.max = MLP_MAX_EPOCHS, .help = "Passes over the data; of a federated training local_epochs says it."},
	{.name = "learning_rate", .type = FIELD_NUMBER, .offset = offsetof(struct mlp_with, rate), .otherwise = "0.1",
		.min = 1e-6, .max = 1000, .help = "Length of a step."},
	{.name = "seed", .type = FIELD_INTEGER, .offset = offsetof(struct mlp_with, seed), .otherwise = "1", .min = 0,
		.max = 999999999, .help = "Of the first weights and of the order of the samples."},
};
const struct kind mlp_with_block = {
	.singular = "builtin/mlp",
	.help = "Settings of the built-in perceptron.",
	.size = sizeof(struct mlp_with),
	KIND_FIELDS(with_fields),
};

static int read_whole(const json_t *with, const char *name, int64_t otherwise, int64_t most, int64_t *out, struct err *e)
{
	const json_t *value = json_object_get(with, name);
	int64_t n = value ? json_is_integer(value) ? json_integer_value(value) : -1 : otherwise;
	if (n < 0 || n > most)
		return err_set(e, ERR_INVALID, "with.%s: expected a whole number from 0 to %lld", name, (long long)most);
	*out = n;
	return 0;
}

static int read_hidden(const json_t *with, struct mlp_settings *s, struct err *e)
{
	const json_t *list = json_object_get(with, "hidden");
	if (!list) {
		s->hidden[0] = s->hidden[1] = 200;
		s->hidden_count = 2;
		return 0;
	}
	if (!json_is_array(list) || json_array_size(list) >= MLP_MAX_LAYERS)
		return err_set(e, ERR_INVALID, "with.hidden: expected a list of at most %d widths", MLP_MAX_LAYERS - 1);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *width = json_array_get(list, i);
		if (!json_is_integer(width) || json_integer_value(width) < 1 || json_integer_value(width) > MLP_MAX_WIDTH)
			return err_set(e, ERR_INVALID, "with.hidden: expected widths from 1 to %d", MLP_MAX_WIDTH);
		s->hidden[s->hidden_count++] = (size_t)json_integer_value(width);
	}
	return 0;
}

int mlp_settings_read(const json_t *with, struct mlp_settings *out, struct err *e)
{
	struct mlp_settings s = {.rate = json_num(with, "learning_rate", 0.1), .base = json_str(with, "base")};
	int64_t batch, epochs, seed;
	if (read_hidden(with, &s, e) < 0 || read_whole(with, "batch", 50, MLP_BATCH_MOST, &batch, e) < 0 ||
		read_whole(with, "epochs", 1, MLP_MAX_EPOCHS, &epochs, e) < 0 ||
		read_whole(with, "seed", 1, INT64_MAX, &seed, e) < 0 || read_whole(with, "round", 0, INT64_MAX, &s.round, e) < 0)
		return ERR_INVALID;
	if (!batch || !epochs)
		return err_set(e, ERR_INVALID, "with.batch and with.epochs: expected at least 1");
	if (!isfinite(s.rate) || !(s.rate > 0))
		return err_set(e, ERR_INVALID, "with.learning_rate: expected a number above 0");
	s.batch = (size_t)batch;
	s.epochs = (size_t)epochs;
	s.seed = (uint64_t)seed;
	*out = s;
	return 0;
}

size_t mlp_settings_sizes(const struct mlp_settings *s, size_t inputs, size_t classes, size_t sizes[MLP_MAX_LAYERS + 1])
{
	size_t n = 0;
	sizes[n++] = inputs;
	for (size_t i = 0; i < s->hidden_count; i++)
		sizes[n++] = s->hidden[i];
	sizes[n++] = classes;
	return n;
}
