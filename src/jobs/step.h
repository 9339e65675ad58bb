// SPDX-License-Identifier: Apache-2.0
// A step of a pipeline: one thing to make (dataset, transform, training, alias of a model) from what lies upstream, and
// the table row of who makes it. Rooms export makers; main.c fills the array. A step lives as long as the call that
// runs it; all is borrowed.
//
// Outputs of the steps (members that downstream steps rely on; makers may add more). Every step passes "class" and
// "residency" on.
//   dataset    {"format", "records", "bytes", "parts": [{"cloud", "bucket", "prefix", "records", "bytes", "manifest"
//   (sha256)}]} transform  {"parts": [{"cloud", "bucket", "splits": {"train": {"prefix", "bytes", "files": {NAME:
//   sha256}}, "test": {...}}}]} training, model: train/ and models/ say theirs.
// prefix ends in '/', bucket is the physical name.
#ifndef ISOBAR_JOBS_STEP_H
#define ISOBAR_JOBS_STEP_H

#include "cloud/cloud.h"
#include "data/progress.h"
#include "state/resource.h"

struct step_input {            // something upstream, already made
	struct str address;    // "transform/prepared"
	struct str run;        // its run id
	struct str digest;     // what it was made from
	const json_t *outputs; // what its maker gave
};
struct step {
	const struct state *state;
	const struct clouds *clouds;
	struct str address;              // "training/classifier", "model/classifier@champion"
	const struct resource *resource; // of "training/classifier", "model/classifier"
	struct str alias;                // "champion" for a model's alias; else empty
	const struct step_input *inputs; // direct inputs first, then all that lies further up
	size_t input_count;
	struct str digest;               // hex SHA-256 of the resolved resource and the digests upstream
	struct str run;                  // first 12 digits of it: names of objects, jobs and actions carry it
	const struct progress *progress; // may be NULL
	const char *scratch;             // folder of this step and run, made, kept until the step is done
	const char *folder;              // the workspace's: relative `code:` and `file:` paths start here
};

struct step_look { // before a step is made: what is known then; borrowed
	const struct state *state;
	const struct clouds *clouds;
	const struct resource *resource;
	const char *folder;
};

struct step_maker {
	const char *kind; // "dataset", "transform", "training", "model"
	// Makes the step or resumes it; *outputs (new reference) is recorded under made/ADDRESS. Drives a reconciler,
	// so that a killed control plane goes on where it stopped. Must be idempotent under step->run.
	int (*make)(struct call *c, void *ctx, const struct step *step, json_t **outputs);
	// What else the step is made from and its resource does not say (the contents of a source): any text, part of
	// its digest; "" adds nothing. NULL: nothing. The contents of a `code:` folder are always part of it.
	int (*fingerprint)(struct call *c, void *ctx, const struct step_look *look, struct str *out);
	void *ctx;
};

const struct step_input *step_find_input(const struct step *step, struct str address); // NULL when absent
// The nearest input of a kind ("transform"); NULL when there is none.
const struct step_input *step_find_kind(const struct step *step, struct str kind);
void step_report(const struct step *step, const struct progress_event *e); // fills e's step

#endif
