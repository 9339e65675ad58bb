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
struct transform_share { // of `split:`
	struct str name; // "train"
	double share;    // 1.0 = all
};
struct transform_split {
	struct field_list shares; // of struct transform_share
	struct str by;            // column whose values stay together; empty: none
};
struct transform {
	struct field_list input;   // of struct field_named_ref: datasets or transforms; one, but for SQL
	struct str sql;            // path of a statement, inside the workspace; "": run or command
	struct transform_split split;
	struct str run;            // "builtin/images"; "": command
	struct str code;           // folder, copied into the job's work folder
	struct field_list command; // of struct str
	const struct node *with;   // passed on as ISOBAR_WITH; NULL: none
	struct field_ref bucket;
	struct transform_resources resources;
	int64_t deadline; // ns, of one job
};
extern const struct kind transform_kind;
// The first of its inputs, which for a program is the only one.
struct field_ref transform_first_input(const struct transform *t);
extern const struct resource_handler transform_handler;

#endif
