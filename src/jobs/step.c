// SPDX-License-Identifier: Apache-2.0
// What makers ask of their step.
#include "jobs/step.h"

const struct step_input *step_find_input(const struct step *step, struct str address)
{
	for (size_t i = 0; i < step->input_count; i++)
		if (str_eq(step->inputs[i].address, address))
			return &step->inputs[i];
	return NULL;
}

const struct step_input *step_find_kind(const struct step *step, struct str kind)
{
	for (size_t i = 0; i < step->input_count; i++) {
		struct str head, tail;
		if (str_cut(step->inputs[i].address, '/', &head, &tail) && str_eq(head, kind))
			return &step->inputs[i]; // direct inputs come first
	}
	return NULL;
}

void step_report(const struct step *step, const struct progress_event *e)
{
	struct progress_event full = *e;
	full.step = step->address;
	progress_report(step->progress, &full);
}
