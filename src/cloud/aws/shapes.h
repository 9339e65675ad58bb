// SPDX-License-Identifier: Apache-2.0
// Which of SageMaker's machines a job or a model server gets: the smallest of the general-purpose family that holds
// what was asked for. Pure. Source: "Amazon SageMaker pricing", "Amazon EC2 M5 instances".
#ifndef ISOBAR_CLOUD_AWS_SHAPES_H
#define ISOBAR_CLOUD_AWS_SHAPES_H

#include <stdint.h>

struct aws_shape {
	const char *instance; // "ml.m5.large"
	double cpu;
	uint64_t memory; // bytes
};
// NULL: none is large enough.
const struct aws_shape *aws_shape_for(double cpu, uint64_t memory);
const struct aws_shape *aws_shape_largest(void);

#endif
