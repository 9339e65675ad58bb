// SPDX-License-Identifier: Apache-2.0
// Inside trainings: the two ways in which a training is made, and what both write down.
#ifndef ISOBAR_TRAIN_TRAINING_IMPL_H
#define ISOBAR_TRAIN_TRAINING_IMPL_H

#include "jobs/step.h"
#include "train/parts.h"
#include "train/training_kind.h"

struct training_made { // what the outputs tell
	struct str sha256;
	uint64_t size, samples;
	int64_t rounds;
	const json_t *metrics; // object; NULL: none
	struct part *places;   // where the result lies
	size_t place_count;
};
int training_federated(struct call *c, const struct step *step, const struct training *t, const struct parts *parts, struct training_made *out);
int training_single(struct call *c, const struct step *step, const struct training *t, const struct parts *parts, struct training_made *out);

// The settings of a training as JSON: new reference, an object.
json_t *training_with(const struct training *t);
// Path of `code:`; "" without. In a.
struct str training_code(const struct training *t, const struct step *step, struct arena *a);
// argv of its jobs, NULL-ended, in a; NULL without memory.
const char *const *training_argv(const struct training *t, struct arena *a);

#endif
