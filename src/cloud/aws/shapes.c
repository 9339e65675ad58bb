// SPDX-License-Identifier: Apache-2.0
// Machines by size: see shapes.h.
#include "cloud/aws/shapes.h"

#include "base/attr.h"

#define GIB (UINT64_C(1) << 30)

static const struct aws_shape shapes[] = { // smallest first
	{"ml.m5.large", 2, 8 * GIB},
	{"ml.m5.xlarge", 4, 16 * GIB},
	{"ml.m5.2xlarge", 8, 32 * GIB},
	{"ml.m5.4xlarge", 16, 64 * GIB},
	{"ml.m5.12xlarge", 48, 192 * GIB},
	{"ml.m5.24xlarge", 96, 384 * GIB},
};

const struct aws_shape *aws_shape_for(double cpu, uint64_t memory)
{
	for (size_t i = 0; i < COUNT_OF(shapes); i++)
		if (cpu <= shapes[i].cpu && memory <= shapes[i].memory)
			return &shapes[i];
	return NULL;
}

const struct aws_shape *aws_shape_largest(void)
{
	return &shapes[COUNT_OF(shapes) - 1];
}
