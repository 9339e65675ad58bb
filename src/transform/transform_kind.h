// SPDX-License-Identifier: Apache-2.0
// The kind `transform`: makes something out of each part of its input, on the cloud where that part lies. Only recorded
// by apply; transform_make (transform/transform.h) runs it as a pipeline step.
#ifndef ISOBAR_TRANSFORM_TRANSFORM_KIND_H
#define ISOBAR_TRANSFORM_TRANSFORM_KIND_H

#include "state/resource.h"

struct transform_resources {
	double cpu;
	int64_t memory; // bytes; 0: the engine's default
};
struct transform {
	struct field_ref input;    // dataset or transform
	struct str run;            // "builtin/images"; "": command
	struct str code;           // folder, copied into the job's work folder
	struct field_list command; // of struct str
	const struct node *with;   // passed on as ISOBAR_WITH; NULL: none
	struct field_ref bucket;
	struct transform_resources resources;
	int64_t deadline; // ns, of one job
};
extern const struct kind transform_kind;
extern const struct resource_handler transform_handler;

#endif
