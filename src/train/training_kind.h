// SPDX-License-Identifier: Apache-2.0
// The kind "training": data, a built-in trainer or a program of the user's own, and, for a federated training, how its rounds go.
#ifndef ISOBAR_TRAIN_TRAINING_KIND_H
#define ISOBAR_TRAIN_TRAINING_KIND_H

#include "state/resource.h"

struct training_outer { // optimizer empty: none
	struct str optimizer; // "nesterov"
	double rate, momentum;
};
struct training_aggregate {
	struct str rule; // "fedavg"
	struct training_outer outer;
};
struct training_quorum { // "2 of 3"; need 0: all
	int64_t need, of;
};
struct training_federated { // rounds 0: not federated
	struct field_list clouds;
	int64_t rounds, local_epochs;
	struct training_aggregate aggregate;
	struct training_quorum quorum;
	int64_t deadline_ns; // of one round
};
struct training_resources {
	double cpu;
	int64_t memory; // bytes; 0: the engine's default
	struct field_accelerator accelerator; // model empty: none
};
struct training_place { // of the one job of a training that is not federated
	struct field_list prefer; // of struct str: clouds, the first first
	bool spot;
	int64_t deadline_ns; // 0: that of the training
	struct field_money at_most; // currency empty: no bound
};
struct training {
	struct field_ref data; // transform/prepared, qualifier "train"
	struct str trainer;    // "builtin/mlp"; empty: the user's own command
	struct str code;       // folder of the user's program, inside the workspace
	struct str image;      // container image; the local engine runs the program on this machine and leaves it aside
	struct field_list command; // of struct str
	const struct node *with;
	struct field_ref bucket;
	struct training_resources resources;
	struct training_place place;
	int64_t checkpoint_ns; // 0: none is asked for
	int64_t deadline_ns; // of the one job of a training that is not federated
	struct training_federated federated;
};
extern const struct kind training_kind;
extern const struct resource_handler training_handler;

#endif
