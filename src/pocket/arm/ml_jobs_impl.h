// SPDX-License-Identifier: Apache-2.0
// Command jobs of a pocket's Azure ML: what the API (ml_jobs.c) and the walk through their states (ml_job_run.c) share.
// A job is a document: {"resource", "status", "since_ns", "runs", "engine", "outcome", "reason", "operation",
// "started_ns", "ended_ns"}. Jobs that have not ended are at work: one record each, made again when the pocket starts.
#ifndef ISOBAR_POCKET_ARM_ML_JOBS_IMPL_H
#define ISOBAR_POCKET_ARM_ML_JOBS_IMPL_H

#include "pocket/arm/ml_files_impl.h"
#include "pocket/engine/engine.h"

#define ML_JOBS "arm/jobs"
enum { ML_JOB_RUNS = 20 }; // machines that may be taken from a job before it fails

struct ml_job {
	struct ml_job *next;
	char name[256];
	size_t staged;     // parts that are in the folder: the code, then each input
	size_t sent;       // parts of what it left that are in blobs
	struct ml_transfer *transfer;
	int64_t log_ns;    // when the log was last sent
	uint64_t log_next; // how far it was
};
struct arm_jobs {
	struct ml_job *first;
};

bool ml_job_ended(struct str status);
// Starts to walk a job through its states. ERR_NO_MEMORY.
MUST_CHECK int ml_job_begin(struct arm_state *s, struct str name, struct err *e);
// Changes members of a job's document: those of `changes` (taken over) replace its own.
MUST_CHECK int ml_job_update(struct arm_state *s, struct str name, json_t *changes, struct err *e);

// ---------------------------------------------------------------- what it runs (ml_job_spec.c)
struct ml_run { // a job, and where it is on this machine; all borrowed
	struct arm_state *state;
	struct arena *arena; // of what is made here
	struct str name;
	const json_t *doc;
	const struct engine_place *at;
};
// How many parts have to be fetched before it starts, and the n-th: from where, into which folder.
size_t ml_job_parts(const json_t *doc);
MUST_CHECK int ml_job_part(
	const struct ml_run *run, size_t n, struct ml_place *from, struct str *folder, struct err *e);
// What it leaves, and where that goes.
size_t ml_job_products(const json_t *doc);
MUST_CHECK int ml_job_product(
	const struct ml_run *run, size_t n, struct ml_place *to, struct str *folder, struct err *e);
MUST_CHECK int ml_job_spec(const struct ml_run *run, struct engine_spec *out, struct err *e); // the process
// Words of a command line without a shell; ERR_INVALID for what only a shell understands.
MUST_CHECK int ml_split_command(struct str command, json_t *words, struct err *e);
bool ml_image_is_isobar(struct str image);
struct ml_machine {
	double cpu;
	uint64_t memory; // bytes
};
// What a size of virtual machine has; false when it is not known here.
bool ml_machine_find(struct str instance_type, struct ml_machine *out);

#endif
