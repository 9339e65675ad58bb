// SPDX-License-Identifier: Apache-2.0
// The local engine: the jobs, endpoints and keys of a cloud played by folders and processes of this machine, below
// CLOUD's root (".isobar/local/CLOUD", mode 0700):
//     jobs/NAME/        spec.json cloud.json status.json log lock work/   (cloud/job_files.h, cloud/job_work.h)
//     endpoints/NAME/   spec.json status.json GENERATION/model/... GENERATION/REPLICA/announce.json
//     keys/NAME.json    key versions (0600)
// Everything is idempotent by folder: what a killed control plane began is found again, never doubled. Jobs and
// endpoints are processes in sessions of their own, so that they outlive us. Nothing is started while the cloud's store
// is unreachable. A struct local may be used by several threads; several processes may work on one root (files are
// locked where it matters).
#ifndef ISOBAR_CLOUD_LOCAL_LOCAL_H
#define ISOBAR_CLOUD_LOCAL_LOCAL_H

#include "cloud/cloud.h"

struct cloud_config; // cloud/config.h
struct local;

struct local_options {
	struct str cloud;         // name: "aws-us"
	struct str root;          // folder; made when absent
	const json_t *cloud_json; // what a worker opens its cloud with; written to jobs/NAME/cloud.json (0600)
	const char *program;      // runs `worker` and `serve`; NULL: this very program
	int64_t ready_timeout_ns; // how long an endpoint may take until it answers; 0: 60 s
};

// The engine behind a cloud; self is borrowed until local_close and gives the store. *out is owned.
MUST_CHECK int local_open(
	struct call *c, const struct cloud_config *config, const struct cloud *self, struct local **out);
MUST_CHECK int local_open_with(
	struct call *c, const struct local_options *options, const struct cloud *self, struct local **out);
void local_close(struct local *l); // stops nothing; NULL is allowed

// The context of each table is the struct local.
extern const struct job_ops local_job_ops;
extern const struct endpoint_ops local_endpoint_ops;
extern const struct key_ops local_key_ops;

#endif
